r"""Probabilistic PCA: the VAE whose every quantity has a formula (chapter 8)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vaebook.bayes import LinearGaussian, standard_gaussian
from vaebook.checks import at_least, cholesky, has_shape, positive
from vaebook.likelihood import LOG_2PI, fit_full_gaussian


class Spectrum(NamedTuple):
    """Mean (D,), eigenvalues (D,) in descending order, eigenvectors (D, D) as columns.

    Of the covariance with 1/N; eigenvalues that are 0 up to rounding are 0.
    """

    mean: Tensor
    eigenvalues: Tensor
    directions: Tensor


class LinearEncoder(NamedTuple):
    """A layer that outputs mu(x), then log sigma^2: ``weights`` (2L, D), ``offset``."""

    weights: Tensor
    offset: Tensor


def spectrum(x: Tensor) -> Spectrum:
    """Principal components of ``x`` (N, D), by the covariance with 1/N."""
    mean, cov = fit_full_gaussian(x)
    values, vectors = torch.linalg.eigh(cov)
    rounding = len(values) * torch.finfo(values.dtype).eps * values[-1]
    values = torch.where(values > rounding, values, 0)
    return Spectrum(mean, values.flip(0), vectors.flip(1))


def best_var(eigenvalues: Tensor, latent_dim: int) -> Tensor:
    r"""Maximum-likelihood noise variance: the mean of the eigenvalues left over.

    .. math:: \hat\sigma^2 = \frac{1}{D-L}\sum_{i>L}\lambda_i

    Equation: eq-linear-vae-ml-var
    """
    _fits(latent_dim, len(eigenvalues) - 1)
    return positive("the mean of the eigenvalues left", eigenvalues[latent_dim:].mean())


def _fits(latent_dim: int, most: int) -> None:
    at_least("latent_dim", latent_dim, 1)
    if latent_dim > most:
        raise ValueError(f"latent_dim must be at most {most}; received {latent_dim}")


def ppca(
    components: Spectrum, latent_dim: int, var: float | Tensor | None = None
) -> LinearGaussian:
    r"""Probabilistic PCA of maximum likelihood: with ``var`` given, or with the best.

    .. math:: w_i = \sqrt{\max(\lambda_i - \sigma^2, 0)}\; u_i

    A direction with :math:`\lambda_i < \sigma^2` collapses: its column is zero. The
    columns are orthogonal; any rotation of them is as likely.

    Parameters
    ----------
    components : Spectrum
    latent_dim : int
        L latents on offer, 1 to D; to D - 1 if ``var`` is to be found.
    var : float, optional
        sigma^2 > 0.

    Equation: eq-linear-vae-ml-weights (Tipping & Bishop 1999)
    """
    dim = len(components.mean)
    _fits(latent_dim, dim)
    if var is None:
        var = best_var(components.eigenvalues, latent_dim)
    var = positive("var", var).to(components.mean)
    scale = (components.eigenvalues[:latent_dim] - var).clamp(min=0).sqrt()
    weights = components.directions[:, :latent_dim] * scale
    prior = standard_gaussian(latent_dim, weights.dtype)
    return LinearGaussian(prior, weights, components.mean, var.expand(dim))


def mean_log_evidence(
    eigenvalues: Tensor, latent_dim: int, var: float | Tensor
) -> Tensor:
    r"""Mean log p(x) over the training set of :func:`ppca`; () nats, from eigenvalues.

    .. math:: -\tfrac12\Big[D\log 2\pi + \sum_{i\in A}(\log\lambda_i + 1)
              + (D-|A|)\log\sigma^2 + \sum_{i\notin A}\frac{\lambda_i}{\sigma^2}\Big]

    A holds the i <= L with :math:`\lambda_i > \sigma^2`.

    Equation: eq-linear-vae-log-evidence
    """
    _fits(latent_dim, len(eigenvalues))
    var = positive("var", var).to(eigenvalues)
    alive = (eigenvalues > var) & (torch.arange(len(eigenvalues)) < latent_dim)
    own_var = torch.where(alive, eigenvalues, var)
    terms = LOG_2PI + own_var.log() + eigenvalues / own_var
    return -0.5 * terms.sum()


def optimal_encoder(model: LinearGaussian) -> LinearEncoder:
    r"""The diagonal Gaussian encoder nearest to the posterior: a linear map.

    .. math:: \mu(x) = M^{-1}W^\top(x-b)/\sigma^2, \qquad
              \sigma_l^2 = 1/M_{ll}, \qquad M = I + W^\top W/\sigma^2

    Exact where the columns of W are orthogonal; M for a diagonal noise as in
    :meth:`vaebook.bayes.LinearGaussian.posterior`, for the prior N(0, I).

    Equation: eq-linear-vae-optimal-encoder
    """
    (at_zero,), cov = model.posterior(torch.zeros_like(model.offset)[None])
    weights = cov @ (model.weights / model.var[:, None]).T
    precision = torch.cholesky_inverse(cholesky("posterior cov", cov))
    log_var = -precision.diagonal().log()
    return LinearEncoder(
        torch.cat([weights, torch.zeros_like(weights)]),
        torch.cat([at_zero, log_var]),
    )


def diagonal_gap(model: LinearGaussian) -> Tensor:
    r"""log p(x) minus the ELBO of the best diagonal q: () nats, the same for every x.

    .. math:: \tfrac12\Big[\sum_l \log M_{ll} - \log|M|\Big]

    Equation: eq-linear-vae-gap
    """
    cov = model.posterior(model.offset[None]).cov
    chol = cholesky("posterior cov", cov)
    precision = torch.cholesky_inverse(chol)
    return 0.5 * precision.diagonal().log().sum() + chol.diagonal().log().sum()


def linear_parameters(net: nn.Sequential, log_var: Tensor) -> list[Tensor]:
    """Weights (D, L), offset (D,) and noise variance (D,) of a linear decoder, float64.

    ValueError if ``net`` has more than one layer.
    """
    layer = _only_layer(net)
    parameters = layer.weight, layer.bias, log_var.exp().expand_as(layer.bias)
    return [p.detach().double() for p in parameters]


@torch.no_grad()
def set_layer(net: nn.Sequential, weights: Tensor, offset: Tensor) -> None:
    """Give a net of one linear layer these weights; ValueError if they do not fit."""
    layer = _only_layer(net)
    has_shape("weights", weights, *layer.weight.shape)
    has_shape("offset", offset, *layer.bias.shape)
    layer.weight.copy_(weights)
    layer.bias.copy_(offset)


def _only_layer(net: nn.Sequential) -> nn.Linear:
    if len(net) != 1:
        raise ValueError(f"the net must be one layer; received {len(net)}")
    return net[0]
