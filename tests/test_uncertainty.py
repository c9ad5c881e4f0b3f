"""Standard errors: quadrature and enumeration, closed forms, and the bootstrap."""

import math

import numpy as np
import pytest
import torch
from numpy.polynomial.hermite_e import hermegauss
from scipy import stats
from sklearn import datasets as bundled
from torch.autograd.functional import hessian, jacobian

from vaebook.likelihood import (
    bernoulli_log_prob,
    fit_gaussian,
    full_gaussian_log_prob,
    gaussian_log_prob,
)
from vaebook.uncertainty import bootstrap, standard_errors

pytestmark = pytest.mark.usefixtures("one_thread")


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def draw(rng, *shape):
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def one_row(theta, x):
    """log N(x; mu, sigma^2) of rows (N, 1) under theta = (mu, sigma), (N,)."""
    return gaussian_log_prob(x, theta[:1], 2 * theta[1:].log())


def log_lik_of(x):
    return lambda theta: one_row(theta, x).sum()


def mu_and_sigma(x):
    """The maximum-likelihood mean and standard deviation of (N, 1), as (2,)."""
    fit = fit_gaussian(x)
    return torch.cat([fit.mu, fit.var.sqrt()])


def bootstrap_errors(x, num_samples, *, rng):
    """Standard deviation of mu and sigma over resamples, and its own error."""
    sd = bootstrap(x, mu_and_sigma, num_samples, rng=rng).std(0)
    return sd, sd / math.sqrt(2 * num_samples)


def sigma_error_of_any_law(x):
    """sigma sqrt((kappa - 1) / (4 N)): the fourth moment instead of the Gaussian's."""
    x = x.numpy().ravel()
    return x.std() * math.sqrt((stats.kurtosis(x, fisher=False) - 1) / (4 * len(x)))


@pytest.fixture(scope="module")
def lengths():
    """The 150 petal lengths of the iris data, (150, 1)."""
    return torch.from_numpy(bundled.load_iris().data[:, 2:3])


# The score and the information


THETA = double([0.7, 1.8])  # mu, sigma


def gaussian_expectation(values):
    """E[f(x)] under THETA, f of degree at most 23, from ``values(x)`` (12, ...)."""
    nodes, weights = hermegauss(12)
    x = THETA[0] + THETA[1] * torch.from_numpy(nodes)[:, None]
    shares = torch.from_numpy(weights / weights.sum())
    return torch.tensordot(shares, values(x), dims=1)


def gaussian_scores(x):
    return jacobian(lambda theta: one_row(theta, x), THETA)


def gaussian_curvatures(x):
    return torch.stack([hessian(log_lik_of(row[None]), THETA) for row in x])


IMAGES = torch.cartesian_prod(*[double([0.0, 1.0])] * 3)
LOGITS = double([-1.0, 0.3, 2.0])


def bernoulli_expectation(values):
    """E[f(x)] under LOGITS: the sum over all eight images of three pixels."""
    pixels, pi = IMAGES.numpy(), stats.logistic.cdf(LOGITS)
    shares = torch.from_numpy(np.where(pixels == 1, pi, 1 - pi).prod(1))
    return torch.tensordot(shares, values, dims=1)


def bernoulli_scores():
    return jacobian(lambda logits: bernoulli_log_prob(IMAGES, logits), LOGITS)


@pytest.mark.equation(
    "eq-likelihood-score-zero", against="Gauss-Hermite quadrature, exact for this score"
)
def test_score_of_a_gaussian_is_zero_on_average():
    mean = gaussian_expectation(gaussian_scores)
    np.testing.assert_allclose(mean, [0, 0], atol=1e-12)
    away = jacobian(lambda t: gaussian_expectation(lambda x: one_row(t, x)), THETA + 1)
    assert away.abs().min() > 0.05


@pytest.mark.equation("eq-likelihood-score-zero", against="all 8 images, enumerated")
def test_score_of_binary_pixels_is_zero_on_average():
    mean = bernoulli_expectation(bernoulli_scores())
    np.testing.assert_allclose(mean, [0, 0, 0], atol=1e-12)


@pytest.mark.equation(
    "eq-likelihood-fisher", against="Gauss-Hermite quadrature of both sides"
)
@pytest.mark.equation(
    "eq-likelihood-gaussian-fisher", against="Gauss-Hermite quadrature of both sides"
)
def test_two_forms_of_a_gaussians_information():
    """Squared scores and curvatures, apart for one x, agree on average."""
    outer = gaussian_expectation(lambda x: squares(gaussian_scores(x)))
    curvature = -gaussian_expectation(gaussian_curvatures)
    np.testing.assert_allclose(outer, curvature, atol=1e-12)
    var = THETA[1].item() ** 2
    np.testing.assert_allclose(outer, np.diag([1 / var, 2 / var]), atol=1e-12)


def squares(scores):
    """The outer product of each score with itself, (N, P, P)."""
    return scores[:, :, None] * scores[:, None, :]


@pytest.mark.equation("eq-likelihood-fisher", against="all 8 images, enumerated")
def test_two_forms_of_the_information_of_binary_pixels():
    outer = bernoulli_expectation(squares(bernoulli_scores()))
    log_prob = [lambda t, x=x: bernoulli_log_prob(x, t) for x in IMAGES]
    curvatures = torch.stack([hessian(f, LOGITS) for f in log_prob])
    curvature = -bernoulli_expectation(curvatures)
    np.testing.assert_allclose(outer, curvature, atol=1e-12)
    expected = np.diag(stats.logistic.pdf(LOGITS))  # pi (1 - pi)
    np.testing.assert_allclose(outer, expected, atol=1e-12)


# Standard errors from the curvature


@pytest.mark.equation(
    "eq-likelihood-standard-error", against="sigma / sqrt(N) and sigma / sqrt(2 N)"
)
def test_errors_of_a_gaussians_mean_and_sigma(lengths):
    found = standard_errors(log_lik_of(lengths), mu_and_sigma(lengths))
    sigma = lengths.numpy().std()
    expected = [sigma / math.sqrt(150), sigma / math.sqrt(300)]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.equation(
    "eq-likelihood-standard-error", against="numpy's inverse for correlated weights"
)
def test_errors_of_regression_weights(rng):
    """Correlated inputs: the inverse's diagonal is not one over the diagonal."""
    inputs = draw(rng, 25, 3) @ draw(rng, 3, 3)
    y, sigma = draw(rng, 25, 1), 0.4

    def log_lik(w):
        mu = (inputs @ w)[:, None]
        return gaussian_log_prob(y, mu, double([2 * math.log(sigma)])).sum()

    gram = inputs.numpy().T @ inputs.numpy()
    best = np.linalg.solve(gram, inputs.numpy().T @ y.numpy())[:, 0]
    expected = sigma * np.sqrt(np.diag(np.linalg.inv(gram)))
    found = standard_errors(log_lik, torch.from_numpy(best))
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert np.all(expected > 1.1 * sigma / np.sqrt(np.diag(gram)))


def test_errors_of_probabilities_are_binomial(rng):
    x = torch.randint(2, (40, 2), generator=rng).double()
    share = x.numpy().mean(0)

    def log_lik(probs):
        return bernoulli_log_prob(x, torch.logit(probs)).sum()

    found = standard_errors(log_lik, torch.from_numpy(share))
    expected = stats.binom.std(40, share) / 40
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_errors_carry_no_gradient(lengths):
    theta = mu_and_sigma(lengths).requires_grad_()
    assert not standard_errors(log_lik_of(lengths), theta).requires_grad


@pytest.mark.parametrize("curvature", [[1.0, 1.0], [-1.0, 1.0], [-1.0, 0.0]])
def test_a_point_that_is_no_maximum_is_refused(curvature):
    """A minimum, a saddle, and a direction in which nothing changes."""
    bend = double(curvature)
    with pytest.raises(ValueError, match=r"must be a maximum: .* is not negative"):
        standard_errors(lambda theta: bend @ theta.square(), torch.zeros(2).double())


@pytest.mark.parametrize("rng", range(5), indirect=True)
def test_errors_are_the_spread_over_data_sets(rng, assert_within):
    """1000 data sets of 200 draws, against the chi law; the curvature says the same."""
    data, number = 3 * draw(rng, 1000, 200, 1) + 1, 200
    spread = torch.stack([mu_and_sigma(x) for x in data]).std(0)
    exact = 3 / math.sqrt(number) * np.array([1, stats.chi(number - 1).std()])
    assert_within(spread, exact, spread / math.sqrt(2 * len(data)))
    found = [standard_errors(log_lik_of(x), mu_and_sigma(x)) for x in data[:50]]
    np.testing.assert_allclose(torch.stack(found).mean(0), exact, rtol=0.02)


# The bootstrap


def test_bootstrap_draws_rows_with_replacement(rng):
    """Of two rows, both, the first twice or the second twice: 1/2, 1/4, 1/4."""
    x = double([[0.0, 10.0], [1.0, 11.0]])
    means = bootstrap(x, lambda some: some.mean(0), 4000, rng=rng)
    assert means.shape == (4000, 2)
    assert torch.equal(means[:, 1], means[:, 0] + 10)
    counts = np.bincount((2 * means[:, 0]).long().numpy())
    assert stats.chisquare(counts, [1000, 2000, 1000]).pvalue > 1e-6


def test_bootstrap_resamples_are_as_long_as_the_data_and_the_seeds(rng):
    x = draw(rng, 30, 1)

    def length_and_total(some):
        return torch.stack([double(len(some)), some.sum()])

    one, again = (
        bootstrap(x, length_and_total, 5, rng=torch.Generator().manual_seed(3))
        for _ in range(2)
    )
    assert one[:, 0].tolist() == [30] * 5
    assert torch.equal(one, again) and len(one[:, 1].unique()) == 5
    assert bootstrap(x, length_and_total, 1, rng=rng).shape == (1, 2)


@pytest.mark.equation(
    "eq-likelihood-standard-error", against="the bootstrap on simulated Gaussian data"
)
@pytest.mark.parametrize("rng", range(5), indirect=True)
def test_curvature_and_bootstrap_agree_on_gaussian_data(rng, assert_within):
    """Up to the bootstrap's noise and that of the sample's own fourth moment."""
    x = 2 * draw(rng, 1000, 1) - 1
    found = standard_errors(log_lik_of(x), mu_and_sigma(x))
    spread, noise = bootstrap_errors(x, 1000, rng=rng)
    fourth = found * double([0, math.sqrt(24 / len(x)) / 4])
    assert_within(spread, found, (noise.square() + fourth.square()).sqrt())


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_petal_lengths_are_surer_of_sigma_than_a_gaussian(lengths, rng, assert_within):
    """Two clumps have short tails: kappa is 1.60, not 3, and sigma's error 0.55.

    The mean's error needs no Gaussian: curvature and bootstrap agree.
    """
    curvature = standard_errors(log_lik_of(lengths), mu_and_sigma(lengths))
    spread, noise = bootstrap_errors(lengths, 4000, rng=rng)
    assert_within(spread[0], curvature[0], noise[0])
    true = sigma_error_of_any_law(lengths)
    assert true / curvature[1].item() == pytest.approx(0.55, abs=0.005)
    assert spread[1].item() == pytest.approx(true, rel=0.06)
    assert spread[1] < 0.6 * curvature[1]


def test_a_gaussian_with_correlations_leaves_the_means_errors_alone(rng):
    """The error of each mean is the root of its variance over N, correlated or not."""
    x = draw(rng, 50, 2) @ double([[1.0, 0.9], [0.0, 0.4]])
    cov = np.cov(x.numpy().T, bias=True)
    chol = torch.linalg.cholesky(torch.from_numpy(cov))
    found = standard_errors(
        lambda mu: full_gaussian_log_prob(x, mu, chol).sum(), x.mean(0)
    )
    np.testing.assert_allclose(found, np.sqrt(np.diag(cov) / 50), rtol=1e-10)
