"""Discrete draws: exact with fixed noise, then their laws, then the price."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats
from torch.distributions import Categorical

from vaebook.reparameterization import (
    categorical_score,
    gumbel_argmax,
    gumbel_noise,
    gumbel_softmax,
    straight_through,
)

pytestmark = pytest.mark.usefixtures("one_thread")
EXACT = {"rtol": 1e-10, "atol": 1e-12}
SEEDS = st.integers(0, 2**32 - 1)
seeds = pytest.mark.parametrize("rng", range(3), indirect=True)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


LOGITS = double([0.4, -1.2, 1.0, 0.0])


def some(seed, *shape):
    """Logits (K,) and noise (..., K)."""
    noise = np.random.default_rng(seed)
    drawn = noise.normal(scale=2, size=shape[-1]), noise.gumbel(size=shape)
    return [torch.from_numpy(values) for values in drawn]


# Gumbel noise


@pytest.mark.equation(
    "eq-reparameterization-gumbel",
    against="scipy.stats.gumbel_r.ppf of the same u",
    body="3abfc40e",
)
def test_noise_is_the_quantile_of_its_uniform_numbers():
    u = torch.rand(50, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found = gumbel_noise(50, rng=torch.Generator().manual_seed(3))
    np.testing.assert_allclose(found, stats.gumbel_r.ppf(u), **EXACT)
    np.testing.assert_allclose(torch.exp(-torch.exp(-found)), u, **EXACT)


@pytest.mark.equation(
    "eq-reparameterization-gumbel",
    against="scipy's law; Euler's constant, pi^2 / 6",
    body="3abfc40e",
)
@seeds
def test_noise_follows_its_law(rng, assert_within):
    g = gumbel_noise(200, 100, rng=rng)
    assert g.shape == (200, 100) and g.dtype == torch.float64
    g = g.flatten()
    assert stats.kstest(g.numpy(), stats.gumbel_r.cdf).pvalue > 1e-4
    assert_within(g.mean(), np.euler_gamma, g.std() / len(g) ** 0.5)
    squares = (g - np.euler_gamma).square()
    assert_within(squares.mean(), math.pi**2 / 6, squares.std() / len(g) ** 0.5)


@pytest.mark.parametrize("u", [0.0, 1 - 2**-53])
def test_noise_is_finite_at_both_ends_of_the_uniform_numbers(u, monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda *_, **__: double([u]))
    assert gumbel_noise(1, rng=torch.Generator()).isfinite().all()


# Choices


@pytest.mark.equation(
    "eq-reparameterization-gumbel-max",
    against="scipy quadrature of the race; softmax",
    body="b423992d",
)
@pytest.mark.parametrize("k", range(4))
def test_chance_to_be_the_largest_is_the_softmax(k):
    """The density of one times the probability that the others stay below it."""
    logits = LOGITS.numpy()
    others = np.delete(logits, k)

    def integrand(g):
        below = stats.gumbel_r.cdf(g, loc=others).prod()
        return stats.gumbel_r.pdf(g, loc=logits[k]) * below

    chance = integrate.quad(integrand, -10, 40, epsabs=1e-13, limit=200)[0]
    assert chance == pytest.approx(special.softmax(logits)[k], rel=1e-10)


@pytest.mark.equation(
    "eq-reparameterization-gumbel-max",
    against="softmax, by a chi-squared test",
    body="b423992d",
)
@seeds
def test_choices_have_the_probabilities_of_the_softmax(rng):
    number = 20_000
    choice = gumbel_argmax(LOGITS, gumbel_noise(number, 4, rng=rng))
    expected = number * special.softmax(LOGITS.numpy())
    counts = choice.bincount(minlength=4).numpy()
    assert stats.chisquare(counts, expected).pvalue > 1e-4


def test_choice_is_the_largest_of_sums(rng):
    logits, noise = some(1, 5, 3, 4)
    expected = np.argmax(logits.numpy() + noise.numpy(), -1)
    np.testing.assert_array_equal(gumbel_argmax(logits, noise), expected)
    many = torch.randn(3, 4, generator=rng, dtype=torch.float64)
    assert gumbel_argmax(many, noise).shape == (5, 3)


# The relaxation


@pytest.mark.equation(
    "eq-reparameterization-gumbel-softmax",
    against="scipy.special.softmax",
    body="29737fb2",
)
@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, temperature=st.floats(0.05, 20), size=st.integers(1, 5))
def test_relaxed_draw_is_scipys_softmax(seed, temperature, size):
    logits, noise = some(seed, 3, size)
    found = gumbel_softmax(logits, noise, temperature)
    scaled = (logits.numpy() + noise.numpy()) / temperature
    np.testing.assert_allclose(found, special.softmax(scaled, -1), rtol=1e-10)
    np.testing.assert_allclose(found.sum(-1), np.ones(3), rtol=1e-12)


@pytest.mark.equation(
    "eq-reparameterization-gumbel-softmax",
    against="for two categories scipy's sigmoid, and the logistic law",
    body="29737fb2",
)
@seeds
def test_two_categories_are_a_sigmoid_of_logistic_noise(rng):
    logits, noise = LOGITS[:2], gumbel_noise(5_000, 2, rng=rng)
    logistic = (noise[:, 0] - noise[:, 1]).numpy()
    found = gumbel_softmax(logits, noise, 0.7)
    expected = special.expit((1.6 + logistic) / 0.7)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-10)
    assert stats.kstest(logistic, stats.logistic.cdf).pvalue > 1e-4


@pytest.mark.equation(
    "eq-reparameterization-gumbel-softmax",
    against="its corners and its centre",
    body="29737fb2",
)
def test_cold_draws_are_choices_and_hot_ones_the_centre():
    logits, noise = some(4, 30, 4)
    corner = np.eye(4)[np.argmax((logits + noise).numpy(), -1)]
    cold, hot = (gumbel_softmax(logits, noise, t) for t in (1e-6, 1e9))
    np.testing.assert_allclose(cold, corner, atol=1e-12)
    np.testing.assert_allclose(hot, np.full((30, 4), 0.25), rtol=1e-7)
    for temperature in (0.1, 1.0, 10.0):
        found = gumbel_softmax(logits, noise, temperature)
        assert (found.argmax(-1) == gumbel_argmax(logits, noise)).all()


@settings(deadline=None, max_examples=30)
@given(size=st.floats(-1e4, 1e4), temperature=st.floats(1e-6, 1e6))
def test_extreme_logits_and_temperatures_stay_finite(size, temperature):
    logits, noise = size * LOGITS, LOGITS.flip(0)
    found = gumbel_softmax(logits.requires_grad_(), noise, temperature)
    found[0].backward()
    assert found.isfinite().all() and (found >= 0).all()
    assert found.sum().item() == pytest.approx(1, rel=1e-12)
    assert logits.grad.isfinite().all()


def test_single_precision_stays_single():
    logits = LOGITS.float()
    assert gumbel_softmax(logits, logits, 0.5).dtype == torch.float32
    assert straight_through(logits.softmax(0)).dtype == torch.float32


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS)
def test_straight_through_is_one_hot_forward_and_relaxed_backward(seed):
    """One-hot to the last digit, with the soft draw's gradient: y (f - y f) / tau."""
    logits, noise = some(seed, 6, 4)
    values = torch.linspace(-1, 2, 4).double()
    logits.requires_grad_()
    soft = gumbel_softmax(logits, noise, 0.6)
    hard = straight_through(soft)
    corner = np.eye(4)[np.argmax((logits.detach() + noise).numpy(), -1)]
    np.testing.assert_array_equal(hard.detach(), corner)
    (found,) = torch.autograd.grad((hard @ values).sum(), logits)
    y = special.softmax((logits.detach() + noise).numpy() / 0.6, -1)
    above = values.numpy() - (y @ values.numpy())[:, None]
    np.testing.assert_allclose(found, (y * above).sum(0) / 0.6, rtol=1e-9, atol=1e-12)


# What the relaxation costs

LOGIT = 0.8  # of the first of two categories; f(y) = (y_1 - 0.45)^2
GRID = torch.arange(-45, 45, 0.002, dtype=torch.float64)
DENSITY = torch.from_numpy(stats.logistic.pdf(GRID.numpy())) * 0.002


def value(y):
    return (y[:, 0] - 0.45).square()


def mean_gradient(temperature, hard=False):
    """Of E[f(y)] by the logit, under every logistic noise (trapezoidal rule)."""
    logits = double([LOGIT, 0.0]).requires_grad_()
    noise = torch.stack([GRID, torch.zeros_like(GRID)], 1)
    y = gumbel_softmax(logits, noise, temperature)
    y = straight_through(y) if hard else y
    return torch.autograd.grad(DENSITY @ value(y), logits)[0][0].item()


def gradient_by_scipy(temperature):
    def integrand(noise):
        y = special.expit((LOGIT + noise) / temperature)
        slope = 2 * (y - 0.45) * y * (1 - y) / temperature
        return stats.logistic.pdf(noise) * slope

    ends = -LOGIT - 40 * temperature, -LOGIT + 40 * temperature
    return integrate.quad(integrand, *ends, epsabs=1e-13, epsrel=1e-12, limit=400)[0]


@pytest.mark.equation(
    "eq-reparameterization-gumbel-softmax",
    against="scipy quadrature of its gradient, and the exact one of the choice",
    body="29737fb2",
)
def test_bias_of_the_relaxed_gradient_shrinks_with_the_temperature():
    prob = special.expit(LOGIT)
    exact = prob * (1 - prob) * (0.55**2 - 0.45**2)
    temperatures = 0.4, 0.2, 0.1, 0.05
    found = [mean_gradient(t) for t in temperatures]
    expected = [gradient_by_scipy(t) for t in temperatures]
    assert found == pytest.approx(expected, rel=1e-9)
    bias = np.abs(np.array(found) - exact)
    assert (bias[1:] < 0.7 * bias[:-1]).all() and (bias > 1e-3).all()


def test_straight_through_gradient_is_biased_at_every_temperature():
    prob = special.expit(LOGIT)
    exact = prob * (1 - prob) * (0.55**2 - 0.45**2)
    for temperature in (1.0, 0.5, 0.1):
        assert abs(mean_gradient(temperature, hard=True) - exact) > 1e-3


# The score of a choice


@pytest.mark.equation(
    "eq-reparameterization-categorical-score",
    against="autograd of torch's log-mass",
    body="d4c18f53",
)
@settings(deadline=None, max_examples=20)
@given(seed=SEEDS)
def test_categorical_score_is_autograds(seed):
    logits, _ = some(seed, 4)
    choice = torch.tensor([0, 3, 1, 3, 2])
    expected = torch.autograd.functional.jacobian(
        lambda at: Categorical(logits=at).log_prob(choice), logits
    )
    np.testing.assert_allclose(categorical_score(choice, logits), expected, **EXACT)


@pytest.mark.equation(
    "eq-reparameterization-categorical-score",
    against="the gradient of a finite sum",
    body="d4c18f53",
)
def test_table_times_score_averages_to_the_gradient():
    """d/dl_j of sum_k pi_k f_k is pi_j (f_j - E f): no constant in f matters."""
    table, probs = double([2.0, -1.0, 0.5, 7.0]), special.softmax(LOGITS.numpy())
    score = categorical_score(torch.arange(4), LOGITS)
    expected = probs * (table.numpy() - probs @ table.numpy())
    for constant in (0.0, 100.0):
        found = (torch.from_numpy(probs) * (table + constant)) @ score
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


# Refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: gumbel_argmax(LOGITS, LOGITS[:3]),
            r"equal; received logits \(4,\), noise \(3,\)",
        ),
        (
            lambda: gumbel_softmax(LOGITS, LOGITS[:1], 1.0),
            r"equal; received logits \(4,\), noise \(1,\)",
        ),
        (
            lambda: gumbel_softmax(LOGITS, LOGITS, 0.0),
            "temperature must be above 0 and finite; received 0",
        ),
        (
            lambda: gumbel_softmax(LOGITS, LOGITS, -1.0),
            "temperature must be above 0 and finite; received -1",
        ),
        (
            lambda: gumbel_softmax(LOGITS, LOGITS, math.inf),
            "temperature must be above 0 and finite; received inf",
        ),
        (
            lambda: categorical_score(torch.tensor([0, 4]), LOGITS),
            "choice must be from 0 to 3; received 4",
        ),
        (
            lambda: categorical_score(torch.tensor([9, -1]), LOGITS),
            "choice must be from 0 to 3; received -1",
        ),
        (
            lambda: categorical_score(torch.tensor([0]), LOGITS[None]),
            r"logits must be of shape \(any\); received \(1, 4\)",
        ),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
