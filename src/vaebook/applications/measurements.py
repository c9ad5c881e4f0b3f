r"""Images seen badly: y = A x + noise, for any linear A (chapter 12)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import at_least, data_matrix, has_shape, not_negative, positive


class Measurement(NamedTuple):
    r"""What a camera keeps of an image, and the noise that it adds.

    .. math:: y = A x + \sigma\varepsilon, \qquad \varepsilon \sim \mathcal N(0, I)

    Attributes
    ----------
    weights : Tensor (M, D)
        A: each of M numbers is a weighted sum of the D pixels.
    sigma : float
        Standard deviation of the noise, in units of ink; 0 for none.

    Equation: eq-applications-measurement
    """

    weights: Tensor
    sigma: float = 0.0

    def means(self, x: Tensor) -> Tensor:
        """A x of each image, (..., D) to (..., M)."""
        num_pixels = self.checked().weights.shape[1]
        if x.shape[-1] != num_pixels:
            raise ValueError(
                f"x must have {num_pixels} pixels, the columns of weights; received "
                f"{tuple(x.shape)}"
            )
        return x @ self.weights.to(x).T

    def observe(self, x: Tensor, *, rng: torch.Generator) -> Tensor:
        """Draw y of each image, (N, D) to (N, M)."""
        means = self.means(x)
        eps = torch.empty_like(means).normal_(generator=rng)
        return means + self.sigma * eps

    def checked(self) -> "Measurement":
        """Itself, if it measures something, and its noise is not negative.

        Raises
        ------
        ValueError
            For no observed pixel, or a negative or infinite sigma.
        """
        rows = self.weights.shape[0] if self.weights.ndim == 2 else -1
        if rows == 0 or not self.weights.any():
            raise ValueError(
                "no pixel is observed: weights must have a row that is not 0; received "
                f"{tuple(self.weights.shape)}"
            )
        data_matrix(self.weights, "weights")
        not_negative("sigma", self.sigma)
        if math.isinf(self.sigma):
            raise ValueError(f"sigma must be finite; received {self.sigma}")
        return self


def mean_pool(height: int, width: int, factor: int) -> Tensor:
    r"""Means of squares of ``factor`` by ``factor`` pixels, as a matrix (M, D).

    .. math:: y_{ij} = \frac{1}{h^2} \sum_{a, b < h} x_{hi + a,\, hj + b}

    with h the ``factor``. Pixels and squares are counted along rows.

    Raises
    ------
    ValueError
        If ``factor`` doesn't divide both sides.

    Equation: eq-applications-mean-pool
    """
    at_least("factor", factor, 1)
    if height % factor or width % factor:
        raise ValueError(
            f"factor must divide the image's sides; received {factor} for {height} by "
            f"{width} pixels"
        )
    rows = torch.eye(height // factor).repeat_interleave(factor, 1) / factor
    columns = torch.eye(width // factor).repeat_interleave(factor, 1) / factor
    return torch.kron(rows, columns)


def keep_pixels(mask: Tensor) -> Tensor:
    """The pixels where ``mask`` (H, W) is true, as a matrix (M, D) of zeros and ones.

    Raises
    ------
    ValueError
        If the mask isn't a boolean image, or keeps nothing.
    """
    if mask.dtype != torch.bool:
        raise ValueError(f"mask must be boolean; received {mask.dtype}")
    has_shape("mask", mask, -1, -1)
    if not mask.any():
        raise ValueError("no pixel is observed: mask is false everywhere")
    return torch.eye(mask.numel())[mask.flatten()]


def gaussian_blur(height: int, width: int, sigma: float) -> Tensor:
    r"""Means of the pixels around each pixel, with Gaussian weights: (D, D).

    .. math:: A_{ij, kl} \propto \exp\Bigl(-\frac{(i-k)^2 + (j-l)^2}{2\sigma^2}\Bigr)

    Each row sums to 1, also at the edge. ``sigma`` in pixels.
    """
    positive("sigma", sigma)

    def along(length: int) -> Tensor:
        place = torch.arange(length, dtype=torch.get_default_dtype())
        apart = place[:, None] - place
        return torch.softmax(-0.5 * (apart / sigma).square(), 1)

    return torch.kron(along(height), along(width))
