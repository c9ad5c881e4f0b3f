r"""Maximum likelihood: what a model says about data, in nats (chapter 1)."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from vaebook.checks import cholesky, data_matrix, positive, same_last_axis

LOG_2PI = math.log(2.0 * math.pi)


def gaussian_log_prob(x: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    r"""Log-density of a diagonal Gaussian, one value per example.

    .. math:: -\tfrac12 \sum_d [\log 2\pi + \log\sigma_d^2 + (x_d-\mu_d)^2/\sigma_d^2]

    Parameters
    ----------
    x, mu, log_var : Tensor (..., D)
        Broadcast together; ``log_var`` is log sigma^2.

    Returns
    -------
    Tensor (...,)
        Nats; summed over D, not averaged over examples.

    Raises
    ------
    ValueError
        If the last axes differ; the message gives the three shapes.

    Equation: eq-likelihood-gaussian
    """
    same_last_axis(x=x, mu=mu, log_var=log_var)
    squared = (x - mu).square() * torch.exp(-log_var)
    return -0.5 * (LOG_2PI + log_var + squared).sum(-1)


def bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    r"""Log-probability of independent binary pixels, from logits.

    .. math:: \sum_d [x_d\,\ell_d - \log(1 + e^{\ell_d})], \qquad
              \ell_d = \log\frac{\pi_d}{1-\pi_d}

    Finite where ``log(1 - sigmoid(l))`` is not. (Torch's softplus is linear above a
    threshold; at 20, its default, that loses 2e-9 nats, at 40 nothing.)

    Parameters
    ----------
    x : Tensor (..., D)
        Pixels, 0 or 1. Values in between are accepted, but the result is then
        not a log-probability: nothing normalises it.
    logits : Tensor (..., D)
        Log-odds of a lit pixel; broadcasts with ``x``.

    Returns
    -------
    Tensor (...,)
        Nats; summed over D, not averaged over examples.

    Raises
    ------
    ValueError
        If the last axes differ; the message gives both shapes.

    Equation: eq-likelihood-logits
    """
    same_last_axis(x=x, logits=logits)
    return (x * logits - softplus(logits, threshold=40)).sum(-1)


def full_gaussian_log_prob(x: Tensor, mu: Tensor, chol: Tensor) -> Tensor:
    r"""Log-density of a Gaussian with covariance ``chol @ chol.T``, (...,) nats.

    .. math:: -\tfrac12[D\log 2\pi + \log\det\Sigma
              + (x-\mu)^\top\Sigma^{-1}(x-\mu)]

    ``x`` (..., D), ``mu`` (D,), ``chol`` (D, D) lower triangular.

    Equation: eq-likelihood-full-gaussian
    """
    same_last_axis(x=x, mu=mu, chol=chol)
    white = torch.linalg.solve_triangular(chol, (x - mu)[..., None], upper=False)
    log_det = 2 * chol.diagonal().log().sum()
    return -0.5 * (len(chol) * LOG_2PI + log_det + white.square().sum((-2, -1)))


class Gaussian(NamedTuple):
    """A Gaussian with independent coordinates: ``mu``, ``var`` (D,)."""

    mu: Tensor
    var: Tensor

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) of each row, (N,) nats."""
        return gaussian_log_prob(x, self.mu, positive("var", self.var).log())


class FullGaussian(NamedTuple):
    """A Gaussian with correlated coordinates: ``mu`` (D,), ``cov`` (D, D)."""

    mu: Tensor
    cov: Tensor

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) of each row, (N,) nats."""
        return full_gaussian_log_prob(x, self.mu, cholesky("cov", self.cov))


class Bernoulli(NamedTuple):
    """Independent binary pixels: ``probs`` (D,), the probability that each is lit.

    Equation: eq-likelihood-bernoulli
    """

    probs: Tensor

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) of each row, (N,) nats; -inf where a pixel was impossible."""
        lit, dark = torch.xlogy(x, self.probs), torch.xlogy(1 - x, 1 - self.probs)
        return (lit + dark).sum(-1)


def fit_gaussian(x: Tensor) -> Gaussian:
    r"""Maximum likelihood: the mean, and the mean squared distance from it.

    .. math:: \hat\mu = \tfrac1N\sum_n x_n, \qquad
              \hat\sigma^2 = \tfrac1N\sum_n (x_n-\hat\mu)^2

    Divides by N: (N-1)/N of the variance on average. Errors as in
    :func:`vaebook.checks.data_matrix`.

    Equation: eq-likelihood-gaussian-mle
    """
    mu = data_matrix(x).mean(0)
    return Gaussian(mu, (x - mu).square().mean(0))


def fit_full_gaussian(x: Tensor) -> FullGaussian:
    r"""Maximum likelihood with correlations, dividing by N; (N, D) as above.

    .. math:: \hat\Sigma = \tfrac1N\sum_n (x_n-\hat\mu)(x_n-\hat\mu)^\top

    Equation: eq-likelihood-full-gaussian-mle
    """
    mu = data_matrix(x).mean(0)
    return FullGaussian(mu, (x - mu).T @ (x - mu) / len(x))


def fit_bernoulli(x: Tensor) -> Bernoulli:
    """Maximum likelihood: the share of images (N, D) in which each pixel is lit.

    Equation: eq-likelihood-bernoulli-mle
    """
    return Bernoulli(data_matrix(x).mean(0))


def gradient_ascent(
    log_lik: Callable, start: Tensor, *, rate: float, num_steps: int
) -> Tensor:
    r"""The path of :math:`\theta \leftarrow \theta + \eta\nabla\log p(x|\theta)`.

    ``log_lik`` maps (P,) to (), ``start`` is (P,), ``rate`` the step size eta. Returns
    (num_steps + 1, P), the start first.
    """
    path = [start.detach()]
    for _ in range(num_steps):
        theta = path[-1].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(log_lik(theta), theta)
        path.append(path[-1] + rate * gradient)
    return torch.stack(path)


def standard_errors(log_lik: Callable[[Tensor], Tensor], theta: Tensor) -> Tensor:
    r"""Large-sample standard error of each parameter, from the curvature at the top.

    .. math:: J = -\nabla^2\log p(x|\theta), \qquad \mathrm{SE}_i = \sqrt{(J^{-1})_{ii}}

    ``log_lik`` is the total log-likelihood, (P,) to (); ``theta`` (P,) its maximum.

    Raises
    ------
    ValueError
        If J is not positive definite: then theta is no maximum.

    Equation: eq-likelihood-standard-error
    """
    information = -torch.autograd.functional.hessian(log_lik, theta.detach())
    chol, fault = torch.linalg.cholesky_ex(information)
    if fault:
        raise ValueError("theta must be a maximum: the curvature there is not negative")
    return torch.cholesky_inverse(chol).diagonal().sqrt()


def bootstrap(
    x: Tensor,
    statistic: Callable[[Tensor], Tensor],
    num_samples: int,
    *,
    rng: torch.Generator,
) -> Tensor:
    """The statistic of ``num_samples`` resamples of the rows, with replacement.

    ``statistic`` maps (N, D) to (P,); the result is (num_samples, P), and its standard
    deviation estimates the statistic's standard error (Efron 1979).
    """
    rows = torch.randint(len(x), (num_samples, len(x)), generator=rng)
    return torch.stack([statistic(x[some]) for some in rows])
