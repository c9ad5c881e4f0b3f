"""Log-likelihoods, their maxima and their errors: scipy, enumeration, autograd."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial.hermite_e import hermegauss
from scipy import integrate, stats
from sklearn import datasets as bundled
from torch.autograd.functional import hessian, jacobian
from torch.nn.functional import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
)

from vaebook.checks import data_matrix
from vaebook.datasets import load_digits
from vaebook.likelihood import (
    Bernoulli,
    FullGaussian,
    Gaussian,
    bernoulli_log_prob,
    bootstrap,
    fit_bernoulli,
    fit_full_gaussian,
    fit_gaussian,
    full_gaussian_log_prob,
    gaussian_log_prob,
    gradient_ascent,
    standard_errors,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def draw(rng, *shape):
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def coins(rng, *shape):
    return torch.randint(2, shape, generator=rng).double()


@pytest.fixture(scope="module")
def petals():
    """Length and width of the 150 petals of the iris data, (150, 2)."""
    return torch.from_numpy(bundled.load_iris().data[:, 2:])


# Densities and probabilities


@pytest.mark.equation(
    "eq-likelihood-gaussian", against="scipy.stats.norm.logpdf", body="8d13d6d6"
)
@pytest.mark.equation(
    "eq-vae-gaussian-log-prob", against="scipy.stats.norm.logpdf", body="25e0194f"
)
def test_gaussian_log_prob_is_scipys(rng):
    x, mu, log_var = (draw(rng, 7, 3) for _ in range(3))
    sigma = np.exp(log_var.numpy() / 2)
    expected = stats.norm.logpdf(x.numpy(), mu.numpy(), sigma).sum(-1)
    np.testing.assert_allclose(gaussian_log_prob(x, mu, log_var), expected, rtol=1e-12)
    found = Gaussian(mu[0], log_var[0].exp()).log_prob(x)
    expected = stats.norm.logpdf(x.numpy(), mu[0].numpy(), sigma[0]).sum(-1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_gaussian_density_integrates_to_one():
    mu, log_var = double([0.3]), double([-1.2])

    def density(x):
        return gaussian_log_prob(double([x]), mu, log_var).exp().item()

    assert integrate.quad(density, -10, 10)[0] == pytest.approx(1.0, abs=1e-10)


def test_gaussian_broadcasts_over_samples(rng):
    z, mu, log_var = draw(rng, 5, 4, 2), draw(rng, 4, 2), draw(rng, 4, 2)
    together = gaussian_log_prob(z, mu, log_var)
    assert together.shape == (5, 4)
    one_by_one = torch.stack([gaussian_log_prob(zs, mu, log_var) for zs in z])
    torch.testing.assert_close(together, one_by_one, rtol=1e-12, atol=0)


@pytest.mark.parametrize("log_var", [-20.0, 20.0])
def test_gaussian_is_exact_at_far_variances(log_var):
    x, mu = double([0.3]) * np.exp(log_var / 2), double([0.0])
    expected = stats.norm.logpdf(x[0].item(), 0, np.exp(log_var / 2))
    found = gaussian_log_prob(x, mu, double([log_var]))
    assert found.item() == pytest.approx(expected, rel=1e-12)


@settings(deadline=None)
@given(log_var=st.floats(-60, 60), distance=st.floats(-3, 3))
def test_gaussian_is_finite_at_extreme_variances(log_var, distance):
    mu, log_var = torch.zeros(1), torch.tensor([log_var])
    x = distance * torch.exp(0.5 * log_var)
    assert torch.isfinite(gaussian_log_prob(x, mu, log_var))


@pytest.mark.equation(
    "eq-likelihood-full-gaussian",
    against="scipy.stats.multivariate_normal.logpdf",
    body="481f69d8",
)
def test_full_gaussian_log_prob_is_scipys(rng):
    x, mu, root = draw(rng, 5, 4, 3), draw(rng, 3), draw(rng, 3, 3)
    cov = root @ root.T + 0.1 * torch.eye(3)
    expected = stats.multivariate_normal(mu.numpy(), cov.numpy()).logpdf(x.numpy())
    found = full_gaussian_log_prob(x, mu, torch.linalg.cholesky(cov))
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    np.testing.assert_allclose(FullGaussian(mu, cov).log_prob(x), expected, rtol=1e-10)


def test_full_gaussian_without_correlations_is_the_diagonal_one(rng):
    x, mu, sigma = draw(rng, 4, 3), draw(rng, 3), draw(rng, 3).exp()
    expected = gaussian_log_prob(x, mu, 2 * sigma.log())
    found = full_gaussian_log_prob(x, mu, sigma.diag())
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.equation(
    "eq-likelihood-bernoulli", against="scipy.stats.bernoulli.logpmf", body="31c31971"
)
def test_bernoulli_of_probabilities_is_scipys(rng):
    x, probs = coins(rng, 6, 5), torch.rand(5, generator=rng).double()
    expected = stats.bernoulli.logpmf(x.numpy(), probs.numpy()).sum(-1)
    np.testing.assert_allclose(Bernoulli(probs).log_prob(x), expected, rtol=1e-10)


def test_bernoulli_of_certain_pixels():
    """Nothing is lost where the data agree, everything where they do not."""
    images = double([[0, 1], [1, 1], [0, 0], [1, 0]])
    found = Bernoulli(double([0.0, 1.0])).log_prob(images)
    assert found.tolist() == [0.0, -math.inf, -math.inf, -math.inf]


@pytest.mark.equation(
    "eq-likelihood-logits", against="scipy.stats.bernoulli.logpmf", body="defa7e8d"
)
@pytest.mark.equation(
    "eq-vae-bernoulli-log-prob", against="scipy.stats.bernoulli.logpmf", body="3c13401c"
)
def test_bernoulli_log_prob_is_scipys(rng):
    logits, x = 3 * draw(rng, 6, 5), coins(rng, 6, 5)
    p = torch.sigmoid(logits).numpy()
    expected = stats.bernoulli.logpmf(x.numpy(), p).sum(-1)
    np.testing.assert_allclose(bernoulli_log_prob(x, logits), expected, rtol=1e-10)


def test_bernoulli_sums_to_one_over_all_images(rng):
    images = torch.cartesian_prod(*[double([0.0, 1.0])] * 6)
    total = bernoulli_log_prob(images, draw(rng, 6)).exp().sum().item()
    assert total == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("logit", [-1e4, -90.0, 90.0, 1e4])
def test_bernoulli_stays_finite_at_extreme_logits(logit):
    x, logits = torch.tensor([[0.0], [1.0]]), torch.tensor([[logit]])
    log_prob = bernoulli_log_prob(x, logits)
    expected = torch.tensor([-max(logit, 0.0), min(logit, 0.0)])
    torch.testing.assert_close(log_prob, expected)


@settings(deadline=None)
@given(st.floats(-60, 60))
def test_bernoulli_is_exact_at_large_logits(logit):
    x, logits = double([[0.0], [1.0]]), double([[logit]])
    expected = stats.logistic.logcdf([-logit, logit])
    found = bernoulli_log_prob(x, logits)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"x \(2, 3\), logits \(2, 4\)"):
        bernoulli_log_prob(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"last axes.*mu \(1,\)"):
        gaussian_log_prob(torch.zeros(3), torch.zeros(1), torch.zeros(3))
    with pytest.raises(ValueError, match=r"x \(5, 2\), mu \(3,\), chol \(3, 3\)"):
        full_gaussian_log_prob(torch.zeros(5, 2), torch.zeros(3), torch.eye(3))


@pytest.mark.parametrize(
    ("var", "received"),
    [([1.0, 0.0], "0"), ([-2.0, 1.0], "-2"), ([1.0, math.nan], "nan")],
)
def test_variances_that_are_none_are_named(var, received):
    with pytest.raises(ValueError, match=f"var must be above 0 .*received {received}$"):
        Gaussian(double([0.0, 0.0]), double(var)).log_prob(double([[1.0, 2.0]]))


@pytest.mark.parametrize(
    ("cov", "message"),
    [
        ([[1.0, 2.0], [2.0, 1.0]], "cov must be positive definite; .*eigenvalue of -1"),
        ([[1.0, 1.0], [1.0, 1.0]], "cov must be positive definite"),
        ([[1.0, 0.5], [0.0, 1.0]], "cov must be symmetric; .* differ by 0.5"),
        ([[1.0, math.nan], [math.nan, 1.0]], "cov must be finite"),
        ([[1.0, 0.0]], r"cov must be square; received shape \(1, 2\)"),
    ],
)
def test_covariances_that_are_none_are_named(cov, message):
    with pytest.raises(ValueError, match=message):
        FullGaussian(double([0.0, 0.0]), double(cov)).log_prob(double([[1.0, 2.0]]))


# A data set, and what its likelihood is in other words


@pytest.mark.equation(
    "eq-likelihood-iid",
    against="the log of the product of scipy's densities",
    body="744f347c",
)
def test_log_likelihood_of_a_data_set_is_the_sum_over_rows(rng):
    x, mu, var = draw(rng, 8, 2), draw(rng, 2), draw(rng, 2).exp()
    law = stats.multivariate_normal(mu.numpy(), np.diag(var.numpy()))
    expected = np.log(np.prod(law.pdf(x.numpy())))
    total = Gaussian(mu, var).log_prob(x).sum().item()
    assert total == pytest.approx(expected, rel=1e-10)


@pytest.mark.equation(
    "eq-likelihood-iid", against="all 64 data sets, enumerated", body="744f347c"
)
def test_probabilities_of_all_data_sets_sum_to_one():
    sets = torch.cartesian_prod(*[double([0.0, 1.0])] * 6).reshape(64, 3, 2)
    totals = Bernoulli(double([0.3, 0.8])).log_prob(sets).sum(-1)
    assert totals.exp().sum().item() == pytest.approx(1.0, rel=1e-12)


@pytest.mark.equation(
    "eq-likelihood-squared-error", against="numpy's squared distances", body="70104e13"
)
@settings(deadline=None)
@given(st.floats(0.05, 20), st.integers(0, 1000))
def test_gaussian_of_one_sigma_is_a_squared_error(sigma, seed):
    x, mu = np.random.default_rng(seed).normal(size=(2, 4, 3))
    squared = np.linalg.norm(x - mu, axis=1) ** 2
    expected = squared / (2 * sigma**2) + 1.5 * np.log(2 * np.pi * sigma**2)
    log_var = double([2 * math.log(sigma)] * 3)
    found = -gaussian_log_prob(torch.from_numpy(x), torch.from_numpy(mu), log_var)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.equation(
    "eq-likelihood-cross-entropy",
    against="torch's binary_cross_entropy, summed",
    body="dfe5a591",
)
def test_bernoulli_is_minus_the_cross_entropy(rng):
    x, logits = coins(rng, 6, 5), 3 * draw(rng, 6, 5)
    probs = torch.sigmoid(logits)
    found = -bernoulli_log_prob(x, logits).sum().item()
    by_logits = binary_cross_entropy_with_logits(logits, x, reduction="sum")
    assert found == pytest.approx(by_logits.item(), rel=1e-10)
    by_probs = binary_cross_entropy(probs, x, reduction="sum").item()
    assert found == pytest.approx(by_probs, rel=1e-10)
    one_image = -Bernoulli(probs[0]).log_prob(x[:1]).item()
    expected = binary_cross_entropy(probs[0], x[0], reduction="sum").item()
    assert one_image == pytest.approx(expected, rel=1e-10)


@pytest.mark.equation(
    "eq-likelihood-kl", against="scipy.stats.entropy over all 8 images", body="692e5e66"
)
def test_mean_log_likelihood_is_minus_entropy_minus_kl(rng):
    """Twenty images of three pixels, counted: the share of each is p_hat."""
    images = torch.cartesian_prod(*[double([0.0, 1.0])] * 3)
    model = Bernoulli(double([0.2, 0.5, 0.9]))
    drawn = torch.randint(8, (20,), generator=rng)
    p_hat = np.bincount(drawn.numpy(), minlength=8) / 20
    pixels, probs = images.numpy(), model.probs.numpy()
    p_model = np.where(pixels == 1, probs, 1 - probs).prod(1)
    expected = -stats.entropy(p_hat) - stats.entropy(p_hat, p_model)
    found = model.log_prob(images[drawn]).mean().item()
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.equation(
    "eq-likelihood-gradient", against="automatic differentiation", body="6686f2b0"
)
def test_gradient_of_the_mean_log_likelihood(rng):
    x = 2 * draw(rng, 30, 1) + 1
    mu, log_sigma = double([0.4]).requires_grad_(), double([-0.2]).requires_grad_()
    mean_log_lik = gaussian_log_prob(x, mu, 2 * log_sigma).mean()
    by_mu, by_log_sigma = torch.autograd.grad(mean_log_lik, (mu, log_sigma))
    m, v, var = x.numpy().mean(), x.numpy().var(), math.exp(-0.4)
    assert by_mu.item() == pytest.approx((m - 0.4) / var, rel=1e-10)
    expected = (v + (m - 0.4) ** 2) / var - 1
    assert by_log_sigma.item() == pytest.approx(expected, rel=1e-10)


# Maximum likelihood


@pytest.mark.equation(
    "eq-likelihood-gaussian-mle", against="scipy.stats.norm.fit", body="31ed236a"
)
def test_gaussian_fit_is_scipys(petals):
    found = fit_gaussian(petals)
    expected = np.array([stats.norm.fit(column) for column in petals.T.numpy()])
    np.testing.assert_allclose(found.mu, expected[:, 0], rtol=1e-12)
    np.testing.assert_allclose(found.var, expected[:, 1] ** 2, rtol=1e-12)


def test_gaussian_fit_of_the_petal_lengths(petals):
    length = petals[:, :1]
    found = fit_gaussian(length)
    assert found.mu.item() == pytest.approx(3.758, abs=5e-11)
    assert found.var.item() == pytest.approx(3.0955026667, abs=5e-11)
    total = found.log_prob(length).sum().item()
    assert total == pytest.approx(-297.5870528889, abs=5e-11)


@settings(deadline=None)
@given(st.floats(-2, 2), st.floats(-2, 2), st.integers(0, 1000))
def test_no_other_gaussian_is_more_likely(shift, stretch, seed):
    x = torch.from_numpy(np.random.default_rng(seed).normal(size=(9, 2)))
    best = fit_gaussian(x)
    other = Gaussian(best.mu + shift, best.var * math.exp(stretch))
    assert other.log_prob(x).sum() <= best.log_prob(x).sum() + 1e-9


@pytest.mark.equation(
    "eq-likelihood-full-gaussian-mle", against="numpy.cov(bias=True)", body="78abfe63"
)
def test_full_gaussian_fit_is_numpys(rng):
    x = draw(rng, 40, 3) @ draw(rng, 3, 3) + 1
    found = fit_full_gaussian(x)
    np.testing.assert_allclose(found.mu, x.numpy().mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.cov, np.cov(x.numpy().T, bias=True), rtol=1e-10)


@pytest.mark.equation(
    "eq-likelihood-full-gaussian-mle",
    against="the slope of the log-likelihood there",
    body="78abfe63",
)
def test_full_gaussian_fit_is_a_maximum(petals):
    best = fit_full_gaussian(petals)

    def total(mu, chol):
        return full_gaussian_log_prob(petals, mu, chol.tril()).sum()

    top = (best.mu, torch.linalg.cholesky(best.cov))
    for slope in torch.autograd.functional.jacobian(total, top):
        np.testing.assert_allclose(slope, 0, atol=1e-9)
    assert total(*top) > total(top[0] + 0.01, top[1])
    assert total(*top) > total(top[0], 1.01 * top[1])
    assert total(*top) > total(top[0], top[1] / 1.01)


@pytest.mark.equation(
    "eq-likelihood-bias",
    against="all samples from a population of three, enumerated",
    body="f41a553b",
)
@pytest.mark.parametrize("number", [2, 3, 5])
def test_variance_is_too_small_by_one_part_in_n(number):
    """Each sample, drawn with replacement, weighted by its probability."""
    values, chances = np.array([0.0, 1.0, 4.0]), np.array([0.5, 0.3, 0.2])
    true_var = chances @ (values - chances @ values) ** 2
    expected_var = 0.0
    for sample in itertools.product(range(3), repeat=number):
        x = torch.from_numpy(values[list(sample), None])
        chance = chances[list(sample)].prod()
        expected_var += chance * fit_gaussian(x).var.item()
    exact = (number - 1) / number * true_var
    assert expected_var == pytest.approx(exact, rel=1e-12)


@pytest.mark.equation(
    "eq-likelihood-bias",
    against="all samples from a population of three, enumerated",
    body="f41a553b",
)
def test_covariance_is_too_small_by_the_same_part():
    points = double([[0.0, 1.0], [2.0, 0.0], [1.0, 5.0]])
    samples = itertools.product(range(3), repeat=3)
    covs = [fit_full_gaussian(points[list(sample)]).cov for sample in samples]
    exact = 2 / 3 * np.cov(points.numpy().T, bias=True)
    np.testing.assert_allclose(torch.stack(covs).mean(0), exact, rtol=1e-12)


@pytest.mark.parametrize("rng", range(5), indirect=True)
def test_variances_of_drawn_samples_are_too_small_on_average(rng, assert_within):
    fits = [fit_gaussian(3 * draw(rng, 4, 1)).var.item() for _ in range(4000)]
    assert_within(np.mean(fits), 9 * 3 / 4, stats.sem(fits))


@pytest.mark.equation(
    "eq-likelihood-bernoulli-mle",
    against="the slope of the log-likelihood there",
    body="14a6f5f6",
)
def test_bernoulli_fit_is_a_maximum(rng):
    x = coins(rng, 20, 4)
    found = fit_bernoulli(x)
    np.testing.assert_allclose(found.probs, (x.numpy() == 1).sum(0) / 20, rtol=1e-12)
    logits = torch.logit(found.probs).requires_grad_()
    total = bernoulli_log_prob(x, logits).sum()
    (slope,) = torch.autograd.grad(total, logits)
    np.testing.assert_allclose(slope, 0, atol=1e-10)
    for moved in (found.probs * 0.99, found.probs * 1.01):
        assert Bernoulli(moved).log_prob(x).sum() < total


def test_bernoulli_fit_calls_one_digit_impossible():
    """Twelve pixels never lit in training; a single test image lights one of them."""
    digits = load_digits()
    found = fit_bernoulli(digits.train.x.double())
    log_prob = found.log_prob(digits.test.x.double())
    assert log_prob.mean().item() == -math.inf
    assert log_prob.isinf().sum() == 1 and not log_prob.isnan().any()
    never = digits.train.x.sum(0) == 0
    assert never.sum() == 12
    assert digits.test.x[:, never].any(1).equal(log_prob.isinf())


# Gradient ascent


def test_path_of_gradient_ascent_is_the_closed_form():
    """On -a theta^2 / 2 each step multiplies theta by 1 - rate a."""
    a, start = double([1.0, 4.0]), double([2.0, -1.0])
    path = gradient_ascent(
        lambda theta: -0.5 * (a * theta.square()).sum(), start, rate=0.1, num_steps=7
    )
    steps = np.arange(8)[:, None]
    expected = start.numpy() * (1 - 0.1 * a.numpy()) ** steps
    np.testing.assert_allclose(path, expected, rtol=1e-12)
    assert not path.requires_grad and start.tolist() == [2.0, -1.0]


def test_gradient_ascent_ends_at_the_fit(petals):
    length = petals[:, :1]

    def mean_log_lik(theta):
        return gaussian_log_prob(length, theta[:1], 2 * theta[1:]).mean()

    path = gradient_ascent(mean_log_lik, double([1.0, 0.0]), rate=0.2, num_steps=500)
    assert path.shape == (501, 2)
    best = fit_gaussian(length)
    np.testing.assert_allclose(path[-1, :1], best.mu, rtol=1e-10)
    np.testing.assert_allclose(path[-1, 1:].exp() ** 2, best.var, rtol=1e-10)


def test_no_steps_leave_the_start():
    start = double([1.5]).requires_grad_()
    path = gradient_ascent(lambda theta: theta.sum(), start, rate=1.0, num_steps=0)
    assert path.tolist() == [[1.5]] and not path.requires_grad


# Data that cannot be fitted


def test_data_to_fit_are_returned_as_they_are():
    x = torch.zeros(3, 2)
    assert data_matrix(x) is x


@pytest.mark.parametrize("fit", [fit_gaussian, fit_full_gaussian, fit_bernoulli])
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(5), r"must be \(N, D\).*received \(5,\): one variable is x\[:, N"),
        (torch.zeros(0, 3), r"at least one row and column; received \(0, 3\)"),
        (torch.zeros(3, 0), r"at least one row and column; received \(3, 0\)"),
        (torch.ones(2, 2).int(), r"float type; received torch.int32: x.double\(\)"),
        (torch.tensor([[0.0], [math.nan]]), "must be finite; row 1 is not: leave it"),
        (torch.tensor([[math.inf], [0.0]]), "must be finite; row 0 is not: leave it"),
    ],
)
def test_data_that_cannot_be_fitted_are_named(fit, x, message):
    with pytest.raises(ValueError, match=message):
        fit(x)


# Uncertainty: curvature and the bootstrap


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
    "eq-likelihood-score-zero",
    against="Gauss-Hermite quadrature, exact for this score",
    body="eccbe774",
)
def test_score_of_a_gaussian_is_zero_on_average():
    mean = gaussian_expectation(gaussian_scores)
    np.testing.assert_allclose(mean, [0, 0], atol=1e-12)
    away = jacobian(lambda t: gaussian_expectation(lambda x: one_row(t, x)), THETA + 1)
    assert away.abs().min() > 0.05


@pytest.mark.equation(
    "eq-likelihood-score-zero", against="all 8 images, enumerated", body="eccbe774"
)
def test_score_of_binary_pixels_is_zero_on_average():
    mean = bernoulli_expectation(bernoulli_scores())
    np.testing.assert_allclose(mean, [0, 0, 0], atol=1e-12)


@pytest.mark.equation(
    "eq-likelihood-fisher",
    against="Gauss-Hermite quadrature of both sides",
    body="b7b00c42",
)
@pytest.mark.equation(
    "eq-likelihood-gaussian-fisher",
    against="Gauss-Hermite quadrature of both sides",
    body="fd83782e",
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


@pytest.mark.equation(
    "eq-likelihood-fisher", against="all 8 images, enumerated", body="b7b00c42"
)
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
    "eq-likelihood-standard-error",
    against="sigma / sqrt(N) and sigma / sqrt(2 N)",
    body="8db0504d",
)
def test_errors_of_a_gaussians_mean_and_sigma(lengths):
    found = standard_errors(log_lik_of(lengths), mu_and_sigma(lengths))
    sigma = lengths.numpy().std()
    expected = [sigma / math.sqrt(150), sigma / math.sqrt(300)]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.equation(
    "eq-likelihood-standard-error",
    against="numpy's inverse for correlated weights",
    body="8db0504d",
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
    "eq-likelihood-standard-error",
    against="the bootstrap on simulated Gaussian data",
    body="8db0504d",
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
