r"""Bayesian inference: posterior, evidence and predictive, exactly (chapter 4)."""

from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import (
    at_least,
    cholesky,
    data_matrix,
    has_shape,
    not_negative,
    positive,
    same_last_axis,
    same_shape,
)
from vaebook.likelihood import FullGaussian, Gaussian, gaussian_log_prob
from vaebook.map_estimation import Beta


def beta_log_evidence(prior: Beta, ones: Tensor, zeros: Tensor) -> Tensor:
    r"""log p(tosses) of a coin with a Beta prior, for a particular order; nats.

    .. math:: \log\frac{B(a + n_1, b + n_0)}{B(a, b)}

    Elementwise in the counts, which have one shape and are not negative.

    Equation: eq-bayes-beta-evidence
    """
    positive("prior.a", prior.a)
    positive("prior.b", prior.b)
    ones = not_negative("ones", ones).double()
    zeros = not_negative("zeros", zeros).double()
    same_shape(ones=ones, zeros=zeros)
    return prior.posterior(ones, zeros).log_normalizer() - prior.log_normalizer()


def normal_posterior(x: Tensor, prior: Gaussian, var: float) -> Gaussian:
    r"""Posterior of a mean, from draws of known variance: precisions add up.

    .. math:: \frac{1}{\tau_N^2} = \frac{1}{\tau^2} + \frac{N}{\sigma^2}, \qquad
              \mu_N = \tau_N^2\Big[\frac{\mu_0}{\tau^2}
              + \frac{1}{\sigma^2}\sum_n x_n\Big]

    Parameters
    ----------
    x : Tensor (N, D)
        N >= 0 rows; coordinates are independent.
    prior : Gaussian
        Of the mean: ``mu`` and ``var`` (D,).
    var : float
        sigma^2 of a draw around the mean.

    Equation: eq-bayes-normal-posterior
    """
    has_shape("prior.var", prior.var, *has_shape("prior.mu", prior.mu, -1).shape)
    has_shape("x", data_matrix(x) if x.numel() else x, -1, len(prior.mu))
    positive("var", var)
    precision = 1 / positive("prior.var", prior.var) + len(x) / var
    return Gaussian((prior.mu / prior.var + x.sum(0) / var) / precision, 1 / precision)


def standard_gaussian(dim: int, dtype: torch.dtype = torch.float64) -> FullGaussian:
    """N(0, I) in ``dim`` dimensions: the prior of a code."""
    at_least("dim", dim, 1)
    return FullGaussian(torch.zeros(dim, dtype=dtype), torch.eye(dim, dtype=dtype))


class LinearGaussian(NamedTuple):
    r"""A Gaussian unknown seen through a linear map and Gaussian noise.

    .. math:: z \sim \mathcal N(\mu_0, \Sigma_0),\qquad
              x \mid z \sim \mathcal N(W z + b,\, \mathrm{diag}\,\sigma^2)

    One model, three readings: W a column of ones, z is the mean of repeated
    measurements; W a table of inputs, z holds the weights of a regression; W a linear
    decoder, z is the code of an image.

    Attributes
    ----------
    prior : FullGaussian
        Of z: ``mu`` (L,), ``cov`` (L, L).
    weights, offset : Tensor (D, L), (D,)
    var : Tensor (D,)
        Of the noise of each coordinate.

    Equation: eq-bayes-linear-gaussian (Bishop 2006, section 2.3.3)
    """

    prior: FullGaussian
    weights: Tensor
    offset: Tensor
    var: Tensor

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(z) + log p(x|z): ``x`` (N, D), ``z`` (..., L) to (...,) nats.

        Equation: eq-bayes-joint
        """
        self._check()
        same_last_axis(z=z, weights=self.weights)
        mu = z @ self.weights.T + self.offset
        return self.prior.log_prob(z) + gaussian_log_prob(x, mu, self.var.log())

    def posterior(self, x: Tensor) -> FullGaussian:
        """p(z|x) of each row: ``mu`` (N, L), and the ``cov`` (L, L) they share.

        Equation: eq-bayes-linear-posterior
        """
        prior_precision = torch.cholesky_inverse(self._check())
        has_shape("x", data_matrix(x), -1, len(self.weights))
        scaled = self.weights / self.var[:, None]
        precision = prior_precision + self.weights.T @ scaled
        cov = torch.cholesky_inverse(cholesky("posterior precision", precision))
        linear = prior_precision @ self.prior.mu + (x - self.offset) @ scaled
        return FullGaussian(linear @ cov, cov)

    def marginal(self) -> FullGaussian:
        """p(x), z summed out; with a posterior for the prior, the predictive.

        Equation: eq-bayes-linear-evidence
        """
        self._check()
        mu = self.weights @ self.prior.mu + self.offset
        spread = self.weights @ self.prior.cov @ self.weights.T
        return FullGaussian(mu, spread + self.var.diag())

    def log_evidence(self, x: Tensor) -> Tensor:
        """log p(x) of each row, (N,) nats, without a matrix of the size of x.

        Joint over posterior is the same at every z; it is taken at the posterior mean.

        Equation: eq-bayes-candidate
        """
        posterior = self.posterior(x)
        at = posterior.mu
        return self.log_joint(x, at) - posterior.log_prob(at)

    def given(self, x: Tensor) -> "LinearGaussian":
        """The same model after ``x`` (D,) was seen: its prior is the posterior."""
        mu, cov = self.posterior(has_shape("x", x, len(self.weights))[None])
        return self._replace(prior=FullGaussian(mu[0], cov))

    def _check(self) -> Tensor:
        """Cholesky factor of the prior's covariance, if everything fits together."""
        dim, latent_dim = data_matrix(self.weights, "weights").shape
        has_shape("prior.mu", self.prior.mu, latent_dim)
        has_shape("prior.cov", self.prior.cov, latent_dim, latent_dim)
        has_shape("offset", self.offset, dim)
        has_shape("var", positive("var", self.var), dim)
        return cholesky("prior.cov", self.prior.cov)


def linear_regression(inputs: Tensor, tau: float, sigma: float) -> LinearGaussian:
    r"""Regression with weights :math:`N(0, \tau^2)`, noise :math:`N(0, \sigma^2)`.

    ``inputs`` (N, P) are the map from the P weights to the N targets, so a data set is
    *one* row: ``model.log_evidence(y[None])``.

    Equation: eq-bayes-regression
    """
    num_rows, dim = data_matrix(inputs, "inputs").shape
    positive("tau", tau)
    prior = standard_gaussian(dim, inputs.dtype)
    prior = prior._replace(cov=tau**2 * prior.cov)
    zero = inputs.new_zeros(num_rows)
    return LinearGaussian(prior, inputs, zero, zero + positive("sigma", sigma) ** 2)
