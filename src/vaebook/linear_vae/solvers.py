r"""Probabilistic PCA by ascent: EM, and the gradient at the exact q (chapter 8)."""

import torch
from torch import Tensor

from vaebook.bayes import LinearGaussian, standard_gaussian
from vaebook.checks import data_matrix, has_shape
from vaebook.variational import linear_elbo


def ppca_em_step(model: LinearGaussian, x: Tensor) -> LinearGaussian:
    r"""One step of EM: posteriors of all codes, then the best W and sigma^2 for them.

    .. math:: W \leftarrow \Big[\sum_n (x_n-\bar x)\,E[z_n]^\top\Big]
              \Big[\sum_n E[z_n z_n^\top]\Big]^{-1}

    ``x`` (N, D); the offset is set to the mean of ``x``, its maximum likelihood.

    Equation: eq-linear-vae-em (Tipping & Bishop 1999, appendix B)
    """
    mean = has_shape("x", data_matrix(x), -1, len(model.weights)).mean(0)
    codes = model._replace(offset=mean).posterior(x)
    centred = x - mean
    second = codes.mu.T @ codes.mu + len(x) * codes.cov
    cross = centred.T @ codes.mu
    weights = torch.linalg.solve(second, cross.T).T
    left = centred.square().sum() - (weights * cross).sum()
    var = (left / x.numel()).expand_as(mean)
    return model._replace(weights=weights, offset=mean, var=var)


def exact_q_elbo(weights: Tensor, offset: Tensor, log_var: Tensor, x: Tensor) -> Tensor:
    """Mean ELBO with q held at the exact posterior: () nats, differentiable.

    Its gradient is that of the mean log-evidence, although q is not differentiated.
    ``weights`` (D, L), ``offset`` (D,), ``log_var`` () of the noise, ``x`` (N, D).

    Equation: eq-linear-vae-ascent
    """
    prior = standard_gaussian(weights.shape[1], weights.dtype)
    model = LinearGaussian(prior, weights, offset, log_var.exp().expand_as(offset))
    with torch.no_grad():
        q = model.posterior(x)
    return linear_elbo(model, x, q).elbo.mean()
