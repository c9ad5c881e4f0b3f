"""The climb by L-BFGS."""

import numpy as np
import torch

from vaebook.variational import ascend


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def test_climb_reaches_the_top_and_leaves_its_start_alone():
    """Two parameters of different shape, and a valley that bends."""
    start = [double([-1.2, 0.5]), double(1.0)]
    before = [part.clone() for part in start]

    def hill(a, b):
        return -(1 - a).square().sum() - 100 * (b - a[0] ** 2) ** 2 - (a[1] - b) ** 2

    a, b = ascend(hill, start)
    np.testing.assert_allclose([*a, b], [1, 1, 1], atol=1e-6)
    assert not a.requires_grad and not b.requires_grad
    assert all(torch.equal(*pair) for pair in zip(start, before, strict=True))
