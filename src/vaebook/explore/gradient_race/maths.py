r"""Pathwise and score-function estimates of one gradient, and what is exact of them."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaebook.bayes import standard_gaussian
from vaebook.reparameterization import (
    estimator_variances,
    gaussian_score,
    pathwise_gradient,
    score_gradient,
)
from vaebook.variational import gauss_hermite

NUM_BATCHES = 1000
BATCHES = (1, 2, 5, 10, 20, 50, 100)
SHAPE = {"batches": NUM_BATCHES, "largest": BATCHES[-1]}  # of the noise
BASELINES = {"none": "none", "mean": "mean of f", "optimal": "optimal"}
TARGETS: dict[str, Callable[[Tensor], Tensor]] = {
    "square": lambda x: x[:, 0].square(),
    "cos x": lambda x: torch.cos(x[:, 0]),
    "cos 2x": lambda x: torch.cos(2 * x[:, 0]),
    "cos 4x": lambda x: torch.cos(4 * x[:, 0]),
}
NAMES = {name: name for name in TARGETS} | {"square": "x\u00b2"}
FARTHEST = 3
EVEN = 1.05  # a smaller ratio of variances is no difference
WHOLE = 9.95  # from here on a ratio is written without decimals
ROUNDING = 1e-9  # so that halves, 55.5 among them, go up
WORDS = {
    "score": "the score function needs {} times as many draws",
    "pathwise": "the pathwise gradient needs {} times as many draws",
    "both": "both need about as many draws",
}
VERDICTS = {"even": EVEN, "whole": WHOLE, "rounding": ROUNDING, "words": WORDS}
PICTURE = {
    "half": {"square": 20, "cos x": 3, "cos 2x": 4, "cos 4x": 5},  # of the axis
    "bins": {S: 80 if S < 5 else 160 if S < 50 else 320 for S in BATCHES},
    "headroom": 1.05,  # times what the vertical axis must hold
    "cut": 2.5,  # times the normal density's peak: higher bars are cut
}


class Truth(NamedTuple):
    """Exact gradient, baseline b, and variance per draw of both estimators."""

    gradient: float
    b: float
    pathwise: float
    score: float


class Race(NamedTuple):
    """One setting of the race: where x lies, S, b, f, and the noise (1000, 100)."""

    theta: float
    batch: int
    baseline: str
    target: str
    eps: Tensor

    def truth(self) -> Truth:
        """What is exact, by quadrature."""
        f = TARGETS[self.target]
        mu, log_var = self._parameters()
        found = estimator_variances(f, mu, log_var, self.baseline)
        return Truth(
            gradient=found.gradient.mu.item(),
            b=self._offset(),
            pathwise=found.pathwise.mu.item(),
            score=found.score.mu.item(),
        )

    def estimates(self) -> tuple[Tensor, Tensor]:
        """Pathwise and score-function estimates, one per batch: (1000,) each."""
        f = TARGETS[self.target]
        mu, log_var = self._parameters()
        eps = self.eps[:, : self.batch].reshape(-1, 1)  # (1000 S, 1)

        pathwise = pathwise_gradient(f, mu, log_var, eps)
        score = gaussian_score(mu + eps, mu, log_var)
        scored = score_gradient(f(mu + eps), score, self._offset())

        return self._means(pathwise.mu), self._means(scored.mu)

    def verdict(self) -> str:
        """Which estimator needs more draws for one accuracy, and how many times."""
        truth = self.truth()
        ratios = {
            "score": truth.score / truth.pathwise,
            "pathwise": truth.pathwise / truth.score,
        }
        for name, ratio in ratios.items():
            if ratio > EVEN:
                many = f"{ratio:.1f}" if ratio < WHOLE else f"{ratio + ROUNDING:.0f}"
                return WORDS[name].format(many)
        return WORDS["both"]

    def _parameters(self) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of x, (1,) each."""
        mu = torch.tensor([self.theta], dtype=torch.float64)
        return mu, torch.zeros_like(mu)

    def _offset(self) -> float:
        """The baseline b."""
        eps, w = gauss_hermite(standard_gaussian(1), 100)
        w = {"none": 0 * w, "mean": w, "optimal": w * eps[:, 0] ** 2}[self.baseline]
        return (w @ TARGETS[self.target](self.theta + eps)).item()

    def _means(self, draws: Tensor) -> Tensor:
        """Of each batch, from (1000 S, 1) or (1000 S,) to (1000,)."""
        return draws.reshape(-1, self.batch).mean(1)


def noise(seed: int) -> np.ndarray:
    """Standard normal numbers (1000, 100), which the page draws too.

    A counter mixed by the finaliser of MurmurHash3, then Box and Muller's transform.
    """
    with np.errstate(over="ignore"):
        n = np.arange(1, math.prod(SHAPE.values()) + 1, dtype=np.uint32)
        v = np.uint32(seed) + n * np.uint32(0x9E3779B9)
        v = (v ^ (v >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        v = (v ^ (v >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    uniform = ((v ^ (v >> np.uint32(16))) + 0.5) / 2**32
    radius = np.sqrt(-2 * np.log(uniform[::2]))
    angle = 2 * np.pi * uniform[1::2]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
    return pairs.reshape(*SHAPE.values())
