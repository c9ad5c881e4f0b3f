"""Annealing: a replay in numpy, and no bias against evidence in closed form."""

import math

import numpy as np
import pytest
import torch
from scipy import special, stats

from vaebook.autoencoder import Autoencoder
from vaebook.evaluation import (
    Plan,
    anneal,
    anneal_back,
    annealed_log_evidence,
    follow,
    grid_log_evidence,
    plan_annealing,
    sigmoid_temperatures,
    split_r_hat,
    tempered,
)
from vaebook.vae import VAE

pytestmark = pytest.mark.usefixtures("one_thread")


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def draw(rng, *shape):
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# Temperatures, and the density at each


@pytest.mark.equation(
    "eq-evaluation-temperatures", against="scipy.special.expit", body="10beea0f"
)
@pytest.mark.parametrize("spread", [0.5, 4.0, 9.0])
@pytest.mark.parametrize("num_steps", [1, 2, 7, 200])
def test_temperatures_are_scipys_sigmoid(num_steps, spread):
    place = spread * (2 * np.arange(num_steps + 1) / num_steps - 1)
    raised = special.expit(place) - special.expit(-spread)
    expected = raised / (special.expit(spread) - special.expit(-spread))
    found = sigmoid_temperatures(num_steps, spread)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-15)


@pytest.mark.equation(
    "eq-evaluation-temperatures",
    against="the ends, and its own mirror image",
    body="10beea0f",
)
@pytest.mark.parametrize("num_steps", [1, 2, 7, 200, 1000])
def test_temperatures_rise_from_exactly_zero_to_exactly_one(num_steps):
    found = sigmoid_temperatures(num_steps)
    assert found.shape == (num_steps + 1,)
    assert found.dtype == torch.float64
    assert found[0] == 0
    assert found[-1] == 1
    assert (found.diff() > 0).all()
    np.testing.assert_allclose(found + found.flip(0), 1, rtol=1e-12)


def test_temperatures_are_closest_at_both_ends():
    """At a spread of 4 the steps in the middle are 14 times those at the ends."""
    steps = sigmoid_temperatures(1000).diff()
    assert (steps[:500].diff() > 0).all()
    assert (steps[500:].diff() < 0).all()
    slope = special.expit(4) * special.expit(-4)
    assert (steps[500] / steps[0]).item() == pytest.approx(0.25 / slope, rel=0.01)


def test_spread_is_four_unless_said():
    assert torch.equal(sigmoid_temperatures(9), sigmoid_temperatures(9, 4.0))


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="num_steps must be at least 1; received 0"):
        sigmoid_temperatures(0)


@pytest.mark.equation(
    "eq-evaluation-tempered",
    against="scipy's prior and likelihood, term by term",
    body="a90da0f3",
)
@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
def test_tempered_density_is_scipys(tiny, plane, linear, rng, beta, log_likelihood):
    for model, x in (tiny, plane, linear[::2]):
        z = draw(rng, 5, len(x), model.latent_dim)
        log_p_z = stats.norm.logpdf(z.numpy()).sum(-1)
        expected = log_p_z + beta * log_likelihood(model, x, z)
        found = tempered(model, x, beta)(z).detach()
        assert found.shape == (5, len(x))
        np.testing.assert_allclose(found, expected, rtol=1e-10)


# A replay in numpy, whose gradients are a linear model's


def parts(model):
    layer = model.decoder.net[0]
    w, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    return w, b, math.exp(model.log_var.item())


def log_lik_by_numpy(model, x, z):
    w, b, var = parts(model)
    return stats.norm.logpdf(x, z @ w.T + b, math.sqrt(var)).sum(-1)


def transition(model, x, z, beta, step, num_leapfrog, rng):
    """One of HMC at a temperature, from the same random numbers."""
    w, b, var = parts(model)

    def slope(z):
        return -z + beta * (x - b - z @ w.T) @ w / var

    def energy(z, r):
        log_p = -0.5 * (z**2).sum(-1) + beta * log_lik_by_numpy(model, x, z)
        return 0.5 * (r**2).sum(-1) - log_p

    r = draw(rng, *z.shape).numpy()
    u = torch.rand(z.shape[:-1], generator=rng, dtype=torch.float64).numpy()
    at, p, eta = z, r, np.asarray(step)[:, None]
    for _ in range(num_leapfrog):
        p = p + eta / 2 * slope(at)
        at = at + eta * p
        p = p + eta / 2 * slope(at)
    accept = np.minimum(1, np.exp(energy(z, r) - energy(at, p)))
    return np.where((u < accept)[..., None], at, z), accept


def replay(model, x, plan, num_chains, rng):
    """Log-weights, ends and acceptance of a run from the prior."""
    x, betas = x.numpy(), plan.temperatures.tolist()
    z = draw(rng, num_chains, len(x), 2).numpy()
    log_w, accepted = np.zeros(z.shape[:2]), []
    for t in range(1, len(betas)):
        log_w = log_w + (betas[t] - betas[t - 1]) * log_lik_by_numpy(model, x, z)
        given = betas[t], plan.steps[t - 1].numpy(), plan.num_leapfrog
        z, accept = transition(model, x, z, *given, rng)
        accepted.append(accept)
    return log_w, z, np.mean(accepted, (0, 1))


def replay_back(model, x, z, plan, rng):
    """The same from posterior draws down to the prior."""
    x, z, betas = x.numpy(), z.numpy(), plan.temperatures.tolist()
    log_w, accepted = np.zeros(z.shape[:2]), []
    for t in range(len(betas) - 1, 0, -1):
        given = betas[t], plan.steps[t - 1].numpy(), plan.num_leapfrog
        z, accept = transition(model, x, z, *given, rng)
        log_w = log_w - (betas[t] - betas[t - 1]) * log_lik_by_numpy(model, x, z)
        accepted.append(accept)
    return log_w, z, np.mean(accepted, (0, 1))


@pytest.fixture
def uneven_plan(linear):
    """Every transition and every image with a step of its own."""
    steps = 0.1 + 0.5 * torch.rand(3, len(linear[2]), generator=seeded(8)).double()
    return Plan(double([0.0, 0.1, 0.45, 1.0]), steps, 2)


@pytest.mark.equation(
    "eq-evaluation-annealing",
    against="numpy, step by step from the same noise",
    body="36c81b32",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_run_is_the_one_made_by_hand(linear, uneven_plan, rng):
    model, _, x = linear
    same = torch.Generator()
    same.set_state(rng.get_state())
    found = anneal(model, x, uneven_plan, 6, rng=rng)
    expected = replay(model, x, uneven_plan, 6, same)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.equation(
    "eq-evaluation-annealing-back",
    against="numpy, step by step from the same noise",
    body="c5a781d4",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_run_back_is_the_one_made_by_hand(linear, uneven_plan, rng):
    model, _, x = linear
    start = draw(rng, 6, len(x), 2)
    same = torch.Generator()
    same.set_state(rng.get_state())
    found = anneal_back(model, x, start, uneven_plan, rng=rng)
    expected = replay_back(model, x, start, uneven_plan, same)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_plan_is_the_one_made_by_hand(linear, rng):
    """Steps begin at 0.5 and follow the acceptance of each image's chains."""
    model, _, x = linear
    same = torch.Generator()
    same.set_state(rng.get_state())
    temperatures = sigmoid_temperatures(6)
    found = plan_annealing(model, x, temperatures, 5, 3, rng=rng)
    z, step, steps = draw(same, 5, len(x), 2).numpy(), np.full(len(x), 0.5), []
    for beta in temperatures[1:].tolist():
        steps.append(step)
        z, accept = transition(model, x.numpy(), z, beta, step, 3, same)
        step = step * np.exp(0.1 * (accept.mean(0) - 0.65))
    np.testing.assert_allclose(found.steps, steps, rtol=1e-9)
    assert torch.equal(found.temperatures, temperatures)
    assert found.num_leapfrog == 3


@pytest.mark.equation(
    "eq-evaluation-annealing",
    against="scipy's likelihoods of draws from the prior",
    body="36c81b32",
)
def test_one_step_is_importance_sampling_from_the_prior(tiny, plane, log_likelihood):
    for model, x in (tiny, plane):
        plan = plan_annealing(model, x, double([0.0, 1.0]), rng=seeded())
        found = anneal(model, x, plan, 7, rng=seeded(1)).log_w
        z = draw(seeded(1), 7, len(x), model.latent_dim)
        np.testing.assert_allclose(found, log_likelihood(model, x, z), rtol=1e-10)


# No bias, however bad the steps


def relative(log_w, log_p):
    """Weights over what they should be on average: mean and its error."""
    w = np.exp(np.asarray(log_w) - np.asarray(log_p))
    return w.mean(0), stats.sem(w)


def constant_plan(x, temperatures, step, num_leapfrog=2):
    steps = torch.full((len(temperatures) - 1, len(x)), step).to(x)
    return Plan(temperatures, steps, num_leapfrog)


@pytest.mark.equation(
    "eq-evaluation-annealing",
    against="log p(x) of a linear model in closed form",
    body="36c81b32",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
@pytest.mark.parametrize("step", [0.02, 0.3, 0.9])
def test_weights_are_unbiased_for_the_evidence(linear, rng, step, assert_within):
    """With three temperatures, and steps that do not move or are mostly refused."""
    model, exact, x = linear
    plan = constant_plan(x, sigmoid_temperatures(3, 1.0), step)
    run = anneal(model, x, plan, 10_000, rng=rng)
    mean, error = relative(run.log_w, exact.log_evidence(x))
    assert error.max() < 0.15
    assert_within(mean, 1, error)


@pytest.mark.equation(
    "eq-evaluation-annealing-back",
    against="log p(x) of a linear model in closed form",
    body="c5a781d4",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
@pytest.mark.parametrize("step", [0.45, 0.65])
def test_weights_back_are_unbiased_for_one_over_it(linear, rng, step, assert_within):
    """Of images not too far out, where the weights have a variance to speak of."""
    model, exact, x = linear
    x = x[1:]
    plan = constant_plan(x, sigmoid_temperatures(20, 2.0), step)
    z = exact_draws(exact, x, 4000, rng)
    run = anneal_back(model, x, z, plan, rng=rng)
    mean, error = relative(run.log_w, -exact.log_evidence(x))
    assert error.max() < 0.15
    assert_within(mean, 1, error)


def exact_draws(exact, x, number, rng):
    """From the posterior of a linear model, (S, N, L)."""
    mu, cov = exact.posterior(x)
    return mu + draw(rng, number, *mu.shape) @ torch.linalg.cholesky(cov).T


@pytest.mark.equation(
    "eq-evaluation-annealing-back",
    against="the exact log p(x), which two runs sandwich",
    body="c5a781d4",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_two_directions_have_the_truth_between_them(linear, rng):
    """On average over chains; more temperatures, and both come closer."""
    model, exact, x = linear
    truth, z = exact.log_evidence(x), exact_draws(exact, x, 400, rng)
    gaps = []
    for num_steps in (8, 40):
        temperatures = sigmoid_temperatures(num_steps)
        plan = plan_annealing(model, x, temperatures, rng=rng)
        below = anneal(model, x, plan, 400, rng=rng).log_w.mean(0)
        above = -anneal_back(model, x, z, plan, rng=rng).log_w.mean(0)
        assert (below < truth).all()
        assert (truth < above).all()
        gaps.append(above - below)
    assert (gaps[1] < 0.6 * gaps[0]).all()


@pytest.mark.equation(
    "eq-evaluation-annealing-back",
    against="the evidence of drawn images on a grid",
    body="c5a781d4",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_code_of_a_drawn_image_is_a_draw_of_its_posterior(tiny, rng, assert_within):
    """Of 4000 images drawn with their codes, one chain back each."""
    model, _ = tiny
    z = draw(rng, 4000, 1)
    x = torch.bernoulli(model.mean_image(z).detach(), generator=rng)
    plan = constant_plan(x, sigmoid_temperatures(5), 0.5)
    log_w = anneal_back(model, x, z[None], plan, rng=rng).log_w[0]
    mean, error = relative(log_w, -grid_log_evidence(model, x))
    assert_within(mean, 1, error)


def test_slow_chains_end_where_the_posterior_is(linear, rng, assert_within):
    model, exact, x = linear
    mu, cov = exact.posterior(x)
    plan = plan_annealing(model, x, sigmoid_temperatures(80), rng=rng)
    z = anneal(model, x, plan, 500, rng=rng).z
    assert_within(z.mean(0), mu, stats.sem(z.numpy()))
    second = (z - mu).square().numpy()
    assert_within(second.mean(0), cov.diagonal().expand_as(mu), stats.sem(second))


def test_slow_chains_back_end_where_the_prior_is(linear, rng, assert_within):
    model, exact, x = linear
    plan = plan_annealing(model, x, sigmoid_temperatures(80), rng=rng)
    z = anneal_back(model, x, exact_draws(exact, x, 500, rng), plan, rng=rng).z
    assert_within(z.mean(0), torch.zeros(4, 2), stats.sem(z.numpy()))
    second = z.square().numpy()
    assert_within(second.mean(0), torch.ones(4, 2), stats.sem(second))


# The plan


def test_plan_has_a_step_for_each_transition_and_image(plane, rng):
    model, x = plane
    temperatures = sigmoid_temperatures(9)
    plan = plan_annealing(model, x, temperatures, num_leapfrog=4, rng=rng)
    assert plan.steps.shape == (9, len(x))
    assert (plan.steps > 0).all()
    assert plan.steps[0].tolist() == [0.5] * len(x)
    assert plan.num_leapfrog == 4


def test_planned_steps_are_accepted_about_as_often_as_aimed_for(linear, rng):
    """Longer while the density is wide, like the prior, and shorter at its end."""
    model, _, x = linear
    plan = plan_annealing(model, x, sigmoid_temperatures(60), rng=rng)
    run = anneal(model, x, plan, 30, rng=rng)
    assert (run.acceptance - 0.65).abs().max() < 0.08
    longest = plan.steps.amax(0)
    assert (longest > 1.2 * plan.steps[0]).all()
    assert (longest > 1.2 * plan.steps[-1]).all()


@pytest.mark.parametrize("num_chains", [1, 8, 20])
def test_plan_and_run_have_the_chains_asked_for(tiny, rng, num_chains, largest_batch):
    model, x = tiny
    temperatures, plans = sigmoid_temperatures(2), []

    def make():
        plans.append(plan_annealing(model, x, temperatures, num_chains, rng=rng))

    assert largest_batch(model, make) == num_chains * len(x)
    run = anneal(model, x, plans[0], num_chains, rng=rng)
    assert run.log_w.shape == (num_chains, len(x))
    assert run.z.shape == (num_chains, len(x), 1)
    assert run.acceptance.shape == (len(x),)


def test_eight_chains_find_the_steps_unless_said(tiny, rng, largest_batch):
    model, x = tiny
    call = lambda: plan_annealing(model, x, double([0.0, 1.0]), rng=rng)  # noqa: E731
    assert largest_batch(model, call) == 8 * len(x)


# All of it together


def test_evidence_is_the_log_mean_of_a_planned_run(tiny):
    model, x = tiny
    found = annealed_log_evidence(model, x, 5, 12, rng=seeded(3))
    rng = seeded(3)
    plan = plan_annealing(model, x, sigmoid_temperatures(5), rng=rng)
    run = anneal(model, x, plan, 12, rng=rng)
    w = np.exp(run.log_w.numpy())
    np.testing.assert_allclose(found.bound.value, np.log(w.mean(0)), rtol=1e-10)
    error = stats.sem(w) / w.mean(0)
    np.testing.assert_allclose(found.bound.standard_error, error, rtol=1e-9)
    ess = w.sum(0) ** 2 / (w**2).sum(0)
    np.testing.assert_allclose(found.bound.ess, ess, rtol=1e-9)
    assert torch.equal(found.acceptance, run.acceptance)
    states = follow(model, x, run.z, plan, rng=rng)
    assert states.shape == (100, 12, len(x), 1)
    assert torch.equal(found.r_hat, split_r_hat(states)[:, 0])


@pytest.mark.equation(
    "eq-evaluation-annealing",
    against="log p(x) of a linear model in closed form",
    body="36c81b32",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_evidence_of_a_linear_model_is_found(linear, rng, assert_within):
    model, exact, x = linear
    found = annealed_log_evidence(model, x, 60, 64, rng=rng)
    value, error, ess = found.bound
    assert_within(value, exact.log_evidence(x), error)
    assert error.max() < 0.2
    assert ((ess > 1) & (ess <= 64)).all()
    assert ((found.acceptance > 0.3) & (found.acceptance < 0.95)).all()
    assert ((found.r_hat > 0.99) & (found.r_hat < 1.1)).all()


@pytest.mark.equation(
    "eq-evaluation-annealing",
    against="quadrature over two latents, on the grid",
    body="36c81b32",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_evidence_of_binary_pixels_is_the_grids(plane, rng, assert_within):
    model, x = plane
    value, error, _ = annealed_log_evidence(model, x, 20, 100, rng=rng).bound
    assert_within(value, grid_log_evidence(model, x), error)


def test_r_hat_tells_chains_that_sit_on_two_hills(twins, rng):
    """The dark image has one mode, the lit one two that no chain goes between."""
    model, x = twins
    found = annealed_log_evidence(model, x, 20, 16, rng=rng)
    assert found.r_hat[0] < 1.1
    assert found.r_hat[1] > 2


def test_r_hat_is_the_worst_latents(rng):
    """The first latent moves the image in two ways, the second not at all."""
    model = VAE(3, (2,), 2, rng=rng).double()
    with torch.no_grad():
        into, _, out = model.decoder.net
        into.weight.copy_(double([[3.0, 0.0], [-3.0, 0.0]]))
        out.weight.fill_(2.0)
        out.bias.fill_(-6.0)
    for order in ([0, 1], [1, 0]):
        with torch.no_grad():
            into.weight.copy_(into.weight[:, order])
        found = annealed_log_evidence(model, torch.ones(1, 3).double(), 20, 8, rng=rng)
        assert found.r_hat[0] > 2


def test_fields_are_one_row_per_image(plane, rng):
    model, x = plane
    found = annealed_log_evidence(model, x, 3, 4, rng=rng)
    for part in (*found.bound, found.acceptance, found.r_hat):
        assert part.shape == (len(x),)
        assert part.isfinite().all()
        assert not part.requires_grad
    assert ((found.acceptance > 0) & (found.acceptance < 1)).all()


def test_single_precision_weights_are_summed_in_double(tiny, rng):
    model, x = tiny
    model, x = model.float(), x.float()
    plan = constant_plan(x, double([0.0, 0.5, 1.0]), 0.1)
    run = anneal(model, x, plan, 3, rng=rng)
    back = anneal_back(model, x, run.z, plan, rng=rng)
    assert run.log_w.dtype == back.log_w.dtype == torch.float64
    assert run.z.dtype == back.z.dtype == torch.float32


def test_images_some_at_a_time_are_each_annealed(tiny, monkeypatch):
    """Five and then three, as two calls would have it."""
    model, x = tiny
    rng, expected = seeded(), []
    for some in x.split(5):
        found = annealed_log_evidence(model, some, 2, 4, rng=rng)
        expected.append([*found.bound, found.acceptance, found.r_hat])
    monkeypatch.setattr("vaebook.evaluation.requests.HELD", 40)
    found = annealed_log_evidence(model, x, 2, 4, rng=seeded())
    found = [*found.bound, found.acceptance, found.r_hat]
    for ours, theirs in zip(found, zip(*expected, strict=True), strict=True):
        assert torch.equal(ours, torch.cat(theirs))


def test_same_seed_same_answer_and_another_seed_another(tiny):
    model, x = tiny
    found = [annealed_log_evidence(model, x, 2, 4, rng=seeded(s)) for s in (0, 0, 1)]
    assert torch.equal(found[0].bound.value, found[1].bound.value)
    assert torch.equal(found[0].r_hat, found[1].r_hat)
    assert not torch.equal(found[0].bound.value, found[2].bound.value)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_states_that_follow_keep_the_posterior(linear, rng, assert_within):
    """From exact draws, with a step that is often refused."""
    model, exact, x = linear
    mu, cov = exact.posterior(x)
    start = exact_draws(exact, x, 4000, rng)
    plan = Plan(double([0.0, 1.0]), torch.full((1, len(x)), 0.45).double(), 5)
    states = follow(model, x, start, plan, 5, rng=rng)
    assert states.shape == (5, 4000, len(x), 2)
    last = states[-1]
    assert (last != start).any(-1).double().mean() > 0.9
    assert_within(last.mean(0), mu, stats.sem(last.numpy()))
    second = (last - mu).square().numpy()
    assert_within(second.mean(0), cov.diagonal().expand_as(mu), stats.sem(second))


def test_each_state_follows_from_the_one_before(linear, rng):
    model, _, x = linear
    start, step = draw(rng, 3, len(x), 2), torch.full((len(x),), 0.2).double()
    plan = Plan(double([0.0, 0.5, 1.0]), torch.stack([3 * step, step]), 5)
    found, same, z = follow(model, x, start, plan, 3, rng=seeded(1)), seeded(1), start
    for state in found:
        z, _ = transition(model, x.numpy(), np.asarray(z), 1.0, step, 5, same)
        np.testing.assert_allclose(state, z, rtol=1e-9)


# What is refused


@pytest.mark.parametrize(
    ("temperatures", "message"),
    [
        (
            [0.0, 0.5, 0.9],
            r"must rise from 0 to 1; received 3 of them, \[0.0, 0.5, 0.9",
        ),
        ([0.1, 1.0], "must rise from 0 to 1; received 2 of them"),
        ([0.0, 0.6, 0.5, 1.0], r"received 4 of them, \[0.0, 0.6, 0.5\]..."),
        ([0.0, 0.5, 0.5, 1.0], "received 4 of them"),
        ([1.0, 0.5, 0.0], "received 3 of them"),
        ([1.0], "received 1 of them"),
        ([], "received 0 of them"),
    ],
)
def test_temperatures_that_do_not_rise_from_zero_to_one_are_refused(
    tiny, rng, temperatures, message
):
    model, x = tiny
    temperatures = double(temperatures)
    with pytest.raises(ValueError, match=message):
        plan_annealing(model, x, temperatures, rng=rng)
    steps = torch.full((max(len(temperatures) - 1, 0), len(x)), 0.1).double()
    with pytest.raises(ValueError, match=message):
        anneal(model, x, Plan(temperatures, steps, 1), 2, rng=rng)


def test_plan_of_other_images_is_refused(tiny, rng):
    model, x = tiny
    plan = constant_plan(x[:3], double([0.0, 0.5, 1.0]), 0.1)
    message = r"plan.steps must be of shape \(2, 8\); received \(2, 3\)"
    with pytest.raises(ValueError, match=message):
        anneal(model, x, plan, 2, rng=rng)
    with pytest.raises(ValueError, match=message):
        anneal_back(model, x, draw(rng, 2, len(x), 1), plan, rng=rng)


def test_plan_of_other_temperatures_is_refused(tiny, rng):
    model, x = tiny
    plan = constant_plan(x, double([0.0, 0.5, 1.0]), 0.1)
    plan = plan._replace(temperatures=double([0.0, 1.0]))
    message = r"plan.steps must be of shape \(1, 8\); received \(2, 8\)"
    with pytest.raises(ValueError, match=message):
        anneal(model, x, plan, 2, rng=rng)


@pytest.mark.parametrize("shape", [(8, 1), (2, 7, 1), (2, 8, 2)])
def test_codes_of_another_shape_are_refused(tiny, rng, shape):
    model, x = tiny
    plan = constant_plan(x, double([0.0, 1.0]), 0.1)
    with pytest.raises(ValueError, match=r"z must be of shape \(any, 8, 1\); received"):
        anneal_back(model, x, draw(rng, *shape), plan, rng=rng)


def test_too_few_chains_are_refused(tiny, rng):
    model, x = tiny
    with pytest.raises(ValueError, match="num_chains must be at least 2; received 1"):
        annealed_log_evidence(model, x, 3, 1, rng=rng)
    plan = constant_plan(x, double([0.0, 1.0]), 0.1)
    with pytest.raises(ValueError, match="num_chains must be at least 1; received 0"):
        anneal(model, x, plan, 0, rng=rng)


def test_model_without_a_density_is_refused(tiny, rng):
    with pytest.raises(TypeError, match="received Autoencoder"):
        annealed_log_evidence(Autoencoder(3, (4,), 1, rng=rng), tiny[1], rng=rng)


def test_one_image_without_its_axis_is_refused(tiny, rng):
    model, x = tiny
    with pytest.raises(ValueError, match=r"x must be \(N, D\).* received \(3,\)"):
        annealed_log_evidence(model, x[0], rng=rng)
