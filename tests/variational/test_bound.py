"""The evidence lower bound: its identities, its two terms, its slope."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from torch.distributions import (
    MultivariateNormal,
    kl_divergence,
)
from variational.test_divergences import (
    EXACT,
    FLAT,
    MANY,
    SCALAR,
    SEEDS,
    UNIT,
    WIDE,
    torchs,
)

from vaebook.bayes import LinearGaussian, standard_gaussian
from vaebook.likelihood import FullGaussian
from vaebook.variational import (
    ElboTerms,
    elbo,
    gaussian_kl,
    linear_elbo,
)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def random_gaussian(dim, noise):
    root = noise.normal(size=(dim, dim))
    cov = root @ root.T + 0.1 * np.eye(dim)
    return FullGaussian(double(noise.normal(size=dim)), torch.from_numpy(cov))


def random_model(latent_dim, dim, noise):
    return LinearGaussian(
        random_gaussian(latent_dim, noise),
        torch.from_numpy(noise.normal(size=(dim, latent_dim))),
        torch.from_numpy(noise.normal(size=dim)),
        torch.from_numpy(noise.uniform(0.2, 2, size=dim)),
    )


def solved(model, x):
    """Evidence by scipy; posterior mean and covariance from numpy's joint Gaussian."""
    (mu, cov), W = (v.numpy() for v in model.prior), model.weights.numpy()
    centre = W @ mu + model.offset.numpy()
    marginal = W @ cov @ W.T + np.diag(model.var.numpy())
    gain = cov @ W.T @ np.linalg.inv(marginal)
    log_evidence = stats.multivariate_normal(centre, marginal).logpdf(x)
    return log_evidence, mu + (x - centre) @ gain.T, cov - gain @ W @ cov


@pytest.mark.equation(
    "eq-vae-elbo",
    against="reference value -2.4189385332 of a solved model",
    body="6f2ec376",
)
def test_elbo_of_the_solved_scalar_model():
    """z ~ N(0, 1), x | z ~ N(z, 1), x = 2: log p(x) = -2.2655121235."""
    for mu, var, expected in [(1.0, 1.0, -2.4189385332), (1.0, 0.5, -2.2655121235)]:
        log_lik = -0.5 * math.log(2 * math.pi) - 0.5 * ((2 - mu) ** 2 + var)
        kl = gaussian_kl(double([mu]), double([var]).log())
        bound = elbo(double(log_lik), kl)
        assert bound.item() == pytest.approx(expected, abs=1e-10)


@pytest.mark.equation(
    "eq-vae-identity",
    against="numpy's evidence and posterior of a linear-Gaussian model",
    body="613c79c5",
)
def test_elbo_plus_kl_to_posterior_is_the_evidence(linear_gaussian, rng):
    """For any q, in closed form: E_q log p(x|z) - KL(q||p(z)) + KL(q||p(z|x))."""
    model, x = linear_gaussian, linear_gaussian.x
    mu = torch.randn(len(x), 2, generator=rng, dtype=torch.float64)
    var = torch.rand(len(x), 2, generator=rng, dtype=torch.float64) + 0.1
    residual = (x - model.b - mu @ model.W.T).square().sum(-1)
    spread = (var * model.W.square().sum(0)).sum(-1)
    log_norm = 0.5 * x.shape[1] * math.log(2 * math.pi * model.sigma**2)
    log_lik = -log_norm - 0.5 * (residual + spread) / model.sigma**2
    bound = elbo(log_lik, gaussian_kl(mu, var.log()))
    precision, delta = model.posterior_precision, mu - model.posterior_mu
    gap = 0.5 * (
        (var * precision.diagonal()).sum(-1)
        + torch.einsum("ni,ij,nj->n", delta, precision, delta)
        - 2
        - var.log().sum(-1)
        - torch.logdet(precision)
    )
    assert (gap > 0).all()
    np.testing.assert_allclose(bound + gap, model.log_evidence, rtol=1e-10)


def test_terms_give_their_bound():
    terms = ElboTerms(torch.tensor([-3.0]), torch.tensor([2.0]))
    assert terms.elbo == -5.0


@pytest.mark.equation(
    "eq-variational-linear-elbo",
    against="reference values -2.4189385332 and -2.2655121235 of a solved model",
    body="f4485ea4",
)
@pytest.mark.parametrize(("var", "value"), [(1, -2.4189385332), (0.5, -2.2655121235)])
def test_linear_elbo_of_the_solved_scalar_model(var, value):
    q = FullGaussian(double([1.0]), double([[var]]))
    found = linear_elbo(SCALAR, double([[2.0]]), q)
    assert found.elbo.item() == pytest.approx(value, abs=5e-11)
    assert value == pytest.approx(stats.norm(0, 2**0.5).logpdf(2), abs=0.2)


def quad_under(q, function):
    mu, sigma = q.mu.item(), q.cov.item() ** 0.5
    density = stats.norm(mu, sigma).pdf
    ends = mu - 12 * sigma, mu + 12 * sigma
    return integrate.quad(
        lambda z: density(z) * function(z), *ends, epsabs=1e-13, epsrel=1e-13, limit=200
    )[0]


@pytest.fixture(scope="module")
def one_dimension():
    """A model of one latent and two data, q, and its densities by scipy."""
    noise = np.random.default_rng(5)
    model, q = random_model(1, 2, noise), random_gaussian(1, noise)
    x, prior = np.array([0.3, -1.2]), model.prior
    log_prior = stats.norm(prior.mu.item(), prior.cov.item() ** 0.5).logpdf
    log_q = stats.norm(q.mu.item(), q.cov.item() ** 0.5).logpdf

    def log_lik(z):
        mu = model.weights.numpy()[:, 0] * z + model.offset.numpy()
        return stats.norm(mu, model.var.numpy() ** 0.5).logpdf(x).sum()

    return model, double(x)[None], q, (log_prior, log_lik, log_q)


@pytest.mark.equation(
    "eq-variational-two-terms", against="scipy quadrature of each", body="0913bb78"
)
@pytest.mark.equation(
    "eq-variational-linear-elbo", against="scipy quadrature", body="f4485ea4"
)
def test_the_two_terms_are_their_integrals(one_dimension):
    model, x, q, (log_prior, log_lik, log_q) = one_dimension
    terms = linear_elbo(model, x, q)
    expected = quad_under(q, log_lik)
    assert terms.expected_log_lik.item() == pytest.approx(expected, rel=1e-10)
    expected = quad_under(q, lambda z: log_q(z) - log_prior(z))
    assert terms.kl.item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.equation(
    "eq-variational-importance",
    against="scipy quadrature of w and of log w under q",
    body="b5cceed7",
)
def test_evidence_averages_the_weights_and_the_elbo_their_logs(one_dimension):
    model, x, _, (log_prior, log_lik, _) = one_dimension
    q = FullGaussian(model.prior.mu + 0.5, 2 * model.prior.cov)  # wide: light tails
    log_q = stats.norm(q.mu.item(), q.cov.item() ** 0.5).logpdf

    def log_w(z):
        return log_prior(z) + log_lik(z) - log_q(z)

    evidence = model.log_evidence(x).exp().item()
    mean_w = quad_under(q, lambda z: math.exp(log_w(z)))
    assert mean_w == pytest.approx(evidence, rel=1e-9)
    bound = linear_elbo(model, x, q).elbo.item()
    assert quad_under(q, log_w) == pytest.approx(bound, rel=1e-10)


@pytest.mark.equation(
    "eq-variational-identity",
    against="scipy's evidence, numpy's posterior and torch's KL of random models",
    body="e5a71446",
)
@pytest.mark.equation(
    "eq-variational-jensen", against="scipy's evidence", body="e6be31ef"
)
@settings(deadline=None, max_examples=50)
@given(seed=SEEDS, latent_dim=st.integers(1, 3), dim=st.integers(1, 4))
def test_elbo_plus_gap_is_the_evidence_of_any_linear_model(seed, latent_dim, dim):
    noise = np.random.default_rng(seed)
    model, x = random_model(latent_dim, dim, noise), noise.normal(size=(3, dim))
    q = random_gaussian(latent_dim, noise)
    log_evidence, mu, cov = solved(model, x)
    bound = linear_elbo(model, torch.from_numpy(x), q).elbo
    posterior = MultivariateNormal(torch.from_numpy(mu), torch.from_numpy(cov))
    gap = kl_divergence(torchs(q).expand([3]), posterior)
    np.testing.assert_allclose(bound + gap, log_evidence, rtol=1e-10, atol=1e-9)
    assert (bound.numpy() <= log_evidence + 1e-9).all()


@pytest.mark.equation(
    "eq-variational-identity",
    against="numpy's evidence and posterior of six data",
    body="e5a71446",
)
def test_the_bound_is_tight_at_the_posterior_only(linear_gaussian):
    truth = linear_gaussian
    noise_var = torch.full((5,), truth.sigma**2, dtype=torch.float64)
    model = LinearGaussian(standard_gaussian(2), truth.W, truth.b, noise_var)
    q = FullGaussian(truth.posterior_mu, truth.posterior_cov)
    bound = linear_elbo(model, truth.x, q).elbo
    np.testing.assert_allclose(bound, truth.log_evidence, rtol=1e-10)
    wider = linear_elbo(model, truth.x, q._replace(cov=1.1 * q.cov)).elbo
    assert (wider < bound - 1e-3).all()


@pytest.mark.equation(
    "eq-variational-tangent",
    against="autograd of torch's multivariate normal",
    body="96fb9436",
)
def test_the_bound_touches_the_evidence_with_equal_slope():
    noise = np.random.default_rng(8)
    model, x = random_model(2, 3, noise), torch.from_numpy(noise.normal(size=(1, 3)))
    theta = [v.clone().requires_grad_() for v in model[1:]]

    def slope(value):
        return torch.cat([g.flatten() for g in torch.autograd.grad(value, theta)])

    W, b, var = theta
    (mu, cov), moved = model.prior, LinearGaussian(model.prior, *theta)
    law = MultivariateNormal(W @ mu + b, W @ cov @ W.T + var.diag())
    _, *moments = solved(model, x.numpy())
    posterior = FullGaussian(*(torch.from_numpy(v) for v in moments))
    expected = slope(law.log_prob(x).sum())
    found = slope(linear_elbo(moved, x, posterior).elbo.sum())
    np.testing.assert_allclose(found, expected, **EXACT)
    elsewhere = posterior._replace(mu=posterior.mu + 0.3)
    found = slope(linear_elbo(moved, x, elsewhere).elbo.sum())
    assert (found - expected).abs().max() > 0.01


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": torch.zeros(4, 2)}, r"x must be of shape \(any, 3\); received \(4, 2\)"),
        ({"x": torch.zeros(3)}, r"x must be of shape \(any, 3\); received \(3,\)"),
        ({"q": WIDE}, r"q.cov must be of shape \(2, 2\); received \(3, 3\)"),
        ({"q": MANY}, r"q.cov must be of shape \(2, 2\); received \(4, 2, 2\)"),
        ({"q": FLAT}, "q.cov must be positive definite"),
        ({"var": torch.zeros(3)}, "var must be above 0 and finite; received 0"),
        ({"prior": FLAT}, "p.cov must be positive definite"),
    ],
)
def test_a_linear_model_that_does_not_fit_is_refused(change, message):
    model = LinearGaussian(UNIT, torch.ones(3, 2), torch.zeros(3), torch.ones(3))
    given = {"x": torch.zeros(1, 3), "q": UNIT} | change
    x, q = given.pop("x"), given.pop("q")
    with pytest.raises(ValueError, match=message):
        linear_elbo(model._replace(**given), x, q)
