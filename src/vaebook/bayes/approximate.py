r"""Posteriors without a closed form: a grid, and Laplace's Gaussian (chapter 4)."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.functional import hessian

from vaebook.checks import at_least, cholesky, floating, has_shape
from vaebook.likelihood import LOG_2PI, FullGaussian

LogJoint = Callable[[Tensor], Tensor]  # (..., L) points to (...,) nats, x being fixed


class GridPosterior(NamedTuple):
    """A posterior on a grid: ``points`` (G, L), ``log_prob`` (G,) their log-density in
    nats, ``cell`` the volume of one, ``log_evidence`` ()."""

    points: Tensor
    log_prob: Tensor
    cell: float
    log_evidence: Tensor

    def mean(self, values: Tensor) -> Tensor:
        """Posterior expectation of ``values`` (G, ...) given at the points."""
        if values.shape[:1] != self.log_prob.shape:
            given = f"G = {len(self.log_prob)}; received {tuple(values.shape)}"
            raise ValueError(f"values must be of shape (G, ...), {given}")
        probs = self.log_prob.exp() * self.cell
        return torch.tensordot(probs, values.to(probs.dtype), 1)


def grid_posterior(log_joint: LogJoint, axes: Sequence[Tensor]) -> GridPosterior:
    r"""Posterior and evidence by the midpoint rule on the product of the axes.

    .. math:: p(x) \approx \Delta \sum_g p(x, z_g)

    Parameters
    ----------
    log_joint : callable
        (G, L) points to (G,) nats, x being fixed.
    axes : sequence of Tensor
        Equally spaced points of each coordinate, two at least; G is the product of
        their lengths.

    Raises
    ------
    ValueError
        If an axis is no such axis, or ``log_joint`` is nan or nowhere finite.

    Equation: eq-bayes-grid
    """
    at_least("the number of axes", len(axes), 1)
    cell = math.prod(_spacing(axis) for axis in axes)
    points = torch.cartesian_prod(*axes).reshape(-1, len(axes))
    values = has_shape("log_joint(points)", log_joint(points), len(points))
    log_evidence = torch.logsumexp(values, 0) + math.log(cell)
    if not log_evidence.isfinite():
        raise ValueError(
            "log_joint must be finite somewhere and nan nowhere; received a log "
            f"evidence of {log_evidence}"
        )
    return GridPosterior(points, values - log_evidence, cell, log_evidence)


def _spacing(axis: Tensor) -> float:
    """Distance between neighbours on an axis, if it is the same all along."""
    at_least("points of an axis", has_shape("axis", axis, -1).numel(), 2)
    steps = floating("axis", axis).diff()
    if not (steps > 0).all() or not torch.allclose(steps, steps.mean(), rtol=1e-3):
        given = f"steps from {steps.min():.6g} to {steps.max():.6g}"
        raise ValueError(f"an axis must rise in equal steps; received {given}")
    return ((axis[-1] - axis[0]) / (len(axis) - 1)).item()


class Laplace(NamedTuple):
    """A Gaussian at the mode of a posterior, and the evidence it implies, nats."""

    gaussian: FullGaussian
    log_evidence: Tensor


def laplace(log_joint: LogJoint, start: Tensor, max_steps: int = 100) -> Laplace:
    r"""Laplace's approximation, by Newton's method from ``start`` (L,).

    .. math:: \log p(x) \approx \log p(x, \hat z) + \tfrac L2\log 2\pi
              - \tfrac12\log\det H, \qquad H = -\nabla^2\log p(x, \hat z)

    Raises
    ------
    ValueError
        If no maximum is reached, or the curvature there is not that of one.

    Equation: eq-bayes-laplace
    """
    z = floating("start", has_shape("start", start, -1)).detach()
    if not log_joint(z).isfinite().all():
        raise ValueError(f"log_joint(start) must be finite; received start {start}")
    close = torch.finfo(z.dtype).eps ** 0.5  # as steps square, the last is exact
    for _ in range(max_steps):
        gradient, precision = _expansion(log_joint, z)
        step = torch.cholesky_solve(gradient[:, None], _climbable(precision))[:, 0]
        scale = 1 + z.abs().max()
        if step.abs().max() <= close * scale:
            break
        step = step * (10 * scale / step.abs().max()).clamp(max=1)
        z = z + step * _rate(log_joint, z, step)
    else:
        raise ValueError(f"no maximum in {max_steps} steps; received start {start}")
    z = z + step
    chol = cholesky("curvature at the mode", _expansion(log_joint, z)[1])
    log_det = 2 * chol.diagonal().log().sum()
    evidence = log_joint(z).detach().reshape(()) + 0.5 * (len(z) * LOG_2PI - log_det)
    return Laplace(FullGaussian(z, torch.cholesky_inverse(chol)), evidence)


def _rate(log_joint: LogJoint, z: Tensor, step: Tensor) -> float:
    """Share of the step that does not lead down: 1, 1/2, 1/4, ...; 0 if none."""
    before = log_joint(z)
    rounding = 10 * torch.finfo(z.dtype).eps * (1 + before.abs())
    rates = (0.5**k for k in range(40))
    return next((r for r in rates if log_joint(z + r * step) >= before - rounding), 0.0)


def _expansion(log_joint: LogJoint, z: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient (L,) and minus the Hessian (L, L) at a point."""
    at = z.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(log_joint(at), at)
    return gradient, -hessian(log_joint, z)


def _climbable(precision: Tensor) -> Tensor:
    """Cholesky factor of the precision, made positive definite if it is not."""
    values, vectors = torch.linalg.eigh(precision)
    safe = values.abs().clamp(min=max(1e-6 * values.abs().max().item(), 1e-12))
    return torch.linalg.cholesky((vectors * safe) @ vectors.T)
