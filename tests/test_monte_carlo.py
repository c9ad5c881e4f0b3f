"""Estimates: exact identities, honest errors, and the number of draws asked for."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import logsumexp

from vaebook.likelihood import gaussian_log_prob
from vaebook.monte_carlo import (
    effective_sample_size,
    estimate,
    iw_log_evidence,
    log_mean_exp,
)
from vaebook.reparameterization import gaussian_rsample


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def scalar_log_w(num_samples, *, rng, mu=1.0, var=1.0):
    """Weights of z ~ N(0, 1), x | z ~ N(z, 1), x = 2 under q = N(mu, var): (S, 1)."""
    mu, log_var = double([[mu]]), double([[var]]).log()
    z, zero = (
        gaussian_rsample(mu, log_var, num_samples, rng=rng),
        torch.zeros(1).double(),
    )
    log_joint = gaussian_log_prob(z, zero, zero) + gaussian_log_prob(zero + 2, z, zero)
    return log_joint - gaussian_log_prob(z, mu, log_var)


LOG_EVIDENCE = -2.2655121235


@pytest.mark.equation("eq-vae-standard-error", against="scipy.stats.sem")
def test_estimate_is_mean_and_sem(rng):
    values = torch.randn(37, generator=rng, dtype=torch.float64)
    mean, error, number = estimate(values)
    assert mean == pytest.approx(values.numpy().mean(), rel=1e-12)
    assert error == pytest.approx(stats.sem(values.numpy()), rel=1e-12)
    assert number == 37


def test_standard_errors_cover_as_the_normal_law_says():
    """400 seeds: the share inside 2 errors is binomial with p = 0.9545."""
    inside = 0
    for seed in range(400):
        rng = torch.Generator().manual_seed(seed)
        mean, error, _ = estimate(torch.rand(200, generator=rng))
        inside += abs(mean - 0.5) < 2 * error
    p = math.erf(math.sqrt(2))
    assert abs(inside - 400 * p) < 5 * math.sqrt(400 * p * (1 - p))


@pytest.mark.parametrize("shape", [(1,), (3, 2), ()])
def test_estimate_says_what_it_needs(shape):
    with pytest.raises(ValueError, match="at least 2 draws; received"):
        estimate(torch.zeros(shape))


@pytest.mark.equation(
    "eq-vae-log-mean-exp", against="scipy.special.logsumexp with weights 1/K"
)
def test_log_mean_exp_is_scipys(rng):
    log_w = 50 * torch.randn(9, 4, generator=rng, dtype=torch.float64)
    expected = logsumexp(log_w.numpy(), axis=0, b=1 / 9)
    np.testing.assert_allclose(log_mean_exp(log_w), expected, rtol=1e-12)
    expected = logsumexp(log_w.numpy(), axis=1, b=1 / 4)
    np.testing.assert_allclose(log_mean_exp(log_w, dim=1), expected, rtol=1e-12)


@given(st.floats(-1e4, 1e4), st.integers(1, 50))
def test_log_mean_exp_of_equal_weights_is_the_weight(log_w, number):
    mean = log_mean_exp(torch.full((number,), log_w, dtype=torch.float64))
    assert mean.item() == pytest.approx(log_w, rel=1e-12, abs=1e-9)


def test_effective_sample_size_of_known_weights():
    assert effective_sample_size(torch.zeros(10)).item() == pytest.approx(10)
    one_heavy = torch.tensor([0.0, -1e3, -1e3])
    assert effective_sample_size(one_heavy).item() == pytest.approx(1)
    halves = double([1.0, 2.0, 3.0]).log()
    assert effective_sample_size(halves).item() == pytest.approx(36 / 14)


@pytest.mark.parametrize("chunk", [1, 7, 40, 100])
def test_chunks_change_nothing(rng, chunk):
    """All the draws, exactly once, whatever the chunk: against numpy on the lot."""
    log_w = 3 * torch.randn(40, 5, generator=rng, dtype=torch.float64)
    rest = iter(log_w.split(1))
    result = iw_log_evidence(
        lambda s: torch.cat([next(rest) for _ in range(s)]), 40, chunk=chunk
    )
    assert next(rest, None) is None
    w = np.exp(log_w.numpy())
    np.testing.assert_allclose(result.value, np.log(w.mean(0)), rtol=1e-12)
    error = stats.sem(w, axis=0) / w.mean(0)
    np.testing.assert_allclose(result.standard_error, error, rtol=1e-9)
    np.testing.assert_allclose(result.ess, w.sum(0) ** 2 / (w**2).sum(0), rtol=1e-9)


@pytest.mark.equation(
    "eq-vae-iw-bound", against="the exact evidence of a solved scalar model"
)
@pytest.mark.parametrize("rng", range(5), indirect=True)
def test_evidence_of_the_solved_model(rng, assert_within):
    result = iw_log_evidence(lambda s: scalar_log_w(s, rng=rng), 20_000)
    assert_within(result.value, LOG_EVIDENCE, result.standard_error)
    assert result.ess > 5_000


def test_exact_posterior_has_no_error(rng):
    result = iw_log_evidence(lambda s: scalar_log_w(s, rng=rng, var=0.5), 10)
    assert result.value.item() == pytest.approx(LOG_EVIDENCE, abs=1e-10)
    assert result.ess.item() == pytest.approx(10, rel=1e-9)


@pytest.mark.equation(
    "eq-vae-iw-order", against="the exact ELBO and evidence of a solved model"
)
def test_bound_rises_with_the_number_of_samples(rng, assert_within):
    """K = 1 is the ELBO; more samples lift the expected bound, never past log p(x)."""
    log_w = scalar_log_w(200_000, rng=rng)[:, 0]
    bounds = [estimate(log_mean_exp(log_w.reshape(-1, k), dim=1)) for k in (1, 5, 50)]
    means = [b.mean for b in bounds]
    errors = [b.standard_error for b in bounds]
    assert_within(means[0], -2.4189385332, errors[0])
    assert_within(means[1], -2.28257, errors[1])
    assert_within(means[2], -2.26705, errors[2])
    assert means[0] + 5 * errors[0] < means[1] < means[2] < LOG_EVIDENCE + 5 * errors[2]


@pytest.mark.parametrize(("samples", "chunk"), [(1, 100), (0, 100), (10, 0)])
def test_impossible_numbers_of_samples_are_refused(samples, chunk):
    with pytest.raises(ValueError, match=f"received {samples} and {chunk}"):
        iw_log_evidence(lambda s: torch.zeros(s, 1), samples, chunk=chunk)


def test_no_chunk_is_larger_than_its_default(rng):
    asked = []
    iw_log_evidence(lambda s: asked.append(s) or torch.zeros(s, 1), 250)
    assert asked == [100, 100, 50]


def test_float32_weights_are_added_up_in_float64(rng):
    log_w = -2000 + torch.randn(5000, 3, generator=rng)
    parts = iter(log_w.split(100))
    result = iw_log_evidence(lambda s: next(parts), 5000)
    expected = logsumexp(log_w.double().numpy(), axis=0, b=1 / 5000)
    assert result.value.dtype == torch.float64
    np.testing.assert_allclose(result.value, expected, rtol=1e-12)


def test_equal_weights_have_no_error_and_full_size():
    result = iw_log_evidence(lambda s: torch.full((s, 2), -0.3), 7, chunk=3)
    assert (result.standard_error < 1e-7).all()
    np.testing.assert_allclose(result.ess, 7, rtol=1e-12)


def test_estimate_does_not_lose_digits_of_float32(rng):
    values = 1e4 + torch.randn(1000, generator=rng)
    mean, error, _ = estimate(values)
    exact = values.double().numpy()
    assert mean == pytest.approx(exact.mean(), rel=1e-12)
    assert error == pytest.approx(stats.sem(exact), rel=1e-9)
