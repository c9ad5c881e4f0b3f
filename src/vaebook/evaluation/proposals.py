r"""Draws that look in several places: a mixture of proposals per image (chapter 11)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import at_least, has_shape
from vaebook.evaluation.refinement import elbo_draws, refine_posterior
from vaebook.evaluation.requests import by_images, images_of, with_density
from vaebook.likelihood import gaussian_log_prob
from vaebook.monte_carlo import log_mean_exp
from vaebook.reparameterization import gaussian_rsample
from vaebook.vae import LatentModel, Posterior

WIDTHS = (1.2, 2.5)  # for the tails of each posterior, and for what lies beside it


class PerImage(NamedTuple):
    """A quantity of each image with its Monte Carlo error, (N,) nats each.

    The error says how far another set of draws would have come out, for this very
    image. How images differ from each other is another matter: of a mean over images
    :func:`vaebook.monte_carlo.estimate` gives the error that has both in it.
    """

    value: Tensor
    standard_error: Tensor


@torch.no_grad()
def blind_starts(
    model: LatentModel,
    x: Tensor,
    num_starts: int,
    num_draws: int = 20_000,
    *,
    chunk: int = 500,
    rng: torch.Generator,
) -> Tensor:
    """The best of many codes drawn from the prior, for each image: (K, N, L).

    They owe nothing to the encoder: a mode that it overlooks has as good a chance as
    any other. Memory holds ``chunk`` codes at a time.

    Parameters
    ----------
    x : Tensor (N, D)
    num_starts : int
        K, at least 1: those of the highest log p(x, z).
    num_draws : int
        The same codes for every image.
    """
    at_least("num_starts", num_starts, 1)
    at_least("num_draws", num_draws, num_starts)
    z = model.prior_draws(num_draws, rng=rng)
    log_joint = [model.log_joint(x, some[:, None, :]) for some in z.split(chunk)]
    best = torch.cat(log_joint).topk(num_starts, 0).indices  # (K, N)
    return z[best]


def refine_from_several(
    model: LatentModel, x: Tensor, num_starts: int = 3, *, rng: torch.Generator
) -> Posterior:
    """Refined Gaussians of each image, from the encoder's and from blind starts.

    Returns
    -------
    Posterior
        ``mu`` and ``log_var`` (1 + K, N, L); the first from the encoder's.

    Equation: eq-evaluation-best-q
    """
    own = refine_posterior(model, x, rng=rng)
    mu = blind_starts(model, x, num_starts, rng=rng).flatten(0, 1)  # (K N, L)
    log_var = own.log_var.mean(0).expand_as(mu)
    start, images = Posterior(mu, log_var), x.repeat(num_starts, 1)
    others = refine_posterior(model, images, start, rng=rng)
    found = [other.unflatten(0, (num_starts, len(x))) for other in others]
    pairs = zip(own, found, strict=True)
    return Posterior(*(torch.cat([a[None], b]) for a, b in pairs))


@torch.no_grad()
def best_of(
    model: LatentModel,
    x: Tensor,
    several: Posterior,
    num_samples: int = 500,
    *,
    rng: torch.Generator,
) -> Tensor:
    """Which of several Gaussians per image has the highest ELBO: (N,) int64."""
    bounds = [
        elbo_draws(model, x, Posterior(*one), num_samples, rng=rng).mean(0)
        for one in zip(*several, strict=True)
    ]
    return torch.stack(bounds).argmax(0)


class Mixture(NamedTuple):
    r"""A proposal per image: K Gaussians and the prior, equally.

    .. math:: q(z) = \frac{1}{K+1}\Bigl[\sum_k \mathcal N(z; \mu_k, \sigma_k^2)
              + p(z)\Bigr]

    The prior is there for what all Gaussians have missed: no weight exceeds (K + 1)
    times the likelihood.

    Attributes
    ----------
    mu, log_var : Tensor (K, N, L)

    Equation: eq-evaluation-mixture-proposal (Hesterberg 1995)
    """

    mu: Tensor
    log_var: Tensor

    def log_prob(self, model: LatentModel, z: Tensor) -> Tensor:
        """log q(z) of codes (S, N, L): (S, N) nats."""
        each = gaussian_log_prob(z[:, None], self.mu, self.log_var)  # (S, K, N)
        prior = model.code_log_prob(z)[:, None]
        return log_mean_exp(torch.cat([each, prior], 1), 1)


def widened(several: Posterior) -> Mixture:
    """The proposal around refined Gaussians (K, N, L), each in two widths: (2 K, N, L).

    A little wider than the posterior, or its tails would be missed; and much wider, for
    what lies beside it.
    """
    log_var = [several.log_var + 2 * math.log(width) for width in WIDTHS]
    return Mixture(torch.cat([several.mu] * len(WIDTHS)), torch.cat(log_var))


@torch.no_grad()
def mixture_log_evidence(
    model: LatentModel,
    x: Tensor,
    proposal: Mixture,
    num_samples: int = 4000,
    *,
    rng: torch.Generator,
) -> PerImage:
    r"""log p(x) by importance sampling that visits every component equally often.

    .. math:: \log \frac{1}{K+1}\sum_{k=0}^{K} \frac1S\sum_{s=1}^{S}
              \frac{p(x, z_{ks})}{q(z_{ks})}, \qquad z_{ks} \sim q_k

    Every weight has the *whole* mixture below, wherever its draw came from. The error
    is that of the stratified mean, by the delta method. Memory holds as many images at
    a time as their draws allow.

    Parameters
    ----------
    x : Tensor (N, D)
    proposal : Mixture
        Of the same images.
    num_samples : int
        At least two for each of the K + 1 components; what doesn't divide is left out.

    Equation: eq-evaluation-mixture-weights (Veach & Guibas 1995)
    """
    with_density(model)
    num_components, num_images, _ = proposal.mu.shape
    has_shape("x", images_of(x), num_images, -1)
    size = num_samples // (num_components + 1)
    at_least("draws from each component", size, 2)

    def evaluate(some: Tensor, mu: Tensor, log_var: Tensor) -> tuple[Tensor, ...]:
        part = Mixture(mu.movedim(1, 0), log_var.movedim(1, 0))
        drawn = [
            gaussian_rsample(*one, size, rng=rng) for one in zip(*part, strict=True)
        ]
        blind = model.prior_draws(size * len(some), rng=rng)
        drawn.append(blind.unflatten(0, (size, len(some))))
        log_w = [model.log_joint(some, z) - part.log_prob(model, z) for z in drawn]
        return _stratified(torch.stack(log_w).double())

    columns = (column.movedim(1, 0) for column in proposal)  # images first, to split
    return PerImage(*by_images(evaluate, num_samples, x, *columns))


def _stratified(log_w: Tensor) -> tuple[Tensor, Tensor]:
    """Log of the mean of the weights (K + 1, S, N), and its error: (N,) each."""
    num_strata, size = log_w.shape[:2]
    value = log_mean_exp(log_w.flatten(0, 1))
    relative = (log_w - value).exp()  # w over its mean
    variance = relative.var(1).sum(0) / (num_strata**2 * size)
    return value, variance.sqrt()
