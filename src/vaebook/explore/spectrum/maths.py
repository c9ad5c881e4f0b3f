r"""The spectrum of the training images under a noise variance, in numbers."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaebook.bayes import LinearGaussian
from vaebook.checks import data_matrix
from vaebook.explore.parts.constraints import obeying, within
from vaebook.likelihood import LOG_2PI, FullGaussian
from vaebook.linear_vae import (
    Spectrum,
    best_var,
    mean_log_evidence,
    optimal_encoder,
    ppca,
)
from vaebook.variational import ElboTerms, linear_elbo

MOST_LATENTS, MOST_DIGITS = 20, 4
SCALE = 32767  # levels to each side of 0 in two bytes
PICTURE = {
    "half": 0.38,  # of a bar
    "left": 0.4,  # end of the axis of directions
    "ticks": [1, 5, 10, 15, 20],
    "test": "class-7",  # colour of the theme
}


class Images(NamedTuple):
    """What is explored: both sets (N, D), how many of the test images are on show.

    ``components`` are those of the training images, ``test_spread`` (D,) the mean
    squares of the test images along them.
    """

    x_train: Tensor
    x_test: Tensor
    num_digits: int
    components: Spectrum
    test_spread: Tensor


class Noise(NamedTuple):
    """Probabilistic PCA with so many latents on offer, under a noise variance."""

    images: Images
    num_latents: int
    var: float

    @property
    def model(self) -> LinearGaussian:
        """The likeliest one."""
        return ppca(self.images.components, self.num_latents, self.var)

    @property
    def eigenvalues(self) -> Tensor:
        """Of the covariance of the training images, (D,), in descending order."""
        return self.images.components.eigenvalues

    @property
    def digits(self) -> Tensor:
        """The test images on show, (num_digits, D)."""
        return self.images.x_test[: self.images.num_digits]

    def num_alive(self) -> int:
        """How many of the latents on offer have an eigenvalue above the line."""
        return (self.eigenvalues[: self.num_latents] > self.var).sum().item()

    def best_var(self) -> float:
        """The noise variance of maximum likelihood for the latents on offer."""
        return best_var(self.eigenvalues, self.num_latents).item()

    def log_evidence(self) -> float:
        """Mean log p(x) of the training images, nats."""
        return self.model.log_evidence(self.images.x_train).mean().item()

    def test_log_evidence(self) -> float:
        """Mean log p(x) of the test images, nats."""
        return self.model.log_evidence(self.images.x_test).mean().item()

    def elbo_terms(self) -> ElboTerms:
        """Of the best linear encoder, means over the training images, nats."""
        x = self.images.x_train
        model = self.model
        encoder = optimal_encoder(model)
        mu, log_var = (x @ encoder.weights.T + encoder.offset).chunk(2, -1)
        q = FullGaussian(mu, log_var[0].exp().diag())
        return ElboTerms(*(part.mean() for part in linear_elbo(model, x, q)))

    def reconstructions(self) -> Tensor:
        """Of the digits on show, from their posterior means, (num_digits, D)."""
        model = self.model
        codes = model.posterior(self.digits).mu
        return codes @ model.weights.T + model.offset

    def mean_log_p(self, spread: Tensor, across: np.ndarray) -> np.ndarray:
        """Mean log p(x) at noise variances (V,) of images with these mean squares."""
        own = np.repeat(across[:, None], len(spread), 1)  # (V, D)
        count = self.num_latents
        own[:, :count] = np.maximum(own[:, :count], self.eigenvalues[:count].numpy())
        return -0.5 * (LOG_2PI + np.log(own) + spread.numpy() / own).sum(1)


def checked(x_train: Tensor, x_test: Tensor, num_digits: int) -> list[Tensor]:
    """Both sets in float64, if they are images of one size and there are enough."""
    sets = {"x_train": x_train, "x_test": x_test}
    for name, x in sets.items():
        if data_matrix(x, name).min() < 0 or x.max() > 1:
            raise ValueError(
                f"{name} must lie in [0, 1]; received {x.min():g} to {x.max():g}"
            )
    dim = x_train.shape[1]
    if x_test.shape[1] != dim or math.isqrt(dim) ** 2 != dim:
        raise ValueError(
            f"x_train and x_test must be (N, D), D the same square; received "
            f"{tuple(x_train.shape)} and {tuple(x_test.shape)}"
        )
    obeying("num_digits", num_digits, within(1, min(MOST_DIGITS, len(x_test))))
    return [x.detach().double() for x in sets.values()]


def packed(*rows: Tensor) -> bytes:
    """Rows (_, D) of numbers from -1 to 1, two bytes each: pixels need no more."""
    return (SCALE * torch.cat(rows)).round().numpy().astype("<i2").tobytes()


def most_latents(eigenvalues: Tensor) -> int:
    """How many latents can be offered so that some variance is left to the noise."""
    varied = (eigenvalues > 1e-6 * eigenvalues[0]).sum().item()
    if varied < 2:
        raise ValueError(
            f"x_train must vary in 2 directions or more; received {varied}"
        )
    return min(MOST_LATENTS, varied - 1)


def ranges(eigenvalues: Tensor, most: int) -> dict[str, list[float]]:
    """Ranges of the variance and of the mean log p(x) on the page."""
    least, high = best_var(eigenvalues, most).item(), 1.25 * eigenvalues[0].item()
    flat = mean_log_evidence(eigenvalues, 1, high).item()
    top = mean_log_evidence(eigenvalues, most, least).item()
    room = 0.1 * (top - flat)
    return {"var": [least / 2, high], "nats": [flat - room, top + room]}
