r"""The mean of a Gaussian with known noise: what the posterior explorer computes."""

from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.bayes import LinearGaussian, normal_posterior
from vaebook.likelihood import FullGaussian, Gaussian, gaussian_log_prob

PICTURE = {"headroom": 1.25}  # times the density that a known mean gives at its peak


class NormalMean(NamedTuple):
    """A mean with prior N(mu0, tau^2), and values N(mean, sigma^2).

    Every ``x`` is (N,), N >= 0, float64; logs in nats, 0 of no data.
    """

    mu0: float
    tau: float
    sigma: float

    def posterior(self, x: Tensor) -> Gaussian:
        """Of the mean: ``mu``, ``var`` (1,)."""
        return normal_posterior(x[:, None], self._prior(), self.sigma**2)

    def predictive(self, x: Tensor) -> Gaussian:
        """Of the next value: ``mu``, ``var`` (1,)."""
        mu, cov = self._model(1, self.posterior(x)).marginal()
        return Gaussian(mu, cov.diagonal())

    def log_evidence(self, x: Tensor) -> float:
        """Of the values together."""
        if not len(x):
            return 0.0
        return self._model(len(x), self._prior()).log_evidence(x[None]).item()

    def best_log_lik(self, x: Tensor) -> float:
        """Log-likelihood of the values at their own mean."""
        log_var = 2 * torch.tensor([self.sigma], dtype=torch.float64).log()
        return gaussian_log_prob(x[:, None], x.mean()[None], log_var).sum().item()

    def history(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``log_evidence`` and ``best_log_lik`` of 0, 1, .. N values, (N + 1,) each."""
        first = [x[:n] for n in range(len(x) + 1)]
        rows = [(self.log_evidence(part), self.best_log_lik(part)) for part in first]
        return torch.tensor(rows, dtype=torch.float64).unbind(1)

    def _prior(self) -> Gaussian:
        mu, tau = torch.tensor([[self.mu0], [self.tau]], dtype=torch.float64)
        return Gaussian(mu, tau.square())

    def _model(self, count: int, prior: Gaussian) -> LinearGaussian:
        """``count`` values, all with the mean that has this prior."""
        one = torch.ones(count, dtype=torch.float64)
        prior = FullGaussian(prior.mu, prior.var[:, None])
        return LinearGaussian(prior, one[:, None], 0 * one, self.sigma**2 * one)


class Learned(NamedTuple):
    """A mean learned from the first ``num_seen`` of the values ``x`` (N,)."""

    model: NormalMean
    x: Tensor
    num_seen: int

    @property
    def seen(self) -> Tensor:
        """The values that have arrived, (num_seen,)."""
        return self.x[: self.num_seen]

    def posterior(self) -> Gaussian:
        """Of the mean, given the values seen: ``mu`` (1,), ``var`` (1,)."""
        return self.model.posterior(self.seen)

    def predictive(self) -> Gaussian:
        """Of the next value, given those seen: ``mu`` (1,), ``var`` (1,)."""
        return self.model.predictive(self.seen)

    def log_predictive(self) -> float | None:
        """Of the next value before it is seen, nats; None if all have been."""
        if self.num_seen == len(self.x):
            return None
        return self.predictive().log_prob(self.x[self.num_seen, None]).item()

    def log_evidence(self) -> float:
        """Of the values seen together, nats; 0 if there are none."""
        return self.model.log_evidence(self.seen)

    def best_log_lik(self) -> float:
        """Log-likelihood of the values seen at their own mean, nats; 0 of none."""
        return self.model.best_log_lik(self.seen)
