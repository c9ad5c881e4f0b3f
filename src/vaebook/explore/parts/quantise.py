r"""A net in twelve bits a weight, for a page that carries several."""

import copy

import numpy as np
import torch
from torch import Tensor, nn

MOST = 2047  # levels on either side of zero


def twelve_bits(net: nn.Sequential) -> tuple[nn.Sequential, bytes]:
    r"""A net with rounded weights in float64, and those weights as bytes.

    .. math:: w_{ij} \approx s_i k_{ij},\qquad k_{ij} \in \{-2047, \dots, 2047\},
              \qquad s_i = \max_j |w_{ij}| / 2047

    for row i of a layer, its bias the last column.

    Parameters
    ----------
    net : nn.Sequential
        Linear layers with activations between them; left as it is.

    Returns
    -------
    nn.Sequential
        What the page computes, exactly.
    bytes
        The scales s of all rows, little-endian float32; then k + 2048, row by row,
        two numbers in three bytes, the first number in the highest bits.

    Raises
    ------
    ValueError
        If a weight is not finite.
    """
    rounded = copy.deepcopy(net).cpu().double().requires_grad_(False)
    scales, levels = [], []
    for layer in rounded[::2]:
        rows = torch.cat([layer.weight, layer.bias[:, None]], 1)
        scale = _scale(rows)
        level = (rows / scale).round()
        layer.weight.copy_((scale * level)[:, :-1])
        layer.bias.copy_((scale * level)[:, -1])
        scales.append(scale.numpy().ravel())
        levels.append(level.numpy().ravel())
    start = np.concatenate(scales).astype("<f4").tobytes()
    return rounded, start + _in_pairs(np.concatenate(levels).astype(int) + MOST + 1)


def _scale(rows: Tensor) -> Tensor:
    """One number a row, (rows, 1), that float32 holds exactly."""
    if not rows.isfinite().all():
        raise ValueError(
            f"every weight must be finite; received {rows[~rows.isfinite()][0]}"
        )
    most = rows.abs().amax(1, keepdim=True).float() / MOST
    return torch.where(most > 0, most, 1.0).double()


def _in_pairs(numbers: np.ndarray) -> bytes:
    """Numbers below 4096, two in three bytes; a zero fills the last pair."""
    a, b = np.pad(numbers, (0, len(numbers) % 2)).reshape(-1, 2).T
    return np.stack([a >> 4, (a & 15) << 4 | b >> 8, b & 255], 1).astype("u1").tobytes()
