r"""Blocks of a grey image, some of them seen: what is measured, and its answer."""

from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.applications import (
    GreyRestoration,
    Measurement,
    diversity,
    gibbs,
    mean_pool,
)
from vaebook.vae import GaussianVAE

LEVELS = 16  # of ink
CHAINS = 8
LED, STEPS = 30, 370  # steps that accept all, and those after them


class Blocks(NamedTuple):
    """Means of squares of pixels, some of them seen.

    Attributes
    ----------
    factor : int
        Pixels along a square's side.
    seen : list of 0 and 1
        Of each square, along rows.
    ink : Tensor (B,)
        Mean of each square, seen or not.
    """

    factor: int
    seen: list[int]
    ink: Tensor

    def task(self, model: GaussianVAE) -> GreyRestoration:
        """The restoration of one image from the squares that were seen."""
        side = round(len(self.seen) ** 0.5) * self.factor
        rows = torch.tensor(self.seen, dtype=torch.bool)
        weights = mean_pool(side, side, self.factor)[rows].double()
        return GreyRestoration(model, Measurement(weights), self.ink[None, rows])


def pooled(image: Tensor, side: int, factor: int) -> Tensor:
    """Mean of each block of an image (D,)."""
    return mean_pool(side, side, factor).to(image) @ image


class Answer(NamedTuple):
    """What the chains say: the mean (D,), the last image of each (S, D), how far apart.

    ``sd`` (D,) is the standard deviation of E[x|z, y] over the states, ``r_hat`` the
    agreement of the chains, of all pixels together.
    """

    mean: Tensor
    sd: Tensor
    images: Tensor
    apart: float
    r_hat: float


def r_hat_of_images(images: Tensor) -> float:
    r"""R-hat of the pixels of images (T, S, D) together, as the page has it.

    .. math:: \sqrt{\frac{T-1}{T} + \frac{\sum_d B_d}{\sum_d W_d}}

    with W the mean variance within chains, and B the variance of their means.
    """
    within = images.var(0).mean(0).sum()
    between = images.mean(0).var(0).sum()
    return (1 - 1 / len(images) + between / within).sqrt().item()


@torch.no_grad()
def answered(task: GreyRestoration, *, rng: torch.Generator) -> Answer:
    """By eight chains that begin at the prior, as in the page."""
    z = task.model.prior_draws(CHAINS, rng=rng)[:, None]
    z = gibbs(task, z, LED, corrected=False, rng=rng).z[-1]
    late = gibbs(task, z, STEPS, rng=rng).z[20:]
    images = task.mean_image(late)[:, :, 0]  # (T, S, D)
    return Answer(
        images.mean((0, 1)),
        images.flatten(0, 1).std(0, correction=0),
        images[-1],
        diversity(images.flatten(0, 1)[:, None]).item(),
        r_hat_of_images(images),
    )
