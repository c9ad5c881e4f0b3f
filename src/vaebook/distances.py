r"""How far rows lie from each other, to the last digit."""

import torch
from torch import Tensor

from vaebook.checks import same_last_axis

EXACT = "donot_use_mm_for_euclid_dist"  # the fast way loses a distance near 0


def distances(a: Tensor, b: Tensor) -> Tensor:
    r"""Euclidean distance of each row of ``a`` from each row of ``b``.

    .. math:: \lVert a_m - b_n \rVert

    From the differences, not from inner products, which cancel: equal rows are at
    distance 0 exactly, and close ones keep their digits.

    Parameters
    ----------
    a : Tensor (..., M, D)
    b : Tensor (..., N, D)

    Returns
    -------
    Tensor (..., M, N)
        In the unit of the rows.

    Raises
    ------
    ValueError
        If the last axes differ.
    """
    same_last_axis(a=a, b=b)
    return torch.cdist(a, b, compute_mode=EXACT)
