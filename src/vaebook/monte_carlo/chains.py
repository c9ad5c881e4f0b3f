r"""Metropolis: draws from a density known up to a constant (chapter 6)."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import at_least, finite_draws, has_shape, positive
from vaebook.monte_carlo.estimates import Estimate


class Chain(NamedTuple):
    """States of a Markov chain: ``draws`` (S, L), and the share of proposals that were
    accepted."""

    draws: Tensor
    acceptance: float


def metropolis(
    log_density: Callable[[Tensor], Tensor],
    start: Tensor,
    step: float,
    num_samples: int,
    *,
    rng: torch.Generator,
) -> Chain:
    r"""Random-walk Metropolis: propose a Gaussian step, accept it with probability

    .. math:: \min\Bigl(1, \frac{p(z')}{p(z)}\Bigr).

    Parameters
    ----------
    log_density : callable
        (L,) to () nats, up to a constant; -inf where the density is 0.
    start : Tensor (L,)
        Where the density is positive.
    step : float
        Standard deviation of a proposal in each coordinate.
    num_samples : int
        States after the start; a rejection repeats the state.

    Equation: eq-monte-carlo-metropolis (Metropolis et al. 1953)
    """
    positive("step", step)
    at_least("num_samples", num_samples, 1)
    z = start
    log_p = _log_density_at(start, log_density)
    like = {"generator": rng, "dtype": start.dtype}
    moves = step * torch.randn(num_samples, len(start), **like)
    log_u = torch.rand(num_samples, **like).log()
    draws = torch.empty_like(moves)
    accepted = 0
    for s in range(num_samples):
        proposed = z + moves[s]
        log_proposed = _below_infinity(log_density(proposed))
        if log_u[s] < log_proposed - log_p:
            z, log_p, accepted = proposed, log_proposed, accepted + 1
        draws[s] = z
    return Chain(draws, accepted / num_samples)


def _log_density_at(start: Tensor, log_density: Callable[[Tensor], Tensor]) -> Tensor:
    has_shape("start", start, -1)
    if not start.is_floating_point():
        raise ValueError(f"start must be of a float type; received {start.dtype}")
    log_p = _below_infinity(log_density(start))
    if log_p == -math.inf:
        raise ValueError(f"start must have a density above 0; received {start}")
    return log_p


def _below_infinity(log_p: Tensor) -> Tensor:
    if not log_p < math.inf:
        raise ValueError(f"log_density must be below infinity; received {log_p}")
    return log_p


def autocorrelation(values: Tensor) -> Tensor:
    r"""Correlation of a series with itself at each lag 0, 1, ..., S - 1; (S,).

    .. math:: \hat\rho_t = \frac{\sum_s (f_s-\bar f)(f_{s+t}-\bar f)}
              {\sum_s (f_s-\bar f)^2}

    By a Fourier transform, padded so that the ends do not meet.

    Equation: eq-monte-carlo-autocorrelation
    """
    values = finite_draws("values", values)
    if (values == values[0]).all():
        raise ValueError("values must vary; received one value throughout")
    centred = values - values.mean()
    spectrum = torch.fft.rfft(centred, 2 * len(values)).abs().square()
    products = torch.fft.irfft(spectrum, 2 * len(values))[: len(values)]
    return products / products[0]


def autocorrelation_time(values: Tensor) -> float:
    r"""How many draws of a chain are worth one independent draw.

    .. math:: \tau = 1 + 2\sum_{t\ge1}\rho_t

    Summed over pairs of lags while they add up to more than 0 (Geyer 1992); at least
    1 / log10(S), or the error of an alternating chain might all but vanish.

    Equation: eq-monte-carlo-autocorrelation-time
    """
    rho = autocorrelation(values)
    pairs = rho[: len(rho) // 2 * 2].reshape(-1, 2).sum(1)
    negative = (pairs <= 0).nonzero()
    last = negative[0].item() if len(negative) else len(pairs)
    return max(2 * pairs[:last].sum().item() - 1, 1 / math.log10(max(len(values), 10)))


def chain_estimate(values: Tensor) -> Estimate:
    r"""Mean of a function along a chain, with the error of its dependent draws.

    .. math:: \mathrm{SE} = \sqrt{\tau\, \mathrm{var}(f)/S}

    Equation: eq-monte-carlo-chain-error
    """
    values = finite_draws("values", values)
    worth = len(values) / autocorrelation_time(values)
    error = values.std(correction=1).item() / worth**0.5
    return Estimate(values.mean().item(), error, len(values))
