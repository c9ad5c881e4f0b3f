"""A draw as a function: exact with fixed noise, then its gradient, then its law."""

import numpy as np
import pytest
import torch
from scipy import stats

from vaebook.reparameterization import gaussian_rsample, reparameterize


@pytest.mark.equation(
    "eq-vae-reparameterization", against="scipy.stats.norm.ppf of the noise's quantiles"
)
def test_quantiles_of_the_noise_become_quantiles_of_q():
    """The map of eps is monotone: its p-quantile becomes that of N(mu, sigma)."""
    p = np.linspace(0.01, 0.99, 25)
    mu, sigma = 0.7, 1.9
    eps = torch.from_numpy(stats.norm.ppf(p))
    log_var = torch.full_like(eps, 2 * np.log(sigma))
    z = reparameterize(torch.full_like(eps, mu), log_var, eps)
    np.testing.assert_allclose(z, stats.norm.ppf(p, mu, sigma), rtol=1e-12)


def test_gradients_are_one_and_half_sigma_eps(rng):
    mu, log_var, eps = (
        torch.randn(4, 2, generator=rng, dtype=torch.float64) for _ in range(3)
    )
    mu.requires_grad_()
    log_var.requires_grad_()
    reparameterize(mu, log_var, eps).sum().backward()
    torch.testing.assert_close(mu.grad, torch.ones_like(mu))
    torch.testing.assert_close(
        log_var.grad, 0.5 * torch.exp(log_var / 2).detach() * eps
    )


@pytest.mark.equation(
    "eq-vae-pathwise", against="the derivatives of E[z^2] = mu^2 + sigma^2"
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_average_gradient_is_the_gradient_of_the_average(rng, assert_within):
    """d/dmu E z^2 = 2 mu, d/dlog_var E z^2 = sigma^2; the first varies by 4 sigma^2."""
    mu = torch.full((40_000, 1), 1.5, dtype=torch.float64, requires_grad=True)
    log_var = torch.full((40_000, 1), -0.8, dtype=torch.float64, requires_grad=True)
    gaussian_rsample(mu, log_var, rng=rng).square().sum().backward()
    for gradient, truth in [(mu.grad, 3.0), (log_var.grad, np.exp(-0.8))]:
        assert_within(gradient.mean(), truth, gradient.std() / 200)
    assert mu.grad.var().item() == pytest.approx(4 * np.exp(-0.8), rel=0.05)


def test_shapes_and_number_of_samples(rng):
    mu, log_var = torch.zeros(3, 2), torch.zeros(3, 2)
    assert gaussian_rsample(mu, log_var, rng=rng).shape == (3, 2)
    for number in (1, 6):
        z = gaussian_rsample(mu, log_var, number, rng=rng)
        assert z.shape == (number, 3, 2)
        assert len(z.unique()) == z.numel()


def test_same_seed_same_draw():
    mu, log_var = torch.zeros(3, 2), torch.zeros(3, 2)
    draws = [
        gaussian_rsample(mu, log_var, rng=torch.Generator().manual_seed(s))
        for s in (5, 5, 6)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_draws_follow_their_law(rng):
    mu, log_var = torch.tensor([[2.0]]), torch.tensor([[np.log(9.0)]])
    z = gaussian_rsample(mu, log_var, 5_000, rng=rng).flatten().numpy()
    assert stats.kstest(z, stats.norm(2, 3).cdf).pvalue > 1e-4


def test_extreme_log_var_stays_finite(rng):
    for value in (-60.0, 60.0):
        z = gaussian_rsample(torch.zeros(9, 1), torch.full((9, 1), value), rng=rng)
        assert torch.isfinite(z).all()


def test_no_samples_is_an_error(rng):
    with pytest.raises(ValueError, match="at least 1; received 0"):
        gaussian_rsample(torch.zeros(1, 1), torch.zeros(1, 1), 0, rng=rng)


@pytest.mark.parametrize("log_var", [-20.0, 20.0])
def test_far_variances_scale_the_noise_exactly(log_var):
    mu, log_var = torch.zeros(1).double(), torch.tensor([log_var]).double()
    z = reparameterize(mu, log_var, torch.ones(1).double())
    assert z.item() == pytest.approx(np.exp(log_var.item() / 2), rel=1e-12)
