"""Distances: of every pair, by Python's own, and exact where inner products are not."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaebook.distances import distances


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), dim=st.integers(1, 5))
def test_distance_of_each_pair_is_pythons(seed, dim):
    noise = np.random.default_rng(seed)
    a, b = noise.normal(size=(4, dim)), noise.normal(size=(7, dim))
    found = distances(torch.from_numpy(a), torch.from_numpy(b))
    expected = [[math.dist(one, other) for other in b] for one in a]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_leading_axes_are_kept(rng):
    a = torch.randn(2, 3, 4, 5, generator=rng)
    b = torch.randn(2, 3, 6, 5, generator=rng)
    found = distances(a, b)
    assert found.shape == (2, 3, 4, 6)
    assert torch.equal(found[1, 2], distances(a[1, 2], b[1, 2]))


def test_equal_rows_are_at_distance_zero(rng):
    """In float32, where inner products of 1000 rows would say 0.008."""
    rows = 3 * torch.randn(1000, 10, generator=rng)
    assert not distances(rows, rows).diagonal().any()


def test_close_rows_keep_their_digits(rng):
    rows = 3 * torch.randn(1000, 10, generator=rng)
    moved = rows + torch.tensor([2.0**-10] + [0.0] * 9)
    found = distances(moved, rows).diagonal()
    torch.testing.assert_close(found, torch.full((1000,), 2.0**-10), rtol=1e-3, atol=0)


def test_rows_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"received a \(4, 3\), b \(9, 2\)"):
        distances(torch.zeros(4, 3), torch.zeros(9, 2))
