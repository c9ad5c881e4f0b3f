"""Every data set of the book: read from installed packages, a folder or the network."""

from functools import cache
from typing import NamedTuple

import torch
from sklearn import datasets as bundled
from torch import Tensor

from vaebook.checks import data_matrix


class Split(NamedTuple):
    """Images and their labels: ``x`` (N, D), ``y`` (N,) int64."""

    x: Tensor
    y: Tensor


class Digits(NamedTuple):
    """The digits: rows 0:1000 to train, 1000:1350 to choose, 1350: to test."""

    train: Split
    validation: Split
    test: Split


@cache
def _digit_scans() -> tuple[Tensor, Tensor]:
    scans = bundled.load_digits()
    return torch.from_numpy(scans.data).byte(), torch.from_numpy(scans.target).long()


def load_digits(binarize: bool = True) -> Digits:
    r"""The 1,797 scanned 8 x 8 digits that scikit-learn carries, in three parts.

    The rows keep their order, a writer's scans together, so the last 447 images are
    mostly by hands that the model has not seen.

    Parameters
    ----------
    binarize : bool
        True: a pixel is 1 where its ink is at least 8 of 16, else 0.
        False: grey, the ink divided by 16.

    Returns
    -------
    Digits
        ``train`` (1000), ``validation`` (350) and ``test`` (447), each with
        ``x`` (N, 64) float32 in [0, 1] and ``y`` (N,) int64. New tensors each time.
    """
    ink, y = _digit_scans()
    x = (ink >= 8).float() if binarize else ink / 16
    rows = slice(0, 1000), slice(1000, 1350), slice(1350, None)
    return Digits(*(Split(x[part], y[part].clone()) for part in rows))


def load_iris() -> Split:
    """Fisher's 150 irises, carried by scikit-learn: measured in cm, three species.

    Returns
    -------
    Split
        ``x`` (150, 4) float64, the length and width of sepal and petal in that order;
        ``y`` (150,) int64, the species.
    """
    iris = bundled.load_iris()
    return Split(torch.from_numpy(iris.data), torch.from_numpy(iris.target).long())


def disturb(
    grey: Tensor, noise: float | Tensor = 0.12, *, rng: torch.Generator
) -> Tensor:
    """Grey pixels with Gaussian noise: a new draw each time a batch is made.

    A model of such pixels is a model of ink seen through that noise, and cannot learn
    an image by heart to more decimals than it leaves.

    Parameters
    ----------
    grey : Tensor (N, D)
    noise : float or Tensor (D,)
        Standard deviation, in the unit of ``grey``; of all pixels or of each.
    """
    eps = torch.randn(grey.shape, generator=rng, dtype=grey.dtype, device=grey.device)
    return grey + noise * eps


def relative_spread(x: Tensor, least: float = 0.2) -> Tensor:
    """Standard deviation of each pixel over images (N, D), over the root mean square of
    all: (D,).

    At least ``least``: a pixel that is never lit is disturbed a little, too.
    """
    spread = data_matrix(x).std(0)
    return (spread / spread.square().mean().sqrt()).clamp(min=least)


def binarize_noisily(
    grey: Tensor, noise: float = 0.125, *, rng: torch.Generator
) -> Tensor:
    r"""Binary pixels from grey ones, the ink disturbed a little before the threshold.

    .. math:: x_d = [\,g_d + \tau\varepsilon_d \ge t\,], \qquad
              \varepsilon_d \sim \mathcal N(0, 1),\; t = 7.5/16

    A new draw each time a batch is made: the model never sees one scan twice in the
    same way, as if the writer had pressed a little harder. For training only; with
    ``noise=0`` it is the threshold of :func:`load_digits`.

    Parameters
    ----------
    grey : Tensor (N, D)
        Ink in [0, 1], in steps of 1/16.
    noise : float
        Standard deviation tau, in the unit of ``grey``.
    rng : torch.Generator

    Returns
    -------
    Tensor (N, D)
        Zeros and ones, of the type of ``grey``.
    """
    return (disturb(grey, noise, rng=rng) >= 7.5 / 16).to(grey.dtype)
