r"""Expectations under a Gaussian by quadrature, and so the ELBO (chapter 5)."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vaebook.checks import cholesky, has_shape
from vaebook.likelihood import FullGaussian
from vaebook.variational.divergences import gaussian_entropy

MAX_NODES = 300  # beyond it numpy's weights overflow


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
