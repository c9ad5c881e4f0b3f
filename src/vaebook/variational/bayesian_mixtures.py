r"""Mixtures whose parameters have posteriors too: variational Bayes (chapter 5).

A q over the parameters needs of each example the same statistics as a mixture does, and
offers *expected* natural parameters. So :func:`vaebook.em.fit_em` fits these records as
they are: its E-step updates q(k), its M-step q(parameters), and its objective is the
evidence lower bound divided by N.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from vaebook.checks import cholesky, has_shape, positive
from vaebook.em import BernoulliMixture, GaussianMixture, InverseWishart, symmetric
from vaebook.map_estimation import Beta
from vaebook.variational.conjugate_kl import (
    beta_kl,
    dirichlet_kl,
    expected_log_det,
    expected_log_weights,
    inverse_wishart_kl,
)

P = TypeVar("P", "BernoulliMixturePrior", "GaussianMixturePrior")


class BernoulliMixturePrior(NamedTuple):
    """Dirichlet(``concentration``) on the weights, ``beta`` on each probability."""

    concentration: float
    beta: Beta

    def posterior(self, moments: Tensor) -> "BayesianBernoulliMixture":
        """q(weights) q(probabilities) after statistics (K, F) weighted by q(k)."""
        ones, zeros = moments[:, 1:].chunk(2, 1)
        concentration = self.concentration + moments[:, 0]
        beta = self.beta.posterior(ones, zeros)
        return BayesianBernoulliMixture(concentration, *beta)


class BayesianBernoulliMixture(NamedTuple):
    """Dirichlet ``concentration`` (K,), Beta counts ``a`` and ``b`` (K, D).

    Equation: eq-variational-bayesian-mixture
    """

    concentration: Tensor
    a: Tensor
    b: Tensor

    @property
    def weights(self) -> Tensor:
        """Expected weights, (K,)."""
        return self.concentration / self.concentration.sum()

    def predictive(self) -> BernoulliMixture:
        """p(x | data) under q: a mixture with the expected parameters.

        Equation: eq-variational-mixture-predictive
        """
        return BernoulliMixture(self.weights, Beta(self.a, self.b).mean())

    def check(self, x: Tensor) -> None:
        """Refuse data that is not binary, and counts that are none."""
        _check_q(self, concentration=self.a.shape[:1], b=self.a.shape)
        positive("start.a", self.a)
        positive("start.b", self.b)
        self.predictive().check(x)

    def statistics(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """1, x and 1 - x: (1 + 2 D, N)."""
        return self.predictive().statistics(x, out)

    def natural(self) -> Tensor:
        """Expected natural parameters, (K, F).

        Equation: eq-variational-expected-log
        """
        a, b = torch.digamma(self.a), torch.digamma(self.b)
        total = torch.digamma(self.a + self.b)
        weights = expected_log_weights(self.concentration)
        return torch.cat([weights[:, None], a - total, b - total], 1)

    def maximised(
        self, moments: Tensor, prior: BernoulliMixturePrior
    ) -> "BayesianBernoulliMixture":
        """The best q of the parameters for the present q(k)."""
        return _checked(prior, BernoulliMixturePrior).posterior(moments)

    def log_prior(self, prior: BernoulliMixturePrior) -> Tensor:
        """Minus KL(q || prior) of all parameters, () nats.

        Equation: eq-variational-mixture-elbo
        """
        _checked(prior, BernoulliMixturePrior)
        positive("prior.beta.a", prior.beta.a)
        positive("prior.beta.b", prior.beta.b)
        kl = dirichlet_kl(self.concentration, prior.concentration)
        return -(kl + beta_kl(Beta(self.a, self.b), prior.beta).sum())


class GaussianMixturePrior(NamedTuple):
    r"""Dirichlet(``concentration``) on the weights; :math:`\Sigma` inverse Wishart,
    :math:`\mu \mid \Sigma \sim N(\mu_0, \Sigma/\kappa)`: ``mu`` (D,), ``kappa``."""

    concentration: float
    mu: Tensor
    kappa: float
    cov: InverseWishart

    def posterior(self, moments: Tensor, centre: Tensor) -> "BayesianGaussianMixture":
        """q(weights) q(mu, cov) after statistics (K, F) taken around ``centre``."""
        dim = len(self.mu)
        counts = moments[:, 0]
        start = self.mu - centre
        kappa = self.kappa + counts
        mu = (self.kappa * start + moments[:, 1 : dim + 1]) / kappa[:, None]
        second = symmetric(moments[:, dim + 1 :], dim)
        second = second + self.kappa * start.outer(start)
        scale = self.cov.scale + second
        scale = scale - kappa[:, None, None] * mu[:, :, None] * mu[:, None]
        concentration = self.concentration + counts
        dof = self.cov.dof + counts
        return BayesianGaussianMixture(concentration, mu + centre, kappa, dof, scale)


class BayesianGaussianMixture(NamedTuple):
    """Dirichlet ``concentration`` (K,); Normal-inverse-Wishart ``mu`` (K, D),
    ``kappa`` (K,), ``dof`` (K,), ``scale`` (K, D, D)."""

    concentration: Tensor
    mu: Tensor
    kappa: Tensor
    dof: Tensor
    scale: Tensor

    @property
    def weights(self) -> Tensor:
        """Expected weights, (K,)."""
        return self.concentration / self.concentration.sum()

    def expected(self) -> GaussianMixture:
        """Weights and means expected under q, with the inverse expected precision."""
        return GaussianMixture(
            self.weights, self.mu, self.scale / self.dof[:, None, None]
        )

    def check(self, x: Tensor) -> None:
        """Refuse parameters that are none; constant columns do no harm here."""
        num, dim = self.mu.shape
        _check_q(
            self, concentration=[num], kappa=[num], dof=[num], scale=[num, dim, dim]
        )
        positive("start.kappa", self.kappa)
        positive("start.dof + 1 - D", self.dof + 1 - dim)
        cholesky("start.scale", self.scale)

    def statistics(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """As of a Gaussian mixture: (F, N)."""
        return self.expected().statistics(x, out)

    def natural(self) -> Tensor:
        """Expected natural parameters, (K, F)."""
        dim = self.mu.shape[1]
        natural = self.expected().natural()
        log_det = expected_log_det(self.dof, dim) - dim * self.dof.log()
        natural[:, 0] += expected_log_weights(self.concentration) - self.weights.log()
        natural[:, 0] += 0.5 * (log_det - dim / self.kappa)
        return natural

    def maximised(
        self, moments: Tensor, prior: GaussianMixturePrior
    ) -> "BayesianGaussianMixture":
        """The best q of the parameters for the present q(k)."""
        centre = self.weights @ self.mu
        return _checked(prior, GaussianMixturePrior).posterior(moments, centre)

    def log_prior(self, prior: GaussianMixturePrior) -> Tensor:
        """Minus KL(q || prior) of all parameters, () nats."""
        _checked(prior, GaussianMixturePrior)
        positive("prior.kappa", prior.kappa)
        dim = self.mu.shape[1]
        shift = self.mu - has_shape("prior.mu", prior.mu, dim)
        precision = self.expected().cov.inverse()
        square = (shift[:, None] @ precision @ shift[:, :, None])[:, 0, 0]
        ratio = prior.kappa / self.kappa
        mean_kl = 0.5 * (dim * (ratio - 1 - ratio.log()) + prior.kappa * square)
        cov_kl = inverse_wishart_kl(self.dof, self.scale, prior.cov)
        kl = dirichlet_kl(self.concentration, prior.concentration)
        return -(kl + (mean_kl + cov_kl).sum())


def _checked(prior: P, kind: type[P]) -> P:
    if not isinstance(prior, kind):
        given = type(prior).__name__
        raise ValueError(f"prior must be a {kind.__name__}; received {given}")
    positive("prior.concentration", prior.concentration)
    return prior


def _check_q(
    q: "BayesianBernoulliMixture | BayesianGaussianMixture",
    **shapes: Sequence[int],
) -> None:
    for name, shape in shapes.items():
        has_shape(f"start.{name}", getattr(q, name), *shape)
    positive("start.concentration", q.concentration)
