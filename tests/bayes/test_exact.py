"""Posterior, evidence and predictive: quadrature, enumeration, conditioning, scipy."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import DotProduct, WhiteKernel
from sklearn.linear_model import BayesianRidge

from vaebook.bayes import (
    LinearGaussian,
    beta_log_evidence,
    linear_regression,
    normal_posterior,
    standard_gaussian,
)
from vaebook.datasets import load_digits
from vaebook.likelihood import Bernoulli, FullGaussian, Gaussian
from vaebook.map_estimation import Beta, fit_bernoulli_map

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPES = [(1.0, 1.0), (2.0, 2.0), (0.3, 0.7), (7.0, 2.5)]


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def draw(rng, *shape):
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def integral(function, low, high):
    return integrate.quad(function, low, high, epsabs=1e-13, epsrel=1e-11)[0]


# A coin


def coin_joint(a, b, ones, zeros):
    """Likelihood of some tosses times the prior's density, by scipy."""
    return lambda p: p**ones * (1 - p) ** zeros * stats.beta.pdf(p, a, b)


@pytest.mark.equation(
    "eq-bayes-beta-evidence",
    against="quadrature of likelihood times scipy's density",
    body="d4875d4d",
)
@pytest.mark.equation(
    "eq-bayes-evidence",
    against="quadrature of likelihood times scipy's density",
    body="e46025b2",
)
@pytest.mark.parametrize(("a", "b"), SHAPES)
@pytest.mark.parametrize(("ones", "zeros"), [(3, 0), (0, 2), (4, 7)])
def test_evidence_of_a_coin_is_the_integral(a, b, ones, zeros):
    found = beta_log_evidence(Beta(a, b), double(ones), double(zeros)).exp().item()
    # halves, as the density may be infinite at an end
    joint = coin_joint(a, b, ones, zeros)
    expected = integral(joint, 0, 0.5) + integral(joint, 0.5, 1)
    assert found == pytest.approx(expected, rel=1e-8)


@pytest.mark.equation(
    "eq-bayes-beta-evidence",
    against="scipy.stats.betabinom over the number of orders",
    body="d4875d4d",
)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_evidence_of_a_coin_is_scipys_of_the_count(a, b):
    ones = np.arange(13)
    orders = np.log(special.comb(12, ones))
    expected = stats.betabinom.logpmf(ones, 12, a, b) - orders
    count = torch.from_numpy(ones)
    for given_as in (count, count.float(), count.double()):
        found = beta_log_evidence(Beta(a, b), given_as, 12 - given_as)
        assert found.dtype == torch.float64
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_evidences_of_all_sequences_sum_to_one():
    tosses = double(list(itertools.product([0, 1], repeat=7)))
    ones = tosses.sum(1)
    found = beta_log_evidence(Beta(0.3, 2.0), ones, 7 - ones)
    assert found.exp().sum().item() == pytest.approx(1, rel=1e-12)


def test_evidence_before_the_first_toss_is_one():
    assert beta_log_evidence(Beta(0.3, 0.7), double(0), double(0)).item() == 0
    assert beta_log_evidence(Beta(0.3, 0.7), 0, 0).item() == 0


@pytest.mark.equation(
    "eq-bayes-beta-predictive",
    against="quadrature under scipy's posterior density",
    body="73b4d892",
)
@pytest.mark.equation(
    "eq-bayes-predictive",
    against="quadrature under scipy's posterior density",
    body="bba5ae24",
)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_prediction_averages_over_the_posterior(a, b):
    prior, ones, zeros = Beta(a, b), 4, 3
    expected = integral(lambda p: p * stats.beta.pdf(p, a + 4, b + 3), 0, 1)
    found = prior.posterior(ones, zeros).mean().item()
    assert found == pytest.approx(expected, rel=1e-9)
    after, before = (beta_log_evidence(prior, n, zeros) for n in (ones + 1, ones))
    assert (after - before).exp().item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.equation(
    "eq-bayes-chain", against="Polya's urn, one fraction per toss", body="7c6a19a8"
)
@settings(deadline=None)
@given(st.floats(0.1, 20), st.floats(0.1, 20), st.lists(st.booleans(), max_size=30))
def test_evidence_of_a_coin_is_the_product_of_its_predictions(a, b, tosses):
    ones = zeros = log_product = 0
    for lit in tosses:
        favourable = a + ones if lit else b + zeros
        log_product += math.log(favourable / (a + b + ones + zeros))
        ones, zeros = ones + lit, zeros + (not lit)
    found = beta_log_evidence(Beta(a, b), ones, zeros).item()
    assert found == pytest.approx(log_product, rel=1e-10, abs=1e-10)


@pytest.mark.equation(
    "eq-bayes-beta-predictive",
    against="the mode under Beta(2, 2) on 64 pixels",
    body="73b4d892",
)
def test_add_one_smoothing_is_the_prediction_of_a_flat_prior():
    digits = load_digits(binarize=True)
    train, test = digits.train.x.double(), digits.test.x.double()
    ones = train.sum(0)
    probs = Beta(1, 1).posterior(ones, 1000 - ones).mean()
    expected = fit_bernoulli_map(train, Beta(2, 2)).probs
    np.testing.assert_allclose(probs, expected, rtol=1e-12)
    score = Bernoulli(probs).log_prob(test).mean().item()
    assert score == pytest.approx(-24.9144, abs=5e-5)


# Which model


def log_models(ones, zeros):
    """Log evidence of a fair coin, of an unknown one, and of one that favours 1."""
    fair = double((ones + zeros) * math.log(0.5))
    unknown, loaded = (beta_log_evidence(Beta(a, 1), ones, zeros) for a in (1, 5))
    return torch.stack([fair, unknown, loaded])


MODEL_PRIOR = np.array([0.5, 0.3, 0.2])


@pytest.mark.equation(
    "eq-bayes-model-posterior",
    against="quadrature of one prior mixed of two",
    body="8bf4b369",
)
def test_posterior_of_a_mixed_prior_mixes_by_evidence():
    """Either Beta(1, 1) or Beta(5, 1), seven ones in ten: one density of pi."""
    joints = [coin_joint(a, 1, 7, 3) for a in (1, 5)]
    weights = MODEL_PRIOR[1:] / MODEL_PRIOR[1:].sum()

    def mixed(p):
        return weights @ [joint(p) for joint in joints]

    total = integral(mixed, 0, 1)
    log_prior = torch.from_numpy(np.log(weights))
    found = torch.softmax(log_models(7, 3)[1:] + log_prior, 0)
    parts = [weights[m] * integral(joints[m], 0, 1) / total for m in (0, 1)]
    np.testing.assert_allclose(found, parts, rtol=1e-9)
    for p in (0.2, 0.6, 0.9):
        densities = [stats.beta.pdf(p, a + 7, 4) for a in (1, 5)]
        assert found.numpy() @ densities == pytest.approx(mixed(p) / total, rel=1e-9)


@pytest.mark.equation(
    "eq-bayes-model-posterior",
    against="the share of simulated data sets like this",
    body="8bf4b369",
)
@pytest.mark.parametrize("seed", range(3))
def test_posterior_of_a_model_is_its_share_of_such_data(seed, assert_within):
    noise, number = np.random.default_rng(seed), 200_000
    model = noise.choice(3, number, p=MODEL_PRIOR)
    probs = np.where(
        model == 0, 0.5, noise.beta([1, 1, 5], 1, (number, 3))[np.arange(number), model]
    )
    alike = model[noise.binomial(6, probs) == 5]
    share = np.array([(alike == m).mean() for m in range(3)])
    log_prior = torch.from_numpy(np.log(MODEL_PRIOR))
    found = torch.softmax(log_models(5, 1) + log_prior, 0)
    assert_within(share, found, np.sqrt(share * (1 - share) / len(alike)))


# A mean


def condition(mu, cov, seen, values):
    """Law of the other coordinates of a Gaussian, numpy alone."""
    rest = np.setdiff1d(np.arange(len(mu)), seen)
    gain = np.linalg.solve(cov[np.ix_(seen, seen)], cov[np.ix_(seen, rest)]).T
    left = cov[np.ix_(rest, rest)] - gain @ cov[np.ix_(seen, rest)]
    return mu[rest] + gain @ (values - mu[seen]), left


def mean_and_draws(mu, tau_squared, sigma_squared, number):
    """Joint law of one mean and so many draws around it."""
    cov = np.full((number + 1, number + 1), tau_squared)
    cov[1:, 1:] += sigma_squared * np.eye(number)
    return np.full(number + 1, mu), cov


PRIOR = Gaussian(double([0.7, -1.3]), double([1.7, 0.2]))


@pytest.mark.equation(
    "eq-bayes-normal-posterior",
    against="conditioning the joint Gaussian with numpy",
    body="97ff457f",
)
@pytest.mark.parametrize("number", [0, 1, 6])
@pytest.mark.parametrize("var", [0.1, 3.0])
def test_posterior_of_a_mean_is_conditioning(rng, number, var):
    x = draw(rng, number, 2) + 2
    found = normal_posterior(x, PRIOR, var)
    for d in range(2):
        joint = mean_and_draws(PRIOR.mu[d].item(), PRIOR.var[d].item(), var, number)
        mu, cov = condition(*joint, np.arange(1, number + 1), x[:, d].numpy())
        assert found.mu[d].item() == pytest.approx(mu.item(), rel=1e-10)
        assert found.var[d].item() == pytest.approx(cov.item(), rel=1e-10)


@pytest.mark.equation(
    "eq-bayes-normal-posterior", against="one draw at a time", body="97ff457f"
)
@settings(deadline=None)
@given(st.lists(st.floats(-9, 9), min_size=1, max_size=9), st.floats(0.05, 20))
def test_posterior_of_a_mean_does_not_depend_on_the_order(values, var):
    x = double(values)[:, None].expand(-1, 2)
    together, step = normal_posterior(x, PRIOR, var), PRIOR
    for row in x.flip(0):
        step = normal_posterior(row[None], step, var)
    for found, expected in zip(step, together, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.equation(
    "eq-bayes-normal-predictive",
    against="conditioning the joint Gaussian with numpy",
    body="f2344e07",
)
@pytest.mark.equation(
    "eq-bayes-predictive",
    against="quadrature under scipy's posterior density",
    body="bba5ae24",
)
def test_prediction_of_the_next_draw(rng):
    """N(mu_N, tau_N^2 + sigma^2), from the general model with its prior updated."""
    x, var, new = draw(rng, 4, 1) + 1, 0.6, 1.9
    prior = Gaussian(PRIOR.mu[:1], PRIOR.var[:1])
    posterior = normal_posterior(x, prior, var)
    one = torch.ones(1).double()
    general = LinearGaussian(
        FullGaussian(posterior.mu, posterior.var.diag()),
        one[:, None],
        0 * one,
        var * one,
    )
    predictive = general.marginal()
    joint = mean_and_draws(0.7, 1.7, var, 5)
    mu, cov = condition(*joint, np.arange(1, 5), x[:, 0].numpy())
    assert predictive.mu.item() == pytest.approx(mu[1], rel=1e-10)
    assert predictive.cov.item() == pytest.approx(cov[1, 1], rel=1e-10)
    assert posterior.mu.item() == pytest.approx(mu[1], rel=1e-10)
    assert posterior.var.item() + var == pytest.approx(cov[1, 1], rel=1e-10)
    at = stats.norm(posterior.mu.item(), posterior.var.item() ** 0.5)
    expected = integral(lambda z: at.pdf(z) * stats.norm.pdf(new, z, var**0.5), -9, 9)
    found = predictive.log_prob(double([[new]])).exp().item()
    assert found == pytest.approx(expected, rel=1e-9)


# The linear-Gaussian model


def tilted(seed=0, dim=4, latent_dim=3):
    """A model in which no part is an identity or a zero, and three rows of data."""
    rng = torch.Generator().manual_seed(seed)
    root = draw(rng, latent_dim, latent_dim)
    prior = FullGaussian(
        draw(rng, latent_dim), root @ root.T + 0.3 * torch.eye(len(root))
    )
    weights, offset = draw(rng, dim, latent_dim), draw(rng, dim)
    model = LinearGaussian(prior, weights, offset, draw(rng, dim).exp())
    return model, draw(rng, 3, dim) + 1


def joint_law(model):
    """Mean and covariance of (z, x) together, numpy alone."""
    mu0, cov0 = (v.numpy() for v in model.prior)
    weights, offset, var = (v.numpy() for v in model[1:])
    both = np.vstack([np.eye(len(mu0)), weights])
    noise = np.diag(np.concatenate([0 * mu0, var]))
    return both @ mu0 + np.append(0 * mu0, offset), both @ cov0 @ both.T + noise


@pytest.fixture
def known(linear_gaussian):
    truth = linear_gaussian
    var = torch.full((5,), truth.sigma**2, dtype=torch.float64)
    return LinearGaussian(standard_gaussian(2), truth.W, truth.b, var)


@pytest.mark.equation(
    "eq-bayes-joint",
    against="scipy.stats.multivariate_normal of (z, x) stacked",
    body="1f7bf556",
)
@pytest.mark.equation(
    "eq-bayes-linear-gaussian",
    against="scipy.stats.multivariate_normal of (z, x) stacked",
    body="3d4a8668",
)
def test_joint_is_one_gaussian_of_both(rng):
    model, x = tilted()
    z = draw(rng, 3, 3)
    expected = stats.multivariate_normal(*joint_law(model)).logpdf(torch.cat([z, x], 1))
    np.testing.assert_allclose(model.log_joint(x, z), expected, rtol=1e-10)
    many = draw(rng, 5, 3, 3)
    found = model.log_joint(x, many)
    assert found.shape == (5, 3)
    for s in range(5):
        np.testing.assert_allclose(found[s], model.log_joint(x, many[s]), rtol=1e-12)
    assert model.log_joint(x[0], z[1]).shape == ()


@pytest.mark.equation(
    "eq-bayes-linear-posterior",
    against="the gain matrix of the joint Gaussian, numpy",
    body="955d850c",
)
def test_posterior_is_that_of_the_fixture(known, linear_gaussian):
    found = known.posterior(linear_gaussian.x)
    np.testing.assert_allclose(found.mu, linear_gaussian.posterior_mu, rtol=1e-10)
    np.testing.assert_allclose(found.cov, linear_gaussian.posterior_cov, rtol=1e-10)


@pytest.mark.equation(
    "eq-bayes-linear-posterior",
    against="conditioning the joint Gaussian with numpy",
    body="955d850c",
)
@pytest.mark.parametrize(("dim", "latent_dim"), [(4, 3), (2, 5), (1, 1)])
def test_posterior_is_conditioning(dim, latent_dim):
    model, x = tilted(1, dim, latent_dim)
    found = model.posterior(x)
    seen = np.arange(latent_dim, latent_dim + dim)
    for n in range(3):
        mu, cov = condition(*joint_law(model), seen, x[n].numpy())
        np.testing.assert_allclose(found.mu[n], mu, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.cov, cov, rtol=1e-9, atol=1e-12)


@pytest.mark.equation(
    "eq-bayes-linear-evidence",
    against="numpy's blocks of the joint Gaussian, scipy",
    body="ae46fc73",
)
def test_marginal_is_a_block_of_the_joint(known, linear_gaussian):
    model, x = tilted()
    found, (mu, cov) = model.marginal(), joint_law(model)
    np.testing.assert_allclose(found.mu, mu[3:], rtol=1e-12)
    np.testing.assert_allclose(found.cov, cov[3:, 3:], rtol=1e-12)
    expected = stats.multivariate_normal(mu[3:], cov[3:, 3:]).logpdf(x)
    np.testing.assert_allclose(found.log_prob(x), expected, rtol=1e-10)
    np.testing.assert_allclose(
        known.marginal().log_prob(linear_gaussian.x),
        linear_gaussian.log_evidence,
        rtol=1e-10,
    )


@pytest.mark.equation(
    "eq-bayes-candidate",
    against="scipy.stats.multivariate_normal of x alone",
    body="5fd9d160",
)
@pytest.mark.parametrize(("dim", "latent_dim"), [(4, 3), (2, 5), (300, 2)])
def test_evidence_is_scipys(dim, latent_dim):
    model, x = tilted(2, dim, latent_dim)
    mu, cov = (v[latent_dim:] for v in joint_law(model))
    expected = stats.multivariate_normal(mu, cov[:, latent_dim:]).logpdf(x)
    np.testing.assert_allclose(model.log_evidence(x), expected, rtol=1e-10)


def test_evidence_is_that_of_the_fixture(known, linear_gaussian):
    found = known.log_evidence(linear_gaussian.x)
    np.testing.assert_allclose(found, linear_gaussian.log_evidence, rtol=1e-10)


def scalar(var=1.0):
    """z ~ N(0, 1), x | z ~ N(z, var)."""
    one = torch.ones(1).double()
    return LinearGaussian(standard_gaussian(1), one[:, None], 0 * one, var * one)


def test_evidence_of_two():
    found = scalar().log_evidence(double([[2.0]])).item()
    assert found == pytest.approx(-2.2655121235, abs=5e-11)
    posterior = scalar().posterior(double([[2.0]]))
    assert posterior.mu.item() == pytest.approx(1, rel=1e-12)
    assert posterior.cov.item() == pytest.approx(0.5, rel=1e-12)


@pytest.mark.equation(
    "eq-bayes-evidence", against="scipy's quadrature over z", body="e46025b2"
)
@pytest.mark.equation(
    "eq-bayes-rule", against="scipy's quadrature over z", body="312d0022"
)
@pytest.mark.parametrize("dim", [1, 2, 7])
def test_posterior_is_joint_over_the_integral(dim):
    model, x = tilted(3, dim, 1)
    x = x.mean(0)

    def joint(z):
        return model.log_joint(x, double([z])).exp().item()

    mu, cov = (v.item() for v in model.posterior(x[None]))
    ends = mu - 9 * cov**0.5, mu + 9 * cov**0.5
    evidence = integrate.quad(joint, *ends, epsabs=0, epsrel=1e-11)[0]
    found = model.log_evidence(x[None]).item()
    assert found == pytest.approx(math.log(evidence), rel=1e-9)
    for z in (mu, mu - cov**0.5, mu + 2 * cov**0.5):
        found = stats.norm.pdf(z, mu, cov**0.5)
        assert found == pytest.approx(joint(z) / evidence, rel=1e-9)


@pytest.mark.equation(
    "eq-bayes-candidate", against="scipy's log p(x), at random z", body="5fd9d160"
)
@pytest.mark.equation(
    "eq-bayes-rule", against="scipy's densities, at random z", body="312d0022"
)
@settings(deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 5))
def test_joint_over_posterior_is_the_evidence_everywhere(seed, spread):
    model, x = tilted(seed)
    mu, cov = joint_law(model)
    evidence = stats.multivariate_normal(mu[3:], cov[3:, 3:]).logpdf(x)
    posterior = model.posterior(x)
    rng = torch.Generator().manual_seed(seed)
    z = posterior.mu + spread * draw(rng, 3, 3)
    found = model.log_joint(x, z) - posterior.log_prob(z)
    # far away, where both terms are large, their difference loses digits
    scale = posterior.log_prob(z).abs().max().item()
    np.testing.assert_allclose(found, evidence, rtol=1e-9, atol=1e-11 * scale)


def stacked(model, times):
    """The same unknown, seen so many times."""
    return LinearGaussian(
        model.prior, *(v.repeat(times, *[1] * (v.ndim - 1)) for v in model[1:])
    )


@pytest.mark.equation(
    "eq-bayes-chain",
    against="scipy's density of all observations at once",
    body="7c6a19a8",
)
@pytest.mark.parametrize("seed", range(3))
def test_evidence_is_a_sum_of_predictions_and_batches_agree(seed):
    model, x = tilted(seed)
    total, step = 0.0, model
    for row in x:
        total += step.marginal().log_prob(row).item()
        step = step.given(row)
    mu, cov = (v[3:] for v in joint_law(stacked(model, 3)))
    whole = stats.multivariate_normal(mu, cov[:, 3:]).logpdf(x.flatten())
    assert total == pytest.approx(whole, rel=1e-10)
    batch = stacked(model, 3).posterior(x.flatten()[None])
    np.testing.assert_allclose(step.prior.mu, batch.mu[0], rtol=1e-9)
    np.testing.assert_allclose(step.prior.cov, batch.cov, rtol=1e-9)
    assert torch.equal(step.weights, model.weights)
    back = model.given(x[2]).given(x[1]).given(x[0])
    np.testing.assert_allclose(back.prior.mu, step.prior.mu, rtol=1e-9)


@pytest.mark.equation(
    "eq-bayes-predictive", against="p(x, x')/p(x), both from scipy", body="bba5ae24"
)
def test_predictive_is_a_ratio_of_evidences():
    model, x = tilted(5)
    found = model.given(x[0]).marginal().log_prob(x[1:])
    mu, cov = (v[3:] for v in joint_law(stacked(model, 2)))
    one = stats.multivariate_normal(mu[:4], cov[:4, 3:7]).logpdf(x[0])
    pairs = torch.cat([x[:1].expand(2, -1), x[1:]], 1)
    both = stats.multivariate_normal(mu, cov[:, 3:]).logpdf(pairs)
    np.testing.assert_allclose(found, both - one, rtol=1e-10)


@pytest.mark.equation(
    "eq-bayes-linear-gaussian",
    against="moments of simulated pairs, numpy",
    body="3d4a8668",
)
@pytest.mark.equation(
    "eq-bayes-linear-evidence", against="moments of simulated x, numpy", body="ae46fc73"
)
@pytest.mark.parametrize("seed", range(3))
def test_simulated_data_have_the_marginals_moments(seed, assert_within):
    model, _ = tilted(7, 2, 2)
    noise, number = np.random.default_rng(seed), 40_000
    mu0, cov0 = (v.numpy() for v in model.prior)
    weights, offset, var = (v.numpy() for v in model[1:])
    z = noise.multivariate_normal(mu0, cov0, number)
    x = z @ weights.T + offset + np.sqrt(var) * noise.normal(size=(number, 2))
    marginal = model.marginal()
    assert_within(x.mean(0), marginal.mu, stats.sem(x))
    off = x - marginal.mu.numpy()
    products = off[:, :, None] * off[:, None, :]
    assert_within(products.mean(0), marginal.cov, stats.sem(products))


def test_a_tight_prior_and_little_noise_lose_nothing():
    """Columns at right angles, precise data: rounding must not look like a fault."""
    rng = torch.Generator().manual_seed(0)
    inputs = torch.linalg.qr(draw(rng, 50, 4))[0]
    y = draw(rng, 50)
    found = linear_regression(inputs, 1.0, 1e-4).posterior(y[None])
    expected = inputs.T @ y / (1 + 1e-8)
    np.testing.assert_allclose(found.mu[0], expected, rtol=1e-10)
    single = linear_regression(inputs.float(), 1.0, 0.1).posterior(y.float()[None])
    assert single.mu.dtype == torch.float32
    np.testing.assert_allclose(single.mu[0], inputs.T @ y / 1.01, rtol=1e-4, atol=1e-5)


# Regression


def regression(number, dim=3, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return draw(rng, number, dim), draw(rng, number), draw(rng, 4, dim)


@pytest.mark.equation(
    "eq-bayes-regression",
    against="scipy's N(0, tau^2 X X' + sigma^2 I)",
    body="5a1ba257",
)
@pytest.mark.parametrize("number", [1, 2, 30])
@pytest.mark.parametrize(("tau", "sigma"), [(1.0, 1.0), (0.3, 2.0), (5.0, 0.1)])
def test_evidence_of_a_regression_is_scipys(number, tau, sigma):
    inputs, y, _ = regression(number)
    cov = tau**2 * inputs @ inputs.T + sigma**2 * torch.eye(number).double()
    expected = stats.multivariate_normal(np.zeros(number), cov.numpy()).logpdf(y)
    model = linear_regression(inputs, tau, sigma)
    found = model.log_evidence(y[None])
    assert found.shape == (1,)
    assert found.item() == pytest.approx(expected, rel=1e-10)
    np.testing.assert_allclose(model.marginal().cov, cov, rtol=1e-12)


@pytest.mark.equation(
    "eq-bayes-regression",
    against="scikit-learn's BayesianRidge, its first score",
    body="5a1ba257",
)
def test_evidence_of_a_regression_is_bayesian_ridges():
    """The score before its first update is at the precisions it starts from."""
    inputs, y, _ = regression(40)
    tau, sigma = 0.8, 0.6
    flat = dict.fromkeys(("alpha_1", "alpha_2", "lambda_1", "lambda_2"), 0.0)
    start = {"alpha_init": sigma**-2, "lambda_init": tau**-2, "max_iter": 1}
    oracle = BayesianRidge(compute_score=True, fit_intercept=False, **flat, **start)
    expected = oracle.fit(inputs.numpy(), y.numpy()).scores_[0]
    found = linear_regression(inputs, tau, sigma).log_evidence(y[None]).item()
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.equation(
    "eq-bayes-regression",
    against="scikit-learn's GaussianProcessRegressor",
    body="5a1ba257",
)
def test_regression_predicts_as_a_gaussian_process():
    inputs, y, new = regression(25)
    tau, sigma = 1.7, 0.4
    kernel = tau**2 * DotProduct(0.0, "fixed") + WhiteKernel(sigma**2, "fixed")
    oracle = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None)
    oracle.fit(inputs.numpy(), y.numpy())
    model = linear_regression(inputs, tau, sigma)
    found = model.log_evidence(y[None]).item()
    assert found == pytest.approx(oracle.log_marginal_likelihood_value_, rel=1e-10)
    ahead = linear_regression(new, tau, sigma)._replace(prior=model.given(y).prior)
    mu, cov = oracle.predict(new.numpy(), return_cov=True)
    np.testing.assert_allclose(ahead.marginal().mu, mu, rtol=1e-8)
    np.testing.assert_allclose(ahead.marginal().cov, cov, rtol=1e-8, atol=1e-10)


# The shell


@pytest.mark.equation(
    "eq-bayes-shell",
    against="radial quadrature of the density, and scipy.stats.chi2",
    body="6a575047",
)
@pytest.mark.parametrize("dim", [1, 2, 8, 64])
def test_mass_lies_in_a_shell_and_density_at_the_mode(dim):
    """The sphere of radius r has the area 2 pi^(L/2) r^(L-1) / Gamma(L/2)."""
    law = standard_gaussian(dim)
    log_area = math.log(2) + dim / 2 * math.log(math.pi) - special.gammaln(dim / 2)

    def mass(r):
        at = torch.zeros(dim).double()
        at[0] = r
        log_mass = law.log_prob(at).item() + log_area + (dim - 1) * math.log(r)
        return math.exp(log_mass)

    end = dim**0.5 + 9
    moments = [
        integral(lambda r, k=k: mass(r) * r ** (2 * k), 1e-12, end) for k in range(3)
    ]
    np.testing.assert_allclose(moments[:2], [1, dim], rtol=1e-8)
    np.testing.assert_allclose(moments[2] - moments[1] ** 2, 2 * dim, rtol=1e-6)
    inner = integral(mass, 1e-12, 0.5 * dim**0.5)
    assert inner == pytest.approx(stats.chi2.cdf(dim / 4, dim), rel=1e-8)


@pytest.mark.equation(
    "eq-bayes-shell", against="draws in 64 dimensions", body="6a575047"
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_draws_lie_far_from_the_mode(rng, assert_within):
    z, law = draw(rng, 4000, 64), standard_gaussian(64)
    squared = z.square().sum(1).numpy()
    assert_within(squared.mean(), 64, stats.sem(squared))
    spread = (squared - 64) ** 2
    assert_within(spread.mean(), 2 * 64, stats.sem(spread))
    assert squared.min() > 16
    assert (law.log_prob(z) < law.log_prob(torch.zeros(64).double())).all()


def test_standard_gaussian_is_scipys(rng):
    x = draw(rng, 4, 3)
    expected = stats.norm.logpdf(x.numpy()).sum(1)
    np.testing.assert_allclose(standard_gaussian(3).log_prob(x), expected, rtol=1e-12)
    assert standard_gaussian(2, torch.float32).cov.dtype == torch.float32


# Refused


@pytest.mark.parametrize(
    ("prior", "ones", "zeros", "message"),
    [
        ((1, 1), -1, 0, "ones must not be negative; received -1"),
        ((1, 1), double([0.0, -2.5]), double([1.0, 1.0]), "ones .*received -2.5"),
        ((1, 1), 0, double(-3.0), "zeros must not be negative; received -3"),
        ((1, 1), math.nan, 0, "ones must not be negative; received nan"),
        ((0, 1), 1, 1, "prior.a must be above 0 and finite; received 0"),
        ((1, -2), 1, 1, "prior.b must be above 0 and finite; received -2"),
        ((1, math.nan), 1, 1, "prior.b must be above 0 .*received nan"),
        ((1, 1), torch.ones(3), torch.ones(4), r"one shape; .*ones \(3,\), zeros \(4,"),
        ((1, 1), torch.ones(3), 1, r"one shape; received ones \(3,\), zeros \(\)"),
    ],
)
def test_counts_that_cannot_be_are_named(prior, ones, zeros, message):
    with pytest.raises(ValueError, match=message):
        beta_log_evidence(Beta(*prior), ones, zeros)


@pytest.mark.parametrize(
    ("x", "changes", "var", "message"),
    [
        (torch.ones(3), {}, 1, r"x must be \(N, D\).*received \(3,\)"),
        (torch.ones(3, 3), {}, 1, r"x must be of shape \(any, 2\); received \(3, 3\)"),
        (torch.zeros(0, 3), {}, 1, r"x must be of shape \(any, 2\); received \(0, 3\)"),
        (torch.ones(3, 2).long(), {}, 1, "x must be of a float type; .*int64"),
        (double([[1, math.nan]]), {}, 1, "x must be finite; row 0 is not"),
        (torch.ones(3, 2), {}, 0, "var must be above 0 and finite; received 0"),
        (torch.ones(3, 2), {}, math.nan, "^var must be above 0 .*received nan"),
        (torch.ones(3, 2), {"var": double([1, -2])}, 1, "prior.var .*received -2"),
        (torch.ones(3, 2), {"var": double([1])}, 1, r"prior.var .*\(2\); .*\(1,\)"),
        (torch.ones(3, 2), {"mu": double(1)}, 1, r"prior.mu .*\(any\); received \(\)"),
    ],
)
def test_means_that_cannot_be_inferred_are_named(x, changes, var, message):
    with pytest.raises(ValueError, match=message):
        normal_posterior(x, PRIOR._replace(**changes), var)


def with_prior(**changes):
    return {"prior": standard_gaussian(2)._replace(**changes)}


BROKEN = [
    ({"weights": torch.ones(5, 2).long()}, "weights must be of a float type; .*int64"),
    ({"weights": torch.ones(5)}, r"weights must be \(N, D\).*received \(5,\)"),
    ({"weights": double([[math.nan, 1]] * 5)}, "weights must be finite; row 0"),
    ({"weights": torch.ones(5, 3)}, r"prior.mu must be of shape \(3\); received \(2,"),
    ({"offset": torch.ones(4)}, r"offset must be of shape \(5\); received \(4,\)"),
    ({"var": torch.ones(4)}, r"var must be of shape \(5\); received \(4,\)"),
    ({"var": torch.zeros(5)}, "var must be above 0 and finite; received 0"),
    ({"var": double([1, 1, -0.5, 1, 1])}, "var must be above 0 .*received -0.5"),
    ({"var": double([1, 1, math.nan, 1, 1])}, "var must be above 0 .*received nan"),
    (with_prior(mu=torch.ones(3)), r"prior.mu must be of shape \(2\); received \(3,"),
    (with_prior(cov=torch.eye(3)), r"prior.cov must be of shape \(2, 2\); .*\(3, 3\)"),
    (with_prior(cov=torch.eye(2).long()), "prior.cov must be of a float type"),
    (with_prior(cov=double([[1, 2], [2, 1]])), "prior.cov .*definite; .*-1"),
    (with_prior(cov=double([[1, 0.5], [0, 1]])), "prior.cov .*symmetric; .*by 0.5"),
    (with_prior(cov=double([[1, 0], [0, math.nan]])), "prior.cov must be finite"),
]


@pytest.mark.parametrize(("changes", "message"), BROKEN)
@pytest.mark.parametrize(
    "use",
    [
        lambda model, x: model.posterior(x),
        lambda model, x: model.log_evidence(x),
        lambda model, x: model.marginal(),
        lambda model, x: model.given(x[0]),
        lambda model, x: model.log_joint(x, torch.zeros(2).double()),
    ],
    ids=["posterior", "log_evidence", "marginal", "given", "log_joint"],
)
def test_models_that_do_not_fit_together_are_named(
    known, linear_gaussian, changes, message, use
):
    with pytest.raises(ValueError, match=message):
        use(known._replace(**changes), linear_gaussian.x)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.ones(5), r"x must be \(N, D\).*received \(5,\)"),
        (torch.ones(2, 4), r"x must be of shape \(any, 5\); received \(2, 4\)"),
        (torch.ones(0, 5), r"at least one row and column; received \(0, 5\)"),
        (torch.ones(2, 5).int(), "x must be of a float type; received torch.int32"),
        (torch.full((2, 5), math.nan), "x must be finite; row 0 is not"),
    ],
)
def test_data_that_do_not_fit_the_model_are_named(known, x, message):
    for use in (known.posterior, known.log_evidence):
        with pytest.raises(ValueError, match=message):
            use(x)


def test_points_that_do_not_fit_the_model_are_named(known, linear_gaussian):
    x = linear_gaussian.x
    with pytest.raises(ValueError, match=r"last axes.*z \(6, 3\), weights \(5, 2\)"):
        known.log_joint(x, torch.ones(6, 3).double())
    with pytest.raises(ValueError, match=r"last axes.*x \(6, 4\)"):
        known.log_joint(x[:, :4], torch.ones(2).double())
    with pytest.raises(ValueError, match=r"x must be of shape \(5\); received \(6, 5"):
        known.given(x)


@pytest.mark.parametrize(
    ("inputs", "tau", "sigma", "message"),
    [
        (torch.ones(3, 2), 0.0, 1, "tau must be above 0 and finite; received 0"),
        (torch.ones(3, 2), 1, -1.0, "sigma must be above 0 and finite; received -1"),
        (torch.ones(3, 2), math.inf, 1, "tau must be above 0 and finite; received inf"),
        (torch.ones(3, 2), 1, math.nan, "sigma must be above 0 .*received nan"),
        (torch.ones(3), 1, 1, r"inputs must be \(N, D\).*inputs\[:, None\]"),
        (torch.ones(0, 2), 1, 1, r"inputs must be .*received \(0, 2\)"),
        (torch.ones(3, 2).long(), 1, 1, r"inputs must be of a float type; .*\.double"),
        (double([[1], [math.nan]]), 1, 1, "inputs must be finite; row 1 is not"),
    ],
)
def test_regressions_that_cannot_be_are_named(inputs, tau, sigma, message):
    with pytest.raises(ValueError, match=message):
        linear_regression(inputs, tau, sigma)


@pytest.mark.parametrize("dim", [0, -1])
def test_a_space_without_dimensions_is_refused(dim):
    with pytest.raises(ValueError, match=f"dim must be at least 1; received {dim}"):
        standard_gaussian(dim)
