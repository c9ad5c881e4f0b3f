r"""Monte Carlo: averages in place of integrals, with their errors (chapter 6)."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Estimate(NamedTuple):
    """A sample mean and its standard error, both in the unit of the values."""

    mean: float
    standard_error: float
    num_samples: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.standard_error:.3f}"


class LogEvidence(NamedTuple):
    """Importance-weighted bound on log p(x), one row per example.

    Attributes
    ----------
    value : Tensor (N,)
        Nats; its expectation is a lower bound on log p(x).
    standard_error : Tensor (N,)
        Nats, by the delta method; blind to mass that no draw has visited.
    ess : Tensor (N,)
        Effective sample size of the weights, 1 to S: a small one condemns the
        estimate, a large one does not acquit it.
    """

    value: Tensor
    standard_error: Tensor
    ess: Tensor


def estimate(values: Tensor) -> Estimate:
    r"""Mean of independent draws with its standard error.

    .. math:: \hat\mu = \tfrac1S\sum_s f_s, \qquad
              \mathrm{SE} = \sqrt{\tfrac{1}{S(S-1)}\sum_s (f_s-\hat\mu)^2}

    Parameters
    ----------
    values : Tensor (S,)
        At least two draws.

    Raises
    ------
    ValueError
        If ``values`` is not one axis of two or more numbers.

    Equation: eq-vae-standard-error
    """
    if values.ndim != 1 or len(values) < 2:
        shape = tuple(values.shape)
        raise ValueError(
            f"values must be one axis of at least 2 draws; received {shape}"
        )
    values = values.double()
    error = values.std(correction=1) / math.sqrt(len(values))
    return Estimate(values.mean().item(), error.item(), len(values))


def log_mean_exp(log_w: Tensor, dim: int = 0) -> Tensor:
    r"""Logarithm of the average of ``exp(log_w)`` along ``dim``, without overflow.

    .. math:: \log \tfrac1S \sum_s w_s
              = \operatorname{logsumexp}_s(\log w_s) - \log S

    Parameters
    ----------
    log_w : Tensor
        Log-weights; ``dim`` is the axis of the S samples.

    Equation: eq-vae-log-mean-exp
    """
    return torch.logsumexp(log_w, dim) - math.log(log_w.shape[dim])


def effective_sample_size(log_w: Tensor, dim: int = 0) -> Tensor:
    r"""How many equal weights the weights are worth: between 1 and S.

    .. math:: \mathrm{ESS} = \Big(\sum_s w_s\Big)^2 \Big/ \sum_s w_s^2

    Parameters
    ----------
    log_w : Tensor
        Log-weights; ``dim`` is the axis of the S samples.
    """
    squared = torch.logsumexp(2 * log_w, dim)
    return torch.exp(2 * torch.logsumexp(log_w, dim) - squared)


def iw_log_evidence(
    draw_log_w: Callable[[int], Tensor], num_samples: int, *, chunk: int = 100
) -> LogEvidence:
    r"""Importance-weighted bound on log p(x) from exactly ``num_samples`` draws.

    .. math:: \hat{\mathcal L}_S(x) = \log \tfrac1S\sum_{s=1}^S w_s, \qquad
              w_s = \frac{p(x, z_s)}{q(z_s|x)},\; z_s\sim q(z|x)

    Memory holds one chunk at a time, whatever ``num_samples`` is.

    Parameters
    ----------
    draw_log_w : callable
        ``draw_log_w(S)`` gives fresh log-weights (S, N), independent over calls.
    num_samples : int
        S >= 2: the number of draws, all of them used.
    chunk : int
        Draws held at once.

    Raises
    ------
    ValueError
        If ``num_samples`` < 2 or ``chunk`` < 1; the message gives what was received.

    Equation: eq-vae-iw-bound (Burda et al. 2016, eq. 8)
    """
    if num_samples < 2 or chunk < 1:
        raise ValueError(
            "num_samples must be at least 2 and chunk at least 1; "
            f"received {num_samples} and {chunk}"
        )
    log_sum = log_sum_squares = torch.tensor(-math.inf, dtype=torch.float64)
    for start in range(0, num_samples, chunk):
        log_w = draw_log_w(min(chunk, num_samples - start)).double()
        log_sum = torch.logaddexp(log_sum, log_w.logsumexp(0))
        log_sum_squares = torch.logaddexp(log_sum_squares, (2 * log_w).logsumexp(0))
    ess = torch.exp(2 * log_sum - log_sum_squares)
    relative_var = (num_samples / ess - 1).clamp(min=0) / (num_samples - 1)
    value = log_sum - math.log(num_samples)
    return LogEvidence(value, relative_var.sqrt(), ess)
