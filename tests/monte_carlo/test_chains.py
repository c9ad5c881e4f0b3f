"""Chains: a replay by hand, the exact flows between regions, and honest errors."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, signal, stats

from vaebook.exercises.monte_carlo import transition
from vaebook.monte_carlo import (
    autocorrelation,
    autocorrelation_time,
    chain_estimate,
    estimate,
    metropolis,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def draw(rng, *shape):
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def standard_normal(z):
    return -z.square().sum() / 2


def ar(phi, num_samples, num_chains, seed=0):
    """Stationary series x_s = phi x_{s-1} + noise: (num_chains, num_samples)."""
    noise = np.random.default_rng(seed).normal(size=(num_chains, num_samples + 500))
    return torch.from_numpy(signal.lfilter([1], [1, -phi], noise)[:, 500:].copy())


# The walk


def replay(density, start, step, *, moves, u):
    """The same walk on plain probabilities: states (S, L), number of acceptances."""
    z, states, accepted = start, [], 0
    for move, threshold in zip(moves, u, strict=True):
        proposed = z + step * move
        if threshold < min(1, density(proposed) / density(z)):
            z, accepted = proposed, accepted + 1
        states.append(z)
    return np.array(states), accepted


@pytest.mark.equation(
    "eq-monte-carlo-metropolis",
    against="a replay in numpy with the same random numbers",
    body="29415e55",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_walk_is_the_one_made_by_hand(rng):
    same = torch.Generator()
    same.set_state(rng.get_state())
    target = stats.multivariate_normal([1, -1], [[2.0, 0.8], [0.8, 0.5]])

    def log_density(z):
        return 70 + torch.as_tensor(target.logpdf(z.numpy()))

    chain = metropolis(log_density, double([0.5, 0.0]), 0.9, 300, rng=rng)
    moves, u = draw(same, 300, 2), torch.rand(300, generator=same, dtype=torch.float64)
    states, accepted = replay(
        target.pdf, np.array([0.5, 0.0]), 0.9, moves=moves.numpy(), u=u.numpy()
    )
    np.testing.assert_allclose(chain.draws, states, rtol=1e-12)
    assert chain.acceptance == accepted / 300
    assert 0.2 < chain.acceptance < 0.8


WEIGHTS = double([1.0, 2.0, 4.0])


def stairs(z):
    """Log-density of three stairs on [0, 3), up to a constant; elsewhere -inf."""
    inside = 0 <= z < 3
    return WEIGHTS[int(z)].log() if inside else double(-math.inf)


def flow(i, j, step):
    """Mass that moves from stair i to j in one step: quadrature of the transition."""
    p = WEIGHTS.numpy() / WEIGHTS.sum().item()

    def density(after, before):
        return min(p[i], p[j]) * stats.norm.pdf(after, before, step)

    return integrate.dblquad(density, i, i + 1, j, j + 1)[0]


@pytest.mark.equation(
    "eq-monte-carlo-detailed-balance",
    against="quadrature of the transition density over pairs of regions",
    body="de28bace",
)
def test_as_much_flows_forth_as_back(rng, assert_within):
    chain = metropolis(stairs, double([2.5]), 0.8, 20_000, rng=rng)
    stair = chain.draws[:, 0].long()
    share = [chain_estimate((stair == i).double()) for i in range(3)]
    assert_within(
        [s.mean for s in share], WEIGHTS / 7, [s.standard_error for s in share]
    )
    for i, j in [(0, 1), (1, 2), (0, 2)]:
        exact = flow(i, j, 0.8)
        for before, after in [(i, j), (j, i)]:
            moved = (stair[:-1] == before) & (stair[1:] == after)
            found = chain_estimate(moved.double())
            assert_within(found.mean, exact, found.standard_error)


@pytest.mark.equation(
    "eq-monte-carlo-hastings",
    against="the stationary vector of the chain, by numpy's eigenvectors",
    body="708b5fc2",
)
@pytest.mark.parametrize("seed", range(4))
def test_proposals_that_are_not_symmetric_are_put_right(seed):
    noise = np.random.default_rng(seed)
    p, g = noise.dirichlet(np.ones(5)), noise.dirichlet(np.ones(5), size=5)
    acc = np.minimum(1, p * g.T / (p[:, None] * g))  # of state j, proposed at i
    move = g * acc - np.diag(np.diag(g * acc))
    chain = move + np.diag(1 - move.sum(1))
    values, vectors = np.linalg.eig(chain.T)
    found = vectors[:, values.real.argmax()].real
    np.testing.assert_allclose(found / found.sum(), p, rtol=1e-10)
    np.testing.assert_allclose(transition(double(p), double(g)), chain, rtol=1e-10)
    plain = g * np.minimum(1, p / p[:, None])
    assert np.abs(p[:, None] * plain - (p[:, None] * plain).T).max() > 0.01


@pytest.mark.parametrize("rng", range(4), indirect=True)
def test_moments_of_a_correlated_gaussian(rng, assert_within):
    cov, mu = double([[1.0, 0.6], [0.6, 2.0]]), double([3.0, -1.0])
    precision = torch.linalg.inv(cov)

    def log_density(z):
        return -(z - mu) @ precision @ (z - mu) / 2

    z = metropolis(log_density, mu, 1.7, 6000, rng=rng).draws - mu
    second = [z[:, 0] ** 2, z[:, 0] * z[:, 1], z[:, 1] ** 2]
    found = [chain_estimate(f) for f in (z[:, 0], z[:, 1], *second)]
    errors = [f.standard_error for f in found]
    assert_within([f.mean for f in found], [0, 0, 1.0, 0.6, 2.0], errors)
    assert max(errors) < 0.3


@pytest.mark.parametrize("step", [0.5, 2.4, 10.0])
def test_acceptance_of_a_gaussian_target(step, rng, assert_within):
    """For N(0, 1) the share is (2 / pi) atan(2 / step), by an integral over (z, z')."""
    chain = metropolis(standard_normal, draw(rng, 1), step, 8000, rng=rng)
    moved = (chain.draws[1:] != chain.draws[:-1]).double()[:, 0]
    found = chain_estimate(moved)
    exact = 2 / math.pi * math.atan(2 / step)
    assert_within(found.mean, exact, found.standard_error)
    assert chain.acceptance == pytest.approx(found.mean, abs=1 / 4000)


def test_rejections_repeat_the_state(rng):
    def only_zero(z):
        return double(0.0 if not z.any() else -math.inf)

    chain = metropolis(only_zero, double([0.0, 0.0]), 1.0, 50, rng=rng)
    assert chain.draws.shape == (50, 2) and not chain.draws.any()
    assert chain.acceptance == 0


def test_every_step_is_taken_where_the_density_is_flat(rng, assert_within):
    def flat(z):
        return double(-3.0)

    start = double([5.0, -5.0])
    chain = metropolis(flat, start, 0.3, 4000, rng=rng)
    assert chain.acceptance == 1
    assert torch.equal(start, double([5.0, -5.0]))
    moves = torch.cat([start[None], chain.draws]).diff(dim=0)
    found = estimate(moves.square().flatten())
    assert_within(found.mean, 0.3**2, found.standard_error)


def test_every_proposal_is_judged_once(rng):
    judged = []

    def log_density(z):
        judged.append(z.clone())
        return standard_normal(z)

    chain = metropolis(log_density, double([0.2]), 1.0, 40, rng=rng)
    assert len(judged) == 41 and judged[0] == 0.2
    before = torch.cat([double([[0.2]]), chain.draws[:-1]])
    for z, proposed, after in zip(before, judged[1:], chain.draws, strict=True):
        assert after in (z, proposed)


def test_draws_keep_the_type_of_the_start(rng):
    assert metropolis(standard_normal, torch.zeros(1), 1.0, 3, rng=rng).draws.dtype == (
        torch.float32
    )


# What dependent draws are worth


@pytest.mark.equation(
    "eq-monte-carlo-autocorrelation", against="numpy.correlate", body="47ad1d22"
)
@pytest.mark.parametrize("num_samples", [2, 7, 50, 101])
def test_autocorrelation_is_numpys(num_samples, rng):
    values = 3 + draw(rng, num_samples)
    centred = values.numpy() - values.numpy().mean()
    lags = np.correlate(centred, centred, mode="full")[num_samples - 1 :]
    found = autocorrelation(values)
    np.testing.assert_allclose(found, lags / lags[0], atol=1e-12)
    assert found.shape == (num_samples,)


def geyer(values):
    """Autocorrelation time with numpy alone, pair by pair."""
    centred = values - values.mean()
    lags = np.correlate(centred, centred, mode="full")[len(values) - 1 :]
    rho, total = lags / lags[0], -1.0
    for t in range(0, len(rho) - 1, 2):
        if rho[t] + rho[t + 1] <= 0:
            break
        total += 2 * (rho[t] + rho[t + 1])
    return total


@pytest.mark.parametrize("phi", [-0.3, 0.0, 0.5, 0.9])
@pytest.mark.parametrize("num_samples", [200, 201])
def test_autocorrelation_time_and_error_by_hand(phi, num_samples):
    for values in ar(phi, num_samples, 10):
        tau = geyer(values.numpy())
        assert autocorrelation_time(values) == pytest.approx(
            max(tau, 1 / math.log10(num_samples)), rel=1e-9
        )
        mean, error, number = chain_estimate(values)
        assert mean == pytest.approx(values.numpy().mean(), rel=1e-12)
        scale = math.sqrt(autocorrelation_time(values))
        assert error == pytest.approx(scale * stats.sem(values), rel=1e-9)
        assert number == num_samples


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, 2.0, 4.0], [0.0, 1.0, 1.0, 0.0]])
def test_autocorrelation_time_of_a_very_short_series_is_one_at_least(values):
    expected = max(1, geyer(np.array(values)))
    assert autocorrelation_time(double(values)) == pytest.approx(expected)


@pytest.mark.equation(
    "eq-monte-carlo-autocorrelation-time",
    against="(1 + phi) / (1 - phi) of an autoregressive series",
    body="8021a264",
)
@pytest.mark.parametrize("phi", [-0.5, -0.3, 0.0, 0.5, 0.9])
def test_autocorrelation_time_of_an_autoregressive_series(phi):
    """On average; a few per cent too long, for want of lags that chance makes < 0."""
    found = [autocorrelation_time(values) for values in ar(phi, 20_000, 60)]
    ratio = estimate(double(found) * (1 - phi) / (1 + phi))
    assert -5 * ratio.standard_error < ratio.mean - 1 < 0.06
    assert ratio.standard_error < 0.015
    if phi < 0:
        assert max(found) < 1


def test_each_draw_told_twice_is_worth_half(rng):
    for values in draw(rng, 10, 20_000):
        told = values.repeat_interleave(2)
        assert autocorrelation_time(told) == pytest.approx(2, rel=0.15)
        once, twice = estimate(values).standard_error, chain_estimate(told)
        assert twice.standard_error == pytest.approx(once, rel=0.08)
        naive = estimate(told).standard_error
        assert naive == pytest.approx(once / math.sqrt(2), rel=1e-3)


@pytest.mark.equation(
    "eq-monte-carlo-chain-error",
    against="the exact variance of the mean of a series",
    body="3a6d6a68",
)
@pytest.mark.parametrize("phi", [-0.4, 0.6])
def test_chain_error_is_the_spread_of_the_mean(phi):
    """var = sigma^2 / S [1 + 2 sum_t (1 - t / S) phi^t], sigma^2 = 1 / (1 - phi^2)."""
    errors = [chain_estimate(values).standard_error for values in ar(phi, 10_000, 60)]
    t = np.arange(1, 10_000)
    series = 1 + 2 * ((1 - t / 10_000) * phi**t).sum()
    exact = math.sqrt(series / (1 - phi**2) / 10_000)
    assert np.mean(errors) == pytest.approx(exact, rel=0.03)


def test_error_of_an_alternating_chain_is_not_too_small():
    """Chance can put the sum of correlations at 0 or below; the error must not go."""
    found = [chain_estimate(values) for values in ar(-0.9, 4000, 200)]
    distance = double([f.mean / f.standard_error for f in found])
    assert (distance.abs() < 2).double().mean() > 0.95
    alternating = double([1.0, -1.0]).repeat(500)
    assert autocorrelation_time(alternating) == pytest.approx(1 / 3)


@settings(deadline=None)
@given(st.floats(-1e3, 1e3), st.floats(0.01, 100), st.booleans())
def test_autocorrelation_knows_neither_place_nor_scale(place, scale, flipped):
    values = double([0.0, 1.0, 1.5, 0.7, -2.0, 0.1, 0.3])
    scale = -scale if flipped else scale
    moved = autocorrelation(place + scale * values)
    np.testing.assert_allclose(moved, autocorrelation(values), atol=1e-6)


def test_autocorrelation_does_not_lose_digits_of_float32(rng):
    values = 1e4 + torch.randn(1000, generator=rng)
    expected = autocorrelation(values.double())
    np.testing.assert_allclose(autocorrelation(values), expected, rtol=1e-12)
    exact = chain_estimate(values.double())
    assert chain_estimate(values) == pytest.approx(exact, rel=1e-12)


# Improper input


def walk(log_density=standard_normal, start=(0.0,), step=1.0, num_samples=5):
    start = start if isinstance(start, torch.Tensor) else double(start)
    rng = torch.Generator().manual_seed(0)
    return metropolis(log_density, start, step, num_samples, rng=rng)


def half_line(z):
    return double(0.0) if z > 0 else double(-math.inf)


def spoiled_beyond_one(value):
    return lambda z: double(value) if abs(z) > 1 else double(0.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step": -0.5}, "step must be above 0 and finite; received -0.5"),
        ({"step": 0.0}, "step must be above 0 and finite; received 0"),
        ({"step": math.nan}, "step must be above 0 and finite; received nan"),
        ({"step": math.inf}, "step must be above 0 and finite; received inf"),
        ({"num_samples": 0}, "num_samples must be at least 1; received 0"),
        ({"num_samples": -3}, "num_samples must be at least 1; received -3"),
        ({"start": 0.0}, r"start must be of shape \(any\); received \(\)"),
        ({"start": [[0.0]]}, r"start must be of shape \(any\); received \(1, 1\)"),
        (
            {"start": torch.tensor([1])},
            "start must be of a float type; received .*int64",
        ),
        ({"start": [math.nan]}, "log_density must be below infinity; received nan"),
        (
            {"log_density": half_line, "start": [-1.0]},
            r"start must have a density above 0; received .*-1\.",
        ),
        (
            {"log_density": spoiled_beyond_one(math.nan), "num_samples": 50},
            "log_density must be below infinity; received nan",
        ),
        (
            {"log_density": spoiled_beyond_one(math.inf), "num_samples": 50},
            "log_density must be below infinity; received inf",
        ),
    ],
)
def test_improper_walks_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        walk(**arguments)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], r"values must be one axis of at least 2 draws; received \(0,\)"),
        ([1.0], r"values must be one axis of at least 2 draws; received \(1,\)"),
        ([[1.0, 2.0]], r"at least 2 draws; received \(1, 2\)"),
        ([1.0, math.nan], "values must be finite; received nan"),
        ([1.0, math.inf], "values must be finite; received inf"),
        ([0.1] * 10, "values must vary; received one value throughout"),
        ([0.7] * 3, "values must vary; received one value throughout"),
    ],
)
@pytest.mark.parametrize(
    "function", [autocorrelation, autocorrelation_time, chain_estimate]
)
def test_improper_series_are_refused(function, values, message):
    with pytest.raises(ValueError, match=message):
        function(double(values))
