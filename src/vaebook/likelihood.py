r"""Log-likelihoods: what a model says about data, in nats (chapter 1)."""

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

LOG_2PI = math.log(2.0 * math.pi)


def gaussian_log_prob(x: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    r"""Log-density of a diagonal Gaussian, one value per example.

    .. math:: -\tfrac12 \sum_d [\log 2\pi + \log\sigma_d^2 + (x_d-\mu_d)^2/\sigma_d^2]

    Parameters
    ----------
    x, mu, log_var : Tensor (..., D)
        Broadcast together; ``log_var`` is log sigma^2.

    Returns
    -------
    Tensor (...,)
        Nats; summed over D, not averaged over examples.

    Raises
    ------
    ValueError
        If the last axes differ; the message gives the three shapes.

    Equation: eq-vae-gaussian-log-prob
    """
    _check_last_axes(x=x, mu=mu, log_var=log_var)
    squared = (x - mu).square() * torch.exp(-log_var)
    return -0.5 * (LOG_2PI + log_var + squared).sum(-1)


def bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    r"""Log-probability of independent binary pixels, from logits.

    .. math:: \sum_d [x_d\,\ell_d - \log(1 + e^{\ell_d})], \qquad
              \ell_d = \log\frac{\pi_d}{1-\pi_d}

    The logit form stays finite where ``log(1 - sigmoid(l))`` is minus infinity.

    Parameters
    ----------
    x : Tensor (..., D)
        Pixels, 0 or 1. Values in between are accepted, but the result is then
        not a log-probability: nothing normalises it.
    logits : Tensor (..., D)
        Log-odds of a lit pixel; broadcasts with ``x``.

    Returns
    -------
    Tensor (...,)
        Nats; summed over D, not averaged over examples.

    Raises
    ------
    ValueError
        If the last axes differ; the message gives both shapes.

    Equation: eq-vae-bernoulli-log-prob
    """
    _check_last_axes(x=x, logits=logits)
    return (x * logits - softplus(logits)).sum(-1)


def _check_last_axes(**tensors: Tensor) -> None:
    """Raise ValueError unless every tensor has the same last axis."""
    if len({t.shape[-1:] for t in tensors.values()}) > 1:
        shapes = ", ".join(f"{name} {tuple(t.shape)}" for name, t in tensors.items())
        raise ValueError(f"the last axes must be equal; received {shapes}")
