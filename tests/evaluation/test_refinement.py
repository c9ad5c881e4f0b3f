"""The best diagonal Gaussian: against closed forms, scipy, and a replay by torch."""

import math

import numpy as np
import pytest
import torch
from scipy import optimize, stats
from torch.distributions import Independent, Normal

from vaebook.autoencoder import Autoencoder
from vaebook.evaluation import Search, elbo_draws, refine_posterior
from vaebook.likelihood import FullGaussian
from vaebook.linear_vae import diagonal_gap
from vaebook.vae import Posterior
from vaebook.variational import linear_elbo

pytestmark = pytest.mark.usefixtures("one_thread")


def some_q(shape, seed=9):
    """A Gaussian per image that is nobody's best."""
    rng = torch.Generator().manual_seed(seed)
    mu, log_var = torch.randn(2, *shape, generator=rng, dtype=torch.float64)
    return Posterior(mu, 0.5 * log_var - 1)


@pytest.mark.equation(
    "eq-evaluation-weights-of-q",
    against="scipy's densities at the same noise",
    body="8fdd57bd",
)
@pytest.mark.parametrize("path_only", [False, True])
def test_log_weights_of_any_q_are_scipys(tiny, plane, linear, log_joint, path_only):
    for model, x in (tiny, plane, linear[::2]):
        q = some_q((len(x), model.latent_dim))
        rng = torch.Generator().manual_seed(1)
        found = elbo_draws(model, x, q, 6, path_only=path_only, rng=rng)
        rng = torch.Generator().manual_seed(1)
        eps = torch.randn(6, *q.mu.shape, generator=rng, dtype=torch.float64).numpy()
        mu, sigma = q.mu.numpy(), np.exp(q.log_var.numpy() / 2)
        z = mu + sigma * eps
        log_q = stats.norm.logpdf(z, mu, sigma).sum(-1)
        expected = log_joint(model, x, z) - log_q
        assert found.shape == (6, len(x))
        np.testing.assert_allclose(found.detach(), expected, rtol=1e-10)


@pytest.mark.equation(
    "eq-evaluation-weights-of-q",
    against="the exact log p(x), which q = p(z|x) gives",
    body="8fdd57bd",
)
def test_every_weight_is_the_evidence_where_q_is_the_posterior(line, rng):
    model, exact, x = line
    mu, cov = exact.posterior(x)
    q = Posterior(mu, cov.diagonal().log().expand_as(mu))
    found = elbo_draws(model, x, q, 5, rng=rng).detach()
    expected = exact.log_evidence(x).expand(5, -1)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_path_gradient_rests_where_q_is_the_posterior(line, rng):
    """Draw by draw; the whole gradient does so only on average."""
    model, exact, x = line
    mu, cov = exact.posterior(x)
    q = Posterior(mu, cov.diagonal().log().expand_as(mu).clone())
    for part in q:
        part.requires_grad_()
    steepest = []
    for path_only in (True, False):
        log_w = elbo_draws(model, x, q, 1, path_only=path_only, rng=rng)
        slopes = torch.autograd.grad(log_w.sum(), q)
        steepest.append(max(slope.abs().max().item() for slope in slopes))
    assert steepest[0] < 1e-10
    assert steepest[1] > 0.1


@pytest.mark.equation(
    "eq-evaluation-weights-of-q",
    against="the ELBO of a linear model in closed form",
    body="8fdd57bd",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_mean_of_the_weights_is_the_elbo_of_the_q_given(linear, rng, assert_within):
    model, exact, x = linear
    mu, log_var = some_q((len(x), 2))
    log_var = log_var[:1].expand_as(mu)
    draws = elbo_draws(model, x, Posterior(mu, log_var), 5000, rng=rng).detach()
    truth = linear_elbo(exact, x, FullGaussian(mu, log_var[0].exp().diag())).elbo
    assert_within(draws.mean(0), truth, stats.sem(draws.numpy()))


def best_of_linear(exact, x):
    """Exact posterior mean, and one over the diagonal of the precision."""
    mu, cov = exact.posterior(x)
    precision = np.linalg.inv(cov.numpy())
    return mu.numpy(), -np.log(np.diag(precision))


@pytest.mark.equation(
    "eq-evaluation-best-q",
    against="the posterior mean and 1/precision of a linear model",
    body="5cb93ac1",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_best_q_of_a_linear_model_is_where_the_closed_form_says(
    linear, rng, assert_within
):
    """Twenty climbs of each image: their mean is there, and none strays far."""
    model, exact, x = linear
    q = refine_posterior(model, x.repeat(20, 1), None, Search(400, 24), rng=rng)
    for found, truth in zip(q, best_of_linear(exact, x), strict=True):
        found = found.reshape(20, len(x), 2).numpy()
        assert_within(found.mean(0), np.broadcast_to(truth, (4, 2)), stats.sem(found))
        assert found.std(0).max() < 0.05
        assert np.abs(found - truth).max() < 0.1


@pytest.mark.equation(
    "eq-evaluation-best-q",
    against="the exact posterior of a linear model of one latent",
    body="5cb93ac1",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_best_q_is_found_to_many_digits_where_it_is_the_posterior(line, rng):
    """The path's gradient has no noise there."""
    model, exact, x = line
    mu, log_var = best_of_linear(exact, x)
    q = refine_posterior(model, x, None, Search(800), rng=rng)
    np.testing.assert_allclose(q.mu, mu, rtol=1e-9)
    np.testing.assert_allclose(q.log_var, np.broadcast_to(log_var, (4, 1)), rtol=1e-9)


@pytest.mark.equation(
    "eq-evaluation-best-q",
    against="the best ELBO of a linear model in closed form",
    body="5cb93ac1",
)
def test_best_elbo_of_a_linear_model_is_the_evidence_less_the_gap(
    linear, rng, exact_elbo
):
    model, exact, x = linear
    q = refine_posterior(model, x, None, Search(600, 64), rng=rng)
    best = exact.log_evidence(x) - diagonal_gap(exact)
    found = exact_elbo(exact, x, q)
    assert (found <= best + 1e-12).all()
    np.testing.assert_allclose(found, best, atol=1e-3)


def climb(elbo, start):
    """The maximum by scipy, from the same start."""
    flat = torch.cat([v.detach() for v in start]).numpy()
    return -optimize.minimize(lambda v: -elbo(*np.split(v, 2)), flat).fun


@pytest.mark.equation(
    "eq-evaluation-best-q",
    against="scipy.optimize on the ELBO by quadrature",
    body="5cb93ac1",
)
def test_best_elbo_by_quadrature_is_scipys_maximum(
    tiny, plane, twins, rng, quadrature_elbo
):
    for model, x in (tiny, (plane[0], plane[1][:2]), twins):
        q = refine_posterior(model, x, None, Search(400, 32), rng=rng)
        own = model.posterior(x)
        for n, one in enumerate(x.numpy()):

            def elbo(mu, log_var, model=model, one=one):
                return quadrature_elbo(model, one, mu, log_var)

            best = climb(elbo, (own.mu[n], own.log_var[n]))
            found = elbo(q.mu[n].numpy(), q.log_var[n].numpy())
            assert best - 1e-3 < found < best + 1e-6
            assert found > 0.05 + elbo(*(v[n].detach().numpy() for v in own))


def replay(model, x, start, search, rng):
    """The same climb by torch's own distributions, Adam and cosine."""
    q = [v.detach().clone().requires_grad_() for v in start]
    optimizer = torch.optim.Adam(q, lr=search.learning_rate)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, search.num_steps)
    for _ in range(search.num_steps):
        shape = search.num_samples, *q[0].shape
        eps = torch.randn(shape, generator=rng, dtype=torch.float64)
        z = q[0] + (q[1] / 2).exp() * eps
        held = Normal(q[0].detach(), (q[1].detach() / 2).exp())
        log_w = model.log_likelihood(x, z) + Normal(0.0, 1.0).log_prob(z).sum(-1)
        log_w = log_w - Independent(held, 1).log_prob(z)
        optimizer.zero_grad()
        (-log_w.mean(0)).sum().backward()
        optimizer.step()
        rate.step()
    return [v.detach() for v in q]


@pytest.mark.parametrize(
    "search", [Search(1, 1, 0.3), Search(7, 3, 0.1), Search(40, 8, 0.05)]
)
def test_climb_is_adams_with_a_rate_along_half_a_cosine(plane, search):
    model, x = plane
    start = some_q((len(x), 2))
    rng = torch.Generator().manual_seed(5)
    found = refine_posterior(model, x, start, search, rng=rng)
    expected = replay(model, x, start, search, torch.Generator().manual_seed(5))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_first_step_is_the_whole_learning_rate(tiny, rng):
    """Adam's first: by the rate itself, in every coordinate."""
    model, x = tiny
    start = some_q((len(x), 1))
    q = refine_posterior(model, x, start, Search(1, 8, 0.25), rng=rng)
    for ours, before in zip(q, start, strict=True):
        np.testing.assert_allclose((ours - before).abs(), 0.25, rtol=1e-6)


def test_rate_falls_from_all_to_nothing_along_half_a_cosine():
    search, done = Search(learning_rate=0.2), np.linspace(0, 1, 9)
    found = [search.rate_at(share) for share in done]
    np.testing.assert_allclose(found, 0.2 * np.cos(done * np.pi / 2) ** 2, atol=1e-15)


def test_start_is_the_encoders_q_unless_another_is_given(tiny):
    model, x = tiny
    own, other = model.posterior(x), some_q((len(x), 1))
    found = [
        refine_posterior(
            model, x, start, Search(3), rng=torch.Generator().manual_seed(0)
        ).mu
        for start in (None, own, other)
    ]
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_climb_ends_on_the_hill_where_it_began(twins, rng):
    """The lit image has a mode at either side; each start finds its own."""
    model, x = twins
    ends = []
    for side in (-1.0, 1.0):
        start = Posterior(torch.full((2, 1), side), torch.full((2, 1), -2.0))
        start = Posterior(*(v.double() for v in start))
        ends.append(refine_posterior(model, x, start, rng=rng).mu[1].item())
    assert ends[0] < -1.5
    assert ends[1] > 1.5


def test_images_are_climbed_each_by_itself(line, rng):
    """One image or four: where q is the posterior the noise does not tell."""
    model, _, x = line
    together = refine_posterior(model, x, None, Search(300), rng=rng)
    alone = refine_posterior(model, x[2:3], None, Search(300), rng=rng)
    np.testing.assert_allclose(together.mu[2:3], alone.mu, atol=1e-3)
    np.testing.assert_allclose(together.log_var[2:3], alone.log_var, atol=1e-3)


def test_model_and_start_stay_as_they_were(tiny, rng):
    model, x = tiny
    start = some_q((len(x), 1))
    before = [v.detach().clone() for v in (*model.parameters(), *start)]
    refine_posterior(model, x, start, Search(5), rng=rng)
    after = (*model.parameters(), *start)
    assert all(map(torch.equal, before, after))
    assert all(weight.grad is None for weight in model.parameters())


def test_answer_has_no_graph(tiny, rng):
    model, x = tiny
    q = refine_posterior(model, x, None, Search(2), rng=rng)
    assert not any(part.requires_grad for part in q)


def test_climb_is_the_same_where_gradients_are_off(tiny):
    model, x = tiny
    search, rngs = Search(3), [torch.Generator().manual_seed(0) for _ in range(2)]
    expected = refine_posterior(model, x, None, search, rng=rngs[0])
    with torch.no_grad():
        found = refine_posterior(model, x, None, search, rng=rngs[1])
    assert all(map(torch.equal, found, expected))


def test_same_seed_same_answer_and_another_seed_another(tiny):
    model, x = tiny
    found = [
        refine_posterior(
            model, x, None, Search(3), rng=torch.Generator().manual_seed(s)
        ).mu
        for s in (0, 0, 1)
    ]
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize(("steps", "samples"), [(1, 1), (5, 3)])
def test_exactly_the_requested_draws_are_made(tiny, rng, steps, samples):
    model, x = tiny
    drawn, original = [], model.log_likelihood
    model.log_likelihood = lambda x, z: drawn.append(len(z)) or original(x, z)
    refine_posterior(model, x, None, Search(steps, samples), rng=rng)
    assert drawn == [samples] * steps


def test_four_hundred_steps_of_eight_draws_unless_said():
    assert Search() == Search(num_steps=400, num_samples=8, learning_rate=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_steps": 0}, "num_steps must be at least 1; received 0"),
        ({"num_samples": 0}, "num_samples must be at least 1; received 0"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0 and finite; received"),
        ({"learning_rate": math.nan}, "learning_rate must be above 0 and finite"),
    ],
)
def test_search_that_does_not_move_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Search(**arguments)


def test_model_without_a_density_is_refused(tiny, rng):
    with pytest.raises(TypeError, match="received Autoencoder"):
        refine_posterior(Autoencoder(3, (4,), 1, rng=rng), tiny[1], rng=rng)


def test_one_image_without_its_axis_is_refused(tiny, rng):
    model, x = tiny
    with pytest.raises(ValueError, match=r"x must be \(N, D\).* received \(3,\)"):
        refine_posterior(model, x[0], rng=rng)


def test_no_draws_are_refused(tiny, rng):
    model, x = tiny
    with pytest.raises(ValueError, match="num_samples must be at least 1; received 0"):
        elbo_draws(model, x, model.posterior(x), 0, rng=rng)
