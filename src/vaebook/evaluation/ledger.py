r"""The gap between evidence and bound, taken apart with its errors (chapter 11)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import at_least, has_shape
from vaebook.evaluation.proposals import PerImage
from vaebook.evaluation.refinement import elbo_draws
from vaebook.evaluation.requests import by_images, images_of, with_density
from vaebook.likelihood import gaussian_log_prob
from vaebook.reparameterization import reparameterize, standard_noise
from vaebook.vae import LatentModel, Posterior


class Ledger(NamedTuple):
    r"""Where each image's nats go: ``total`` is the sum of the other three.

    .. math:: \underbrace{\log \hat p - \hat{\mathcal L}(q)}_{\text{total}}
              = \underbrace{\log \hat p' - \hat{\mathcal L}(q^*)}_{\text{approximation}}
              + \underbrace{\hat{\mathcal L}(q^*) -
              \hat{\mathcal L}(q)}_{\text{amortisation}}
              + \text{Monte Carlo error}

    Each hat stands for draws of its own, so that the last is a check and no remainder
    by definition: 0 within its error if the others and their errors are right.

    Attributes
    ----------
    total, approximation, amortisation, monte_carlo : PerImage
    """

    total: PerImage
    approximation: PerImage
    amortisation: PerImage
    monte_carlo: PerImage


def gap_ledger(
    model: LatentModel,
    x: Tensor,
    refined: Posterior,
    evidence: tuple[PerImage, PerImage],
    *,
    num_samples: int = 1000,
    rng: torch.Generator,
) -> Ledger:
    """Measure the gap of each image and its parts, from independent draws.

    Memory holds as many images at a time as their draws allow.

    Parameters
    ----------
    x : Tensor (N, D)
    refined : Posterior
        The best q of each image, from :func:`refine_posterior`.
    evidence : pair of PerImage
        log p(x) twice, from independent draws: for the total, and for the
        approximation gap. Where it is known exactly, twice the same with errors of 0.
    num_samples : int
        S >= 2 draws for each of three bounds.

    Equation: eq-evaluation-ledger (Cremer et al. 2018)
    """
    with_density(model)
    has_shape("refined.mu", refined.mu, len(images_of(x)), model.latent_dim)
    for name, one in zip(("first", "second"), evidence, strict=True):
        has_shape(f"the {name} evidence", one.value, len(x))

    def evaluate(some: Tensor, mu: Tensor, log_var: Tensor) -> tuple[Tensor, ...]:
        best, own = Posterior(mu, log_var), model.posterior(some)
        bounds = [
            mean_of_draws(elbo_draws(model, some, q, num_samples, rng=rng))
            for q in (own, best)
        ]
        gain = elbo_gain(model, some, best, own, num_samples, rng=rng)
        return *bounds[0], *bounds[1], *gain

    with torch.no_grad():
        found = by_images(evaluate, num_samples, x, *refined)
    pairs = zip(found[::2], found[1::2], strict=True)
    own, best, amortisation = (PerImage(*pair) for pair in pairs)
    total = combined((1, evidence[0]), (-1, own))
    approximation = combined((1, evidence[1]), (-1, best))
    left = combined((1, total), (-1, approximation), (-1, amortisation))
    return Ledger(total, approximation, amortisation, left)


def elbo_gain(
    model: LatentModel,
    x: Tensor,
    better: Posterior,
    worse: Posterior,
    num_samples: int,
    *,
    rng: torch.Generator,
) -> PerImage:
    """ELBO of one q minus that of another, from the same noise: most of it cancels."""
    shape = len(x), model.latent_dim
    eps = standard_noise(shape, num_samples, like=x, rng=rng)
    ends = [_log_weights_at(model, x, q, eps) for q in (better, worse)]
    return mean_of_draws(ends[0] - ends[1])


def _log_weights_at(model: LatentModel, x: Tensor, q: Posterior, eps: Tensor) -> Tensor:
    z = reparameterize(*q, eps)
    return model.log_joint(x, z) - gaussian_log_prob(z, *q)


def mean_of_draws(draws: Tensor) -> PerImage:
    """Mean over draws (S, N) for each image, with its standard error; S >= 2."""
    at_least("the number of draws", len(draws), 2)
    draws = draws.double()
    return PerImage(draws.mean(0), draws.std(0) / math.sqrt(len(draws)))


def combined(*signed: tuple[int, PerImage]) -> PerImage:
    """Sum of independent quantities, each with its sign: their variances add up."""
    value = sum(sign * one.value for sign, one in signed)
    variances = torch.stack([one.standard_error.square() for _, one in signed])
    return PerImage(value, variances.sum(0).sqrt())


class Agreement(NamedTuple):
    """How quantities that should be 0 came out, on average and image by image.

    Attributes
    ----------
    mean, standard_error : float
        Over images; the error is that of the draws.
    beyond : float
        Share of images more than 2 standard errors from 0: about 0.05 if all is well.
    """

    mean: float
    standard_error: float
    beyond: float


def agreement(left: PerImage) -> Agreement:
    """Is it 0 within its error?"""
    error = left.standard_error.square().sum().sqrt() / len(left.value)
    beyond = (left.value.abs() > 2 * left.standard_error).double().mean()
    return Agreement(left.value.mean().item(), error.item(), beyond.item())
