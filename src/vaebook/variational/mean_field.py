r"""Mean field: one factor of q at a time, each at its best (chapter 5)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import at_least, cholesky, data_matrix, has_shape, positive
from vaebook.likelihood import LOG_2PI, FullGaussian, Gaussian


def mean_field_gaussian(
    target: FullGaussian, start: Tensor, num_sweeps: int
) -> list[Gaussian]:
    r"""Coordinate ascent of a factorised q towards a correlated Gaussian.

    .. math:: m_i \leftarrow \mu_i - \frac{1}{\Lambda_{ii}}
              \sum_{j\ne i}\Lambda_{ij}(m_j - \mu_j), \qquad
              v_i = \frac{1}{\Lambda_{ii}}

    ``start`` (L,) holds the first means. Returns q after each single update, the start
    first: ``num_sweeps`` L + 1 of them.

    Equation: eq-variational-mean-field-gaussian (Bishop 2006, section 10.1.2)
    """
    at_least("num_sweeps", num_sweeps, 0)
    dim = len(has_shape("target.mu", target.mu, -1))
    has_shape("target.cov", target.cov, dim, dim)
    has_shape("start", start, dim)
    precision = torch.cholesky_inverse(cholesky("target.cov", target.cov))
    var = 1 / precision.diagonal()
    path = [Gaussian(start, var)]
    for i in list(range(len(start))) * num_sweeps:
        mu = path[-1].mu.clone()
        pull = precision[i] @ (mu - target.mu) - precision[i, i] * (
            mu[i] - target.mu[i]
        )
        mu[i] = target.mu[i] - var[i] * pull
        path.append(Gaussian(mu, var))
    return path


class NormalGamma(NamedTuple):
    r"""Prior of a mean and a precision together; all floats.

    .. math:: \lambda \sim \mathrm{Gamma}(a, b), \qquad
              \mu \mid \lambda \sim \mathcal N(\mu_0, 1/(\kappa\lambda))

    Equation: eq-variational-normal-gamma
    """

    mu: float
    kappa: float
    shape: float
    rate: float

    def posterior(self, x: Tensor) -> "NormalGamma":
        """Exactly, after ``x`` (N,)."""
        data_matrix(has_shape("x", x, -1)[:, None])
        positive("kappa, shape and rate", torch.tensor(self[1:]))
        count = len(x)
        mean = x.mean().item()
        kappa = self.kappa + count
        spread = (x - mean).square().sum().item()
        shift = self.kappa * count / kappa * (mean - self.mu) ** 2
        return NormalGamma(
            (self.kappa * self.mu + count * mean) / kappa,
            kappa,
            self.shape + count / 2,
            self.rate + 0.5 * (spread + shift),
        )

    def log_evidence(self, x: Tensor) -> float:
        """log p(x), mean and precision summed out; nats."""
        after = self.posterior(x)
        gain = after._log_normalizer() - self._log_normalizer()
        return gain - 0.5 * len(x) * LOG_2PI

    def _log_normalizer(self) -> float:
        gamma = math.lgamma(self.shape) - self.shape * math.log(self.rate)
        return gamma - 0.5 * math.log(self.kappa)


class MeanAndPrecision(NamedTuple):
    """q(mu) q(lambda): a Normal with ``mu``, ``var`` and a Gamma with ``shape``,
    ``rate``; floats. ``elbo`` is the bound on log p(x), nats."""

    mu: float
    var: float
    shape: float
    rate: float
    elbo: float


def fit_normal_gamma(
    x: Tensor, prior: NormalGamma, start_precision: float, num_steps: int
) -> list[MeanAndPrecision]:
    r"""Coordinate ascent on q(mu) q(lambda) for Gaussian draws ``x`` (N,).

    .. math:: q(\mu):\ \ m = \frac{\kappa\mu_0 + N\bar x}{\kappa + N},\ \
              v = \frac{1}{(\kappa+N)E[\lambda]}; \qquad
              q(\lambda):\ \ a + \tfrac{N+1}{2},\ \
              b + \tfrac12 E_\mu\Big[\kappa(\mu-\mu_0)^2+\sum_n(x_n-\mu)^2\Big]

    ``start_precision`` is the first E[lambda]. One step updates both factors.

    Equation: eq-variational-normal-gamma-updates (Bishop 2006, section 10.1.3)
    """
    at_least("num_steps", num_steps, 1)
    positive("start_precision", start_precision)
    mu = prior.posterior(x).mu
    shape = prior.shape + 0.5 * (len(x) + 1)
    path = []
    expected = start_precision
    for _ in range(num_steps):
        var = 1 / ((prior.kappa + len(x)) * expected)
        squares = prior.kappa * ((mu - prior.mu) ** 2 + var)
        squares += ((x - mu).square() + var).sum().item()
        rate = prior.rate + 0.5 * squares
        expected = shape / rate
        bound = _normal_gamma_elbo(prior, len(x), var, shape, rate)
        path.append(MeanAndPrecision(mu, var, shape, rate, bound))
    return path


def _normal_gamma_elbo(
    prior: NormalGamma, count: int, var: float, shape: float, rate: float
) -> float:
    """The bound right after an update of q(lambda), which makes most terms cancel."""
    log_gamma = math.lgamma(shape) - shape * math.log(rate)
    prior_gamma = math.lgamma(prior.shape) - prior.shape * math.log(prior.rate)
    gaussians = 0.5 * (math.log(prior.kappa) - count * LOG_2PI + math.log(var) + 1)
    return log_gamma - prior_gamma + gaussians
