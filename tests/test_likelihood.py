"""Log-likelihoods against scipy, at the extremes, and with their errors."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from vaebook.likelihood import bernoulli_log_prob, gaussian_log_prob


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def draw(rng, *shape):
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


@pytest.mark.equation("eq-vae-gaussian-log-prob", against="scipy.stats.norm.logpdf")
def test_gaussian_log_prob_is_scipys(rng):
    x, mu, log_var = (draw(rng, 7, 3) for _ in range(3))
    sigma = np.exp(log_var.numpy() / 2)
    expected = stats.norm.logpdf(x.numpy(), mu.numpy(), sigma).sum(-1)
    np.testing.assert_allclose(gaussian_log_prob(x, mu, log_var), expected, rtol=1e-12)


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


@pytest.mark.equation(
    "eq-vae-bernoulli-log-prob", against="scipy.stats.bernoulli.logpmf"
)
def test_bernoulli_log_prob_is_scipys(rng):
    logits = 3 * draw(rng, 6, 5)
    x = torch.bernoulli(torch.full((6, 5), 0.5).double(), generator=rng)
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


@given(log_var=st.floats(-60, 60), distance=st.floats(-3, 3))
def test_gaussian_is_finite_at_extreme_variances(log_var, distance):
    mu, log_var = torch.zeros(1), torch.tensor([log_var])
    x = distance * torch.exp(0.5 * log_var)
    assert torch.isfinite(gaussian_log_prob(x, mu, log_var))


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"x \(2, 3\), logits \(2, 4\)"):
        bernoulli_log_prob(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"last axes.*mu \(1,\)"):
        gaussian_log_prob(torch.zeros(3), torch.zeros(1), torch.zeros(3))


@pytest.mark.parametrize("log_var", [-20.0, 20.0])
def test_gaussian_is_exact_at_far_variances(log_var):
    x, mu = double([0.3]) * np.exp(log_var / 2), double([0.0])
    expected = stats.norm.logpdf(x[0].item(), 0, np.exp(log_var / 2))
    found = gaussian_log_prob(x, mu, double([log_var]))
    assert found.item() == pytest.approx(expected, rel=1e-12)
