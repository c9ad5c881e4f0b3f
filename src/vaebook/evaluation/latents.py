r"""Where the codes of all images lie together: the aggregate posterior (chapter 11)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import at_least, has_shape, same_shape
from vaebook.evaluation.requests import with_density
from vaebook.likelihood import gaussian_log_prob
from vaebook.monte_carlo import Estimate, estimate
from vaebook.reparameterization import gaussian_rsample
from vaebook.vae import LatentModel, Posterior

ACTIVE = 0.01  # of the variance of a posterior mean over images (Burda et al. 2016)


def aggregate_log_prob(q: Posterior, z: Tensor, *, chunk: int = 500) -> Tensor:
    r"""Log-density of a code drawn for an image drawn at random, (M, L) to (M,) nats.

    .. math:: q(z) = \frac1N\sum_n q(z \mid x_n)

    A mixture with one Gaussian for each image. Memory holds ``chunk`` codes at a time.

    Parameters
    ----------
    q : Posterior
        ``mu`` and ``log_var`` (N, L).
    z : Tensor (M, L)

    Equation: eq-evaluation-aggregate
    """
    same_shape(mu=q.mu, log_var=q.log_var)
    has_shape("z", z, -1, has_shape("q.mu", q.mu, -1, -1).shape[1])
    at_least("chunk", chunk, 1)
    parts = []
    for some in z.split(chunk):
        each = gaussian_log_prob(some[:, None], q.mu, q.log_var)  # (M, N)
        parts.append(torch.logsumexp(each, 1) - math.log(len(q.mu)))
    return torch.cat(parts)


class KlParts(NamedTuple):
    """The mean KL(q(z|x) || p(z)) and its two parts, nats per image.

    Attributes
    ----------
    kl : float
        As the model has it: in closed form for a Gaussian prior.
    information : Estimate
        I(x; z), of the image drawn at random from those given: at most log N.
    marginal : Estimate
        KL(q(z) || p(z)): how far the crowd of codes is from the prior.
    """

    kl: float
    information: Estimate
    marginal: Estimate


@torch.no_grad()
def kl_parts(
    model: LatentModel, x: Tensor, num_samples: int = 20, *, rng: torch.Generator
) -> KlParts:
    r"""Take the mean KL apart into what codes say of images and where they lie.

    .. math:: \frac1N\sum_n KL(q(z|x_n)\|p(z)) = I(x; z) + KL(q(z)\|p(z))

    Both parts from the same ``num_samples`` draws of each image: their errors are those
    of means over images of means over draws.

    Parameters
    ----------
    x : Tensor (N, D)

    Equation: eq-evaluation-kl-parts (Hoffman & Johnson 2016)
    """
    q = with_density(model).posterior(x)
    z = gaussian_rsample(*q, num_samples, rng=rng)  # (S, N, L)
    own = gaussian_log_prob(z, *q)
    crowd = aggregate_log_prob(q, z.flatten(0, 1)).reshape(own.shape)
    prior = model.code_log_prob(z)
    return KlParts(
        model.code_kl(q, z).double().mean().item(),
        estimate((own - crowd).double().mean(0)),
        estimate((crowd - prior).double().mean(0)),
    )


def active_units(q: Posterior) -> Tensor:
    r"""Which latents answer to the image: (L,) bool.

    .. math:: \mathrm{Var}_x\bigl(\mathbb E_{q(z|x)}[z_l]\bigr) > 0.01

    Equation: eq-evaluation-active-units (Burda et al. 2016)
    """
    at_least("the number of images", len(q.mu), 2)
    return q.mu.var(0) > ACTIVE
