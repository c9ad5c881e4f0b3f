r"""The best diagonal Gaussian for each image, without the encoder (chapter 11)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Adam

from vaebook.checks import at_least, positive
from vaebook.evaluation.requests import images_of, with_density
from vaebook.likelihood import gaussian_log_prob
from vaebook.reparameterization import gaussian_rsample
from vaebook.vae import LatentModel, Posterior


@dataclass(frozen=True)
class Search:
    """How to climb, an image's ELBO say.

    Attributes
    ----------
    num_steps : int
        Of Adam, at least 1.
    num_samples : int
        Draws per image in each step, at least 1.
    learning_rate : float
        Of the first step; it falls to zero along half a cosine.
    """

    num_steps: int = 400
    num_samples: int = 8
    learning_rate: float = 0.05

    def __post_init__(self) -> None:
        at_least("num_steps", self.num_steps, 1)
        at_least("num_samples", self.num_samples, 1)
        positive("learning_rate", self.learning_rate)

    def rate_at(self, done: float) -> float:
        """The learning rate when the share ``done`` of the steps is over."""
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def climb_by_adam(
    height: Callable[..., Tensor], start: Sequence[Tensor], search: Search
) -> list[Tensor]:
    """Where Adam ends that climbs ``height(*place)``, (), from ``start``.

    The start is left as it is, and so are all parameters that the height depends on.
    """
    place = [part.detach().clone().requires_grad_() for part in start]
    optimizer = Adam(place, lr=search.learning_rate)

    for step in range(search.num_steps):
        optimizer.param_groups[0]["lr"] = search.rate_at(step / search.num_steps)
        with torch.enable_grad():
            slopes = torch.autograd.grad(-height(*place), place)
        for part, slope in zip(place, slopes, strict=True):
            part.grad = slope
        optimizer.step()

    return [part.detach() for part in place]


def elbo_draws(
    model: LatentModel,
    x: Tensor,
    q: Posterior,
    num_samples: int,
    *,
    path_only: bool = False,
    rng: torch.Generator,
) -> Tensor:
    r"""Log-weights of draws from any diagonal Gaussian per image, (S, N) nats.

    .. math:: \log p(x, z_s) - \log q(z_s), \qquad z_s = \mu + \sigma\varepsilon_s

    Their mean estimates the ELBO of q, their log-mean-exp the evidence. Not the
    encoder's q but the one that is given.

    Parameters
    ----------
    x : Tensor (N, D)
    q : Posterior
        ``mu`` and ``log_var`` (N, L).
    path_only : bool
        As in :func:`vaebook.reparameterization.sampled_elbo`.

    Equation: eq-evaluation-weights-of-q
    """
    z = gaussian_rsample(*q, num_samples, rng=rng)
    held = Posterior(*(p.detach() for p in q)) if path_only else q
    return model.log_joint(x, z) - gaussian_log_prob(z, *held)


def refine_posterior(
    model: LatentModel,
    x: Tensor,
    start: Posterior | None = None,
    search: Search = Search(),
    *,
    rng: torch.Generator,
) -> Posterior:
    r"""Climb the ELBO of each image in its own mu and log sigma^2; the model rests.

    .. math:: q^*_n = \arg\max_{\mu,\sigma} \mathcal L(x_n; \mu, \sigma)

    Adam on fresh draws, its rate falling to zero along half a cosine. The gradient is
    the path's alone, whose noise vanishes where q meets the posterior, so that the
    place of the maximum is found to more digits than the height of one draw.

    Parameters
    ----------
    x : Tensor (N, D)
    start : Posterior, optional
        The encoder's unless another is given.
    search : Search
        How far to climb, and how fast.

    Returns
    -------
    Posterior
        ``mu`` and ``log_var`` (N, L): a local maximum, from ``start``.

    Equation: eq-evaluation-best-q (Cremer et al. 2018; Roeder et al. 2017)
    """
    with_density(model)
    images_of(x)
    num_samples = search.num_samples

    def height(*q: Tensor) -> Tensor:
        log_w = elbo_draws(
            model, x, Posterior(*q), num_samples, path_only=True, rng=rng
        )
        return log_w.mean(0).sum()

    return Posterior(*climb_by_adam(height, start or model.posterior(x), search))
