r"""What is told of restored digits: every number with a name (chapter 12)."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.applications.measurements import Measurement
from vaebook.applications.quality import (
    coverage,
    diversity,
    misfit,
    psnr,
    spread_against_error,
    squared_error,
    ssim,
)
from vaebook.applications.restoration import unseen_directions
from vaebook.datasets import Digits
from vaebook.distances import distances
from vaebook.evaluation import energy_test
from vaebook.monte_carlo import estimate

Named = Iterator[tuple[str, float]]
SHAPE = 8, 8


class Case(NamedTuple):
    """What was measured of the test digits, under a name.

    Attributes
    ----------
    name : str
    measurement : Measurement
    digits : Digits
    y : Tensor (N, M)
        Of the test digits.
    """

    name: str
    measurement: Measurement
    digits: Digits
    y: Tensor

    @property
    def left_open(self) -> Tensor:
        """Which pixels y doesn't fix, (D,)."""
        return left_open(self.measurement)

    def errors(self, found: Tensor) -> Tensor:
        """Squared errors (N,) of test digits, over the pixels that are left open."""
        left = self.left_open
        return squared_error(found[:, left], self.digits.test.x[:, left])


class Answer(NamedTuple):
    """The mean of p(x|y), (N, D), and draws of it, (S, N, D)."""

    mean: Tensor
    draws: Tensor


def left_open(measurement: Measurement) -> Tensor:
    """Which pixels a measurement doesn't simply show, (D,)."""
    if measurement.sigma:
        return torch.ones(measurement.weights.shape[1], dtype=torch.bool)
    return unseen_directions(measurement.weights).abs().amax(0) > 1e-6


def told_of_all(name: str, case: Case, answer: Answer) -> Named:
    """The mean, one draw, and all draws together."""
    yield from told_of_one(f"{name}.mean", case, answer.mean)
    yield from told_of_one(f"{name}.one", case, answer.draws[0])

    left = case.left_open
    draws, truth = answer.draws[..., left], case.digits.test.x[:, left]
    yield f"{name}.diversity", diversity(draws).mean()
    found = coverage(draws, truth)
    yield f"{name}.covered", found.share
    yield f"{name}.covered.low", found.low
    yield f"{name}.covered.high", found.high
    yield f"{name}.covered.error", found.of_images.standard_error
    spread = spread_against_error(draws, truth)
    for k, (said, seen) in enumerate(zip(*spread, strict=True)):
        yield f"{name}.spread.{k}.said", said
        yield f"{name}.spread.{k}.seen", seen


def told_of_one(name: str, case: Case, found: Tensor) -> Named:
    """One restored image of each digit: how near, how alike, how like a digit."""
    found, truth = found.float(), case.digits.test.x
    near = psnr(case.errors(found))
    yield f"{name}.psnr", near.mean
    yield f"{name}.psnr.error", near.standard_error
    yield f"{name}.ssim", ssim(found, truth, SHAPE).mean()
    off = misfit(case.measurement, found, case.y)
    yield f"{name}.misfit", off.square().mean().sqrt()
    yield f"{name}.energy", energy(case.digits, found)
    yield f"{name}.own_class", own_class(case.digits, found[None])


def energy(digits: Digits, images: Tensor) -> float:
    """Energy distance of images (N, D) from the training digits."""
    known, rng = digits.train.x.double(), torch.Generator()
    return energy_test(images.double(), known, 1, rng=rng).statistic


def own_class(digits: Digits, images: Tensor) -> float:
    """How often the training digit nearest to an image, of (S, N, D), has the class
    of the test digit that it restores."""
    known, y = digits.train
    nearest = [distances(some, known).argmin(1) for some in images]
    return (y[torch.stack(nearest)] == digits.test.y).double().mean().item()


def detail(case: Case, mean: Tensor, draws: Tensor) -> float:
    r"""Is what a draw adds to the mean what the mean lacks? Their correlation.

    .. math:: \frac{\sum (\tilde x - \bar x)(x - \bar x)}
              {\sqrt{\sum (\tilde x - \bar x)^2 \sum (x - \bar x)^2}}

    over draws (S, N, D), images and pixels that are left open. It is 0 but for chance
    whatever the truth is, as draws lie around their own mean: a check of the sampler.
    """
    left = case.left_open
    lacking = (case.digits.test.x - mean)[:, left]
    added = (draws - mean)[..., left]
    both = (added * lacking).mean()
    return (both / (added.square().mean() * lacking.square().mean()).sqrt()).item()


def with_error(name: str, values: Tensor) -> Named:
    """A mean over images, and its standard error."""
    found = estimate(values)
    yield name, found.mean
    yield f"{name}.error", found.standard_error
