r"""Variational inference: the Kullback-Leibler divergence and the ELBO (chapter 5)."""

import torch
from torch import Tensor

from vaebook.checks import (
    cholesky,
    has_shape,
    probabilities,
    same_last_axis,
    same_shape,
)
from vaebook.likelihood import LOG_2PI, FullGaussian


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
    same_shape(mu=mu, log_var=log_var)
    # expm1 keeps digits when sigma is close to 1: sigma^2 - 1 - log sigma^2
    return 0.5 * (mu.square() + (torch.expm1(log_var) - log_var))


def gaussian_kl_between(
    mu_q: Tensor, log_var_q: Tensor, mu_p: Tensor, log_var_p: Tensor
) -> Tensor:
    r"""KL divergence of one diagonal Gaussian from another, (..., L) to (...,) nats.

    .. math:: \tfrac12\sum_l\Big[\log\frac{\sigma_{p,l}^2}{\sigma_{q,l}^2} - 1
              + \frac{\sigma_{q,l}^2 + (\mu_{q,l}-\mu_{p,l})^2}{\sigma_{p,l}^2}\Big]

    Equation: eq-variational-diagonal-kl
    """
    same_last_axis(mu_q=mu_q, log_var_q=log_var_q, mu_p=mu_p, log_var_p=log_var_p)
    standard = (mu_q - mu_p) * torch.exp(-0.5 * log_var_p)  # in units of p's sigma
    return gaussian_kl(*torch.broadcast_tensors(standard, log_var_q - log_var_p))


def full_gaussian_kl(q: FullGaussian, p: FullGaussian) -> Tensor:
    r"""KL divergence of one Gaussian from another; ``q.mu`` (..., L) to (...,) nats.

    .. math:: \tfrac12\Big[\log\frac{|\Sigma_p|}{|\Sigma_q|} - L
              + \mathrm{tr}(\Sigma_p^{-1}\Sigma_q)
              + (\mu_q-\mu_p)^\top\Sigma_p^{-1}(\mu_q-\mu_p)\Big]

    Raises
    ------
    ValueError
        If a covariance is not positive definite, or the widths differ.

    Equation: eq-variational-full-kl
    """
    same_last_axis(**{"q.mu": q.mu, "p.mu": p.mu, "q.cov": q.cov, "p.cov": p.cov})
    has_shape("q.cov", q.cov, -1, -1)
    has_shape("p.cov", p.cov, -1, -1)
    chol_q, chol_p = cholesky("q.cov", q.cov), cholesky("p.cov", p.cov)
    scale = torch.linalg.solve_triangular(chol_p, chol_q, upper=False)
    shift = (q.mu - p.mu)[..., None]
    shift = torch.linalg.solve_triangular(chol_p, shift, upper=False)
    log_det = 2 * scale.diagonal().log().sum()
    return 0.5 * (
        scale.square().sum() - len(scale) - log_det + shift.square().sum((-2, -1))
    )


def bernoulli_kl(probs_q: Tensor, probs_p: Tensor) -> Tensor:
    r"""KL divergence between independent coins, (..., D) to (...,) nats.

    .. math:: \sum_d\Big[q_d\log\frac{q_d}{p_d} + (1-q_d)\log\frac{1-q_d}{1-p_d}\Big]

    Infinite where p excludes what q allows.

    Equation: eq-variational-bernoulli-kl
    """
    same_last_axis(probs_q=probs_q, probs_p=probs_p)
    q, p = _both_sides("probs_q", probs_q), _both_sides("probs_p", probs_p)
    return categorical_kl(q, p).sum(-1)


def _both_sides(name: str, probs: Tensor) -> Tensor:
    if not ((probs >= 0) & (probs <= 1)).all():
        worst = probs.max() if (probs > 1).any() else probs.min()
        raise ValueError(f"{name} must be from 0 to 1; received {worst:.6g}")
    return torch.stack([probs, 1 - probs], -1)


def categorical_kl(probs_q: Tensor, probs_p: Tensor) -> Tensor:
    r"""KL divergence between distributions on K values, (..., K) to (...,) nats.

    .. math:: \sum_k q_k\log\frac{q_k}{p_k}

    Infinite where p excludes what q allows.

    Equation: eq-variational-categorical-kl
    """
    same_last_axis(probs_q=probs_q, probs_p=probs_p)
    probabilities("probs_q", probs_q)
    probabilities("probs_p", probs_p)
    terms = torch.xlogy(probs_q, probs_q) - torch.xlogy(probs_q, probs_p)
    return terms.sum(-1).clamp(min=0)  # rounding may fall below 0


def gaussian_entropy(q: FullGaussian) -> Tensor:
    r"""Differential entropy :math:`\tfrac12\log|2\pi e\,\Sigma|`, () nats.

    Equation: eq-variational-entropy
    """
    has_shape("q.cov", q.cov, -1, -1)
    log_det = 2 * cholesky("q.cov", q.cov).diagonal().log().sum()
    return 0.5 * (len(q.cov) * (LOG_2PI + 1) + log_det)
