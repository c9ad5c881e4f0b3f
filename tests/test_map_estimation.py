"""Priors: scipy and scikit-learn, quadrature, grids, and what optimisers decay to."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats
from scipy.special import betaln, digamma, expit
from sklearn.linear_model import Lasso, Ridge

from vaebook.datasets import load_digits
from vaebook.likelihood import Bernoulli, fit_bernoulli, gaussian_log_prob
from vaebook.map_estimation import (
    Beta,
    fit_bernoulli_map,
    fit_lasso,
    fit_ridge,
    gaussian_log_prior,
    laplace_log_prior,
    soft_threshold,
)

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPES = [(1.0, 1.0), (2.0, 2.0), (1.5, 3.0), (0.5, 0.5), (7.0, 2.5)]
FLIPS = torch.tensor([[1.0], [1.0], [1.0], [0.0], [1.0]], dtype=torch.float64)
HALVES = st.integers(1, 40).map(lambda n: n / 2)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def draw(rng, *shape):
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def log_lik(probs):
    """Log-likelihood of FLIPS, four ones and a zero, for each probability."""
    return torch.stack([Bernoulli(p[None]).log_prob(FLIPS).sum() for p in probs])


# Bayes' rule for a probability


@pytest.mark.equation(
    "eq-map-estimation-beta", against="scipy.stats.beta.logpdf", body="0372000f"
)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_beta_log_prob_is_scipys(a, b):
    probs = np.linspace(0.01, 0.99, 15)
    expected = stats.beta.logpdf(probs, a, b)
    found = Beta(a, b).log_prob(torch.from_numpy(probs))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_beta_log_prob_at_the_ends():
    ends = double([0.0, 1.0])
    assert Beta(1, 1).log_prob(ends).tolist() == [0, 0]
    assert Beta(2, 1).log_prob(ends).tolist() == [-math.inf, math.log(2)]
    assert Beta(1, 2).log_prob(ends).tolist() == [math.log(2), -math.inf]


DECIMALS = [*SHAPES, (0.3, 0.7), (0.01, 0.2), (1e5 + 0.1, 3.3)]


@pytest.mark.parametrize(("a", "b"), DECIMALS)
def test_beta_log_normalizer_is_scipys(a, b):
    expected = betaln(a, b)
    for given_as in (Beta(a, b), Beta(double(a), b), Beta(double([a]), double([b]))):
        found = given_as.log_normalizer()
        assert found.dtype == torch.float64
        assert found.item() == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_beta_log_normalizer_is_elementwise_and_has_a_slope():
    at = np.array([0.4, 3.0, 20.0])
    a = torch.from_numpy(at).requires_grad_()
    found = Beta(a, 2.5).log_normalizer()
    np.testing.assert_allclose(found.detach(), betaln(at, 2.5), rtol=1e-10)
    (slope,) = torch.autograd.grad(found.sum(), a)
    np.testing.assert_allclose(slope, digamma(at) - digamma(at + 2.5), rtol=1e-10)


@pytest.mark.parametrize(("a", "b"), DECIMALS)
def test_beta_mean_is_scipys(a, b):
    found = Beta(a, b).mean()
    assert found.dtype == torch.float64
    assert found.item() == pytest.approx(stats.beta.mean(a, b), rel=1e-12)
    both = Beta(double([a, b]), double([b, a])).mean()
    np.testing.assert_allclose(both, [a / (a + b), b / (a + b)], rtol=1e-12)
    assert Beta(torch.tensor(1), torch.tensor(2)).mean().item() == 1 / 3


@pytest.mark.equation(
    "eq-map-estimation-bayes",
    against="quadrature of likelihood times prior",
    body="ecbbd123",
)
@pytest.mark.equation(
    "eq-map-estimation-beta-posterior",
    against="quadrature of likelihood times prior",
    body="6c8c63cd",
)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_posterior_is_likelihood_times_prior_over_evidence(a, b):
    prior = Beta(a, b)

    def joint(p):
        return math.exp(log_lik(double([p])) + prior.log_prob(double(p)))

    evidence = integrate.quad(joint, 0, 1, epsabs=1e-13, epsrel=1e-11)[0]
    posterior = prior.posterior(FLIPS.sum(0), (1 - FLIPS).sum(0))
    for p in (0.05, 0.4, 0.77, 0.98):
        found = posterior.log_prob(double([p])).exp().item()
        assert found == pytest.approx(joint(p) / evidence, rel=1e-9)


@pytest.mark.equation(
    "eq-map-estimation-beta-posterior",
    against="one observation at a time",
    body="6c8c63cd",
)
@settings(deadline=None)
@given(HALVES, HALVES, st.lists(st.booleans(), min_size=1, max_size=12))
def test_posterior_does_not_depend_on_the_order(a, b, flips):
    together = Beta(a, b).posterior(sum(flips), len(flips) - sum(flips))
    step = Beta(a, b)
    for lit in reversed(flips):
        step = step.posterior(int(lit), int(not lit))
    assert step == together


def peak(log_density, low, high):
    """Where a function of a float is largest, to about 1e-8."""
    best = optimize.minimize_scalar(
        lambda at: -log_density(at),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-11},
    )
    return best.x


@pytest.mark.equation(
    "eq-map-estimation-beta-mode",
    against="numerical maximisation of scipy's density",
    body="3d0254ea",
)
@pytest.mark.parametrize(("a", "b"), [(2.0, 2.0), (1.5, 3.0), (7.0, 2.5)])
def test_mode_of_the_posterior(a, b):
    prior, ones, number = Beta(a, b), 4, 5
    expected = peak(lambda p: stats.beta.logpdf(p, a + 4, b + 1), 0.01, 0.99)
    found = prior.posterior(double(4.0), double(1.0)).mode().item()
    assert found == pytest.approx(expected, abs=1e-7)
    assert found == pytest.approx((ones + a - 1) / (number + a + b - 2), rel=1e-12)
    assert fit_bernoulli_map(FLIPS, prior).probs.item() == pytest.approx(found)


@pytest.mark.equation(
    "eq-map-estimation-logit-mode",
    against="numerical maximisation of scipy's density",
    body="8d0279a5",
)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_mode_of_the_logit(a, b):
    """The density of the logit is that of the probability times its slope."""

    def log_density(eta):
        slope = stats.logistic.logpdf(eta)
        return stats.beta.logpdf(expit(eta), a + 4, b + 1) + slope

    posterior = Beta(a, b).posterior(double(4.0), double(1.0))
    found = posterior.logit_mode().item()
    assert found == pytest.approx(expit(peak(log_density, -9, 9)), abs=1e-7)
    assert found == pytest.approx((4 + a) / (5 + a + b), rel=1e-12)
    assert Beta(a, b).logit_mode().item() == pytest.approx(stats.beta.mean(a, b))


def logit_density(eta, beta):
    """The Beta's density carried over to the logit."""
    p = torch.sigmoid(eta)
    return (beta.log_prob(p) + p.log() + (1 - p).log()).exp()


@pytest.mark.equation(
    "eq-map-estimation-change-of-variables",
    against="scipy.stats.beta.cdf between ends",
    body="2d10200e",
)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_density_of_the_logit_gives_each_interval_its_probability(a, b):
    for ends in [(-9, -1), (-1, 0.4), (0.4, 3)]:
        found = integrate.quad(
            lambda eta: logit_density(double(eta), Beta(a, b)).item(), *ends
        )[0]
        expected = np.diff(stats.beta.cdf(expit(np.array(ends)), a, b))[0]
        assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.equation(
    "eq-map-estimation-change-of-variables",
    against="scipy.stats.logistic.pdf",
    body="2d10200e",
)
def test_a_flat_prior_is_not_flat_in_the_logit():
    eta = torch.linspace(-5, 5, 11).double()
    expected = stats.logistic.pdf(eta)
    np.testing.assert_allclose(logit_density(eta, Beta(1, 1)), expected, rtol=1e-10)


@pytest.mark.equation(
    "eq-map-estimation-map", against="a grid of probabilities", body="b62f24bf"
)
@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (2.0, 2.0), (1.5, 3.0)])
def test_map_is_the_top_of_log_likelihood_plus_log_prior(a, b):
    grid = torch.linspace(0.0001, 0.9999, 9999).double()
    objective = log_lik(grid) + torch.from_numpy(stats.beta.logpdf(grid, a, b))
    found = fit_bernoulli_map(FLIPS, Beta(a, b)).probs
    assert found.item() == pytest.approx(grid[objective.argmax()].item(), abs=6e-5)
    at_fit = log_lik(found) + stats.beta.logpdf(found.item(), a, b)
    assert at_fit.item() >= objective.max().item() - 1e-12


@settings(deadline=None)
@given(HALVES.filter(lambda a: a >= 1), st.integers(0, 6))
def test_map_lies_between_prior_and_data(a, ones):
    """Between the prior's mode 1/2 and the share of ones, nearer with more data."""
    x = (torch.arange(6) < ones).double()[:, None]
    share, found = ones / 6, fit_bernoulli_map(x, Beta(a, a)).probs.item()
    low, high = sorted([0.5, share])
    assert low - 1e-12 <= found <= high + 1e-12
    more = fit_bernoulli_map(x.repeat(10, 1), Beta(a, a)).probs.item()
    assert abs(more - share) <= abs(found - share) + 1e-12


def test_flat_prior_is_maximum_likelihood(rng):
    x = torch.randint(2, (9, 4), generator=rng).double()
    found = fit_bernoulli_map(x, Beta(1, 1)).probs
    np.testing.assert_allclose(found, fit_bernoulli(x).probs, rtol=1e-12)


@pytest.mark.parametrize(("a", "nats"), [(2.0, -24.9144), (1.5, -24.9086)])
def test_smoothed_pixels_of_the_digits(a, nats):
    digits = load_digits()
    fit = fit_bernoulli_map(digits.train.x.double(), Beta(a, a))
    log_prob = fit.log_prob(digits.test.x.double())
    assert log_prob.mean().item() == pytest.approx(nats, abs=5e-5)


@pytest.mark.parametrize(("a", "b"), [(0.5, 2.0), (2.0, 0.5), (1.0, 1.0)])
def test_a_density_without_a_single_peak_has_no_mode(a, b):
    found = f"a >= 1 and b >= 1, not both 1; received a down to {a:.3g}, b.* {b:.3g}"
    with pytest.raises(ValueError, match=found):
        Beta(a, b).mode()


def test_one_pixel_without_a_mode_is_enough():
    with pytest.raises(ValueError, match=r"a down to 0\.4, b down to 1"):
        Beta(double([3.0, 0.4]), double([1.0, 2.0])).mode()
    with pytest.raises(ValueError, match=r"a down to 0\.5, b down to 1\.5"):
        fit_bernoulli_map(torch.zeros(1, 2), Beta(0.5, 0.5))


def test_map_refuses_what_maximum_likelihood_refuses():
    with pytest.raises(ValueError, match=r"must be \(N, D\).*received \(4,\)"):
        fit_bernoulli_map(torch.zeros(4), Beta(2, 2))


# Priors on weights


@pytest.mark.equation(
    "eq-map-estimation-gaussian-prior",
    against="scipy.stats.norm.logpdf, summed",
    body="6c02111e",
)
@pytest.mark.parametrize("tau", [0.1, 1.0, 3.0])
def test_gaussian_prior_is_scipys(rng, tau):
    weights = [draw(rng, 3, 2), draw(rng, 4), draw(rng, 1)[0]]
    flat = np.concatenate([w.numpy().ravel() for w in weights])
    expected = stats.norm.logpdf(flat, 0, tau).sum()
    found = gaussian_log_prior(iter(weights), tau)
    assert found.shape == ()
    assert found.item() == pytest.approx(expected, rel=1e-12)


def test_gaussian_prior_pulls_each_weight_to_zero(rng):
    w = draw(rng, 5).requires_grad_()
    (slope,) = torch.autograd.grad(gaussian_log_prior([w], 0.5), w)
    np.testing.assert_allclose(slope, -w.detach() / 0.25, rtol=1e-12)


@pytest.mark.parametrize("tau", [0.0, -1.0, math.nan])
def test_gaussian_prior_needs_a_positive_width(tau):
    found = f"standard deviation, must be above 0; received {tau}"
    with pytest.raises(ValueError, match=found):
        gaussian_log_prior([torch.zeros(2)], tau)


@pytest.mark.equation(
    "eq-map-estimation-laplace-prior",
    against="scipy.stats.laplace.logpdf, summed",
    body="3f329e8b",
)
@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
def test_laplace_prior_is_scipys(rng, scale):
    weights = draw(rng, 4, 3)
    expected = stats.laplace.logpdf(weights.numpy(), 0, scale).sum(-1)
    found = laplace_log_prior(weights, scale)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


# Ridge


def regression(rng, number=40):
    """Correlated inputs (N, 4), one true weight zero, noise of sigma 1."""
    inputs = draw(rng, number, 4) @ (torch.eye(4) + 0.3 * draw(rng, 4, 4))
    return inputs, inputs @ double([1.0, -2.0, 0.0, 0.5]) + draw(rng, number)


@pytest.mark.equation(
    "eq-map-estimation-ridge",
    against="scikit-learn's Ridge without intercept",
    body="083fb2f8",
)
@pytest.mark.parametrize("penalty", [0.0, 0.3, 10.0, 1e4])
def test_ridge_is_scikit_learns(rng, penalty):
    inputs, y = regression(rng)
    oracle = Ridge(alpha=penalty, fit_intercept=False, solver="svd")
    expected = oracle.fit(inputs.numpy(), y.numpy()).coef_
    found = fit_ridge(inputs, y, penalty)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)


def test_ridge_with_fewer_rows_than_weights(rng):
    inputs, y = regression(rng, number=2)
    oracle = Ridge(alpha=0.5, fit_intercept=False, solver="svd")
    expected = oracle.fit(inputs.numpy(), y.numpy()).coef_
    np.testing.assert_allclose(fit_ridge(inputs, y, 0.5), expected, rtol=1e-9)


def log_posterior(inputs, y, sigma, log_prior):
    """Log-likelihood plus log-prior of the weights, up to log p(y)."""
    log_var = double([2 * math.log(sigma)])

    def total(w):
        fitted = (inputs @ w)[:, None]
        return gaussian_log_prob(y[:, None], fitted, log_var).sum() + log_prior(w)

    return total


@pytest.mark.equation(
    "eq-map-estimation-ridge",
    against="the slope of log-likelihood plus log-prior",
    body="083fb2f8",
)
@pytest.mark.parametrize(("sigma", "tau"), [(1.0, 1.0), (0.5, 2.0), (3.0, 0.7)])
def test_ridge_is_map_under_a_gaussian_prior(rng, sigma, tau):
    inputs, y = regression(rng)
    found = fit_ridge(inputs, y, sigma**2 / tau**2).requires_grad_()
    total = log_posterior(inputs, y, sigma, lambda w: gaussian_log_prior([w], tau))
    (slope,) = torch.autograd.grad(total(found), found)
    np.testing.assert_allclose(slope, 0, atol=1e-9)


@pytest.mark.equation(
    "eq-map-estimation-mean-loss",
    against="the slope of the mean loss, penalised",
    body="b6979a4b",
)
def test_a_mean_of_losses_needs_the_penalty_over_n(rng):
    """Unit noise: half the mean squared error, and |w|^2 / (2 N tau^2)."""
    (inputs, y), tau = regression(rng), 0.3
    w = fit_ridge(inputs, y, 1 / tau**2).requires_grad_()
    loss = (inputs @ w - y).square().mean() / 2 + w.square().sum() / (80 * tau**2)
    (slope,) = torch.autograd.grad(loss, w)
    np.testing.assert_allclose(slope, 0, atol=1e-11)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_no_other_penalty_errs_less_when_the_prior_is_true(rng, assert_within):
    """Weights drawn from the prior: the error is the posterior's variance."""
    (sigma, tau), errors = (2.0, 0.5), []
    inputs = draw(rng, 20, 4) @ draw(rng, 4, 4)
    right = sigma**2 / tau**2
    for _ in range(200):
        w = tau * draw(rng, 4)
        y = inputs @ w + sigma * draw(rng, 20)
        fits = [fit_ridge(inputs, y, right * c) for c in (1, 1 / 50, 50)]
        errors.append([(fit - w).square().sum().item() for fit in fits])
    errors = np.array(errors)
    precision = inputs.numpy().T @ inputs.numpy() / sigma**2 + np.eye(4) / tau**2
    exact = np.trace(np.linalg.inv(precision))
    assert_within(errors[:, 0].mean(), exact, stats.sem(errors[:, 0]))
    excess = errors[:, 1:] - errors[:, :1]
    assert np.all(excess.mean(0) > 3 * stats.sem(excess))


# Lasso


@pytest.mark.equation(
    "eq-map-estimation-lasso",
    against="scikit-learn's Lasso, whose alpha is lambda / N",
    body="5f713644",
)
@pytest.mark.parametrize("penalty", [0.5, 10.0, 40.0])
def test_lasso_is_scikit_learns(rng, penalty):
    inputs, y = regression(rng)
    oracle = Lasso(alpha=penalty / 40, fit_intercept=False, tol=1e-14, max_iter=10**5)
    expected = oracle.fit(inputs.numpy(), y.numpy()).coef_
    found = fit_lasso(inputs, y, penalty)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)
    assert np.array_equal(found.numpy() == 0, expected == 0)


@pytest.mark.equation(
    "eq-map-estimation-lasso",
    against="the slope of log-likelihood plus log-prior",
    body="5f713644",
)
@pytest.mark.parametrize(("sigma", "scale"), [(1.0, 0.05), (0.5, 0.01), (3.0, 0.5)])
def test_lasso_is_map_under_a_laplace_prior(rng, sigma, scale):
    """No slope along the weights that are not 0, none upwards along the others."""
    inputs, y = regression(rng)
    w = fit_lasso(inputs, y, sigma**2 / scale)
    total = log_posterior(inputs, y, sigma, lambda w: laplace_log_prior(w, scale))
    used = (w != 0).nonzero()[:, 0]
    assert 0 < len(used) < 4
    slope = torch.autograd.functional.jacobian(total, w)
    np.testing.assert_allclose(slope[used], 0, atol=1e-8)
    for step in 1e-4 * torch.cat([torch.eye(4), -torch.eye(4)]).double():
        assert total(w + step) < total(w)


def test_lasso_without_a_penalty_is_least_squares(rng):
    inputs, y = regression(rng)
    expected = np.linalg.lstsq(inputs.numpy(), y.numpy())[0]
    np.testing.assert_allclose(fit_lasso(inputs, y, 0.0), expected, rtol=1e-9)


def test_lasso_with_a_large_penalty_is_zero(rng):
    inputs, y = regression(rng)
    largest = (inputs.T @ y).abs().max().item()
    assert fit_lasso(inputs, y, largest).tolist() == [0, 0, 0, 0]
    assert fit_lasso(inputs, y, 0.99 * largest).count_nonzero() == 1


def test_lasso_leaves_an_input_that_is_always_zero_alone(rng):
    inputs, y = regression(rng)
    expected = fit_lasso(inputs, y, 2.0)
    with_zeros = torch.cat([torch.zeros(40, 1), inputs], 1)
    found = fit_lasso(with_zeros, y, 2.0)
    assert found[0] == 0
    np.testing.assert_allclose(found[1:], expected, rtol=1e-10)


def test_lasso_stops_at_the_number_of_sweeps(rng):
    inputs, y = regression(rng)
    gram, target = inputs.T @ inputs, inputs.T @ y
    w = fit_lasso(inputs, y, 0.5, num_sweeps=1)
    assert w[0].item() == pytest.approx(((target[0] - 0.5) / gram[0, 0]).item())
    assert not torch.allclose(w, fit_lasso(inputs, y, 0.5))


@pytest.mark.equation(
    "eq-map-estimation-soft-threshold",
    against="numerical minimisation of the lasso",
    body="e127dbb7",
)
@settings(deadline=None)
@given(st.floats(-5, 5), st.floats(0, 3))
def test_soft_threshold_is_the_best_single_weight(value, by):
    """The least (w - value)^2 / 2 + by |w|: on w > 0, on w < 0, or 0 itself."""
    found = soft_threshold(double(value), by).item()

    def objective(w):
        return (w - value) ** 2 / 2 + by * abs(w)

    sides = [peak(lambda w: -objective(w), *ends) for ends in [(-6, 0), (0, 6)]]
    best = min([0.0, *sides], key=objective)
    assert found == pytest.approx(best, abs=1e-6)
    assert objective(found) <= objective(best) + 1e-12
    assert (found == 0) == (abs(value) <= by)


@pytest.mark.parametrize("fit", [fit_ridge, fit_lasso])
@pytest.mark.parametrize(
    ("inputs", "y", "penalty", "message"),
    [
        ((5, 2), (4,), 1.0, r"y must be \(N,\).*inputs \(5, 2\), y \(4,\)"),
        ((5, 2), (5, 1), 1.0, r"y must be \(N,\).*inputs \(5, 2\), y \(5, 1\)"),
        ((5,), (5,), 1.0, r"must be \(N, D\).*received \(5,\)"),
        ((5, 2), (5,), -0.1, "penalty must be at least 0; received -0.1"),
        ((5, 2), (5,), math.nan, "penalty must be at least 0; received nan"),
    ],
)
def test_regressions_that_cannot_be_fitted_are_named(fit, inputs, y, penalty, message):
    with pytest.raises(ValueError, match=message):
        fit(torch.ones(inputs), torch.ones(y), penalty)


# Weight decay


@pytest.fixture(scope="module")
def decayed():
    """Six inputs of unequal scale, 200 rows, and lambda for the sum: 50."""
    rng = torch.Generator().manual_seed(0)
    inputs = draw(rng, 200, 6) * double([2.0, 1.5, 1.0, 0.7, 0.5, 0.3])
    y = inputs @ double([1.0, -2.0, 0.5, 0.0, 1.5, -1.0]) + draw(rng, 200)
    return inputs, y, 50.0


def train(data, optimizer, num_steps, batch=None, **settings):
    """Weights after ``num_steps`` on half the mean squared error, from 0.

    With ``batch`` rows drawn anew each step: the mean weights of the second half.
    """
    inputs, y, _ = data
    w = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    stepper, rng = optimizer([w], **settings), torch.Generator().manual_seed(1)
    path = []
    for _ in range(num_steps):
        rows = torch.randint(200, (batch,), generator=rng) if batch else slice(None)
        stepper.zero_grad()
        ((inputs[rows] @ w - y[rows]).square().mean() / 2).backward()
        stepper.step()
        path.append(w.detach().clone())
    return torch.stack(path[num_steps // 2 :]).mean(0) if batch else path[-1]


def distance(one, other):
    return (one - other).norm().item()


@pytest.mark.equation(
    "eq-map-estimation-weight-decay", against="one step of torch's SGD", body="88c45376"
)
def test_weight_decay_is_a_gradient_step_on_the_penalised_loss(rng):
    (inputs, y), w, rate, decay = regression(rng), draw(rng, 4), 0.1, 0.7
    parameter = w.clone().requires_grad_()
    stepper = torch.optim.SGD([parameter], lr=rate, weight_decay=decay)
    (0.5 * (inputs @ parameter - y).square().mean()).backward()
    stepper.step()
    gradient = inputs.numpy().T @ (inputs @ w - y).numpy() / 40
    w = w.numpy()
    found = parameter.detach()
    np.testing.assert_allclose(found, w - rate * (gradient + decay * w), rtol=1e-10)
    shrunk = (1 - rate * decay) * w - rate * gradient
    np.testing.assert_allclose(found, shrunk, rtol=1e-10)


@pytest.mark.equation(
    "eq-map-estimation-weight-decay",
    against="the closed form, by torch's SGD and Adam",
    body="88c45376",
)
@pytest.mark.parametrize(
    ("optimizer", "rate", "num_steps"),
    [(torch.optim.SGD, 0.2, 600), (torch.optim.Adam, 0.01, 4000)],
)
def test_sgd_and_adam_with_weight_decay_rest_at_ridge(
    decayed, optimizer, rate, num_steps
):
    inputs, y, penalty = decayed
    found = train(decayed, optimizer, num_steps, lr=rate, weight_decay=penalty / 200)
    np.testing.assert_allclose(found, fit_ridge(inputs, y, penalty), atol=1e-5)


ADAMW = {"lr": 0.005, "betas": (0.9, 0.95)}  # short memory: soon at rest


@pytest.mark.parametrize("decay", [0.025, 0.25])
def test_adamw_on_all_rows_rests_at_least_squares(decayed, decay):
    """Whatever the decay: a gradient that does not vanish is a step of size 1."""
    inputs, y, penalty = decayed
    found = train(decayed, torch.optim.AdamW, 2000, weight_decay=decay, **ADAMW)
    assert distance(found, fit_ridge(inputs, y, 0)) < 3e-3
    assert distance(found, fit_ridge(inputs, y, penalty)) > 1


def test_adamw_keeps_weights_in_a_box(decayed):
    """Decay 2 holds each weight within 1/2: least squares with bounds."""
    inputs, y, _ = decayed
    found = train(decayed, torch.optim.AdamW, 2000, weight_decay=2.0, **ADAMW)
    bounded = optimize.lsq_linear(inputs.numpy(), y.numpy(), (-0.5, 0.5), tol=1e-14)
    np.testing.assert_allclose(found, bounded.x, atol=5e-3)
    assert (bounded.active_mask != 0).sum() == 4


def adamw_at_rest(data, decay, batch):
    """Where gradient + decay * w * (root mean square of a batch's gradient) is 0."""
    inputs, y, _ = data
    gram, target = inputs.T @ inputs / 200, inputs.T @ y / 200
    w = fit_ridge(inputs, y, 0)
    for _ in range(200):
        rows = inputs * (inputs @ w - y)[:, None]
        var, mean = rows.var(0, correction=0) / batch, rows.mean(0)
        scale = (var + mean.square()).sqrt()
        w = torch.linalg.solve(gram + decay * scale.diag(), target)
    return w


def test_adamw_on_batches_rests_elsewhere(decayed):
    """A prior of another width for each weight, narrower for smaller batches."""
    (inputs, y, penalty), decay = decayed, 0.25
    settings = {"lr": 0.01, "betas": (0.9, 0.99)}
    small, large = (
        train(decayed, torch.optim.AdamW, 3000, batch, weight_decay=decay, **settings)
        for batch in (10, 50)
    )
    free, ridge = (fit_ridge(inputs, y, one) for one in (0, penalty))
    for found, batch in ((small, 10), (large, 50)):
        expected = adamw_at_rest(decayed, decay, batch)
        np.testing.assert_allclose(found, expected, atol=0.03)
        assert distance(found, ridge) > 0.5
    assert distance(small, free) > 1.5 * distance(large, free) > 0.15


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_laplace_scale_must_be_positive(scale):
    with pytest.raises(ValueError, match=r"scale must be above 0; received"):
        laplace_log_prior(torch.ones(2), scale)


@pytest.mark.parametrize("fit", [fit_ridge, fit_lasso])
def test_targets_must_be_finite(fit):
    with pytest.raises(ValueError, match="y must be finite"):
        fit(torch.eye(2), torch.tensor([1.0, float("nan")]), 1.0)
