r"""KL divergences and expectations of conjugate families (chapter 5)."""

import math

import torch
from torch import Tensor

from vaebook.checks import cholesky, has_shape, positive
from vaebook.em import InverseWishart
from vaebook.map_estimation import Beta


def beta_kl(q: Beta, p: Beta) -> Tensor:
    """KL divergence of one Beta from another, elementwise, nats.

    Equation: eq-variational-beta-kl
    """
    q = Beta(positive("q.a", q.a), positive("q.b", q.b))
    p = Beta(positive("p.a", p.a), positive("p.b", p.b))
    total = torch.digamma(q.a + q.b)
    kl = (q.a - p.a) * (torch.digamma(q.a) - total) - q.log_normalizer()
    return kl + (q.b - p.b) * (torch.digamma(q.b) - total) + p.log_normalizer()


def expected_log_weights(concentration: Tensor) -> Tensor:
    """E[log weights] under a Dirichlet, (K,) to (K,) nats.

    Equation: eq-variational-expected-log
    """
    positive("concentration", has_shape("concentration", concentration, -1))
    return torch.digamma(concentration) - torch.digamma(concentration.sum())


def dirichlet_kl(concentration: Tensor, prior: float) -> Tensor:
    """KL divergence of Dirichlet(``concentration`` (K,)) from the symmetric one with
    every entry ``prior``, () nats."""
    alpha = torch.full_like(concentration, positive("prior", prior).item())
    kl = (concentration - alpha) @ expected_log_weights(concentration)
    kl = kl + torch.lgamma(concentration.sum()) - torch.lgamma(concentration).sum()
    return kl - torch.lgamma(alpha.sum()) + torch.lgamma(alpha).sum()


def expected_log_det(dof: Tensor, dim: int) -> Tensor:
    r"""E log det of a Wishart matrix of ``dof`` (K,) with unit scale, (K,) nats.

    .. math:: \sum_{i=1}^D \psi\big(\tfrac{\nu+1-i}{2}\big) + D\log 2
    """
    has_shape("dof", dof, -1)
    positive("dof + 1 - D", dof + 1 - dim)
    halves = (dof[:, None] - torch.arange(dim).to(dof)) / 2
    return torch.digamma(halves).sum(1) + dim * math.log(2)


def inverse_wishart_kl(dof: Tensor, scale: Tensor, prior: InverseWishart) -> Tensor:
    """KL divergence of inverse Wisharts ``dof`` (K,), ``scale`` (K, D, D) from one;
    (K,) nats."""
    dim = has_shape("scale", scale, len(dof), -1, -1).shape[-1]
    has_shape("prior.scale", prior.scale, dim, dim)
    cholesky("scale", scale)
    cholesky("prior.scale", prior.scale)
    positive("prior.dof + 1 - D", prior.dof + 1 - dim)
    log_det = expected_log_det(dof, dim) - torch.logdet(scale)  # of the precision
    trace = dof * (torch.linalg.inv(scale) * prior.scale).sum((1, 2))
    kl = 0.5 * ((dof - prior.dof) * log_det - dof * dim + trace)
    base = _log_constant(dof.new_tensor(prior.dof), prior.scale)
    return kl + _log_constant(dof, scale) - base


def _log_constant(dof: Tensor, scale: Tensor) -> Tensor:
    dim = scale.shape[-1]
    constant = 0.5 * dof * (torch.logdet(scale) - dim * math.log(2))
    return constant - torch.special.multigammaln(0.5 * dof, dim)
