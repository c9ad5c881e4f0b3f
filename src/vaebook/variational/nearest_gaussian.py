r"""The Gaussian nearest to a density, by either divergence (chapter 5)."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.bayes import GridPosterior
from vaebook.checks import cholesky, has_shape, positive, probabilities
from vaebook.likelihood import FullGaussian, gaussian_log_prob
from vaebook.variational.ascent import ascend
from vaebook.variational.quadrature import elbo_by_quadrature


class Banana(NamedTuple):
    r"""The smallest model with a curved decoder: two latents, one number seen.

    .. math:: z \sim \mathcal N(0, I), \qquad
              x \mid z \sim \mathcal N(z_2 + c z_1^2,\, \sigma^2)

    ``x``, ``curvature`` c and ``sigma`` are floats.

    Equation: eq-variational-banana
    """

    x: float = 2.0
    curvature: float = 1.0
    sigma: float = 0.5

    def log_joint(self, z: Tensor) -> Tensor:
        """log p(x, z) at ``z`` (..., 2), (...,) nats: a polynomial of degree four."""
        if z.shape[-1:] != (2,):
            raise ValueError(f"z must be (..., 2); received {tuple(z.shape)}")
        positive("sigma", self.sigma)
        mean = (z[..., 1] + self.curvature * z[..., 0].square())[..., None]
        log_var = 2 * mean.new_tensor([self.sigma]).log()
        x = mean.new_tensor([self.x])
        zero = torch.zeros_like(z)
        return gaussian_log_prob(z, zero, zero) + gaussian_log_prob(x, mean, log_var)


def reverse_kl_fit(
    log_joint: Callable[[Tensor], Tensor],
    start: FullGaussian,
    *,
    diagonal: bool = False,
    num_nodes: int = 20,
) -> FullGaussian:
    """The Gaussian that maximises the ELBO, so minimises KL(q || posterior).

    Climbs from ``start`` (its mean (L,), and its covariance's diagonal if
    ``diagonal``): to a local maximum, which need not be the highest.
    """
    cov = has_shape("start.cov", start.cov, len(start.mu), len(start.mu))
    chol = cholesky("start.cov", cov.diagonal().diag() if diagonal else cov)
    parameters = [start.mu, chol.diagonal().log()]
    parameters += [] if diagonal else [chol.tril(-1)]

    def bound(*parameters: Tensor) -> Tensor:
        return elbo_by_quadrature(log_joint, _gaussian(*parameters), num_nodes)

    return _gaussian(*ascend(bound, parameters, max_steps=500))


def _gaussian(
    mu: Tensor, log_diagonal: Tensor, below: Tensor | float = 0.0
) -> FullGaussian:
    """From unconstrained numbers: what is below the diagonal counts, the rest not."""
    chol = torch.tril(below * torch.ones(len(mu), len(mu)).to(mu), -1)
    chol = chol + log_diagonal.exp().diag()
    return FullGaussian(mu, chol @ chol.T)


def forward_kl_fit(posterior: GridPosterior, *, diagonal: bool = False) -> FullGaussian:
    r"""The Gaussian that minimises KL(posterior || q): it has the same moments.

    .. math:: \mu_q = E_p[z], \qquad \Sigma_q = E_p[(z-\mu_q)(z-\mu_q)^\top]

    Equation: eq-variational-moment-matching
    """
    probabilities("posterior", posterior.log_prob.exp() * posterior.cell, tol=1e-3)
    mu = posterior.mean(posterior.points)
    centred = posterior.points - mu
    cov = posterior.mean(centred[:, :, None] * centred[:, None, :])
    return FullGaussian(mu, cov.diagonal().diag() if diagonal else cov)
