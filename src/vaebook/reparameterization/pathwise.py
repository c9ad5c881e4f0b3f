r"""Gradients through randomness: a draw as a function of its parameters (chapter 7)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import at_least, has_shape, same_last_axis, same_shape
from vaebook.likelihood import gaussian_log_prob


class GaussianGradient(NamedTuple):
    """Derivatives with respect to the ``mu`` and the ``log_var`` of a Gaussian.

    Both (S, L), one row per draw; or (L,), if they are means or variances.
    """

    mu: Tensor
    log_var: Tensor


def reparameterize(mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
    r"""Turn standard normal noise into a draw from N(mu, sigma^2).

    .. math:: z = \mu + \sigma\,\varepsilon, \qquad \sigma = e^{\frac12\log\sigma^2}

    With ``eps`` fixed this is a smooth function of ``mu`` and ``log_var``, so the
    gradient of an average over draws is the average of the gradients.

    Parameters
    ----------
    mu, log_var : Tensor (N, L)
        ``log_var`` is log sigma^2: the factor one half makes it a standard deviation.
    eps : Tensor (N, L), (S, N, L), or (S, 1, L) for the same noise in each row
        Standard normal noise.

    Returns
    -------
    Tensor (N, L) or (S, N, L)

    Equation: eq-vae-reparameterization (Kingma & Welling 2014)
    """
    same_last_axis(mu=mu, log_var=log_var, eps=eps)
    return mu + torch.exp(0.5 * log_var) * eps


def standard_noise(
    shape: Sequence[int],
    num_samples: int | None = None,
    *,
    like: Tensor,
    rng: torch.Generator,
) -> Tensor:
    """Draws from N(0, 1), each by itself.

    Parameters
    ----------
    shape : sequence of int
        Of one draw, (N, L).
    num_samples : int, optional
        S >= 1 of them along a new first axis; ``None`` gives one, without that axis.
    like : Tensor
        Whose type and device the noise has.
    rng : torch.Generator
        The only source of randomness; on the device of ``like``.

    Returns
    -------
    Tensor (N, L) or (S, N, L)

    Raises
    ------
    ValueError
        If ``num_samples`` is below 1.
    """
    if num_samples is not None:
        at_least("num_samples", num_samples, 1)
        shape = (num_samples, *shape)
    return torch.randn(shape, generator=rng, dtype=like.dtype, device=like.device)


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
        If ``num_samples`` is below 1, or the two shapes differ.
    """
    same_shape(mu=mu, log_var=log_var)
    eps = standard_noise(mu.shape, num_samples, like=mu, rng=rng)
    return reparameterize(mu, log_var, eps)


def pathwise_gradient(
    f: Callable[[Tensor], Tensor], mu: Tensor, log_var: Tensor, eps: Tensor
) -> GaussianGradient:
    r"""Pathwise estimates of the gradient of E_q[f(z)], one per draw.

    .. math:: \frac{\partial f}{\partial\mu} = f'(z), \quad
              \frac{\partial f}{\partial\log\sigma^2} = \tfrac12\sigma\varepsilon f'(z)

    Unbiased where f is continuous, and differentiable but for single points. A value
    without a path of derivatives from z, a comparison say, is refused.

    Parameters
    ----------
    f : callable
        (S, L) to (S,), each value a function of its own row only.
    mu, log_var : Tensor (L,)
    eps : Tensor (S, L)
        Standard normal noise.

    Equation: eq-reparameterization-pathwise
    """
    z = reparameterize(mu, log_var, eps).detach().requires_grad_()
    values = has_shape("f(z)", f(z), len(eps))
    if not values.requires_grad:
        raise ValueError("f must be differentiable; received values without a gradient")
    (slope,) = torch.autograd.grad(values.sum(), z)
    return GaussianGradient(slope, 0.5 * torch.exp(0.5 * log_var) * eps * slope)


def sampled_elbo(
    log_joint: Callable[[Tensor], Tensor],
    mu: Tensor,
    log_var: Tensor,
    eps: Tensor,
    *,
    path_only: bool = False,
) -> Tensor:
    r"""The ELBO with nothing in closed form, one estimate per draw: (S,) nats.

    .. math:: \log p(x, z_s) - \log q(z_s), \qquad z_s = \mu + \sigma\varepsilon_s

    Parameters
    ----------
    log_joint : callable
        log p(x, z) of ``z`` (S, L), (S,) nats.
    mu, log_var : Tensor (L,)
        Of q.
    eps : Tensor (S, L)
        Standard normal noise.
    path_only : bool
        Let the gradient reach log q through z alone. Its other part has mean zero, so
        the gradient stays unbiased; it vanishes, draw by draw, where q is the
        posterior.

    Equation: eq-reparameterization-sampled-elbo (Roeder et al. 2017 for path_only)
    """
    z = reparameterize(mu, log_var, eps)
    held = (mu.detach(), log_var.detach()) if path_only else (mu, log_var)
    values = has_shape("log_joint(z)", log_joint(z), len(eps))
    return values - gaussian_log_prob(z, *held)
