r"""Restoration where images are a mixture of Gaussians: exact, too (chapter 12)."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from vaebook.applications.baselines import RIDGE
from vaebook.applications.measurements import Measurement
from vaebook.applications.restoration import exact_log_hidden, exact_restoration
from vaebook.checks import has_shape
from vaebook.em import GaussianMixture
from vaebook.likelihood import FullGaussian, fit_full_gaussian


class MixtureAnswer(NamedTuple):
    """p(x|y) under a mixture: which component, and what each of them says.

    Attributes
    ----------
    log_resp : Tensor (N, K)
        log p(k|y).
    exact : list of FullGaussian
        p(x|y, k): ``mu`` (N, D), ``cov`` (D, D) of each.
    """

    log_resp: Tensor
    exact: list[FullGaussian]

    @property
    def mean(self) -> Tensor:
        """E[x|y], (N, D)."""
        means = torch.stack([law.mu for law in self.exact], 1)  # (N, K, D)
        return (self.log_resp.exp()[..., None] * means).sum(1)

    def log_hidden(self, measurement: Measurement, x: Tensor) -> Tensor:
        """log p of what y left unseen of images (N, D): (N,) nats."""
        each = [exact_log_hidden(law, measurement, x) for law in self.exact]
        return (self.log_resp + torch.stack(each, 1)).logsumexp(1)


def class_gaussians(x: Tensor, y: Tensor, shrink: float = 0.1) -> GaussianMixture:
    r"""A Gaussian for each class of images (N, D) with labels (N,), in float64.

    .. math:: \Sigma_k = (1 - \lambda)\,\hat\Sigma_k + \lambda \sum_j \pi_j
              \hat\Sigma_j + \mathrm{ridge}\, I

    A class has too few images for a covariance of its own: ``shrink``, lambda, leads it
    to the average of all classes.
    """
    has_shape("y", y, len(x))
    x = x.double()
    fits = [fit_full_gaussian(x[y == k]) for k in y.unique()]
    weights = torch.stack([(y == k).double().mean() for k in y.unique()])
    own = torch.stack([fit.cov for fit in fits])
    pooled = torch.einsum("k,kde->de", weights, own)
    ridge = RIDGE * torch.eye(x.shape[1]).double()
    cov = (1 - shrink) * own + shrink * pooled + ridge
    return GaussianMixture(weights, torch.stack([fit.mu for fit in fits]), cov)


def mixture_restoration(
    images: GaussianMixture, measurement: Measurement, y: Tensor
) -> MixtureAnswer:
    r"""p(x|y) where images are a mixture: each component's answer, weighed by p(k|y).

    .. math:: p(k \mid y) \propto \pi_k\, \mathcal N\bigl(y;\, A m_k,\,
              A C_k A^\top + \sigma^2 I\bigr)

    ``y`` (N, M).
    """
    weights = measurement.checked().weights.to(y)
    has_shape("y", y, -1, len(weights))
    noise = measurement.sigma**2 * torch.eye(len(weights)).to(y)
    log_joint, exact = [], []
    for share, mu, cov in zip(*images, strict=True):
        seen = MultivariateNormal(mu @ weights.T, weights @ cov @ weights.T + noise)
        log_joint.append(share.log() + seen.log_prob(y))
        exact.append(exact_restoration(FullGaussian(mu, cov), measurement, y))
    return MixtureAnswer(torch.stack(log_joint, 1).log_softmax(1), exact)
