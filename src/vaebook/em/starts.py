r"""Where EM starts: rows of the data as first centres (chapter 3)."""

import torch
from torch import Tensor

from vaebook.checks import data_matrix
from vaebook.distances import distances
from vaebook.em.mixtures import BernoulliMixture, GaussianMixture
from vaebook.likelihood import fit_full_gaussian


def gaussian_start(x: Tensor, mu: Tensor) -> GaussianMixture:
    """Equal weights, means ``mu`` (K, D), each covariance that of all the data."""
    num_components = len(mu)
    weights = torch.full_like(mu[:, 0], 1 / num_components)
    cov = fit_full_gaussian(x).cov.expand(num_components, -1, -1)
    return GaussianMixture(weights, mu, cov.clone())


def bernoulli_start(centres: Tensor, softness: float = 0.25) -> BernoulliMixture:
    """Equal weights; binary ``centres`` (K, D) drawn towards 1/2, so that no pixel is
    impossible: 0 becomes ``softness``, 1 becomes 1 - ``softness``."""
    weights = torch.full_like(centres[:, 0], 1 / len(centres))
    return BernoulliMixture(weights, softness + (1 - 2 * softness) * centres)


def kmeans_plus_plus(x: Tensor, num_components: int, *, rng: torch.Generator) -> Tensor:
    """Rows of x far from each other, (K, D): each drawn with probability in proportion
    to its squared distance from those before it (Arthur & Vassilvitskii 2007)."""
    _check_number(x, num_components)
    centres = random_rows(x, 1, rng=rng)
    while len(centres) < num_components:
        squared = distances(x, centres).min(1).values.square()
        if not squared.any():
            raise ValueError(f"x holds only {len(centres)} different rows")
        centres = torch.cat([centres, x[torch.multinomial(squared, 1, generator=rng)]])
    return centres


def random_rows(x: Tensor, num_components: int, *, rng: torch.Generator) -> Tensor:
    """Different rows of x, uniformly, (K, D)."""
    _check_number(x, num_components)
    return x[torch.randperm(len(x), generator=rng)[:num_components]]


def _check_number(x: Tensor, num_components: int) -> None:
    if not 1 <= num_components <= len(data_matrix(x)):
        raise ValueError(
            f"num_components must be from 1 to the {len(x)} rows of x; "
            f"received {num_components}"
        )
