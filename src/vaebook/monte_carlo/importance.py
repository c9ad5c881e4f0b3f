r"""Monte Carlo: averages in place of integrals, with their errors (chapter 6)."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import at_least, finite_draws, has_shape, same_shape
from vaebook.monte_carlo.estimates import Estimate, estimate

FEWEST_FOR_TAIL = 25  # draws: of fewer the largest don't show a tail


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
    return torch.logsumexp(log_w, dim) - math.log(_number(log_w, dim))


def _number(log_w: Tensor, dim: int = 0, least: int = 1) -> int:
    """How many weights there are along ``dim``: enough, and none infinite or nan."""
    number = log_w.shape[dim] if log_w.ndim else 0
    at_least("the number of samples", number, least)
    if not (log_w < math.inf).all():
        raise ValueError(f"log_w must be below infinity; received {log_w.max():g}")
    return number


def _above_zero(log_w: Tensor, least: int = 1) -> None:
    if (log_w == -math.inf).any():
        raise ValueError(f"log_w must hold {least} weights above 0; received fewer")


def effective_sample_size(log_w: Tensor, dim: int = 0) -> Tensor:
    r"""How many equal weights the weights are worth: between 1 and S.

    .. math:: \mathrm{ESS} = \Big(\sum_s w_s\Big)^2 \Big/ \sum_s w_s^2

    Parameters
    ----------
    log_w : Tensor
        Log-weights; ``dim`` is the axis of the S samples.

    Equation: eq-monte-carlo-ess (Kong 1992)
    """
    _number(log_w, dim)
    _above_zero(log_w.amax(dim))
    return 1 / torch.softmax(log_w, dim).square().sum(dim)


def importance_estimate(values: Tensor, log_w: Tensor) -> Estimate:
    r"""Expectation under p from draws of q, unbiased.

    .. math:: \tfrac1S\sum_s w_s f_s, \qquad w_s = p(z_s)/q(z_s)

    ``values`` f and ``log_w`` (S,), both densities normalised.

    Equation: eq-monte-carlo-importance
    """
    same_shape(values=values, log_w=log_w)
    _number(log_w, least=2)
    return estimate(log_w.double().exp() * finite_draws("values", values))


def self_normalized_estimate(values: Tensor, log_w: Tensor) -> Estimate:
    r"""The same for a p known up to a constant: consistent, with a bias of order 1/S.

    .. math:: \hat\mu = \sum_s \bar w_s f_s, \quad \bar w_s = \frac{w_s}{\sum_r w_r},
              \qquad \mathrm{SE} = \sqrt{\sum_s \bar w_s^2 (f_s-\hat\mu)^2}

    Equation: eq-monte-carlo-self-normalized (Owen 2013, section 9.2)
    """
    same_shape(values=values, log_w=log_w)
    values = finite_draws("values", values)
    _number(log_w)
    _above_zero(log_w.max())
    w = torch.softmax(log_w.double(), 0)
    mean = w @ values
    error = (w * (values - mean)).square().sum().sqrt()
    return Estimate(mean.item(), error.item(), len(values))


def tail_index(log_w: Tensor) -> Tensor:
    r"""How heavy the tail of the weights is, by Hill's estimator; () or (...,).

    .. math:: \hat k = \frac1M\sum_{m=1}^M\bigl[\log w_{(m)} - \log w_{(M+1)}\bigr]

    The M = ceil(3 sqrt(S)) largest weights count. From 1/2 on the variance of w is
    infinite, and no standard error means anything; from 1 on its mean is.

    Parameters
    ----------
    log_w : Tensor (S, ...)
        At least 25 draws along the first axis.

    Equation: eq-monte-carlo-tail-index (Hill 1975)
    """
    count = math.ceil(3 * math.sqrt(_number(log_w, least=FEWEST_FOR_TAIL)))
    largest = log_w.topk(count + 1, 0).values
    _above_zero(largest[-1], count + 1)
    return (largest[:-1] - largest[-1]).mean(0)


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
        Draws held at once, at least 1.

    Equation: eq-vae-iw-bound (Burda et al. 2016, eq. 8)
    """
    if num_samples < 2 or chunk < 1:
        raise ValueError(
            "num_samples must be at least 2 and chunk at least 1; "
            f"received {num_samples} and {chunk}"
        )
    log_sum = log_squares = torch.tensor(-math.inf, dtype=torch.float64)
    for start in range(0, num_samples, chunk):
        size = min(chunk, num_samples - start)
        name = f"draw_log_w({size})"
        log_w = has_shape(name, draw_log_w(size), size, -1).double()
        _number(log_w)
        log_sum = torch.logaddexp(log_sum, log_w.logsumexp(0))
        log_squares = torch.logaddexp(log_squares, (2 * log_w).logsumexp(0))
    _above_zero(log_sum)
    ess = torch.exp(2 * log_sum - log_squares)
    relative_var = (num_samples / ess - 1).clamp(min=0) / (num_samples - 1)
    value = log_sum - math.log(num_samples)
    return LogEvidence(value, relative_var.sqrt(), ess)
