"""KL and ELBO against quadrature, torch.distributions and an exactly solved model."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from torch.distributions import Normal, kl_divergence

from vaebook.variational import ElboTerms, elbo, gaussian_kl, gaussian_kl_per_latent


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def test_kl_of_a_shifted_unit_gaussian_is_one_half():
    one, zero = torch.ones(1), torch.zeros(1)
    assert gaussian_kl(one, zero).item() == 0.5


@pytest.mark.equation("eq-vae-gaussian-kl", against="scipy quadrature of q log(q/p)")
@pytest.mark.parametrize(("mu", "sigma"), [(0.0, 0.5), (1.3, 2.0), (-2.0, 1.0)])
def test_gaussian_kl_is_the_integral(mu, sigma):
    q, p = stats.norm(mu, sigma), stats.norm()
    integral = integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -25, 25)
    mu, log_var = double([mu]), double([2 * math.log(sigma)])
    assert gaussian_kl(mu, log_var).item() == pytest.approx(integral[0], abs=1e-9)


def test_gaussian_kl_is_torchs_and_sums_over_latents(rng):
    mu, log_var = (torch.randn(5, 3, generator=rng, dtype=torch.float64) for _ in "ab")
    q = Normal(mu, torch.exp(0.5 * log_var))
    expected = kl_divergence(q, Normal(torch.zeros(3).double(), 1.0))
    torch.testing.assert_close(gaussian_kl_per_latent(mu, log_var), expected)
    torch.testing.assert_close(gaussian_kl(mu, log_var), expected.sum(-1))


@given(mu=st.floats(-30, 30), log_var=st.floats(-60, 60))
def test_kl_is_never_negative_and_finite(mu, log_var):
    kl = gaussian_kl(torch.tensor([mu]), torch.tensor([log_var]))
    assert kl >= 0
    assert torch.isfinite(kl)


def test_kl_is_zero_only_at_the_prior():
    zero = torch.zeros(4)
    assert gaussian_kl(zero, zero) == 0
    assert gaussian_kl(zero, zero + 1e-3) > 0


def test_kl_keeps_its_digits_near_the_prior():
    log_var = torch.tensor([1e-4])
    truth = 0.5 * (math.expm1(1e-4) - 1e-4)
    assert gaussian_kl(torch.zeros(1), log_var).item() == pytest.approx(truth, rel=1e-3)


@pytest.mark.equation(
    "eq-vae-elbo", against="reference value -2.4189385332 of a solved model"
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


def test_unequal_shapes_are_named():
    with pytest.raises(ValueError, match=r"mu \(2, 3\), log_var \(3,\)"):
        gaussian_kl(torch.zeros(2, 3), torch.zeros(3))


@pytest.mark.parametrize("log_var", [-20.0, 20.0])
def test_kl_is_exact_at_far_variances(log_var):
    expected = 0.5 * (math.exp(log_var) - 1 - log_var)
    found = gaussian_kl(double([0.0]), double([log_var]))
    assert found.item() == pytest.approx(expected, rel=1e-12)
