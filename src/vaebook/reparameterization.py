r"""Gradients through randomness: a draw as a function of its parameters (chapter 7)."""

import torch
from torch import Tensor


def reparameterize(mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
    r"""Turn standard normal noise into a draw from N(mu, sigma^2).

    .. math:: z = \mu + \sigma\,\varepsilon, \qquad \sigma = e^{\frac12\log\sigma^2}

    With ``eps`` fixed this is a smooth function of ``mu`` and ``log_var``, so the
    gradient of an average over draws is the average of the gradients.

    Parameters
    ----------
    mu, log_var : Tensor (N, L)
        ``log_var`` is log sigma^2: the factor one half makes it a standard deviation.
    eps : Tensor (N, L) or (S, N, L)
        Standard normal noise.

    Returns
    -------
    Tensor
        Of the shape of ``eps``.

    Equation: eq-vae-reparameterization (Kingma & Welling 2014)
    """
    return mu + torch.exp(0.5 * log_var) * eps


def gaussian_rsample(
    mu: Tensor, log_var: Tensor, num_samples: int | None = None, *, rng: torch.Generator
) -> Tensor:
    """Draw from N(mu, sigma^2); gradients reach ``mu`` and ``log_var``.

    Parameters
    ----------
    mu, log_var : Tensor (N, L)
    num_samples : int, optional
        S >= 1 draws per example; ``None`` gives one, without the axis S.
    rng : torch.Generator
        The only source of randomness; on the device of ``mu``.

    Returns
    -------
    Tensor (N, L) or (S, N, L)

    Raises
    ------
    ValueError
        If ``num_samples`` is below 1.
    """
    if num_samples is not None and num_samples < 1:
        raise ValueError(f"num_samples must be at least 1; received {num_samples}")
    shape = mu.shape if num_samples is None else (num_samples, *mu.shape)
    eps = torch.randn(shape, generator=rng, dtype=mu.dtype, device=mu.device)
    return reparameterize(mu, log_var, eps)
