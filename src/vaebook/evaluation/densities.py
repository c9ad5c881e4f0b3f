r"""What may be compared with what: densities, probabilities, bits (chapter 11)."""

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from vaebook.checks import at_least, floating, not_negative, same_last_axis

NEAR_HALF = 0.05  # logits this close to 0 take the series, which loses nothing there


def bits_per_pixel(nats: Tensor | float, num_pixels: int) -> Tensor | float:
    r"""A score, -log p(x) in nats per image, as bits per pixel.

    .. math:: \frac{-\log p(x)}{D\log 2}

    Equation: eq-evaluation-bits
    """
    at_least("num_pixels", num_pixels, 1)
    return nats / (num_pixels * math.log(2))


def binarize_by_chance(grey: Tensor, *, rng: torch.Generator) -> Tensor:
    """Dynamic binarisation: each pixel lit with the probability that its ink says.

    ``grey`` (N, D) in [0, 1]; another image at each call.
    """
    not_negative("grey", grey)
    not_negative("1 - grey", 1 - grey)
    return torch.bernoulli(grey, generator=rng)


def dequantize(levels: Tensor, num_levels: int, *, rng: torch.Generator) -> Tensor:
    r"""Whole-numbered ink spread evenly over its cell, in [0, 1].

    .. math:: y_d = \frac{x_d + u_d}{V}, \qquad u_d \sim \mathrm{Uniform}(0, 1)

    A density of y, averaged over u, is then a bound on the probability of x:
    :math:`\mathbb E_u[\log p(y)] - D\log V \le \log P(x)` (Theis et al. 2016).

    Parameters
    ----------
    levels : Tensor (N, D)
        Whole numbers from 0 to V - 1, of a float type.
    num_levels : int
        V, at least 2.

    Equation: eq-evaluation-dequantize
    """
    at_least("num_levels", num_levels, 2)
    not_negative("levels", floating("levels", levels))
    not_negative("num_levels - 1 - levels", num_levels - 1 - levels)
    u = torch.rand(levels.shape, generator=rng, dtype=levels.dtype)
    return (levels + u) / num_levels


def continuous_bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    r"""Log-density of independent grey pixels in [0, 1], normalised; (...,) nats.

    .. math:: \sum_d\Bigl[x_d\ell_d - \log(1 + e^{\ell_d}) + \log C(\ell_d)\Bigr],
              \qquad C(\ell) = \frac{\ell}{\tanh(\ell/2)}

    The first two terms are the coin's; the last is what makes it a density.

    Parameters
    ----------
    x, logits : Tensor (..., D)
        Broadcast together.

    Equation: eq-evaluation-continuous-bernoulli (Loaiza-Ganem & Cunningham 2019)
    """
    same_last_axis(x=x, logits=logits)
    coin = x * logits - softplus(logits, threshold=40)
    return (coin + _log_constant(logits)).sum(-1)


def _log_constant(logits: Tensor) -> Tensor:
    """log C: 2 at 0, and about the size of the logit far from it."""
    near = logits.abs() < NEAR_HALF
    safe = torch.where(near, 1.0, logits)
    exact = torch.log(safe / torch.tanh(0.5 * safe))
    square = logits.square()
    series = math.log(2) + square / 12 - 7 * square.square() / 1440
    return torch.where(near, series, exact)
