r"""The score-function gradient, its baselines, and the exact noise of both (ch. 7)."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import at_least, finite_draws, has_shape, same_last_axis, same_shape
from vaebook.likelihood import FullGaussian
from vaebook.reparameterization.pathwise import GaussianGradient, pathwise_gradient
from vaebook.variational import gauss_hermite


class EstimatorVariances(NamedTuple):
    """A gradient and the variances per draw of its two estimators, (L,) each."""

    gradient: GaussianGradient
    pathwise: GaussianGradient
    score: GaussianGradient


def gaussian_score(z: Tensor, mu: Tensor, log_var: Tensor) -> GaussianGradient:
    r"""Derivatives of log N(z; mu, sigma^2) at each draw: their mean is zero.

    .. math:: \frac{\partial}{\partial\mu} = \frac{z-\mu}{\sigma^2}, \qquad
              \frac{\partial}{\partial\log\sigma^2}
              = \tfrac12\Big[\frac{(z-\mu)^2}{\sigma^2} - 1\Big]

    ``z`` (S, L); ``mu``, ``log_var`` (L,).

    Equation: eq-reparameterization-gaussian-score
    """
    same_last_axis(z=z, mu=mu, log_var=log_var)
    centred = z - mu
    precision = torch.exp(-log_var)
    return GaussianGradient(
        centred * precision, 0.5 * (centred.square() * precision - 1)
    )


def score_gradient(
    values: Tensor, score: GaussianGradient, baseline: Tensor | float = 0.0
) -> GaussianGradient:
    r"""Score-function estimates of the gradient of E_q[f(z)], one per draw.

    .. math:: \bigl(f(z_s) - b\bigr)\,\nabla\log q(z_s)

    f is only evaluated, never differentiated: it may be a step, a table, a program.

    Parameters
    ----------
    values : Tensor (S,)
        f at the draws.
    score : GaussianGradient
        Of the same draws, (S, L) each.
    baseline : Tensor (S,) or float
        Must not depend on the draw that it is subtracted from.

    Equation: eq-reparameterization-score (Williams 1992)
    """
    _same_draws(values, score)
    if torch.as_tensor(baseline).shape not in ((), (1,)):
        has_shape("baseline", baseline, len(values))
    above = (values - baseline)[:, None]
    return GaussianGradient(above * score.mu, above * score.log_var)


def _same_draws(values: Tensor, score: GaussianGradient) -> None:
    has_shape("values", values, -1)
    for name, part in score._asdict().items():
        has_shape(f"score.{name}", part, len(values), -1)


def leave_one_out(values: Tensor) -> Tensor:
    r"""For each draw the mean of the others: a baseline that costs nothing, (S,).

    .. math:: b_s = \frac{1}{S-1}\sum_{r\ne s} f(z_r)

    ``values`` (S,), S >= 2.

    Equation: eq-reparameterization-leave-one-out (Kool et al. 2019)
    """
    at_least("the number of values", len(has_shape("values", values, -1)), 2)
    return (values.sum() - values) / (len(values) - 1)


def optimal_baseline(values: Tensor, score: GaussianGradient) -> GaussianGradient:
    r"""The constant with the least variance, one for each parameter: (L,) each.

    .. math:: b^* = \frac{E[f\, (\nabla\log q)^2]}{E[(\nabla\log q)^2]}

    Estimated by averages over the draws. Use it on *other* draws: a baseline that saw
    the draw brings a bias.

    Equation: eq-reparameterization-optimal-baseline
    """
    values = finite_draws("values", values)
    _same_draws(values, score)
    squares = [s.square().to(values) for s in score]
    return GaussianGradient(*(values @ s / s.sum(0) for s in squares))


def estimator_variances(
    f: Callable[[Tensor], Tensor],
    mu: Tensor,
    log_var: Tensor,
    baseline: str = "none",
    *,
    num_nodes: int = 100,
) -> EstimatorVariances:
    """Exact gradient of E_q[f(z)] and variance per draw of both, by quadrature.

    Parameters
    ----------
    f : callable
        (G, L) to (G,), smooth; the grid has ``num_nodes`` to the power L points.
    mu, log_var : Tensor (L,), float64
    baseline : {"none", "mean", "optimal"}
        For the score function: 0, E[f], or the best constant per parameter.

    Equation: eq-reparameterization-score-variance
    """
    same_shape(mu=mu, log_var=log_var)
    var = torch.exp(log_var)
    z, w = gauss_hermite(FullGaussian(mu, var.diag()), num_nodes)
    slopes = pathwise_gradient(f, mu, log_var, (z - mu) / var.sqrt())
    score = gaussian_score(z, mu, log_var)
    values = f(z).detach()[:, None]
    draws = [(values - _constant(baseline, values, s, w)) * s for s in score]
    mean = GaussianGradient(*(w @ g for g in slopes))
    return EstimatorVariances(mean, _variances(w, slopes), _variances(w, draws))


def _constant(baseline: str, values: Tensor, score: Tensor, w: Tensor) -> Tensor:
    if baseline == "none":
        return torch.zeros_like(score[0])
    if baseline == "mean":
        return w @ values
    if baseline == "optimal":
        return w @ (values * score**2) / (w @ score**2)
    raise ValueError(f"baseline must be none, mean or optimal; received {baseline!r}")


def _variances(w: Tensor, draws: Iterable[Tensor]) -> GaussianGradient:
    return GaussianGradient(*(w @ (g - w @ g).square() for g in draws))
