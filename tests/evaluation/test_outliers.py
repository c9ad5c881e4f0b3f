"""Scores that tell inside from outside, against scikit-learn, scipy and numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from vaebook.evaluation import auroc, typicality

pytestmark = pytest.mark.usefixtures("one_thread")


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def scores(least, most):
    """Whole numbers of a narrow range: most of them tie."""
    values = st.lists(st.integers(least, most), min_size=2, max_size=12)
    return values.map(lambda found: double([float(one) for one in found]))


@pytest.mark.equation(
    "eq-evaluation-auroc",
    against="every pair of an inside and an outside, by hand",
    body="031de432",
)
def test_ties_count_one_half():
    inside, outside = double([1.0, 2.0, 2.0]), double([2.0, 0.0, 5.0, 1.0])
    pairs = [1, 0, 3, 0]  # of each outside: insides below it
    ties = [2, 0, 0, 1]
    expected = (sum(pairs) + sum(ties) / 2) / 12
    assert auroc(inside, outside) == pytest.approx(expected, rel=1e-14)


@pytest.mark.equation(
    "eq-evaluation-auroc", against="sklearn.metrics.roc_auc_score", body="031de432"
)
@settings(deadline=None)
@given(inside=scores(0, 5), outside=scores(1, 6))
def test_auroc_is_scikit_learns(inside, outside):
    labels = [0] * len(inside) + [1] * len(outside)
    expected = roc_auc_score(labels, torch.cat([inside, outside]).numpy())
    assert auroc(inside, outside) == pytest.approx(expected, rel=1e-10)


@pytest.mark.equation(
    "eq-evaluation-auroc", against="scipy.stats.mannwhitneyu", body="031de432"
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_auroc_is_the_mann_whitney_statistic(rng):
    inside = torch.randn(40, generator=rng, dtype=torch.float64)
    outside = 0.5 + torch.randn(25, generator=rng, dtype=torch.float64)
    u = stats.mannwhitneyu(outside.numpy(), inside.numpy()).statistic
    assert auroc(inside, outside) == pytest.approx(u / (40 * 25), rel=1e-10)


@pytest.mark.parametrize(("shift", "expected"), [(10.0, 1.0), (-10.0, 0.0), (0.0, 0.5)])
def test_scores_apart_alike_and_upside_down(shift, expected):
    inside = torch.arange(6.0)
    assert auroc(inside, inside + shift) == expected


@settings(deadline=None)
@given(inside=scores(0, 5), outside=scores(0, 5))
def test_sides_exchanged_it_is_the_rest_to_one(inside, outside):
    both = auroc(inside, outside) + auroc(outside, inside)
    assert both == pytest.approx(1, rel=1e-12)


@settings(deadline=None)
@given(inside=scores(0, 5), outside=scores(0, 5))
def test_only_the_order_of_scores_counts(inside, outside):
    found = auroc(inside.exp() - 3, outside.exp() - 3)
    assert found == auroc(inside, outside)


def test_scores_are_left_in_their_order():
    inside, outside = double([3.0, 1.0, 2.0]), double([5.0, 0.0])
    auroc(inside, outside)
    assert inside.tolist() == [3, 1, 2] and outside.tolist() == [5, 0]


@pytest.mark.equation(
    "eq-evaluation-auroc",
    against="the normal law of the difference, by scipy",
    body="031de432",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_auroc_of_two_gaussians(rng, assert_within):
    """P(out > in) = Phi(shift / sqrt 2); the variance is at most p (1 - p) / 1000."""
    inside, outside = torch.randn(2, 1000, generator=rng, dtype=torch.float64)
    p = stats.norm.cdf(0.8 / np.sqrt(2))
    found = auroc(inside, outside + 0.8)
    assert_within(found, p, np.sqrt(p * (1 - p) / 1000))


@pytest.mark.equation(
    "eq-evaluation-typicality", against="numpy, by hand", body="3098cf3c"
)
def test_typicality_is_the_distance_from_the_mean():
    found = typicality(double([-80.0, -100.0, -131.0]), double([-90.0, -100.0, -113.0]))
    np.testing.assert_allclose(found, [21, 1, 30], rtol=1e-12)


@pytest.mark.equation(
    "eq-evaluation-typicality", against="numpy's mean and abs", body="3098cf3c"
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_typicality_is_numpys(rng):
    log_p, typical = torch.randn(2, 9, generator=rng, dtype=torch.float64) * 20 - 90
    found = typicality(log_p[:5], typical)
    expected = np.abs(log_p[:5].numpy() - typical.numpy().mean())
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_an_image_may_be_too_likely():
    """Twice as likely as usual is as far away as twice as unlikely."""
    typical = double([-100.0, -90.0])
    found = typicality(double([-95 + 7.0, -95 - 7.0]), typical)
    assert found[0] == found[1] == 7


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda a: auroc(a[:1], a),
            r"inside must be one axis of at least 2 draws; received \(1,\)",
        ),
        (
            lambda a: auroc(a, a[None]),
            r"outside must be one axis .*; received \(1, 3\)",
        ),
        (lambda a: auroc(a / 0, a), "inside must be finite; received"),
        (lambda a: auroc(a, a * np.nan), "outside must be finite; received nan"),
        (lambda a: typicality(a, a[:1]), r"typical must be .* received \(1,\)"),
        (lambda a: typicality(a, a / 0), "typical must be finite; received"),
    ],
)
def test_improper_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(double([1.0, 2.0, 3.0]))
