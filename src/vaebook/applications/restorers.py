r"""Ways to the posterior of a restoration's code, on one interface (chapter 12)."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.applications.restoration import Restoration
from vaebook.checks import at_least, finite, has_shape
from vaebook.evaluation import Moved, Search, adapted, climb_by_adam, hmc_step
from vaebook.likelihood import gaussian_log_prob
from vaebook.monte_carlo import effective_sample_size
from vaebook.reparameterization import gaussian_rsample

JITTER = 0.6, 1.2  # of each move's step size, times the one that was found
LEAPFROG = 5  # steps of each move
RISING = 2 / 3  # of the run before the run: the rest is at the posterior itself


class Chains(NamedTuple):
    """States of S chains for each of N images.

    Attributes
    ----------
    z : Tensor (T, S, N, L)
    accept : Tensor (N,)
        Mean probability with which a proposal was accepted.
    """

    z: Tensor
    accept: Tensor


class Resampled(NamedTuple):
    """Codes drawn again by their weights: ``z`` (S, N, L).

    ``ess`` (N,): the effective number of the draws that they come from. Of a draw that
    carries all of the weight, all are copies.
    """

    z: Tensor
    ess: Tensor


def most_probable(
    task: Restoration, starts: Tensor, search: Search | None = None
) -> Tensor:
    r"""The code of the highest posterior density that a climb finds: (N, L).

    .. math:: \hat z = \arg\max_z\; \log p(y \mid z) + \log p(z)

    Parameters
    ----------
    task : Restoration
    starts : Tensor (K, N, L)
        Where climbs begin; each image keeps the best of its K ends.
    search : Search, optional
        Steps of Adam and their falling rate.

    Equation: eq-applications-map
    """
    has_shape("starts", starts, -1, task.num_images, task.model.latent_dim)
    search = search or Search()
    (ends,) = climb_by_adam(lambda z: task.log_prob(z).sum(), [starts], search)
    with torch.no_grad():
        best = task.log_prob(ends).argmax(0)  # (N,)
    return ends[best, torch.arange(task.num_images)]


@torch.no_grad()
def resampled(
    task: Restoration,
    num_draws: int,
    num_kept: int,
    *,
    chunk: int = 500,
    rng: torch.Generator,
) -> Resampled:
    r"""Importance resampling from the prior: the same blind codes for every image.

    .. math:: P(s) \propto p(y \mid z_s), \qquad z_s \sim p(z)

    Memory holds ``chunk`` codes of each image at a time.

    Equation: eq-applications-resampling
    """
    at_least("num_draws", num_draws, 2)
    at_least("num_kept", num_kept, 1)
    z = task.model.prior_draws(num_draws, rng=rng)
    log_w = torch.cat(
        [
            task.log_likelihood(some[:, None])  # (C, 1, L), the same for every image
            for some in z.split(chunk)
        ]
    ).double()  # (M, N)
    shares = torch.softmax(log_w, 0).T  # (N, M)
    kept = torch.multinomial(shares, num_kept, replacement=True, generator=rng)
    return Resampled(z[kept.T], effective_sample_size(log_w))


@torch.no_grad()
def gibbs(
    task: Restoration,
    z: Tensor,
    num_steps: int,
    *,
    corrected: bool = True,
    rng: torch.Generator,
) -> Chains:
    r"""Complete the image, ask the encoder for its code, and accept it or not.

    .. math:: x \sim p(x \mid z, y), \qquad z' \sim q(z \mid x), \qquad
              \mathrm{acc} = \min\Bigl(1, \frac{p(x, z')\, q(z \mid x)}{p(x, z)\,
              q(z' \mid x)}\Bigr)

    ``corrected`` false accepts all: the pseudo-Gibbs sampler, which is right only where
    the encoder is, and where the encoder is far off it may run away.

    Parameters
    ----------
    task : Restoration
    z : Tensor (S, N, L)
        Where chains begin.
    num_steps : int

    Raises
    ------
    ValueError
        If a chain ran away until its code was no longer finite.

    Equation: eq-applications-within-gibbs (Mattei & Frellsen 2018)
    """
    _check_chains(task, z, num_steps)
    model = task.model

    def move(z: Tensor) -> Moved:
        x = task.draw_image(z, rng=rng)  # (S, N, D)
        q = model.posterior(x)
        new = gaussian_rsample(*q, rng=rng)
        log_ratio = model.log_joint(x, new) - model.log_joint(x, z)
        log_ratio = log_ratio + gaussian_log_prob(z, *q) - gaussian_log_prob(new, *q)
        if not corrected:
            log_ratio = torch.zeros_like(log_ratio)
        accept = log_ratio.nan_to_num(nan=-math.inf).clamp(max=0).exp()
        moves = torch.empty_like(accept).uniform_(generator=rng) < accept
        return Moved(torch.where(moves[..., None], new, z), accept)

    return _followed(move, z, num_steps)


def hmc(
    task: Restoration,
    z: Tensor,
    num_steps: int,
    *,
    num_before: int = 300,
    annealed: bool = True,
    rng: torch.Generator,
) -> Chains:
    r"""Hamiltonian Monte Carlo on the code, after a run that is thrown away.

    .. math:: \log p(z) + \beta_t \log p(y \mid z), \qquad \beta_t \nearrow 1

    The run before finds the step size of each image. In its first two thirds it also
    brings the likelihood in by and by, so that chains from the prior are led to the
    large hills of the posterior; let loose on it at once (``annealed`` false), some
    climb a poor hill and stay there. Each move draws its step size around the one that
    was found: of equal moves some would end where they began, as a pendulum does after
    each swing (Neal 2011).

    Parameters
    ----------
    task : Restoration
    z : Tensor (S, N, L)
        Where chains begin: draws of the prior.
    num_steps : int
        States that are kept, after ``num_before`` that are not.
    """
    _check_chains(task, z, num_steps)
    at_least("num_before", num_before, 1)
    prior = task.model.code_log_prob

    def move(z: Tensor, beta: float = 1.0) -> Moved:
        factor = torch.empty_like(z[..., 0]).uniform_(*JITTER, generator=rng)  # (S, N)

        def density(z: Tensor) -> Tensor:
            return prior(z) + beta * task.log_likelihood(z)

        return hmc_step(density, z, step * factor, LEAPFROG, rng=rng)

    step = z.new_full((task.num_images,), 0.1)
    for t in range(1, num_before + 1):
        z, accept = move(z, min(1.0, t / (RISING * num_before)) if annealed else 1.0)
        step = adapted(step, accept)
    return _followed(move, z, num_steps)


def _followed(move: Callable[[Tensor], Moved], z: Tensor, num_steps: int) -> Chains:
    """The states that so many moves lead through, from ``z`` (S, N, L)."""
    states, accepted = [], []
    for _ in range(num_steps):
        z, accept = move(z)
        states.append(z)
        accepted.append(accept.mean(0))
    finite("codes of the chains", z)
    return Chains(torch.stack(states), torch.stack(accepted).mean(0))


def spread_states(chains: Chains, num: int) -> Tensor:
    """So many states, evenly along the run and of each chain in turn: (num, N, L)."""
    length, width = chains.z.shape[:2]
    at_least("the number of states", length * width, num)
    each = torch.arange(num)
    return chains.z[each * length // num, each % width]


def _check_chains(task: Restoration, z: Tensor, num_steps: int) -> None:
    at_least("num_steps", num_steps, 1)
    has_shape("z", z, -1, task.num_images, task.model.latent_dim)
