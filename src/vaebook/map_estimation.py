r"""Maximum a posteriori estimation: priors as knowledge (chapter 2)."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import data_matrix
from vaebook.likelihood import Bernoulli, gaussian_log_prob


class Beta(NamedTuple):
    r"""Density of a probability, :math:`\propto \pi^{a-1}(1-\pi)^{b-1}`; a, b > 0.

    Equation: eq-map-estimation-beta
    """

    a: Tensor | float
    b: Tensor | float

    def log_prob(self, probs: Tensor) -> Tensor:
        """Log-density at each probability, elementwise, nats."""
        a, b = (torch.as_tensor(v, dtype=probs.dtype) for v in self)
        kernel = torch.xlogy(a - 1, probs) + torch.xlogy(b - 1, 1 - probs)
        return kernel - self.log_normalizer().to(probs)

    def log_normalizer(self) -> Tensor:
        """log B(a, b): what makes the density integrate to 1."""
        a, b = (torch.as_tensor(v, dtype=torch.float64) for v in self)
        return torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)

    def mean(self) -> Tensor:
        """E of the probability: also that the next toss shows 1; any a, b > 0."""
        a, b = (torch.as_tensor(v, dtype=torch.float64) for v in self)
        return a / (a + b)

    def posterior(self, ones: Tensor, zeros: Tensor) -> "Beta":
        """The Beta after so many ones and zeros: the counts add up.

        Equation: eq-map-estimation-beta-posterior
        """
        return Beta(self.a + ones, self.b + zeros)

    def mode(self) -> Tensor:
        """Where the density of the probability is largest.

        Raises
        ------
        ValueError
            If a or b is below 1, or both are 1: the density has no single peak.

        Equation: eq-map-estimation-beta-mode
        """
        a, b = torch.as_tensor(self.a), torch.as_tensor(self.b)
        if ((a < 1) | (b < 1) | (a + b == 2)).any():
            raise ValueError(
                "the mode needs a >= 1 and b >= 1, not both 1; received a down to "
                f"{a.min().item():.3g}, b down to {b.min().item():.3g}"
            )
        return (a - 1) / ((a - 1) + (b - 1))  # never above 1, as a + b - 2 may make it

    def logit_mode(self) -> Tensor:
        """The probability at which the density *of the logit* is largest; any a, b > 0.

        Equation: eq-map-estimation-logit-mode
        """
        return self.mean()


def fit_bernoulli_map(x: Tensor, prior: Beta) -> Bernoulli:
    """MAP probability of each pixel under one Beta prior; binary ``x`` (N, D).

    ``Beta(2, 2)`` is add-one smoothing, ``Beta(1, 1)`` maximum likelihood. Errors as in
    :func:`vaebook.checks.data_matrix` and :meth:`Beta.mode`.

    Equation: eq-map-estimation-beta-mode
    """
    ones = data_matrix(x).sum(0)
    return Bernoulli(prior.posterior(ones, len(x) - ones).mode())


def gaussian_log_prior(weights: Iterable[Tensor], tau: float) -> Tensor:
    r"""Log-density of all weights under independent Gaussians, () nats.

    .. math:: \sum_i \log\mathcal N(w_i; 0, \tau^2)

    Parameters
    ----------
    weights : iterable of Tensor
        Any shapes.
    tau : float
        Standard deviation, above 0.

    Raises
    ------
    ValueError
        If ``tau`` is not above 0.

    Equation: eq-map-estimation-gaussian-prior
    """
    if not tau > 0:
        raise ValueError(f"tau, a standard deviation, must be above 0; received {tau}")
    flat = torch.cat([w.flatten() for w in weights])
    zero = torch.zeros_like(flat)
    return gaussian_log_prob(flat, zero, zero + 2 * math.log(tau))


def laplace_log_prior(weights: Tensor, scale: float) -> Tensor:
    r"""Log-density under independent Laplace laws, (..., D) to (...,) nats.

    .. math:: -\sum_d [\log 2b + |w_d|/b]

    Equation: eq-map-estimation-laplace-prior
    """
    if not scale > 0:
        raise ValueError(f"scale must be above 0; received {scale}")
    return -(weights.abs() / scale + math.log(2 * scale)).sum(-1)


def fit_ridge(inputs: Tensor, y: Tensor, penalty: float) -> Tensor:
    r"""Least squares with a Gaussian prior on the weights.

    .. math:: \hat w = (X^\top X + \lambda I)^{-1} X^\top y, \qquad
              \lambda = \sigma^2/\tau^2

    Parameters
    ----------
    inputs, y : Tensor (N, D), (N,)
    penalty : float
        lambda, for the *sum* of squares; 0 is least squares.

    Returns
    -------
    Tensor (D,)

    Equation: eq-map-estimation-ridge
    """
    _check_regression(inputs, y, penalty)
    eye = torch.eye(inputs.shape[1], dtype=inputs.dtype)
    return torch.linalg.solve(inputs.T @ inputs + penalty * eye, inputs.T @ y)


def fit_lasso(
    inputs: Tensor, y: Tensor, penalty: float, num_sweeps: int = 2000
) -> Tensor:
    r"""Least squares with a Laplace prior, by coordinate descent.

    .. math:: \hat w = \arg\min \tfrac12\|y - Xw\|^2 + \lambda\|w\|_1, \qquad
              \lambda = \sigma^2/b

    Each weight in turn takes its best value, the others held: a soft threshold
    (Friedman, Hastie & Tibshirani 2010), until a sweep changes nothing but rounding,
    or after ``num_sweeps`` of them. Arguments and result as in :func:`fit_ridge`.

    Equation: eq-map-estimation-lasso
    """
    _check_regression(inputs, y, penalty)
    gram = inputs.T @ inputs
    target = inputs.T @ y
    w = torch.zeros_like(target)
    rounding = 8 * torch.finfo(w.dtype).eps
    for _ in range(num_sweeps):
        before = w.clone()
        for d in gram.diagonal().nonzero()[:, 0]:  # not columns of zeros
            alone = target[d] - gram[d] @ w + gram[d, d] * w[d]
            w[d] = soft_threshold(alone, penalty) / gram[d, d]
        if (w - before).abs().max() <= rounding * w.abs().max():
            break
    return w


def soft_threshold(value: Tensor, by: float) -> Tensor:
    """Moved towards 0 by ``by``, and exactly 0 within that distance of it.

    Equation: eq-map-estimation-soft-threshold
    """
    return value.sign() * (value.abs() - by).clamp(min=0)


def _check_regression(inputs: Tensor, y: Tensor, penalty: float) -> None:
    data_matrix(inputs, "inputs")
    if y.shape != inputs.shape[:1]:
        given = f"inputs {tuple(inputs.shape)}, y {tuple(y.shape)}"
        raise ValueError(f"y must be (N,) for inputs (N, D); received {given}")
    if not y.isfinite().all():
        raise ValueError("y must be finite: leave those rows out, or fill them in")
    if not penalty >= 0:
        raise ValueError(f"penalty must be at least 0; received {penalty}")
