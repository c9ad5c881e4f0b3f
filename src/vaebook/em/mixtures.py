r"""Mixtures of Gaussians and of Bernoullis, as EM needs them (chapter 3).

Both are mixtures of exponential families: the log-joint is linear in some statistics
of an example, so that the E-step and the M-step are each one matrix product with them.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.likelihood import LOG_2PI
from vaebook.map_estimation import Beta

IMPOSSIBLE = -1e30  # stands for log 0, so that 0 log 0 is 0 in a product

LEAST_WEIGHT = 1e-12  # of a component: one with less explains nothing
LEAST_VARIANCE = 1e-10  # of a component in any direction, relative to the data's


class CollapsedComponentError(ValueError):
    """A component is empty or has no width left: says which, and what to do."""


class InverseWishart(NamedTuple):
    r"""Prior of a covariance, :math:`\propto |\Sigma|^{-(\nu+D+1)/2}
    e^{-\mathrm{tr}(\Psi\Sigma^{-1})/2}`: ``dof`` nu > D - 1, ``scale`` Psi (D, D).

    Equation: eq-em-inverse-wishart
    """

    dof: float
    scale: Tensor

    def log_prob(self, cov: Tensor) -> Tensor:
        """Log-density of covariances (..., D, D), (...,) nats."""
        dim = len(self.scale)
        half = self.dof / 2
        trace = torch.linalg.solve(cov, self.scale.expand_as(cov))
        trace = trace.diagonal(dim1=-2, dim2=-1).sum(-1)
        constant = half * (torch.logdet(self.scale) - dim * math.log(2))
        constant -= torch.special.multigammaln(self.scale.new_tensor(half), dim)
        return constant - 0.5 * ((self.dof + dim + 1) * torch.logdet(cov) + trace)


class GaussianMixture(NamedTuple):
    """Gaussians with full covariances: ``weights`` (K,), ``mu`` (K, D),
    ``cov`` (K, D, D).

    Equation: eq-em-mixture
    """

    weights: Tensor
    mu: Tensor
    cov: Tensor

    def check(self, x: Tensor) -> None:
        """Refuse data with a column that never varies."""
        constant = (x == x[0]).all(0)
        if constant.any():
            d = int(constant.int().argmax())
            raise ValueError(f"column {d} of x is constant: leave it out")

    def statistics(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """1, x and the products x_i x_j (i <= j) around the mixture's mean: (F, N)."""
        dim = x.shape[1]
        row = dim + 1
        out = x.new_empty(row + dim * row // 2, len(x)) if out is None else out
        out[0] = 1.0
        centred = torch.sub(x.T, self._centre()[:, None], out=out[1:row])
        for d in range(dim):
            torch.mul(centred[d], centred[d:], out=out[row : row + dim - d])
            row += dim - d
        return out

    def natural(self) -> Tensor:
        """The matrix (K, F) whose product with the statistics is the log-joint.

        Equation: eq-em-natural
        """
        chol, faults = torch.linalg.cholesky_ex(self.cov)
        if faults.any():
            raise _collapsed(faults.nonzero()[0].item(), "covariance is not positive")
        precision = torch.cholesky_inverse(chol)
        mu = self.mu - self._centre()
        linear = (precision @ mu[..., None])[..., 0]
        log_det = 2 * chol.diagonal(dim1=1, dim2=2).log().sum(-1)
        constant = self.weights.log() - 0.5 * (len(mu.T) * LOG_2PI + log_det)
        constant -= 0.5 * (linear * mu).sum(-1)
        i, j = torch.triu_indices(len(mu.T), len(mu.T))
        products = -precision[:, i, j] * (1 - 0.5 * (i == j))  # i < j counts twice
        return torch.cat([constant[:, None], linear, products], 1)

    def maximised(
        self, moments: Tensor, prior: InverseWishart | None
    ) -> "GaussianMixture":
        """The M-step, from statistics (K, F) summed with responsibilities.

        Equation: eq-em-gaussian-m-step
        """
        dim = self.mu.shape[1]
        counts = moments[:, 0]
        first = moments[:, 1 : dim + 1]
        second = symmetric(moments[:, dim + 1 :], dim)
        weights = counts / counts.sum()
        num_rows = counts.sum()
        _refuse_empty(weights)
        mu = first / counts[:, None]
        scatter = second - mu[:, :, None] * first[:, None, :]
        extra, divisor = (prior.scale, prior.dof + dim + 1) if prior else (0, 0)
        cov = (scatter + extra) / (counts + divisor)[:, None, None]
        if prior is None:  # which would keep every width above zero
            square = second.sum(0).diagonal() / num_rows
            _refuse_flat(cov, square - (first.sum(0) / num_rows).square())
        return GaussianMixture(weights, mu + self._centre(), cov)

    def sample(self, k: Tensor, *, rng: torch.Generator) -> Tensor:
        """One draw from each of the components ``k`` (S,), (S, D)."""
        eps = torch.randn(len(k), len(self.mu.T), 1, generator=rng, dtype=self.mu.dtype)
        return self.mu[k] + (torch.linalg.cholesky(self.cov)[k] @ eps)[..., 0]

    def log_prior(self, prior: InverseWishart) -> Tensor:
        """Log-density of the covariances under their prior, () nats."""
        return prior.log_prob(self.cov).sum()

    def _centre(self) -> Tensor:
        return (self.weights @ self.mu).detach()  # any constant would do


class BernoulliMixture(NamedTuple):
    """Independent pixels within each component: ``weights`` (K,), ``probs`` (K, D).

    Equation: eq-em-bernoulli-mixture
    """

    weights: Tensor
    probs: Tensor

    def check(self, x: Tensor) -> None:
        """Refuse data that is not binary."""
        if not ((x == 0) | (x == 1)).all():
            raise ValueError("x must hold zeros and ones for a Bernoulli mixture")

    def statistics(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """1, x and 1 - x: (1 + 2 D, N)."""
        return torch.cat([torch.ones_like(x[:, :1]), x, 1 - x], 1).T

    def natural(self) -> Tensor:
        """The matrix (K, F) whose product with the statistics is the log-joint."""
        both = torch.cat([self.weights[:, None], self.probs, 1 - self.probs], 1)
        return both.log().clamp(min=IMPOSSIBLE)

    def maximised(self, moments: Tensor, prior: Beta | None) -> "BernoulliMixture":
        """The M-step, from statistics (K, F) summed with responsibilities.

        Equation: eq-em-bernoulli-m-step
        """
        dim = self.probs.shape[1]
        counts, ones, zeros = moments.split([1, dim, dim], 1)
        weights = counts[:, 0] / counts.sum()
        if prior is None:  # with one, an empty component has a mode: it dies out
            _refuse_empty(weights)
        posterior = (prior or Beta(1, 1)).posterior(ones, zeros)
        return BernoulliMixture(weights, posterior.mode())

    def sample(self, k: Tensor, *, rng: torch.Generator) -> Tensor:
        """One image from each of the components ``k`` (S,), (S, D)."""
        return torch.bernoulli(self.probs[k], generator=rng)

    def log_prior(self, prior: Beta) -> Tensor:
        """Log-density of the probabilities under their prior, () nats."""
        return prior.log_prob(self.probs).sum()


def symmetric(packed: Tensor, dim: int) -> Tensor:
    """(K, D(D+1)/2) of an upper triangle as symmetric (K, D, D)."""
    i, j = torch.triu_indices(dim, dim)
    full = packed.new_empty(len(packed), dim, dim)
    full[:, i, j] = full[:, j, i] = packed
    return full


def _collapsed(k: int, what: str) -> CollapsedComponentError:
    return CollapsedComponentError(
        f"component {k}: its {what}. Give a prior, fewer components, or another start"
    )


def _refuse_empty(weights: Tensor) -> None:
    k = int(weights.argmin())
    if not weights[k] > LEAST_WEIGHT:
        raise _collapsed(k, f"weight is {weights[k].item():.1e}, it explains nothing")


def _refuse_flat(cov: Tensor, var: Tensor) -> None:
    """Refuse covariances without width in some direction, relative to the data's."""
    sigma = var.sqrt()
    relative = cov / sigma[:, None] / sigma
    if not relative.isfinite().all():
        raise ValueError("x has a constant column or is very far from start: scale it")
    least = torch.linalg.eigvalsh(relative)[:, 0]
    k = int(least.argmin())
    if least[k] < LEAST_VARIANCE:
        ratio = max(least[k].item(), 0.0)
        raise _collapsed(k, f"smallest variance is {ratio:.0e} of the data's")
