"""Groups against classes: every way to name them, and scikit-learn."""

from itertools import permutations

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score

from vaebook.applications import contingency, matched, mutual_information


def grouped(seed, num_groups=4, num_classes=3, num=50):
    noise = np.random.default_rng(seed)
    groups = torch.from_numpy(noise.integers(0, num_groups, num))
    return groups, torch.from_numpy(noise.integers(0, num_classes, num))


def test_a_contingency_table_counts():
    groups, y = grouped(0)
    table = contingency(groups, y)
    for k in range(4):
        for c in range(3):
            assert table[k, c] == sum((groups == k) & (y == c))


@pytest.mark.equation(
    "eq-applications-matched", against="every way to name groups", body="c6c9d690"
)
@pytest.mark.parametrize("sizes", [(4, 3), (3, 3), (3, 4)])
def test_the_best_names(sizes):
    groups, y = grouped(1, *sizes)
    num_groups, num_classes = sizes
    names = range(max(sizes))  # a class beyond the last is no class
    best = max(
        np.mean([order[k] == c for k, c in zip(groups, y, strict=True)])
        for order in permutations(names, num_groups)
    )
    assert num_classes <= max(sizes)
    assert matched(groups, y) == pytest.approx(best, rel=1e-12)


@pytest.mark.equation(
    "eq-applications-information", against="sklearn.mutual_info_score", body="c5f9c301"
)
def test_mutual_information():
    groups, y = grouped(2)
    expected = mutual_info_score(y, groups)
    assert mutual_information(groups, y) == pytest.approx(expected, rel=1e-10)


def test_groups_that_are_the_classes_tell_all_of_them():
    _, y = grouped(3)
    shares = np.bincount(y) / len(y)
    names = torch.tensor([2, 0, 1])[y]
    assert mutual_information(names, y) == pytest.approx(-(shares @ np.log(shares)))
    assert matched(names, y) == 1


def test_one_group_tells_nothing():
    _, y = grouped(4)
    assert mutual_information(torch.zeros_like(y), y) == pytest.approx(0, abs=1e-12)


def test_groups_of_other_images_are_refused():
    with pytest.raises(ValueError, match="groups and y must have one shape"):
        matched(torch.zeros(3, dtype=torch.long), torch.zeros(4, dtype=torch.long))
