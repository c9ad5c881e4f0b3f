r"""How near a restored image is, and how honest its uncertainty (chapter 12)."""

import math
from typing import NamedTuple

import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from vaebook.applications.measurements import Measurement
from vaebook.checks import at_least, has_shape, positive, same_last_axis, same_shape
from vaebook.monte_carlo import Estimate, estimate

Z90 = 1.6448536269514722  # the normal quantile of a 90 % interval
WINDOW = 5  # pixels, the side of the square in which SSIM compares


def squared_error(found: Tensor, truth: Tensor) -> Tensor:
    """Mean over pixels of the squared difference, (..., N, D) twice to (..., N)."""
    same_last_axis(found=found, truth=truth)
    return (found - truth).square().mean(-1)


def psnr(errors: Tensor, peak: float = 1.0) -> Estimate:
    r"""Peak signal to noise ratio of N images together, dB, and its standard error.

    .. math:: 10\log_{10} \frac{\mathrm{peak}^2}{\frac1N\sum_n \mathrm{MSE}_n}

    The mean is inside the logarithm: all pixels of all images count alike. The mean of
    each image's own ratio is another number, and a higher one. Images without error
    are infinitely near.

    Parameters
    ----------
    errors : Tensor (N,)
        Of :func:`squared_error`; N >= 2.
    peak : float
        The range of a pixel.

    Equation: eq-applications-psnr
    """
    positive("peak", peak)
    mean = estimate(errors)
    if mean.mean == 0:
        return Estimate(math.inf, 0.0, mean.num_samples)
    decibels = 10 * math.log10(peak**2 / mean.mean)
    error = 10 / math.log(10) * mean.standard_error / mean.mean
    return Estimate(decibels, error, mean.num_samples)


def ssim(
    found: Tensor, truth: Tensor, shape: tuple[int, int], window: int = WINDOW
) -> Tensor:
    """Structural similarity of each image, (N, D) twice to (N,): 1 where they are one.

    A mean over all squares of ``window`` by ``window`` pixels that fit, each weighted
    evenly; ink from 0 to 1. By scikit-image.

    Raises
    ------
    ValueError
        If the window is even, or larger than the image.

    Wang et al. (2004)
    """
    same_shape(found=found, truth=truth)
    if window % 2 == 0 or not 3 <= window <= min(shape):
        raise ValueError(
            f"window must be odd, from 3 to the image's side; received {window} for "
            f"{shape[0]} by {shape[1]} pixels"
        )
    pairs = torch.stack([found, truth], 1).detach().double().unflatten(2, shape)
    values = [
        structural_similarity(*pair.numpy(), win_size=window, data_range=1.0)
        for pair in pairs
    ]
    return torch.tensor(values, dtype=torch.float64)


def misfit(measurement: Measurement, x: Tensor, y: Tensor) -> Tensor:
    """Root mean square of A x - y over what was measured: (..., N, D) to (..., N)."""
    return (measurement.means(x) - y).square().mean(-1).sqrt()


def diversity(draws: Tensor) -> Tensor:
    r"""Root mean square difference of two draws of an image: (S, N, D) to (N,).

    .. math:: \Bigl(\frac{1}{D}\,\frac{1}{S(S-1)}\sum_{s \neq t}
              \lVert x_s - x_t\rVert^2\Bigr)^{1/2}
              = \Bigl(\frac{2}{D}\sum_d \hat\sigma_d^2\Bigr)^{1/2}

    with the unbiased variance of the draws of each pixel.
    """
    has_shape("draws", draws, -1, -1, -1)
    at_least("the number of draws", len(draws), 2)
    return (2 * draws.var(0).mean(-1)).sqrt()


class Coverage(NamedTuple):
    """How often an interval held the truth.

    Attributes
    ----------
    level : float
        How often it should.
    share : float
        How often it did, over images and pixels.
    low, high : float
        90 % binomial interval of ``share`` (Wilson 1927), as if pixels were independent
        of each other.
    of_images : Estimate
        The mean over images of each one's share; its error counts images, whose pixels
        may go wrong together.
    """

    level: float
    share: float
    low: float
    high: float
    of_images: Estimate


def coverage(draws: Tensor, truth: Tensor, level: float = 0.9) -> Coverage:
    r"""How often the truth lies between two draws of each pixel, in order of size.

    .. math:: x_{(j)} < x < x_{(S+1-j)}, \qquad P = \frac{S + 1 - 2j}{S + 1},
              \qquad j = \tfrac{1 - \mathrm{level}}{2}(S+1)

    P is exact for any S and any law, if the truth is one more draw of it.

    Parameters
    ----------
    draws : Tensor (S, N, D)
        Independent, of each image given what was measured.
    truth : Tensor (N, D)
        Pixels that were not seen; a pixel that was has no law.

    Raises
    ------
    ValueError
        If j is not a whole number from 1: with 19 draws, 39, 59, ... it is for 0.9.

    Equation: eq-applications-coverage
    """
    has_shape("draws", draws, -1, *truth.shape)
    most = len(draws) + 1
    place = round((1 - level) / 2 * most)
    if place < 1 or not math.isclose(place, (1 - level) / 2 * most, abs_tol=1e-9):
        raise ValueError(
            f"(1 - level) / 2 of the draws and one must be a whole number; received "
            f"{len(draws)} draws for a level of {level}"
        )
    rank = (draws < truth).sum(0)  # (N, D)
    inside = ((rank >= place) & (rank <= most - 1 - place)).double()
    share = inside.mean().item()
    low, high = wilson(share, inside.numel())
    return Coverage(level, share, low, high, estimate(inside.mean(1)))


def wilson(share: float, num: int, z: float = Z90) -> tuple[float, float]:
    r"""Ends of the interval that a share of ``num`` trials leaves to its probability.

    .. math:: \frac{\hat p + \frac{z^2}{2n} \pm z\sqrt{\frac{\hat p(1-\hat p)}{n}
              + \frac{z^2}{4n^2}}}{1 + \frac{z^2}{n}}

    Wilson (1927)
    """
    middle = share + z**2 / (2 * num)
    reach = z * math.sqrt(share * (1 - share) / num + z**2 / (4 * num**2))
    return tuple((middle + sign * reach) / (1 + z**2 / num) for sign in (-1, 1))


class Spread(NamedTuple):
    """Spread of the draws against actual error, in bins of pixels of alike spread.

    Attributes
    ----------
    said : Tensor (B,)
        Root mean square of the standard deviations of the draws.
    seen : Tensor (B,)
        Root mean square error of the mean of the draws.
    """

    said: Tensor
    seen: Tensor


def spread_against_error(draws: Tensor, truth: Tensor, num_bins: int = 8) -> Spread:
    r"""Is a pixel off by as much as its draws differ? If so, the two are equal.

    .. math:: \mathbb E\,(\bar x - x)^2 = \sigma^2 \bigl(1 + \tfrac1S\bigr)

    for a truth that is one more draw; the factor is taken out of ``seen``. Of few draws
    the spread is itself uncertain, and the bins sort by chance.

    Parameters
    ----------
    draws : Tensor (S, N, D)
    truth : Tensor (N, D)
    num_bins : int
        Of as many pixels each, but for a remainder.
    """
    has_shape("draws", draws, -1, *truth.shape)
    at_least("the number of draws", len(draws), 2)
    at_least("num_bins", num_bins, 1)
    factor = 1 + 1 / len(draws)
    var = draws.var(0).flatten()
    error = (draws.mean(0) - truth).square().flatten() / factor
    order = var.argsort().tensor_split(num_bins)
    return Spread(
        *(torch.stack([v[some].mean().sqrt() for some in order]) for v in (var, error))
    )
