r"""The posteriors that the ELBO ellipse is laid over, and the best q of each."""

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.bayes import LinearGaussian, grid_posterior, standard_gaussian
from vaebook.likelihood import FullGaussian
from vaebook.variational import (
    Banana,
    elbo_by_quadrature,
    forward_kl_fit,
    gaussian_entropy,
    reverse_kl_fit,
)

NUM_NODES = 5  # exact for a log-joint of degree four
DIRECTIONS = {"reverse": "KL(q \u2016 p)", "forward": "KL(p \u2016 q)"}
PICTURE = {
    "drops": (4.5, 2, 0.5),  # nats below the mode; of a Gaussian: 3, 2, 1 deviations
    "in_view": 6,  # nats below log p(x) on the bar's axis
    "beyond": 0.9,  # and above
}


class Target(NamedTuple):
    r"""The posterior of a point in the plane, of which one number was seen.

    .. math:: z \sim \mathcal N(0, I), \qquad
              x \mid z \sim \mathcal N(z_2 + u z_1 + c z_1^2,\, \sigma^2)

    Attributes
    ----------
    label : str
        What the page calls it.
    curve : dict
        ``x``, ``slope`` u, ``curvature`` c and ``sigma``.
    log_joint : callable
        log p(x, z) at (..., 2), nats.
    log_evidence, entropy : float
        log p(x), and the entropy of p(z|x); nats.
    moments : FullGaussian
        Mean and covariance of p(z|x).
    """

    label: str
    curve: dict[str, float]
    log_joint: Callable[[Tensor], Tensor]
    log_evidence: float
    entropy: float
    moments: FullGaussian

    def elbo(self, q: FullGaussian) -> float:
        """Exactly, nats."""
        return elbo_by_quadrature(self.log_joint, q, NUM_NODES).item()

    def forward_kl(self, q: FullGaussian) -> float:
        r"""KL(p || q), nats: E_p[log q] needs only the moments of p."""
        scale = torch.linalg.solve(q.cov, self.moments.cov).diagonal().sum()
        cross = 0.5 * scale.item() - q.log_prob(self.moments.mu).item()
        return cross - self.entropy

    def best(self, direction: str, diagonal: bool) -> list[FullGaussian]:
        """The q of least divergence; several if they are equally good."""
        if direction == "forward":
            mu, cov = self.moments
            return [FullGaussian(mu, cov.diagonal().diag() if diagonal else cov)]
        starts = self.moments.mu + torch.tensor([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
        fits = [
            reverse_kl_fit(
                self.log_joint,
                FullGaussian(mu, 0.2 * torch.eye(2, dtype=torch.float64)),
                diagonal=diagonal,
                num_nodes=NUM_NODES,
            )
            for mu in starts
        ]
        top = max(self.elbo(q) for q in fits)
        return _distinct([q for q in fits if self.elbo(q) > top - 1e-6])


class Ellipse(NamedTuple):
    """A Gaussian q laid over a target, by the axes of its ellipse.

    ``mu`` and ``lengths``, the standard deviations along the axes, are two floats each;
    ``angle`` is in degrees.
    """

    target: Target
    mu: list[float]
    lengths: list[float]
    angle: float

    @property
    def q(self) -> FullGaussian:
        """The Gaussian."""
        return ellipse_gaussian(self.mu, self.lengths, self.angle)

    def log_evidence(self) -> float:
        """log p(x) of the target, nats; no q changes it."""
        return self.target.log_evidence

    def elbo(self) -> float:
        """Of q, nats."""
        return self.target.elbo(self.q)

    def kl(self) -> float:
        """KL(q || p), nats: what the ELBO is short of log p(x)."""
        return self.log_evidence() - self.elbo()

    def forward_kl(self) -> float:
        """KL(p || q), nats: the divergence the other way round."""
        return self.target.forward_kl(self.q)

    def summands(self) -> list[str]:
        """log p(x), ELBO and KL to three decimals that add up as written."""
        whole = round(self.log_evidence(), 3)
        kl = round(self.kl(), 3)
        return [f"{v:.3f}".replace("-", "\u2212") for v in (whole, whole - kl, kl)]


def _distinct(fits: list[FullGaussian]) -> list[FullGaussian]:
    """Those whose mean is not that of one before."""
    far = [
        all((q.mu - other.mu).norm() > 0.01 for other in fits[:k])
        for k, q in enumerate(fits)
    ]
    return [q for q, keep in zip(fits, far, strict=True) if keep]


def linear_target(x: float, sigma: float) -> Target:
    """The posterior of two numbers whose noisy sum was seen: a tilted Gaussian."""
    one = torch.ones(1, dtype=torch.float64)
    model = LinearGaussian(
        standard_gaussian(2), one.expand(1, 2), 0 * one, sigma**2 * one
    )
    seen = x * one[None]
    mu, cov = model.posterior(seen)
    posterior = FullGaussian(mu[0], cov)
    return Target(
        "Correlated Gaussian",
        {"x": x, "slope": 1.0, "curvature": 0.0, "sigma": sigma},
        lambda z: model.log_joint(seen, z),
        model.log_evidence(seen).item(),
        gaussian_entropy(posterior).item(),
        posterior,
    )


def banana_target(banana: Banana) -> Target:
    """The posterior of the smallest curved decoder, on a fine grid."""
    axis = torch.linspace(-7, 7, 501, dtype=torch.float64)
    posterior = grid_posterior(banana.log_joint, [axis, axis])
    return Target(
        "Banana",
        banana._asdict() | {"slope": 0.0},
        banana.log_joint,
        posterior.log_evidence.item(),
        -posterior.mean(posterior.log_prob).item(),
        forward_kl_fit(posterior),
    )


def ellipse_axes(q: FullGaussian) -> list:
    """[mean, lengths of the axes, angle of the first in degrees] of an ellipse of q.

    Of a diagonal covariance the first axis is that of z1, else the longer one.
    """
    (a, b), (_, d) = q.cov.tolist()
    if abs(b) < 1e-9 * (a + d):
        return [q.mu.tolist(), [math.sqrt(a), math.sqrt(d)], 0.0]
    short, long = torch.linalg.eigvalsh(q.cov).sqrt().tolist()
    return [q.mu.tolist(), [long, short], math.degrees(math.atan2(2 * b, a - d)) / 2]


def ellipse_gaussian(mu: list, lengths: list, angle: float) -> FullGaussian:
    """The Gaussian whose ellipse has these axes; ``angle`` in degrees."""
    turn = math.radians(angle)
    across, up = math.cos(turn), math.sin(turn)
    axes = torch.tensor([[across, -up], [up, across]], dtype=torch.float64)
    axes = axes * torch.tensor(lengths, dtype=torch.float64)
    return FullGaussian(torch.tensor(mu, dtype=torch.float64), axes @ axes.T)


def picture_bound(posteriors: Iterable[Target]) -> float:
    """Half the side of the picture, which holds the bulk of each posterior."""
    reach = [
        (mu.abs() + 3 * cov.diagonal().sqrt()).max().item()
        for mu, cov in (one.moments for one in posteriors)
    ]
    return max(3.0, math.ceil(2 * max(reach)) / 2)


@lru_cache(8)
def prepared(make: Callable[..., Target], *numbers: object) -> tuple[Target, dict]:
    """A target and what the page is sent of it; the same ones are made once."""
    target = make(*numbers)
    return target, shipped(target)


def shipped(target: Target) -> dict:
    """What the page is sent of a target."""
    mu, cov = target.moments
    choices = product(DIRECTIONS, (False, True))
    return {
        "label": target.label,
        "log_evidence": target.log_evidence,
        "entropy": target.entropy,
        "mean": mu.tolist(),
        "cov": cov.tolist(),
        "best": {
            f"{direction}{' diagonal' * diagonal}": [
                ellipse_axes(q) for q in target.best(direction, diagonal)
            ]
            for direction, diagonal in choices
        },
        **target.curve,
    }
