r"""Hamiltonian Monte Carlo: many chains side by side, and split R-hat (chapter 11)."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import at_least, has_shape, positive

LogDensity = Callable[[Tensor], Tensor]
AIM = 0.65  # of the acceptance: near the best rate for many latents (Neal 2011)


class Place(NamedTuple):
    """Where chains are, and the density there.

    Attributes
    ----------
    z : Tensor (..., L)
    log_p : Tensor (...,)
        Nats, up to a constant.
    slope : Tensor (..., L)
        Gradient of ``log_p``.
    """

    z: Tensor
    log_p: Tensor
    slope: Tensor


class Moved(NamedTuple):
    """Chains after a transition.

    Attributes
    ----------
    z : Tensor (..., L)
    accept : Tensor (...,)
        The probability with which each proposal was accepted.
    """

    z: Tensor
    accept: Tensor


def look(log_density: LogDensity, z: Tensor) -> Place:
    """The density and its gradient at each place, (..., L)."""
    with torch.enable_grad():
        at = z.detach().requires_grad_()
        log_p = log_density(at)
        (slope,) = torch.autograd.grad(log_p.sum(), at)
    return Place(at.detach(), log_p.detach(), slope)


def leapfrog(
    log_density: LogDensity, start: Place, r: Tensor, step: Tensor, num_steps: int
) -> tuple[Place, Tensor]:
    r"""Follow the motion of a particle with the potential -log p, in small steps.

    .. math:: r \mathrel{+}= \tfrac\eta2\nabla\log p(z), \quad z \mathrel{+}= \eta r,
              \quad r \mathrel{+}= \tfrac\eta2\nabla\log p(z)

    It keeps volumes, and retraces its way when the momentum is turned round: that makes
    the acceptance so simple.

    Parameters
    ----------
    log_density : callable
        (..., L) to (...,) nats, up to a constant; each chain by itself.
    start : Place
    r : Tensor (..., L)
        Momentum.
    step : Tensor (...,)
        Step size eta of each chain.
    num_steps : int
        At least 1.

    Returns
    -------
    Place, Tensor
        Where the particle is, and its momentum there.

    Equation: eq-evaluation-leapfrog (Neal 2011)
    """
    at_least("num_steps", num_steps, 1)
    eta, at = step[..., None], start
    for _ in range(num_steps):
        r = r + 0.5 * eta * at.slope
        at = look(log_density, at.z + eta * r)
        r = r + 0.5 * eta * at.slope
    return at, r


@torch.no_grad()
def hmc_step(
    log_density: LogDensity,
    z: Tensor,
    step: Tensor,
    num_leapfrog: int = 5,
    *,
    rng: torch.Generator,
) -> Moved:
    r"""One transition of every chain; it leaves the density as it is.

    .. math:: \min\Bigl(1, \exp\bigl[H(z, r) - H(z', r')\bigr]\Bigr),
              \qquad H = -\log p(z) + \tfrac12\lVert r\rVert^2

    Parameters
    ----------
    log_density : callable
        (..., L) to (...,) nats, up to a constant.
    z : Tensor (..., L)
    step : Tensor
        Step sizes, broadcast to (...,); all above 0.
    num_leapfrog : int
        Steps of the motion, at least 1; as many gradients, and one more.

    Equation: eq-evaluation-hmc (Duane et al. 1987)
    """
    step = positive("step", step).to(z).expand(z.shape[:-1])
    like = {"generator": rng, "dtype": z.dtype, "device": z.device}
    before, r = look(log_density, z), torch.randn(z.shape, **like)
    after, r_after = leapfrog(log_density, before, r, step, num_leapfrog)

    gain = _energy(before, r) - _energy(after, r_after)
    accept = gain.nan_to_num(nan=-math.inf).clamp(max=0).exp()
    moves = torch.rand(accept.shape, **like) < accept
    return Moved(torch.where(moves[..., None], after.z, z), accept)


def _energy(at: Place, r: Tensor) -> Tensor:
    """H of each chain: what the exact motion would keep."""
    return 0.5 * r.square().sum(-1) - at.log_p


def adapted(step: Tensor, accept: Tensor, rate: float = 0.1) -> Tensor:
    r"""The next step size: larger where more was accepted than aimed for.

    .. math:: \log\eta \leftarrow \log\eta + \rho\,(\bar a - 0.65)

    ``step`` (N,); ``accept`` (S, N), averaged over the chains of an image. Only for a
    run before the run: a step that looks at its own chain is no longer a Markov one.
    """
    return step * torch.exp(rate * (accept.mean(0) - AIM))


def split_r_hat(draws: Tensor) -> Tensor:
    r"""Do chains agree with each other, and each with its own past? 1 if they do.

    .. math:: \hat R = \sqrt{\frac{\frac{M-1}{M} W + \frac1M B}{W}}

    Each chain is cut into two halves of M states; W is the mean of their variances, B
    is M times the variance of their means.

    Parameters
    ----------
    draws : Tensor (T, S, ...)
        T >= 4 states of S chains; further axes are quantities.

    Returns
    -------
    Tensor (...,)
        About 1; above 1.01 something has not mixed (Vehtari et al. 2021). Infinite
        where no chain has moved.

    Equation: eq-evaluation-r-hat (Gelman et al. 2013, section 11.4)
    """
    if draws.ndim < 2:
        has_shape("draws", draws, -1, -1)
    at_least("the number of states", len(draws), 4)
    half = len(draws) // 2
    halves = torch.cat([draws[:half], draws[-half:]], 1)  # (T/2, 2S, ...)
    within = halves.var(0).mean(0)
    between = half * halves.mean(0).var(0)
    r_hat = ((half - 1) / half + between / (half * within)).sqrt()
    return torch.where(within > 0, r_hat, math.inf)
