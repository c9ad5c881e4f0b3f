"""Each way to the posterior, against the exact one of a linear model."""

import numpy as np
import pytest
import torch
from scipy import stats

from vaebook.applications import (
    BinaryInpainting,
    Chains,
    GreyRestoration,
    Measurement,
    gibbs,
    hmc,
    most_probable,
    resampled,
    spread_states,
)
from vaebook.evaluation import Moved, Search, split_r_hat
from vaebook.vae import VAE

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def code_law(task):
    return law_of(task)


def law_of(task):
    """Mean (N, L) and covariance (L, L) of p(z|y), by conditioning in numpy."""
    net = task.model.decoder.net[0]
    w, b = net.weight.detach().numpy(), net.bias.detach().numpy()
    a = task.weights.numpy()
    noise = np.diag(np.exp(task.model.log_var.detach().numpy()))
    cov_y = a @ (w @ w.T + noise) @ a.T + task.sigma**2 * np.eye(len(a))
    gain = (a @ w).T @ np.linalg.inv(cov_y)
    return (task.y.numpy() - a @ b) @ gain.T, np.eye(2) - gain @ a @ w


def starts(num, task, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(num, task.num_images, 2, generator=rng, dtype=torch.float64)


def assert_agrees(z, law, assert_within, k=5.0):
    """Chains (T, S, N, L): mean and covariance, errors from how chains differ."""
    mean, cov = law
    of_chains = z.mean(0)  # (S, N, L)
    error = of_chains.std(0) / len(of_chains) ** 0.5
    assert_within(of_chains.mean(0), mean, error, k)
    off = (z - torch.from_numpy(mean))[..., :, None] * (z - torch.from_numpy(mean))[
        ..., None, :
    ]
    spread = off.mean(0)  # (S, N, L, L)
    error = spread.std(0) / len(spread) ** 0.5
    assert_within(spread.mean(0), np.broadcast_to(cov, spread.shape[1:]), error, k)


@pytest.mark.equation(
    "eq-applications-map",
    against="the posterior mean of a linear model, in numpy",
    body="992c7973",
)
def test_most_probable_code_is_the_mean_of_a_gaussian(task, code_law):
    found = most_probable(task, starts(3, task), Search(num_steps=2000))
    np.testing.assert_allclose(found, code_law[0], atol=1e-4)
    assert not found.requires_grad


def test_each_image_keeps_the_best_of_its_climbs(task):
    begun = starts(5, task)
    none = Search(num_steps=1, learning_rate=1e-9)
    found = most_probable(task, begun, none)
    with torch.no_grad():
        best = task.log_prob(begun).argmax(0)
    truth = torch.stack([begun[k, n] for n, k in enumerate(best)])
    torch.testing.assert_close(found, truth, atol=1e-6, rtol=0)
    assert len(set(best.tolist())) > 1


@pytest.mark.equation(
    "eq-applications-resampling",
    against="mean and covariance of the posterior of a linear model, in numpy",
    body="24ef2fef",
)
def test_resampled_codes_follow_the_posterior(task, code_law, assert_within):
    runs = [
        resampled(task, 4000, 4000, rng=torch.Generator().manual_seed(seed)).z
        for seed in range(30)
    ]
    assert_agrees(torch.stack(runs, 1), code_law, assert_within)


def test_effective_number_is_that_of_the_weights(task):
    rng = torch.Generator().manual_seed(0)
    found = resampled(task, 300, 2, rng=rng)
    z = task.model.prior_draws(300, rng=torch.Generator().manual_seed(0))
    with torch.no_grad():
        w = task.log_likelihood(z[:, None].expand(-1, 4, -1)).exp().numpy()
    np.testing.assert_allclose(found.ess, w.sum(0) ** 2 / (w**2).sum(0), rtol=1e-9)
    parts = resampled(task, 300, 2, chunk=7, rng=torch.Generator().manual_seed(0))
    torch.testing.assert_close(parts.z, found.z)


def test_resampled_codes_are_of_the_blind_ones(task):
    found = resampled(task, 5, 200, rng=torch.Generator().manual_seed(0)).z
    blind = task.model.prior_draws(5, rng=torch.Generator().manual_seed(0))
    assert found.shape == (200, 4, 2)
    assert ((found[:, :, None] == blind).all(-1).any(-1)).all()


@pytest.mark.equation(
    "eq-applications-within-gibbs",
    against="mean and covariance of the posterior of a linear model, in numpy",
    body="c7afab08",
)
def test_corrected_gibbs_follows_the_posterior(task, code_law, assert_within):
    rng = torch.Generator().manual_seed(0)
    chains = gibbs(task, starts(200, task), 400, rng=rng)
    assert_agrees(chains.z[100:], code_law, assert_within)
    assert (chains.accept > 0.1).all() and (chains.accept < 0.999).all()


def test_pseudo_gibbs_accepts_all_and_is_many_errors_off(task, code_law, assert_within):
    rng = torch.Generator().manual_seed(0)
    chains = gibbs(task, starts(200, task), 400, corrected=False, rng=rng)
    assert (chains.accept == 1).all()
    assert (chains.z[1:] != chains.z[:-1]).all()
    with pytest.raises(AssertionError, match="standard errors"):
        assert_agrees(chains.z[100:], code_law, assert_within, k=10)


def test_pseudo_gibbs_is_right_where_the_encoder_is(task, assert_within):
    """With the exact posterior of a whole image for q it is a Gibbs sampler."""
    with torch.no_grad():
        task.model.log_var.fill_(-0.7)  # its columns are orthogonal: q is diagonal
    task = GreyRestoration(task.model, Measurement(task.weights, task.sigma), task.y)
    code_law = law_of(task)
    exact = task.model.linear_gaussian()

    def posterior(x):
        flat = exact.posterior(x.reshape(-1, 5))
        return flat.mu.reshape(*x.shape[:-1], 2), flat.cov

    cov = np.asarray(posterior(torch.ones(1, 5).double())[1].detach())
    if np.abs(cov - np.diag(np.diag(cov))).max() > 1e-9:
        pytest.fail("the model's posterior must be diagonal for this test")
    task.model.posterior = lambda x: (
        posterior(x)[0].detach(),
        torch.from_numpy(np.log(np.diag(cov))).expand(*x.shape[:-1], 2),
    )
    rng = torch.Generator().manual_seed(0)
    chains = gibbs(task, starts(200, task), 400, corrected=False, rng=rng)
    assert_agrees(chains.z[100:], code_law, assert_within)
    corrected = gibbs(task, starts(5, task), 20, rng=rng)
    assert corrected.accept.numpy() == pytest.approx(1.0)


def test_hmc_follows_the_posterior(task, code_law, assert_within):
    rng = torch.Generator().manual_seed(0)
    chains = hmc(task, starts(200, task), 200, rng=rng)
    assert_agrees(chains.z, code_law, assert_within)
    assert chains.accept.numpy() == pytest.approx(0.65, abs=0.12)
    assert split_r_hat(chains.z).max() < 1.02


def test_the_run_before_brings_the_likelihood_in_by_and_by(task, monkeypatch):
    """What each move's density weighs the likelihood with, and that it ends at 1."""
    z = starts(2, task)
    weights = []

    def watched(density, at, *_, **__):
        with torch.no_grad():
            prior, joint = task.model.code_log_prob(z), density(z)
            weights.append(((joint - prior) / task.log_likelihood(z)).mean().item())
        return Moved(at, torch.full(at.shape[:-1], 0.65))

    monkeypatch.setattr("vaebook.applications.restorers.hmc_step", watched)
    rng = torch.Generator().manual_seed(0)
    hmc(task, z, 2, num_before=9, rng=rng)
    rising = [k / 6 for k in range(1, 7)]
    assert weights == pytest.approx([*rising, 1, 1, 1, 1, 1])
    weights.clear()
    hmc(task, z, 2, num_before=3, annealed=False, rng=rng)
    assert weights == pytest.approx([1] * 5)


def test_each_move_draws_its_step_around_the_one_that_was_found(task, monkeypatch):
    taken = []

    def watched(density, at, step, *_, **__):
        taken.append(step)
        return Moved(at, torch.full(at.shape[:-1], 0.65))  # as aimed for: it stays 0.1

    monkeypatch.setattr("vaebook.applications.restorers.hmc_step", watched)
    hmc(task, starts(50, task), 20, num_before=5, rng=torch.Generator().manual_seed(0))
    steps = torch.stack(taken) / 0.1  # (25, 50, 4)
    assert steps.min() == pytest.approx(0.6, abs=0.01)
    assert steps.max() == pytest.approx(1.2, abs=0.01)
    assert steps.mean() == pytest.approx(0.9, abs=0.02)


def test_chains_find_the_large_hill_of_two(task, monkeypatch):
    """A likelihood with a hill of 1/400 of the mass, on which abrupt chains stay."""

    def log_likelihood(z):
        large = -0.5 * ((z - 1.0) / 0.25).square().sum(-1)
        poor = -0.5 * ((z + 1.0) / 0.25).square().sum(-1) - 6
        return torch.logaddexp(large, poor)

    monkeypatch.setattr(task, "log_likelihood", log_likelihood)
    shares = {}
    for annealed in (True, False):
        rng = torch.Generator().manual_seed(0)
        z = hmc(task, starts(100, task), 20, annealed=annealed, rng=rng).z[-1]
        shares[annealed] = (z.sum(-1) > 0).double().mean().item()
    assert shares[True] > shares[False] + 0.1


def test_all_ways_give_the_exact_image(task, exact, assert_within):
    """E[x|y] as the mean of E[x|z, y] over codes, by each way."""
    rng = torch.Generator().manual_seed(1)
    ways = {
        "resampled": resampled(task, 20_000, 2000, rng=rng).z[None],
        "gibbs": gibbs(task, starts(100, task), 300, rng=rng).z[100:],
        "hmc": hmc(task, starts(100, task), 100, rng=rng).z,
    }
    for z in ways.values():
        with torch.no_grad():
            of_chains = task.mean_image(z).mean(0)  # (S, N, D)
        error = of_chains.std(0) / len(of_chains) ** 0.5
        assert_within(of_chains.mean(0), exact[0], error, k=6)


@pytest.mark.equation(
    "eq-applications-three-decibels",
    against="4,000 images drawn from a linear model and its exact posterior",
    body="3d8c2a71",
)
def test_one_samples_squared_error_is_twice_the_means(linear, blurred, assert_within):
    """On images drawn from the model: -3.01 dB."""
    rng = torch.Generator().manual_seed(0)
    law = linear.linear_gaussian().marginal()
    chol = torch.linalg.cholesky(law.cov.detach())
    x = law.mu.detach() + torch.randn(4000, 5, generator=rng).double() @ chol.T
    task = GreyRestoration(linear, blurred, blurred.observe(x, rng=rng))
    exact = task.exact()
    root = torch.linalg.cholesky(exact.cov.detach() + 1e-12 * torch.eye(5).double())
    one = exact.mu.detach() + torch.randn(4000, 5, generator=rng).double() @ root.T
    of_mean = (exact.mu.detach() - x).square().sum(1)
    of_one = (one - x).square().sum(1)
    left = of_one - 2 * of_mean
    assert_within(left.mean(), 0.0, left.std() / len(x) ** 0.5)
    ratio = 10 * np.log10(of_one.mean().item() / of_mean.mean().item())
    assert ratio == pytest.approx(3.01, abs=0.2)


def test_inpainted_codes_follow_the_posterior_by_quadrature(assert_within):
    model = VAE(4, (5,), 2, rng=torch.Generator().manual_seed(3)).double()
    with torch.no_grad():
        for layer in model.decoder.net[::2]:
            layer.weight *= 3
    mask = torch.tensor([[True, True], [True, False]])
    task = BinaryInpainting(
        model, mask, torch.tensor([[1.0, 0, 1], [0, 0, 1]]).double()
    )
    nodes = torch.linspace(-6, 6, 201).double()
    grid = torch.cartesian_prod(nodes, nodes)
    with torch.no_grad():
        shares = torch.softmax(task.log_prob(grid[:, None].expand(-1, 2, -1)), 0)
    mean = torch.einsum("gn,gl->nl", shares, grid)
    second = torch.einsum("gn,gl,gm->nlm", shares, grid, grid)
    cov = second - mean[:, :, None] * mean[:, None]
    rng = torch.Generator().manual_seed(0)
    begun = torch.randn(200, 2, 2, generator=rng, dtype=torch.float64)
    for chains in (gibbs(task, begun, 300, rng=rng), hmc(task, begun, 200, rng=rng)):
        z = chains.z[100:]
        of_chains = z.mean(0)
        assert_within(of_chains.mean(0), mean, of_chains.std(0) / 200**0.5)
        off = z - mean
        spread = (off[..., :, None] * off[..., None, :]).mean(0)
        assert_within(spread.mean(0), cov, spread.std(0) / 200**0.5)


def test_a_chain_that_runs_away_is_told(task):
    """An encoder that answers with more each time it is asked."""
    own = task.model.posterior
    task.model.posterior = lambda x: type(own(x))(1e200 * own(x).mu, own(x).log_var)
    rng = torch.Generator().manual_seed(0)
    with pytest.raises(ValueError, match="codes of the chains must be finite"):
        gibbs(task, starts(2, task), 9, corrected=False, rng=rng)
    for factor in (1e200, np.inf):
        task.model.posterior = lambda x, k=factor: type(own(x))(
            k * own(x).mu, own(x).log_var
        )
        stays = gibbs(task, starts(2, task), 9, rng=rng)
        assert stays.z.isfinite().all() and (stays.accept == 0).all()


def test_same_seed_same_chains_and_global_generator_left_alone(task):
    before = torch.get_rng_state()
    for way in (gibbs, hmc):
        a, b, c = (
            way(task, starts(2, task), 3, rng=torch.Generator().manual_seed(seed)).z
            for seed in (0, 0, 1)
        )
        assert torch.equal(a, b) and not torch.equal(a, c)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t, r: gibbs(t, starts(2, t), 0, rng=r), "num_steps must be at least 1"),
        (lambda t, r: hmc(t, starts(2, t), 0, rng=r), "num_steps must be at least 1"),
        (lambda t, r: hmc(t, starts(2, t), 3, num_before=0, rng=r), "num_before must"),
        (lambda t, r: gibbs(t, starts(2, t)[0], 3, rng=r), "z must be of shape"),
        (lambda t, r: hmc(t, starts(2, t)[:, :2], 3, rng=r), "z must be of shape"),
        (lambda t, r: most_probable(t, starts(2, t)[0]), "starts must be of shape"),
        (lambda t, r: resampled(t, 1, 1, rng=r), "num_draws must be at least 2"),
        (lambda t, r: resampled(t, 5, 0, rng=r), "num_kept must be at least 1"),
    ],
)
def test_impossible_requests_are_refused(task, rng, call, message):
    with pytest.raises(ValueError, match=message):
        call(task, rng)


def test_law_of_the_code_is_that_of_the_grid(task, code_law):
    """The oracle itself, by quadrature."""
    nodes = torch.linspace(-6, 6, 161).double()
    grid = torch.cartesian_prod(nodes, nodes)
    with torch.no_grad():
        shares = torch.softmax(task.log_prob(grid[:, None].expand(-1, 4, -1)), 0)
    mean = torch.einsum("gn,gl->nl", shares, grid)
    np.testing.assert_allclose(mean, code_law[0], atol=1e-6)
    near = stats.multivariate_normal(code_law[0][0], code_law[1]).pdf(grid.numpy())
    np.testing.assert_allclose(shares[:, 0], near / near.sum(), atol=1e-8)


def test_states_are_taken_evenly_from_all_chains():
    z = torch.arange(12.0).view(4, 3, 1, 1)  # a state is 3 t + s
    chains = Chains(z, torch.ones(1))
    assert spread_states(chains, 12).flatten().tolist() == list(range(12))
    assert spread_states(chains, 4).flatten().tolist() == [0, 4, 8, 9]
    assert spread_states(chains, 2).flatten().tolist() == [0, 7]
    for num in range(1, 13):
        few = spread_states(chains, num).flatten().tolist()
        assert len(set(few)) == num
    with pytest.raises(ValueError, match="number of states must be at least 13"):
        spread_states(chains, 13)
