"""The score function and its noise: against scipy's integrals and every sequence."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from torch.distributions import Categorical, Normal

from vaebook.reparameterization import (
    GaussianGradient,
    categorical_score,
    estimator_variances,
    gaussian_score,
    leave_one_out,
    optimal_baseline,
    pathwise_gradient,
    reparameterize,
    score_gradient,
)

pytestmark = pytest.mark.usefixtures("one_thread")
EXACT = {"rtol": 1e-10, "atol": 1e-12}
SEEDS = st.integers(0, 2**32 - 1)
BASELINES = ["none", "mean", "optimal"]
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
EPS, WEIGHTS = torch.from_numpy(NODES)[:, None], torch.from_numpy(WEIGHTS)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def mean(function, mu=0.0, sigma=1.0):
    """E[function(z)], z from N(mu, sigma^2), by scipy."""

    def integrand(eps):
        return stats.norm.pdf(eps) * function(mu + sigma * eps)

    return integrate.quad(integrand, -14, 14, epsabs=1e-13, epsrel=1e-12, limit=200)[0]


# f(z) = z^2 + cos 2z under N(0.6, e^-0.4): what its gradient is, from the closed form

MU, LOG_VAR = 0.6, -0.4
VAR, SIGMA = math.exp(LOG_VAR), math.exp(LOG_VAR / 2)
DAMPED = math.exp(-2 * VAR)  # E[cos 2z] = cos(2 mu) e^{-2 sigma^2}
GRADIENT = (
    2 * MU - 2 * math.sin(2 * MU) * DAMPED,
    VAR - 2 * VAR * math.cos(2 * MU) * DAMPED,
)
SCORES = (lambda z: (z - MU) / VAR, lambda z: ((z - MU) ** 2 / VAR - 1) / 2)
SLOPES = (
    lambda z: 2 * z - 2 * np.sin(2 * z),
    lambda z: (z - MU) / 2 * (2 * z - 2 * np.sin(2 * z)),
)


def curve(z):
    return z[:, 0].square() + (2 * z[:, 0]).cos()


def f(z):
    return z**2 + np.cos(2 * z)


def at_nodes(baseline=0.0):
    """The estimates of both gradients at quadrature nodes, (G,) each."""
    mu, log_var = double([MU]), double([LOG_VAR])
    z = reparameterize(mu, log_var, EPS)
    found = score_gradient(curve(z), gaussian_score(z, mu, log_var), baseline)
    return [g[:, 0] for g in found]


@pytest.mark.equation(
    "eq-reparameterization-gaussian-score",
    against="autograd of torch's log-density",
    body="fc43a6c9",
)
@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, dim=st.integers(1, 4))
def test_gaussian_score_is_autograds(seed, dim):
    noise = np.random.default_rng(seed)
    mu, log_var = (torch.from_numpy(noise.normal(size=dim)) for _ in range(2))
    z = torch.from_numpy(noise.normal(size=(5, dim)))
    expected = torch.autograd.functional.jacobian(
        lambda m, v: Normal(m, (v / 2).exp()).log_prob(z).sum(-1), (mu, log_var)
    )
    for found, truth in zip(gaussian_score(z, mu, log_var), expected, strict=True):
        np.testing.assert_allclose(found, truth, **EXACT)


@pytest.mark.equation(
    "eq-reparameterization-score-mean",
    against="scipy quadrature; enumeration",
    body="9ca74985",
)
def test_mean_of_the_score_is_zero():
    mu, log_var = double([MU]), double([LOG_VAR])
    for part in range(2):

        def score(z, part=part):
            return gaussian_score(double([[z]]), mu, log_var)[part].item()

        assert mean(score, MU, SIGMA) == pytest.approx(0, abs=1e-10)
    expected = PI.softmax(0) @ categorical_score(torch.arange(3), PI)
    np.testing.assert_allclose(expected, 0 * PI, **EXACT)


PI, TABLE = double([0.3, -0.7, 1.1]), double([2.0, -1.0, 0.5])


@pytest.mark.equation(
    "eq-reparameterization-score-identity",
    against="the derivatives of E[z^2 + cos 2z]; autograd of a finite sum",
    body="56324a97",
)
def test_gradient_of_a_mean_is_a_mean_with_the_score():
    mu, log_var = double([MU]), double([LOG_VAR])
    for part, truth in enumerate(GRADIENT):

        def product(z, part=part):
            return f(z) * gaussian_score(double([[z]]), mu, log_var)[part].item()

        assert mean(product, MU, SIGMA) == pytest.approx(truth, rel=1e-10)
    logits = PI.clone().requires_grad_()
    (truth,) = torch.autograd.grad(Categorical(logits=logits).probs @ TABLE, logits)
    weights = PI.softmax(0) * TABLE
    np.testing.assert_allclose(
        weights @ categorical_score(torch.arange(3), PI), truth, **EXACT
    )


@pytest.mark.equation(
    "eq-reparameterization-score",
    against="the derivatives of E[z^2 + cos 2z]",
    body="b4c04be2",
)
@settings(deadline=None, max_examples=30)
@given(baseline=st.floats(-100, 100))
def test_no_constant_baseline_moves_the_mean(baseline):
    for draws, truth in zip(at_nodes(baseline), GRADIENT, strict=True):
        assert (WEIGHTS @ draws).item() == pytest.approx(truth, rel=1e-10)


@pytest.mark.equation(
    "eq-reparameterization-score",
    against="numpy, with another baseline for each draw",
    body="b4c04be2",
)
def test_each_estimate_is_the_value_above_its_baseline_times_the_score(rng):
    values, baseline = torch.randn(2, 4, generator=rng)
    score = GaussianGradient(*torch.randn(2, 4, 3, generator=rng))
    found = score_gradient(values, score, baseline)
    for one, part in zip(found, score, strict=True):
        expected = (values.numpy() - baseline.numpy())[:, None] * part.numpy()
        np.testing.assert_array_equal(one, expected)


@pytest.mark.equation(
    "eq-reparameterization-baseline-variance",
    against="its moments by scipy quadrature",
    body="7179abe2",
)
@pytest.mark.parametrize("part", [0, 1], ids=["mu", "log_var"])
def test_variance_is_a_parabola_in_the_baseline(part):
    """Its lowest point is the optimal baseline."""
    score = SCORES[part]
    a, b, c = (
        mean(lambda z, p=power: f(z) ** p * score(z) ** 2, MU, SIGMA)
        for power in (2, 1, 0)
    )
    for baseline in (-3.0, 0.0, 0.7, 10.0):
        draws = at_nodes(baseline)[part]
        variance = WEIGHTS @ (draws - WEIGHTS @ draws).square()
        expected = a - 2 * b * baseline + c * baseline**2 - GRADIENT[part] ** 2
        assert variance.item() == pytest.approx(expected, rel=1e-10)
    best = estimator_variances(curve, double([MU]), double([LOG_VAR]), "optimal").score
    assert best[part].item() == pytest.approx(
        a - b**2 / c - GRADIENT[part] ** 2, rel=1e-10
    )


@pytest.mark.equation(
    "eq-reparameterization-optimal-baseline",
    against="numpy's least squares",
    body="18fa286d",
)
@settings(deadline=None, max_examples=30)
@given(seed=SEEDS)
def test_optimal_baseline_is_a_least_squares_fit(seed):
    """Of f s by b s: what is left is the estimate, squared and summed."""
    noise = np.random.default_rng(seed)
    values, scores = noise.normal(size=7), noise.normal(size=(2, 7, 3))
    found = optimal_baseline(
        torch.from_numpy(values), GaussianGradient(*torch.from_numpy(scores))
    )
    for best, score in zip(found, scores, strict=True):
        expected = [
            np.linalg.lstsq(s[:, None], values * s, rcond=None)[0][0] for s in score.T
        ]
        np.testing.assert_allclose(best, expected, rtol=1e-9)


@pytest.mark.equation(
    "eq-reparameterization-optimal-baseline",
    against="theta^2 + 3 of z^2 under N(theta, 1)",
    body="18fa286d",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_optimal_baseline_settles_at_its_formula(rng, assert_within):
    theta, number = 1.5, 100_000
    z = theta + torch.randn(number, 1, generator=rng, dtype=torch.float64)
    values, zero = z[:, 0].square(), double([0.0])
    score = gaussian_score(z, zero + theta, zero)
    best = optimal_baseline(values, score).mu.item()
    error = ((values - best) * score.mu[:, 0].square()).std() / number**0.5
    assert_within(best, theta**2 + 3, error)
    assert optimal_baseline(values.float(), score).mu.item() == pytest.approx(best)


# Every sequence of draws from three categories


def every_sequence(num_draws):
    """(G, S) indices, and the probability of each sequence (G,)."""
    z = torch.cartesian_prod(*[torch.arange(3)] * num_draws)
    return z, PI.softmax(0)[z].prod(1)


def expected_gradient(num_draws, baseline):
    """The average of the averaged estimates with ``baseline`` (values) (S,)."""
    z, prob = every_sequence(num_draws)
    found = []
    for one in z:
        score = categorical_score(one, PI)
        estimates = score_gradient(
            TABLE[one], GaussianGradient(score, score), baseline(TABLE[one])
        )
        found.append(estimates.log_var.mean(0))
    return prob @ torch.stack(found)


def exact_gradient():
    logits = PI.clone().requires_grad_()
    return torch.autograd.grad(logits.softmax(0) @ TABLE, logits)[0]


@pytest.mark.equation(
    "eq-reparameterization-leave-one-out",
    against="every sequence of draws of a discrete variable",
    body="d97a96d0",
)
@pytest.mark.parametrize("num_draws", [2, 3, 4])
def test_mean_of_the_others_brings_no_bias_and_the_mean_of_all_does(num_draws):
    found = expected_gradient(num_draws, leave_one_out)
    np.testing.assert_allclose(found, exact_gradient(), **EXACT)
    shrunk = expected_gradient(num_draws, lambda values: values.mean())
    np.testing.assert_allclose(
        shrunk, exact_gradient() * (num_draws - 1) / num_draws, **EXACT
    )


@pytest.mark.equation(
    "eq-reparameterization-leave-one-out", against="numpy.delete", body="d97a96d0"
)
def test_leave_one_out_is_the_mean_without_the_draw(rng):
    values = torch.randn(6, generator=rng, dtype=torch.float64)
    expected = [np.delete(values.numpy(), s).mean() for s in range(6)]
    np.testing.assert_allclose(leave_one_out(values), expected, rtol=1e-12)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_leave_one_out_is_unbiased_and_quieter(rng, assert_within):
    mu, log_var = double([MU]), double([LOG_VAR])
    eps = torch.randn(30_000, 1, generator=rng, dtype=torch.float64)
    z = reparameterize(mu, log_var, eps)
    values, score = curve(z), gaussian_score(z, mu, log_var)
    plain, better = (
        score_gradient(values + 5, score, b) for b in (0.0, leave_one_out(values + 5))
    )
    for noisy, draws, truth in zip(plain, better, GRADIENT, strict=True):
        assert_within(draws.mean(), truth, draws.std() / 30_000**0.5)
        assert draws.var() < noisy.var() / 3


# Exact variances


@pytest.mark.equation(
    "eq-reparameterization-score-variance",
    against="scipy quadrature of both estimators",
    body="b8753f5b",
)
@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("part", [0, 1], ids=["mu", "log_var"])
def test_variances_are_their_integrals(baseline, part):
    slope, score = SLOPES[part], SCORES[part]
    squared = mean(lambda z: score(z) ** 2, MU, SIGMA)
    level = {
        "none": 0.0,
        "mean": mean(f, MU, SIGMA),
        "optimal": mean(lambda z: f(z) * score(z) ** 2, MU, SIGMA) / squared,
    }[baseline]
    found = estimator_variances(curve, double([MU]), double([LOG_VAR]), baseline)
    gradient, *variances = (one[part].item() for one in found)
    assert gradient == pytest.approx(GRADIENT[part], rel=1e-10)
    estimates = slope, lambda z: (f(z) - level) * score(z)
    for variance, draw in zip(variances, estimates, strict=True):
        expected = mean(lambda z, d=draw: d(z) ** 2, MU, SIGMA) - GRADIENT[part] ** 2
        assert variance == pytest.approx(expected, rel=1e-10)


def coupled(z):
    return z[:, 0].sin() * z[:, 1] + z[:, 1].square() / 2


@pytest.mark.equation(
    "eq-reparameterization-score-variance",
    against="the spread of 20,000 draws",
    body="b8753f5b",
)
@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("rng", range(2), indirect=True)
def test_draws_in_two_dimensions_spread_as_computed(rng, baseline, assert_within):
    mu, log_var = double([0.4, -0.8]), double([0.3, -0.5])
    found = estimator_variances(coupled, mu, log_var, baseline, num_nodes=40)
    eps = torch.randn(40_000, 2, generator=rng, dtype=torch.float64)
    z = reparameterize(mu, log_var, eps)
    values, score = coupled(z[20_000:]), gaussian_score(z[20_000:], mu, log_var)
    path = pathwise_gradient(coupled, mu, log_var, eps[20_000:])
    other = coupled(z[:20_000])
    offsets = {"none": [0.0, 0.0], "mean": [other.mean()] * 2}.get(
        baseline,
        optimal_baseline(other, gaussian_score(z[:20_000], mu, log_var)),
    )
    by_score = [(values[:, None] - b) * s for b, s in zip(offsets, score, strict=True)]
    for draws, variances in [(path, found.pathwise), (by_score, found.score)]:
        for one, variance, truth in zip(draws, variances, found.gradient, strict=True):
            assert_within(one.mean(0), truth, one.std(0) / 20_000**0.5)
            squares = (one - one.mean(0)).square()
            assert_within(squares.mean(0), variance, squares.std(0) / 20_000**0.5)


def square(z):
    return z.square().sum(-1)


def variances_by_mu(f, theta, *, dim=1, num_nodes=8):
    """Pathwise, then the score function with each baseline: of the first mean."""
    mu, log_var = double([theta] * dim), double([0.0] * dim)
    found = [
        estimator_variances(f, mu, log_var, b, num_nodes=num_nodes) for b in BASELINES
    ]
    assert len({v.pathwise.mu[0].item() for v in found}) == 1
    return [found[0].pathwise.mu[0].item(), *(v.score.mu[0].item() for v in found)]


@pytest.mark.equation(
    "eq-reparameterization-square",
    against="the moments of a Gaussian, by hand",
    body="9eecab27",
)
@pytest.mark.parametrize(
    ("theta", "numbers"),
    [(0.0, (4, 15, 10, 6)), (1.0, (4, 30, 18, 14)), (2.0, (4, 87, 42, 38)), (-3.5, ())],
)
def test_variances_of_a_square(theta, numbers):
    found = variances_by_mu(square, theta)
    none = theta**4 + 14 * theta**2 + 15
    level, best = theta**2 + 1, theta**2 + 3  # (b - best)^2 is what b costs
    optimal = 8 * theta**2 + 6
    mean_baseline = optimal + (level - best) ** 2
    assert found == pytest.approx([4, none, mean_baseline, optimal], rel=1e-10)
    assert not numbers or found == pytest.approx(numbers, rel=1e-10)
    assert none == pytest.approx(optimal + best**2, rel=1e-12)


@pytest.mark.equation(
    "eq-reparameterization-dimension",
    against="the moments of a Gaussian, by hand",
    body="6acdcca2",
)
@pytest.mark.parametrize("dim", [1, 2, 3, 5])
def test_variances_of_a_squared_length_grow_with_the_dimension(dim):
    found = variances_by_mu(square, 0.0, dim=dim, num_nodes=5)
    expected = [4, (dim + 2) * (dim + 4), 2 * dim + 8, 2 * dim + 4]
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.equation(
    "eq-reparameterization-cosine",
    against="scipy quadrature of both estimators",
    body="789f290d",
)
@pytest.mark.parametrize("k", [0.3, 1.0, 2.0, 4.0])
def test_a_fast_cosine_makes_the_pathwise_gradient_the_noisier(k):
    path, score = variances_by_mu(lambda z: (k * z[:, 0]).cos(), 0.0, num_nodes=150)[:2]
    expected = k**2 * (1 - math.exp(-2 * k**2)) / 2
    assert path == pytest.approx(expected, rel=1e-10)
    assert path == pytest.approx(mean(lambda z: (k * np.sin(k * z)) ** 2), rel=1e-10)
    expected = (1 + (1 - 4 * k**2) * math.exp(-2 * k**2)) / 2
    assert score == pytest.approx(expected, rel=1e-10)
    assert score == pytest.approx(mean(lambda z: (np.cos(k * z) * z) ** 2), rel=1e-10)
    assert (path > score) == (k >= 1)


@settings(deadline=None, max_examples=25)
@given(theta=st.floats(-3, 3), log_var=st.floats(-6, 2), shift=st.floats(-5, 5))
def test_optimal_baseline_is_never_beaten_and_swallows_constants(theta, log_var, shift):
    at = double([theta]), double([log_var])
    found = [estimator_variances(square, *at, b, num_nodes=10).score for b in BASELINES]
    moved = estimator_variances(lambda z: square(z) + shift, *at, "optimal").score
    for none, level, best, same in zip(*found, moved, strict=True):
        assert best <= level * (1 + 1e-9) and best <= none * (1 + 1e-9)
        assert same.item() == pytest.approx(best.item(), rel=1e-6)


# Refused

S, L = torch.zeros(4).double(), torch.zeros(3).double()
SCORE = GaussianGradient(*torch.zeros(2, 4, 3).double())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: gaussian_score(SCORE.mu, L, L[:2]),
            r"equal; received z \(4, 3\), mu \(3,\), log_var \(2,\)",
        ),
        (
            lambda: score_gradient(S[:3], SCORE),
            r"score.mu must be of shape \(3, any\); received \(4, 3\)",
        ),
        (
            lambda: score_gradient(S, SCORE._replace(log_var=L)),
            r"score.log_var must be of shape \(4, any\); received \(3,\)",
        ),
        (
            lambda: score_gradient(S[:, None], SCORE),
            r"values must be of shape \(any\); received \(4, 1\)",
        ),
        (
            lambda: score_gradient(S, SCORE, S[:, None]),
            r"baseline must be of shape \(4\); received \(4, 1\)",
        ),
        (
            lambda: score_gradient(S, SCORE, L),
            r"baseline must be of shape \(4\); received \(3,\)",
        ),
        (
            lambda: leave_one_out(S[:1]),
            "the number of values must be at least 2; received 1",
        ),
        (
            lambda: leave_one_out(SCORE.mu),
            r"values must be of shape \(any\); received \(4, 3\)",
        ),
        (
            lambda: optimal_baseline(S[:1], SCORE),
            r"values must be one axis of at least 2 draws; received \(1,\)",
        ),
        (
            lambda: optimal_baseline(S + math.nan, SCORE),
            "values must be finite; received nan",
        ),
        (
            lambda: optimal_baseline(S[:3], SCORE),
            r"score.mu must be of shape \(3, any\); received \(4, 3\)",
        ),
        (
            lambda: estimator_variances(square, L[:1], L[:1], "best"),
            "baseline must be none, mean or optimal; received 'best'",
        ),
        (
            lambda: estimator_variances(square, L, L[:1]),
            r"mu and log_var must have one shape; received mu \(3,\), log_var \(1,\)",
        ),
        (
            lambda: estimator_variances(square, L[:1], L[:1], num_nodes=301),
            "num_nodes must be from 1 to 300; received 301",
        ),
        (
            lambda: estimator_variances(torch.sum, L[:1], L[:1]),
            r"f\(z\) must be of shape \(100\); received \(\)",
        ),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
