r"""Variational inference: the Kullback-Leibler divergence and the ELBO (chapter 5)."""

from typing import NamedTuple

import torch
from torch import Tensor


class ElboTerms(NamedTuple):
    """The two halves of the evidence lower bound, one pair per example.

    Attributes
    ----------
    expected_log_lik : Tensor (N,)
        E_q[log p(x|z)], nats, summed over pixels.
    kl : Tensor (N,)
        KL(q(z|x) || p(z)), nats, never negative.
    """

    expected_log_lik: Tensor
    kl: Tensor

    @property
    def elbo(self) -> Tensor:
        """The bound itself, (N,) nats; higher is better."""
        return elbo(self.expected_log_lik, self.kl)


def elbo(expected_log_lik: Tensor, kl: Tensor) -> Tensor:
    r"""Evidence lower bound of each example: higher is better.

    .. math:: \mathcal L(x) = E_{q(z|x)}[\log p(x|z)] - KL(q(z|x) \| p(z))
              \le \log p(x)

    Parameters
    ----------
    expected_log_lik, kl : Tensor (N,)
        Nats.

    Returns
    -------
    Tensor (N,)
        Nats, one value per example.

    Equation: eq-vae-elbo
    """
    return expected_log_lik - kl


def gaussian_kl(mu: Tensor, log_var: Tensor) -> Tensor:
    r"""KL divergence of a diagonal Gaussian from the standard normal.

    .. math:: KL(\mathcal N(\mu, \sigma^2) \| \mathcal N(0, I))
              = \tfrac12 \sum_l [\mu_l^2 + \sigma_l^2 - 1 - \log\sigma_l^2]

    Parameters
    ----------
    mu, log_var : Tensor (..., L)
        Of q; ``log_var`` is log sigma^2.

    Returns
    -------
    Tensor (...,)
        Nats, summed over L; zero exactly when q is the standard normal.

    Raises
    ------
    ValueError
        If the shapes differ; the message gives both.

    Equation: eq-vae-gaussian-kl (Kingma & Welling 2014, appendix B)
    """
    return gaussian_kl_per_latent(mu, log_var).sum(-1)


def gaussian_kl_per_latent(mu: Tensor, log_var: Tensor) -> Tensor:
    """The terms that :func:`gaussian_kl` sums: (..., L) nats, each >= 0."""
    if mu.shape != log_var.shape:
        raise ValueError(
            "mu and log_var must have one shape; received "
            f"mu {tuple(mu.shape)}, log_var {tuple(log_var.shape)}"
        )
    # expm1 keeps digits when sigma is close to 1: sigma^2 - 1 - log sigma^2
    return 0.5 * (mu.square() + (torch.expm1(log_var) - log_var))
