r"""The Gaussian nearest to a density, by either divergence (chapter 5)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaebook.approximation import GridPosterior
from vaebook.checks import cholesky, has_shape, positive, probabilities
from vaebook.likelihood import FullGaussian, gaussian_log_prob
from vaebook.variational import gaussian_entropy

PRECISE = {
    "max_iter": 500,
    "line_search_fn": "strong_wolfe",
    "tolerance_grad": 1e-12,
    "tolerance_change": 1e-15,
}

MAX_NODES = 300  # beyond it numpy's weights overflow


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
        x, zero = mean.new_tensor([self.x]), torch.zeros_like(z)
        return gaussian_log_prob(z, zero, zero) + gaussian_log_prob(x, mean, log_var)


def gauss_hermite(q: FullGaussian, num_nodes: int) -> tuple[Tensor, Tensor]:
    r"""Points (G, L) and weights (G,) of expectations under ``q``.

    .. math:: E_q[f(z)] \approx \sum_g w_g f(\mu + A\varepsilon_g)

    Exact for polynomials of degree up to 2 ``num_nodes`` - 1 in each coordinate.

    Equation: eq-variational-gauss-hermite
    """
    if not 1 <= num_nodes <= MAX_NODES:
        raise ValueError(
            f"num_nodes must be from 1 to {MAX_NODES}; received {num_nodes}"
        )
    nodes, weights = np.polynomial.hermite_e.hermegauss(num_nodes)
    dim = len(has_shape("q.mu", q.mu, -1))
    has_shape("q.cov", q.cov, dim, dim)
    eps = torch.cartesian_prod(*[torch.from_numpy(nodes)] * dim).reshape(-1, dim)
    all_weights = torch.from_numpy(weights / weights.sum())
    w = torch.cartesian_prod(*[all_weights] * dim).reshape(-1, dim).prod(-1)
    return q.mu + eps.to(q.mu) @ cholesky("q.cov", q.cov).T, w.to(q.mu)


def elbo_by_quadrature(
    log_joint: Callable[[Tensor], Tensor], q: FullGaussian, num_nodes: int = 20
) -> Tensor:
    """E_q[log p(x, z)] + entropy of q, () nats; exact for a polynomial log-joint.

    Equation: eq-variational-energy-entropy
    """
    points, weights = gauss_hermite(q, num_nodes)
    values = has_shape("log_joint(points)", log_joint(points), len(points))
    return weights @ values + gaussian_entropy(q)


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
    parameters = [p.detach().clone().requires_grad_() for p in parameters]
    optimizer = torch.optim.LBFGS(parameters, **PRECISE)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = -elbo_by_quadrature(log_joint, _gaussian(*parameters), num_nodes)
        loss.backward()
        return loss

    optimizer.step(closure)
    return FullGaussian(*(p.detach() for p in _gaussian(*parameters)))


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
