"""Bits, cells, and a density of grey: against torch, decimals and scipy's quad."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from torch.distributions import ContinuousBernoulli

from vaebook.evaluation import (
    binarize_by_chance,
    bits_per_pixel,
    continuous_bernoulli_log_prob,
    dequantize,
)
from vaebook.likelihood import bernoulli_log_prob
from vaebook.monte_carlo import estimate

pytestmark = pytest.mark.usefixtures("one_thread")

SEEDS = st.integers(0, 2**32 - 1)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


# Bits


@pytest.mark.equation(
    "eq-evaluation-bits", against="a uniform pixel of 8 levels", body="c3c55f6c"
)
def test_a_pixel_of_eight_equal_levels_takes_three_bits():
    nats = -stats.randint.logpmf([0, 3, 5, 7, 1], 0, 8).sum()
    assert bits_per_pixel(nats, 5) == pytest.approx(3, rel=1e-12)


@pytest.mark.equation(
    "eq-evaluation-bits", against="scipy's entropy to the base 2", body="c3c55f6c"
)
def test_bits_of_a_coin_are_its_entropy_to_the_base_two():
    nats = 784 * stats.entropy([0.2, 0.8])
    expected = stats.entropy([0.2, 0.8], base=2)
    assert bits_per_pixel(nats, 784) == pytest.approx(expected, rel=1e-12)


def test_each_image_has_its_bits():
    found = bits_per_pixel(double([0.0, 64.0, -128.0]), 64)
    np.testing.assert_allclose(found, [0, np.log2(np.e), -2 * np.log2(np.e)])


# Binary pixels by chance


def test_black_stays_black_and_white_white(rng):
    grey = double([[0.0, 1.0], [1.0, 0.0]])
    assert torch.equal(binarize_by_chance(grey, rng=rng), grey)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_a_pixel_is_lit_as_often_as_its_ink_says(rng, assert_within):
    ink = double([0.02, 0.3, 0.5, 0.9])
    lit = binarize_by_chance(ink.expand(8000, 4), rng=rng)
    assert set(lit.unique().tolist()) == {0, 1}
    assert_within(lit.mean(0), ink, (ink * (1 - ink) / 8000).sqrt())


def test_pixels_are_drawn_one_by_one(rng):
    """Neither all pixels of an image together, nor all images: half of pairs agree."""
    lit = binarize_by_chance(torch.full((200, 200), 0.5), rng=rng)
    for one, other in ((lit[:, :-1], lit[:, 1:]), (lit[:-1], lit[1:])):
        agree = (one == other).double().mean().item()
        assert abs(agree - 0.5) < 5 * 0.5 / 199


def test_another_image_at_each_call_and_the_same_from_the_same_seed(rng):
    grey = torch.full((9, 9), 0.5).double()
    assert not torch.equal(*(binarize_by_chance(grey, rng=rng) for _ in range(2)))
    again = (torch.Generator().manual_seed(2) for _ in range(2))
    assert torch.equal(*(binarize_by_chance(grey, rng=one) for one in again))


# Levels spread over their cells


@pytest.mark.equation(
    "eq-evaluation-dequantize", against="numpy on the same uniforms", body="0441bae3"
)
@pytest.mark.parametrize("num_levels", [2, 17, 256])
def test_ink_is_the_level_and_a_uniform_over_the_number(num_levels):
    levels = torch.arange(num_levels).double().repeat(3, 1)
    found = dequantize(levels, num_levels, rng=torch.Generator().manual_seed(1))
    rng = torch.Generator().manual_seed(1)
    u = torch.rand(levels.shape, generator=rng, dtype=torch.float64).numpy()
    expected = (np.arange(num_levels) + u) / num_levels
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@settings(deadline=None)
@given(seed=SEEDS, num_levels=st.integers(2, 300))
def test_ink_stays_in_its_cell(seed, num_levels):
    levels = np.random.default_rng(seed).integers(0, num_levels, (5, 40))
    rng = torch.Generator().manual_seed(seed)
    found = dequantize(torch.from_numpy(levels).double(), num_levels, rng=rng).numpy()
    assert found.shape == (5, 40)
    assert (levels / num_levels <= found).all()
    assert (found <= (levels + 1) / num_levels).all()


def test_a_pixel_fills_its_cell_evenly_and_apart_from_the_next(rng):
    within = dequantize(torch.full((3000, 2), 6.0).double(), 16, rng=rng) * 16 - 6
    for column in within.T:
        assert stats.kstest(column.numpy(), stats.uniform.cdf).pvalue > 1e-4
    assert abs(np.corrcoef(within.T.numpy())[0, 1]) < 5 / 3000**0.5


def test_same_seed_same_ink_and_float32_stays_float32():
    levels = torch.arange(12.0).reshape(3, 4)
    found = [
        dequantize(levels, 12, rng=torch.Generator().manual_seed(s)) for s in (0, 0, 1)
    ]
    assert found[0].dtype == torch.float32
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.equation(
    "eq-evaluation-dequantize",
    against="the probabilities of a histogram, exactly",
    body="0441bae3",
)
def test_a_density_of_steps_loses_nothing(rng):
    """On three pixels of four levels: log p(y) - D log V is log P(x) at every draw."""
    probs = np.array([0.1, 0.2, 0.3, 0.4])
    levels = double([[0.0, 3.0, 1.0], [2.0, 2.0, 0.0]])
    steps = stats.rv_histogram((probs, np.linspace(0, 1, 5)), density=False)
    for _ in range(5):
        y = dequantize(levels, 4, rng=rng).numpy()
        found = steps.logpdf(y).sum(1) - 3 * np.log(4)
        expected = np.log(probs[levels.long().numpy()]).sum(1)
        np.testing.assert_allclose(found, expected, rtol=1e-10)


SMOOTH = stats.norm(0.45, 0.12)


def cell_integral(function, level, num_levels):
    ends = level / num_levels, (level + 1) / num_levels
    return integrate.quad(function, *ends, epsabs=1e-13, epsrel=1e-11)[0]


@pytest.mark.equation(
    "eq-evaluation-dequantize",
    against="scipy's quad over each cell of a Gaussian",
    body="0441bae3",
)
def test_bound_is_below_the_probability_in_every_cell():
    """By Jensen; cells small against the density lose next to nothing."""
    losses = []
    for num_levels in (2, 5, 16):
        ends = SMOOTH.cdf(np.arange(num_levels + 1) / num_levels)
        whole = [cell_integral(SMOOTH.pdf, v, num_levels) for v in range(num_levels)]
        np.testing.assert_allclose(whole, np.diff(ends), rtol=1e-8)
        means = [cell_integral(SMOOTH.logpdf, v, num_levels) for v in range(num_levels)]
        bound = num_levels * np.array(means) - np.log(num_levels)
        assert (bound < np.log(whole)).all()
        losses.append(whole @ (np.log(whole) - bound))
    assert losses[0] > 10 * losses[1] > 100 * losses[2] and losses[2] < 0.02


@pytest.mark.equation(
    "eq-evaluation-dequantize",
    against="scipy's quad and cdf of a Gaussian's cells",
    body="0441bae3",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_drawn_bound_is_the_mean_over_the_cells_and_below_log_p(rng, assert_within):
    levels, num_levels = double([1.0, 3.0, 2.0]), 5
    y = dequantize(levels.expand(8000, 3), num_levels, rng=rng)
    log_density = torch.from_numpy(SMOOTH.logpdf(y.numpy())).sum(1)
    found = estimate(log_density - 3 * math.log(num_levels))
    cells = [num_levels * cell_integral(SMOOTH.logpdf, one, 5) for one in (1, 3, 2)]
    bound = sum(cells) - 3 * np.log(5)
    assert_within(found.mean, bound, found.standard_error)
    probs = SMOOTH.cdf((levels + 1) / 5) - SMOOTH.cdf(levels / 5)
    assert found.mean + 5 * found.standard_error < np.log(probs).sum()


# A density of grey pixels

LOGITS = [0.0, 1e-9, -1e-3, 0.049, 0.05, 0.051, -0.051, 0.7, -5.0, 30.0]
INK = np.linspace(0, 1, 9)


def exact_log_prob(x, logit):
    """By decimals of 50 digits, from the density's own integral."""
    with localcontext(prec=50):
        x, logit = Decimal(x), Decimal(logit)
        area = (logit.exp() - 1) / logit if logit else Decimal(1)
        return float(x * logit - area.ln())


@pytest.mark.equation(
    "eq-evaluation-continuous-bernoulli",
    against="exp(x l) over its integral, by decimals of 50 digits",
    body="bcc9da2a",
)
@pytest.mark.parametrize("logit", [*LOGITS, 0.0499, -0.0501, 1e-5, 21.0, 200.0])
def test_density_is_that_of_many_digits(logit):
    at = double([logit])
    found = [continuous_bernoulli_log_prob(double([x]), at).item() for x in INK]
    expected = [exact_log_prob(x, logit) for x in INK]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-11)


@pytest.mark.equation(
    "eq-evaluation-continuous-bernoulli",
    against="torch.distributions.ContinuousBernoulli",
    body="bcc9da2a",
)
@settings(deadline=None)
@given(seed=SEEDS, dim=st.integers(1, 5), scale=st.sampled_from([1e-3, 0.1, 1.0, 3.0]))
def test_density_is_torchs(seed, dim, scale):
    """Torch's own series is narrow here: at a wider one it would be the worse of two.

    Logits far out, where it loses digits, are left to the decimals.
    """
    noise = np.random.default_rng(seed)
    x = torch.from_numpy(noise.uniform(size=(4, dim)))
    logits = torch.from_numpy(scale * noise.normal(size=(4, dim)).clip(-2.5, 2.5))
    torchs = ContinuousBernoulli(logits=logits, lims=(0.4995, 0.5005))
    found = continuous_bernoulli_log_prob(x, logits)
    assert found.shape == (4,)
    np.testing.assert_allclose(found, torchs.log_prob(x).sum(-1), rtol=1e-9, atol=1e-10)


@pytest.mark.equation(
    "eq-evaluation-continuous-bernoulli", against="1, by scipy's quad", body="bcc9da2a"
)
@pytest.mark.parametrize("logit", LOGITS)
def test_density_integrates_to_one(logit):
    def density(x):
        return continuous_bernoulli_log_prob(double([x]), double([logit])).exp().item()

    total = integrate.quad(density, 0, 1, epsabs=1e-12, epsrel=1e-12)[0]
    assert total == pytest.approx(1, abs=1e-10)


@pytest.mark.equation(
    "eq-evaluation-continuous-bernoulli",
    against="the mean by scipy's quad: a slope is the ink less it",
    body="bcc9da2a",
)
@pytest.mark.parametrize("logit", LOGITS)
def test_slope_by_the_logit_is_the_ink_less_its_mean(logit):
    def weighed(x):
        return x * np.exp(exact_log_prob(x, logit))

    at = torch.full((9, 1), logit, dtype=torch.float64, requires_grad=True)
    values = continuous_bernoulli_log_prob(torch.from_numpy(INK)[:, None], at)
    (slopes,) = torch.autograd.grad(values.sum(), at)
    mean = integrate.quad(weighed, 0, 1, epsabs=1e-12, epsrel=1e-12)[0]
    np.testing.assert_allclose(slopes[:, 0], INK - mean, rtol=1e-7, atol=1e-8)


@settings(deadline=None)
@given(
    x=st.floats(0, 1),
    logit=st.floats(-50, 50) | st.floats(-0.1, 0.1),
)
def test_ink_and_paper_may_be_exchanged(x, logit):
    at = double([logit])
    found = continuous_bernoulli_log_prob(double([x]), at).item()
    other = continuous_bernoulli_log_prob(double([1 - x]), -at).item()
    assert other == pytest.approx(found, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("sign", [1, -1])
def test_series_and_formula_meet(sign):
    edge = sign * double([[0.05 - 1e-13], [0.05 + 1e-13]])
    inside, outside = continuous_bernoulli_log_prob(double([0.3]), edge)
    assert inside.item() == pytest.approx(outside.item(), abs=1e-11)


@pytest.mark.parametrize("logit", [1e4, -1e4, 1e-300, -1e-300])
def test_extreme_logits_stay_finite_and_so_do_their_slopes(logit):
    at = double([logit]).requires_grad_()
    for x in (0.0, 0.4, 1.0):
        value = continuous_bernoulli_log_prob(double([x]), at)
        (slope,) = torch.autograd.grad(value, at)
        assert value.isfinite() and slope.isfinite() and abs(slope.item()) <= 1


def test_an_even_density_is_one_everywhere():
    x = torch.from_numpy(INK)[:, None]
    found = continuous_bernoulli_log_prob(x, torch.zeros(1).double())
    np.testing.assert_allclose(found, 0, atol=1e-15)


def test_without_its_constant_it_is_a_coins_and_no_density():
    """The coin's two terms alone lose log C, at least log 2, at each pixel."""
    x, logits = torch.rand(2, 6, 4, generator=torch.Generator().manual_seed(0)).double()
    constant = continuous_bernoulli_log_prob(x, logits) - bernoulli_log_prob(x, logits)
    assert (constant >= 4 * math.log(2)).all()


def test_pixels_are_summed_and_axes_broadcast(rng):
    x = torch.rand(5, 3, generator=rng, dtype=torch.float64)
    logits = torch.randn(2, 5, 3, generator=rng, dtype=torch.float64)
    found = continuous_bernoulli_log_prob(x, logits)
    assert found.shape == (2, 5)
    for s, n in np.ndindex(2, 5):
        expected = sum(map(exact_log_prob, x[n].tolist(), logits[s, n].tolist()))
        assert found[s, n].item() == pytest.approx(expected, rel=1e-10, abs=1e-10)


# Errors

LEVELS = double([[0.0, 3.0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: bits_per_pixel(9.0, 0), "num_pixels .* at least 1; received 0"),
        (
            lambda rng: binarize_by_chance(double([[0.2, -0.1]]), rng=rng),
            "grey must not be negative; received -0.1",
        ),
        (
            lambda rng: binarize_by_chance(double([[0.2, 1.5]]), rng=rng),
            "1 - grey must not be negative; received -0.5",
        ),
        (
            lambda rng: binarize_by_chance(double([[math.nan]]), rng=rng),
            "grey must not be negative; received nan",
        ),
        (
            lambda rng: dequantize(LEVELS, 1, rng=rng),
            "num_levels must be at least 2; received 1",
        ),
        (
            lambda rng: dequantize(-LEVELS, 4, rng=rng),
            "levels must not be negative; received -3",
        ),
        (
            lambda rng: dequantize(LEVELS, 3, rng=rng),
            "num_levels - 1 - levels must not be negative; received -1",
        ),
        (
            lambda rng: continuous_bernoulli_log_prob(LEVELS, LEVELS[:, :1]),
            r"last axes must be equal; received x \(1, 2\), logits \(1, 1\)",
        ),
    ],
)
def test_improper_input_is_refused(call, message, rng):
    with pytest.raises(ValueError, match=message):
        call(rng)


def test_the_highest_level_is_allowed(rng):
    assert dequantize(LEVELS, 4, rng=rng).max() <= 1
