"""Precision, recall and copies against counting by hand, and where laws are equal."""

import numpy as np
import pytest
import torch
from scipy import stats

from vaebook.generation import copying, nearest_of, precision_recall


def points(seed, num=30, dim=3, shift=0.0):
    noise = np.random.default_rng(seed)
    return torch.from_numpy(noise.normal(shift, 1, (num, dim)))


def held_by_counting(around, of, k):
    around, of = around.numpy(), of.numpy()
    inside = []
    for point in of:
        inside.append(
            any(
                np.linalg.norm(point - centre)
                <= sorted(np.linalg.norm(around - centre, axis=1))[k]
                for centre in around
            )
        )
    return np.mean(inside)


@pytest.mark.equation(
    "eq-generation-precision", against="counting by hand", body="05af7a62"
)
@pytest.mark.parametrize("k", [1, 3])
def test_precision_and_recall_count_balls(k):
    real, drawn = points(0), points(1, 25, shift=1.0)
    found = precision_recall(real, drawn, k)
    assert found.precision == pytest.approx(held_by_counting(real, drawn, k))
    assert found.recall == pytest.approx(held_by_counting(drawn, real, k))
    assert 0 < found.recall < 1 and 0 < found.precision < 1


def test_a_narrow_model_is_precise_and_recalls_little():
    real = points(2, 200)
    found = precision_recall(real, 0.2 * points(3, 200))
    assert found.precision > 0.95 and found.recall < 0.2
    wide = precision_recall(real, 3 * points(3, 200))
    assert wide.precision < 0.5 and wide.recall > 0.9


def test_a_ball_holds_its_edge():
    """Between binary images many distances are equal."""
    real = torch.tensor([[0.0], [1.0], [2.0]])
    found = precision_recall(real, torch.tensor([[3.0], [-1.0], [3.5]]), 1)
    assert found.precision == pytest.approx(2 / 3)


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match="number of images must be at least 4"):
        precision_recall(points(4, 3), points(5))


def test_the_nearest_row():
    new, x = points(6, 5), points(7)
    apart = np.linalg.norm(new.numpy()[:, None] - x.numpy(), axis=2)
    found, rows = nearest_of(new, x)
    np.testing.assert_allclose(found, apart.min(1))
    np.testing.assert_array_equal(rows, apart.argmin(1))


@pytest.mark.equation(
    "eq-generation-copying", against="scipy.stats.mannwhitneyu", body="a9067975"
)
def test_copies_are_told_by_ranks():
    train, held_out, drawn = points(8, 50), points(9, 40), points(10, 60, shift=0.3)
    ours, theirs = (
        np.linalg.norm(v.numpy()[:, None] - train.numpy(), axis=2).min(1)
        for v in (held_out, drawn)
    )
    by_ranks = stats.mannwhitneyu(theirs, ours, method="asymptotic")
    found = copying(train, held_out, drawn)
    assert found.farther == pytest.approx(by_ranks.statistic / (40 * 60))
    centred = by_ranks.statistic - 40 * 60 / 2
    assert found.z == pytest.approx(centred / np.sqrt(40 * 60 * 101 / 12))


def test_copies_and_new_images_are_told_apart():
    train, held_out = points(11, 300), points(12, 300)
    assert abs(copying(train, held_out, points(13, 300)).z) < 4
    copies = train + 0.05 * points(14, 300)
    assert copying(train, held_out, copies).z < -10
