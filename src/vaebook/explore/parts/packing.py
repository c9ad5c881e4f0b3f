r"""A trained VAE as bytes for the page, and the model those bytes stand for."""

import copy
import math

import numpy as np
import torch
from torch import Tensor, nn


def rounded(model: nn.Module) -> nn.Module:
    """Copy of a model with every weight rounded to float16, held in float64.

    This is the model that an explorer shows, exactly.

    Parameters
    ----------
    model : nn.Module
        Left as it is.

    Raises
    ------
    ValueError
        If a weight is not finite, or too large for float16 (above 65504).
    """
    result = copy.deepcopy(model).cpu().requires_grad_(False)
    for name, weight in result.named_parameters():
        if not torch.isfinite(weight.half()).all():
            raise ValueError(
                f"every weight must be finite and at most 65504 in size; "
                f"{name} has {weight.abs().max().item():.3g}"
            )
        weight.copy_(weight.half())
    return result.double()


def layer_shapes(model: nn.Module) -> dict[str, list[list[int]]]:
    """``{"encoder": [[in, out], ...], "decoder": ...}`` of nets of Linear and SiLU."""
    return {part: net_shapes(part, getattr(model, part).net) for part in PARTS}


PARTS = ("encoder", "decoder")


def net_shapes(part: str, net: nn.Sequential) -> list[list[int]]:
    """``[[in, out], ...]`` of one net, if it alternates Linear and SiLU."""
    kinds = [type(layer) for layer in net]
    expected = [nn.Linear if i % 2 == 0 else nn.SiLU for i in range(len(net))]
    if kinds != expected or len(net) % 2 == 0:
        found = ", ".join(kind.__name__ for kind in kinds)
        raise ValueError(
            f"{part}.net must alternate Linear and SiLU, Linear first and last; "
            f"received {found}"
        )
    return [[layer.in_features, layer.out_features] for layer in net[::2]]


def pack_weights(model: nn.Module) -> bytes:
    """Weights and biases, layer by layer, encoder first, as little-endian float16."""
    layers = [layer for part in PARTS for layer in getattr(model, part).net[::2]]
    numbers = [w.detach().cpu().numpy().ravel() for m in layers for w in m.parameters()]
    return np.concatenate(numbers).astype("<f2").tobytes()


def pack_bits(x: Tensor) -> bytes:
    """Binary images (N, D) as bits, the first pixel in the highest bit of a byte."""
    return np.packbits(x.numpy().astype(np.uint8).ravel()).tobytes()


def pack_noise(eps: Tensor) -> bytes:
    """Noise (S, L) as little-endian float16."""
    return eps.numpy().astype("<f2").tobytes()


MOST_IMAGES = 2000


def check_images(x: Tensor, y: Tensor) -> int:
    """Side of the square images, after checking them."""
    if x.ndim != 2 or y.shape != x.shape[:1] or not 0 < len(x) <= MOST_IMAGES:
        raise ValueError(
            f"x must be (N, D) and y (N,) with 1 <= N <= {MOST_IMAGES}; received "
            f"x {tuple(x.shape)}, y {tuple(y.shape)}"
        )
    side = math.isqrt(x.shape[1])
    if side * side != x.shape[1]:
        raise ValueError(f"x must hold square images; received {x.shape[1]} pixels")
    if not ((x == 0) | (x == 1)).all():
        raise ValueError(
            f"x must be binary, 0 or 1; received values from {x.min():.3g} "
            f"to {x.max():.3g}"
        )
    return side
