"""Log-likelihoods and their maxima: scipy, enumeration, autograd and the extremes."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from sklearn import datasets as bundled
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
    fit_bernoulli,
    fit_full_gaussian,
    fit_gaussian,
    full_gaussian_log_prob,
    gaussian_log_prob,
    gradient_ascent,
)


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


@pytest.mark.equation("eq-likelihood-gaussian", against="scipy.stats.norm.logpdf")
@pytest.mark.equation("eq-vae-gaussian-log-prob", against="scipy.stats.norm.logpdf")
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
    "eq-likelihood-full-gaussian", against="scipy.stats.multivariate_normal.logpdf"
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


@pytest.mark.equation("eq-likelihood-bernoulli", against="scipy.stats.bernoulli.logpmf")
def test_bernoulli_of_probabilities_is_scipys(rng):
    x, probs = coins(rng, 6, 5), torch.rand(5, generator=rng).double()
    expected = stats.bernoulli.logpmf(x.numpy(), probs.numpy()).sum(-1)
    np.testing.assert_allclose(Bernoulli(probs).log_prob(x), expected, rtol=1e-10)


def test_bernoulli_of_certain_pixels():
    """Nothing is lost where the data agree, everything where they do not."""
    images = double([[0, 1], [1, 1], [0, 0], [1, 0]])
    found = Bernoulli(double([0.0, 1.0])).log_prob(images)
    assert found.tolist() == [0.0, -math.inf, -math.inf, -math.inf]


@pytest.mark.equation("eq-likelihood-logits", against="scipy.stats.bernoulli.logpmf")
@pytest.mark.equation(
    "eq-vae-bernoulli-log-prob", against="scipy.stats.bernoulli.logpmf"
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
    "eq-likelihood-iid", against="the log of the product of scipy's densities"
)
def test_log_likelihood_of_a_data_set_is_the_sum_over_rows(rng):
    x, mu, var = draw(rng, 8, 2), draw(rng, 2), draw(rng, 2).exp()
    law = stats.multivariate_normal(mu.numpy(), np.diag(var.numpy()))
    expected = np.log(np.prod(law.pdf(x.numpy())))
    total = Gaussian(mu, var).log_prob(x).sum().item()
    assert total == pytest.approx(expected, rel=1e-10)


@pytest.mark.equation("eq-likelihood-iid", against="all 64 data sets, enumerated")
def test_probabilities_of_all_data_sets_sum_to_one():
    sets = torch.cartesian_prod(*[double([0.0, 1.0])] * 6).reshape(64, 3, 2)
    totals = Bernoulli(double([0.3, 0.8])).log_prob(sets).sum(-1)
    assert totals.exp().sum().item() == pytest.approx(1.0, rel=1e-12)


@pytest.mark.equation(
    "eq-likelihood-squared-error", against="numpy's squared distances"
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
    "eq-likelihood-cross-entropy", against="torch's binary_cross_entropy, summed"
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
    "eq-likelihood-kl", against="scipy.stats.entropy over all 8 images"
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


@pytest.mark.equation("eq-likelihood-gradient", against="automatic differentiation")
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


@pytest.mark.equation("eq-likelihood-gaussian-mle", against="scipy.stats.norm.fit")
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


@pytest.mark.equation("eq-likelihood-full-gaussian-mle", against="numpy.cov(bias=True)")
def test_full_gaussian_fit_is_numpys(rng):
    x = draw(rng, 40, 3) @ draw(rng, 3, 3) + 1
    found = fit_full_gaussian(x)
    np.testing.assert_allclose(found.mu, x.numpy().mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.cov, np.cov(x.numpy().T, bias=True), rtol=1e-10)


@pytest.mark.equation(
    "eq-likelihood-full-gaussian-mle", against="the slope of the log-likelihood there"
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
    "eq-likelihood-bias", against="all samples from a population of three, enumerated"
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
    "eq-likelihood-bias", against="all samples from a population of three, enumerated"
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
    "eq-likelihood-bernoulli-mle", against="the slope of the log-likelihood there"
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
