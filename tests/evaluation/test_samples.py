"""Calibration against scikit-learn; two samples against every relabelling."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.calibration import calibration_curve

from vaebook.evaluation import Reliability, TwoSample, energy_test, reliability

pytestmark = pytest.mark.usefixtures("one_thread")

SEEDS = st.integers(0, 2**32 - 1)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def draw(rng, *shape):
    return torch.randn(shape, generator=rng, dtype=torch.float64)


# Said and seen


@pytest.mark.equation(
    "eq-evaluation-calibration", against="two bins, by hand", body="e8f54565"
)
def test_bins_and_their_error_by_hand():
    probs, x = double([0.1, 0.3, 0.7, 0.9, 0.8]), double([1.0, 0.0, 1.0, 1.0, 0.0])
    found = reliability(probs, x, 2)
    np.testing.assert_allclose(found.said, [0.2, 0.8], rtol=1e-12)
    np.testing.assert_allclose(found.seen, [0.5, 2 / 3], rtol=1e-12)
    assert found.counts.tolist() == [2, 3]
    expected = (2 * 0.3 + 3 * (0.8 - 2 / 3)) / 5
    assert found.error == pytest.approx(expected, rel=1e-12)


@pytest.mark.equation(
    "eq-evaluation-calibration",
    against="sklearn.calibration.calibration_curve; its error by numpy",
    body="e8f54565",
)
@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, num_bins=st.integers(1, 15), power=st.sampled_from([1, 8]))
def test_curve_is_scikit_learns(seed, num_bins, power):
    noise = np.random.default_rng(seed)
    probs = noise.uniform(size=(6, 7)) ** power  # of many to one side, bins are empty
    x = noise.integers(0, 2, size=(6, 7)).astype(float)
    found = reliability(torch.from_numpy(probs), torch.from_numpy(x), num_bins)
    seen, said = calibration_curve(x.ravel(), probs.ravel(), n_bins=num_bins)
    np.testing.assert_allclose(found.said, said, rtol=1e-10)
    np.testing.assert_allclose(found.seen, seen, rtol=1e-10, atol=1e-14)
    counts = np.histogram(probs, num_bins, (0, 1))[0]
    assert found.counts.tolist() == counts[counts > 0].tolist()
    expected = (counts[counts > 0] / 42) @ np.abs(said - seen)
    assert found.error == pytest.approx(expected, rel=1e-10, abs=1e-14)


def test_certain_pixels_lie_in_the_outer_bins():
    found = reliability(double([0.0, 1.0, 1.0]), double([0.0, 1.0, 1.0]))
    assert found.said.tolist() == found.seen.tolist() == [0, 1]
    assert found.counts.tolist() == [1, 2]
    assert found.error == 0


def test_the_highest_bin_ends_with_one():
    found = reliability(double([0.95, 1.0, 0.0]), double([0.0, 1.0, 0.0]))
    np.testing.assert_allclose(found.said, [0, 0.975], rtol=1e-12)
    assert found.counts.tolist() == [1, 2]


def test_ten_bins_unless_said(rng):
    probs = torch.rand(500, generator=rng, dtype=torch.float64)
    x = torch.bernoulli(probs, generator=rng)
    plain, ten = reliability(probs, x), reliability(probs, x, 10)
    assert len(plain.counts) == 10
    assert all(map(torch.equal, plain, ten))


def test_the_shape_of_the_images_is_nothing_to_them(rng):
    probs = torch.rand(2, 5, 6, generator=rng, dtype=torch.float64)
    x = torch.bernoulli(probs, generator=rng)
    flat = reliability(probs.flatten(), x.flatten())
    assert all(map(torch.equal, reliability(probs, x), flat))
    assert flat.counts.sum() == 60


def test_error_is_a_share_whatever_the_number_of_pixels(rng):
    probs = torch.rand(50, generator=rng, dtype=torch.float64)
    once = reliability(probs, torch.zeros(50).double())
    many = reliability(probs.repeat(9), torch.zeros(450).double())
    assert once.error == pytest.approx(probs.mean().item(), rel=1e-10)
    assert many.error == pytest.approx(once.error, rel=1e-10)


def test_error_above_and_below_do_not_cancel():
    off = Reliability(double([0.25, 0.75]), double([0.5, 0.5]), torch.tensor([4, 4]))
    assert off.error == 0.25


def test_pixels_of_float32_are_added_up_in_float64(rng):
    probs = torch.rand(200_000, generator=rng)
    found = reliability(probs, torch.ones(200_000), 1)
    assert found.said.dtype == torch.float64
    assert found.said.item() == pytest.approx(probs.double().mean().item(), rel=1e-12)


@pytest.mark.equation(
    "eq-evaluation-calibration",
    against="pixels drawn from the probabilities said",
    body="e8f54565",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_who_says_the_truth_is_calibrated(rng, assert_within):
    probs = torch.rand(200, 100, generator=rng, dtype=torch.float64).square()
    found = reliability(probs, torch.bernoulli(probs, generator=rng))
    bins = np.digitize(probs.numpy().ravel(), np.linspace(0, 1, 11)[1:-1])
    var = np.bincount(bins, (probs * (1 - probs)).numpy().ravel())
    errors = np.sqrt(var) / found.counts.numpy()
    assert_within(found.seen, found.said, errors)
    by_chance = np.sqrt(2 / np.pi) * (errors @ found.counts.numpy()) / 20_000
    assert found.error == pytest.approx(by_chance, rel=1)


@pytest.mark.equation(
    "eq-evaluation-calibration",
    against="the mean of |p - p^2| of uniform p, 1/6",
    body="e8f54565",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_who_says_too_much_is_not(rng, assert_within):
    probs = torch.rand(40_000, generator=rng, dtype=torch.float64)
    found = reliability(probs, torch.bernoulli(probs.square(), generator=rng))
    assert_within(found.error, 1 / 6, 0.5 / 40_000**0.5)


# Two samples


def by_loops(a, b):
    """The statistic by a double loop."""

    def mean(one, other):
        return np.mean([[np.linalg.norm(p - q) for q in other] for p in one])

    return 2 * mean(a, b) - mean(a, a) - mean(b, b)


@pytest.mark.equation(
    "eq-evaluation-energy", against="a double loop in numpy", body="d4a0c474"
)
@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, sizes=st.tuples(*[st.integers(1, 6)] * 3))
def test_statistic_is_that_of_all_pairs(seed, sizes):
    noise = np.random.default_rng(seed)
    a, b = (noise.normal(size=(number, sizes[2])) for number in sizes[:2])
    rng = torch.Generator().manual_seed(0)
    found = energy_test(torch.from_numpy(a), torch.from_numpy(b), 1, rng=rng)
    assert found.statistic == pytest.approx(by_loops(a, b), rel=1e-10, abs=1e-13)


@pytest.mark.equation(
    "eq-evaluation-energy",
    against="scipy.stats.energy_distance, squared",
    body="d4a0c474",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_statistic_on_one_axis_is_scipys_squared(rng):
    a, b = draw(rng, 30, 1), 2 * draw(rng, 21, 1) + 1
    found = energy_test(a, b, 1, rng=rng)
    expected = stats.energy_distance(a[:, 0].numpy(), b[:, 0].numpy()) ** 2
    assert found.statistic == pytest.approx(expected, rel=1e-10)


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS)
def test_statistic_is_not_negative_and_has_no_sides(seed):
    rng = torch.Generator().manual_seed(seed)
    a, b = draw(rng, 5, 2), draw(rng, 8, 2)
    found = energy_test(a, b, 1, rng=rng).statistic
    assert found > 0
    assert energy_test(b, a, 1, rng=rng).statistic == pytest.approx(found, rel=1e-10)


def test_statistic_has_the_unit_of_the_rows(rng):
    a, b = draw(rng, 6, 3), draw(rng, 6, 3)
    one, ten = (energy_test(f * a, f * b, 1, rng=rng).statistic for f in (1, 10))
    assert ten == pytest.approx(10 * one, rel=1e-10)


def test_a_sample_is_at_no_distance_from_itself(rng):
    a = draw(rng, 12, 2)
    found = energy_test(a, a.flip(0), rng=rng)
    assert found.statistic == pytest.approx(0, abs=1e-14)
    assert found.p_value > 0.9


def every_p_value(a, b):
    """Share of all the ways to deal the rows out that are at least as far apart."""
    rows, number = np.concatenate([a, b]), len(a)
    found = []
    for some in combinations(range(len(rows)), number):
        chosen = np.isin(np.arange(len(rows)), some)
        found.append(by_loops(rows[chosen], rows[~chosen]))
    return np.mean(np.array(found) > by_loops(a, b) - 1e-9)


@pytest.mark.equation(
    "eq-evaluation-energy",
    against="every way to deal six rows out, by numpy",
    body="d4a0c474",
)
@pytest.mark.parametrize("rng", range(8), indirect=True)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_p_value_is_the_share_of_all_relabellings(rng, number, assert_within):
    """The labels seen come up among them: as large as what was seen, not smaller."""
    rows = draw(rng, 6, 2)
    a, b = rows[:number], rows[number:]
    found = energy_test(a, b, 3000, rng=rng).p_value
    exact = every_p_value(a.numpy(), b.numpy())
    error = np.sqrt(exact * (1 - exact) / 3000) + 1 / 3000
    assert_within(found, exact, error)


@pytest.mark.parametrize("rng", range(5), indirect=True)
def test_rows_that_tie_count_as_large(rng, assert_within):
    """Binary rows of two pixels, most of them alike."""
    rows = torch.bernoulli(torch.full((7, 2), 0.6).double(), generator=rng)
    a, b = rows[:3], rows[3:]
    found = energy_test(a, b, 3000, rng=rng).p_value
    exact = every_p_value(a.numpy(), b.numpy())
    assert_within(found, exact, np.sqrt(exact * (1 - exact) / 3000) + 1 / 3000)


def test_rows_that_are_all_alike_are_no_evidence(rng):
    found = energy_test(torch.ones(5, 3), torch.ones(4, 3), rng=rng)
    assert found == TwoSample(0.0, 1.0)


@pytest.mark.equation(
    "eq-evaluation-energy",
    against="the least p-value possible, 1/(1 + P)",
    body="d4a0c474",
)
@pytest.mark.parametrize("number", [1, 19, 200])
def test_samples_far_apart_have_the_least_p_value(rng, number):
    found = energy_test(draw(rng, 30, 2), draw(rng, 25, 2) + 3, number, rng=rng)
    assert found.p_value == pytest.approx(1 / (1 + number), rel=1e-12)


def test_two_hundred_relabellings_unless_said(rng):
    found = energy_test(draw(rng, 30, 2), draw(rng, 25, 2) + 3, rng=rng)
    assert found.p_value == pytest.approx(1 / 201, rel=1e-12)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_a_wider_sample_of_the_same_mean_is_found(rng):
    found = energy_test(draw(rng, 150, 2), 2 * draw(rng, 150, 2), rng=rng)
    assert found.p_value < 0.05


@pytest.mark.equation(
    "eq-evaluation-energy",
    against="uniform p-values where the samples are alike",
    body="d4a0c474",
)
@pytest.mark.parametrize("rng", range(2), indirect=True)
def test_p_values_are_uniform_under_the_hypothesis(rng, assert_within):
    """With 39 relabellings p is k/40 for k = 1 to 40, each as likely."""
    found = np.array(
        [
            energy_test(draw(rng, 9, 2), draw(rng, 14, 2), 39, rng=rng).p_value
            for _ in range(400)
        ]
    )
    assert_within((found <= 0.05).mean(), 0.05, np.sqrt(0.05 * 0.95 / 400))
    assert_within(found.mean(), 41 / 80, np.sqrt((1 - 1 / 1600) / 12 / 400))
    assert_within((found <= 0.5).mean(), 0.5, 0.5 / 20)


def test_same_seed_same_p_value_and_another_seed_another(rng):
    a, b = draw(rng, 9, 2), draw(rng, 14, 2)
    found = [energy_test(a, b, rng=torch.Generator().manual_seed(s)) for s in (0, 0, 1)]
    assert found[0] == found[1]
    assert found[0].statistic == found[2].statistic
    assert found[0].p_value != found[2].p_value


def test_rows_of_float32_are_compared_in_float64(rng):
    a, b = torch.randn(2, 8, 3, generator=rng)
    found = energy_test(a, b, 1, rng=rng).statistic
    expected = by_loops(a.double().numpy(), b.double().numpy())
    assert found == pytest.approx(expected, rel=1e-10)


# Errors

ROWS = double([[0.1, 0.2], [0.3, 0.4]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda rng: reliability(ROWS, ROWS[0]),
            r"probs and x must have one shape; received probs \(2, 2\), x \(2,\)",
        ),
        (lambda rng: reliability(ROWS, ROWS, 0), "num_bins .* at least 1; received 0"),
        (
            lambda rng: energy_test(ROWS, ROWS[:, :1], rng=rng),
            r"last axes must be equal; received a \(2, 2\), b \(2, 1\)",
        ),
        (lambda rng: energy_test(ROWS[0], ROWS, rng=rng), r"a must be .*\(2,\)"),
        (lambda rng: energy_test(ROWS, ROWS[0], rng=rng), r"b must be .*\(2,\)"),
        (lambda rng: energy_test(ROWS[:0], ROWS, rng=rng), r"a must be .*\(0, 2\)"),
        (
            lambda rng: energy_test(ROWS, ROWS / 0, rng=rng),
            "b must be finite; row 0 is not",
        ),
        (
            lambda rng: energy_test(ROWS, ROWS, 0, rng=rng),
            "num_permutations must be at least 1; received 0",
        ),
    ],
)
def test_improper_input_is_refused(call, message, rng):
    with pytest.raises(ValueError, match=message):
        call(rng)
