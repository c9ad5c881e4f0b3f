"""The mean of draws and its standard error."""

import numpy as np
import pytest
import torch
from monte_carlo.test_importance import VALUES, Q
from scipy import stats

from vaebook.monte_carlo import (
    Estimate,
    estimate,
)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def every_draw(q, num_samples):
    """All sequences of draws from q, (S, G) indices, and the probability of each."""
    one = torch.arange(len(q))
    z = torch.cartesian_prod(*[one] * num_samples).reshape(-1, num_samples).T
    return z, q[z].prod(0)


@pytest.mark.equation(
    "eq-monte-carlo-estimate", against="numpy.mean, scipy.stats.sem", body="221f31f4"
)
@pytest.mark.equation(
    "eq-vae-standard-error", against="scipy.stats.sem", body="14db18d2"
)
def test_estimate_is_mean_and_sem(rng):
    values = torch.randn(37, generator=rng, dtype=torch.float64)
    mean, error, number = estimate(values)
    assert mean == pytest.approx(values.numpy().mean(), rel=1e-12)
    assert error == pytest.approx(stats.sem(values.numpy()), rel=1e-12)
    assert number == 37


@pytest.mark.equation(
    "eq-monte-carlo-unbiased",
    against="every sequence of draws of a discrete variable",
    body="3d874204",
)
@pytest.mark.parametrize("num_samples", [2, 3, 5])
def test_mean_and_squared_error_are_unbiased(num_samples):
    z, prob = every_draw(Q, num_samples)
    found = double([estimate(VALUES[one])[:2] for one in z.T])
    mu = Q @ VALUES
    var = Q @ (VALUES - mu).square() / num_samples
    mean, error = found.T
    averages = [prob @ mean, prob @ (mean - mu).square(), prob @ error.square()]
    np.testing.assert_allclose(averages, [mu, var, var], rtol=1e-12)


def test_estimate_reads_as_mean_and_error():
    found = Estimate(1.23456, 0.0321, 10)
    assert str(found) == "1.235 ± 0.032"
    assert f"{found}, {found:.2f}, {found:.1e}" == (
        "1.235 ± 0.032, 1.23 ± 0.03, 1.2e+00 ± 3.2e-02"
    )


@pytest.mark.parametrize("shape", [(0,), (1,), (3, 2), ()])
def test_estimate_says_what_it_needs(shape):
    with pytest.raises(ValueError, match="at least 2 draws; received"):
        estimate(torch.zeros(shape))


def test_estimate_does_not_lose_digits_of_float32(rng):
    values = 1e4 + torch.randn(1000, generator=rng)
    mean, error, _ = estimate(values)
    exact = values.double().numpy()
    assert mean == pytest.approx(exact.mean(), rel=1e-12)
    assert error == pytest.approx(stats.sem(exact), rel=1e-9)
