r"""The variance race: pathwise and score-function estimates of one gradient."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import traitlets as t
from torch import Tensor

from vaebook.bayes import standard_gaussian
from vaebook.explore.bundle import bundle, stylesheet
from vaebook.explore.fallback import PicturedWidget
from vaebook.explore.gradient_race_still import gradient_race_still
from vaebook.kl_fits import gauss_hermite
from vaebook.reparameterization import pathwise_gradient
from vaebook.score_function import estimator_variances, gaussian_score, score_gradient

NUM_BATCHES = 1000
BATCHES = (1, 2, 5, 10, 20, 50, 100)
BASELINES = ("none", "mean", "optimal")
TARGETS: dict[str, Callable[[Tensor], Tensor]] = {
    "square": lambda x: x[:, 0].square(),
    "cos x": lambda x: torch.cos(x[:, 0]),
    "cos 2x": lambda x: torch.cos(2 * x[:, 0]),
    "cos 4x": lambda x: torch.cos(4 * x[:, 0]),
}
FARTHEST = 3.0
EVEN = 1.05  # as in gradient_race.js


class Truth(NamedTuple):
    """Exact gradient, baseline b, and variance per draw of both estimators."""

    gradient: float
    b: float
    pathwise: float
    score: float


class GradientRace(PicturedWidget):
    r"""A thousand estimates of d/dtheta E[f(x)], x ~ N(theta, 1), by each estimator.

    .. math:: \frac1S\sum_s f'(\theta + \varepsilon_s), \qquad
              \frac1S\sum_s \bigl(f(\theta + \varepsilon_s) - b\bigr)\,\varepsilon_s

    Parameters
    ----------
    theta : float
        From -3 to 3.
    batch : int
        S, the draws in each estimate: 1, 2, 5, 10, 20, 50 or 100.
    baseline : {"none", "mean", "optimal"}
        b: zero, E[f], or the constant of the least variance.
    target : {"square", "cos x", "cos 2x", "cos 4x"}
        f.
    seed : int
        Of the noise, which is the same at every setting.

    Attributes
    ----------
    theta, batch, baseline, target
        Reading gives where the reader moved them, setting moves them.

    Raises
    ------
    ValueError
        If one of them is not of these; the message says what was received.
    """

    _esm = bundle("gradient_race.js")
    _css = stylesheet("theme.css", "plot.css", "gradient_race.css")

    theta = t.Float().tag(sync=True)
    batch = t.Int(1).tag(sync=True)
    baseline = t.Unicode("none").tag(sync=True)
    target = t.Unicode("square").tag(sync=True)
    seed = t.Int().tag(sync=True)

    def __init__(
        self,
        *,
        theta: float = 1.0,
        batch: int = 1,
        baseline: str = "none",
        target: str = "square",
        seed: int = 0,
    ):
        super().__init__(
            theta=float(theta), batch=batch, baseline=baseline, target=target, seed=seed
        )
        self.eps = torch.from_numpy(_noise(seed))

    def truth(self) -> Truth:
        """What is exact at the present setting, by quadrature."""
        f, mu, log_var = TARGETS[self.target], *self._parameters()
        found = estimator_variances(f, mu, log_var, self.baseline)
        return Truth(
            found.gradient.mu.item(),
            self._offset(),
            found.pathwise.mu.item(),
            found.score.mu.item(),
        )

    def estimates(self) -> tuple[Tensor, Tensor]:
        """Pathwise and score-function estimates, one per batch: (1000,) each."""
        f, mu, log_var = TARGETS[self.target], *self._parameters()
        eps = self.eps[:, : self.batch].reshape(-1, 1)
        path = pathwise_gradient(f, mu, log_var, eps)
        score = gaussian_score(mu + eps, mu, log_var)
        draws = path, score_gradient(f(mu + eps), score, self._offset())
        return tuple(d.mu.reshape(-1, self.batch).mean(1) for d in draws)

    def verdict(self) -> str:
        """Which estimator needs more draws for one accuracy, and how many times."""
        truth = self.truth()
        for name, ratio in (
            ("score function", truth.score / truth.pathwise),
            ("pathwise gradient", truth.pathwise / truth.score),
        ):
            if ratio > EVEN:
                many = f"{ratio:.1f}" if ratio < 9.95 else f"{ratio + 1e-9:.0f}"
                return f"the {name} needs {many} times as many draws"
        return "both need about as many draws"

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        return gradient_race_still(self)

    def describe(self) -> str:
        """Alt text of the snapshot."""
        truth, name = self.truth(), "x²" if self.target == "square" else self.target
        return (
            f"Variance race, still picture: two histograms of {NUM_BATCHES:,} "
            f"estimates of the gradient of the mean of {name}, x ~ "
            f"N({self.theta:.1f}, 1), by batches of {self.batch} with baseline "
            f"{self.baseline}, around the true {truth.gradient:.2f}: pathwise above, "
            f"variance {truth.pathwise:.2f} per draw; score function below, variance "
            f"{truth.score:.2f}. For the same accuracy {self.verdict()}."
        )

    def _parameters(self) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of x, (1,) each."""
        mu = torch.tensor([self.theta], dtype=torch.float64)
        return mu, torch.zeros_like(mu)

    def _offset(self) -> float:
        """The baseline b."""
        eps, w = gauss_hermite(standard_gaussian(1), 100)
        w = {"none": 0 * w, "mean": w, "optimal": w * eps[:, 0] ** 2}[self.baseline]
        return (w @ TARGETS[self.target](self.theta + eps)).item()

    @t.validate("theta")
    def _validate_theta(self, proposal: dict) -> float:
        if not -FARTHEST <= proposal["value"] <= FARTHEST:
            raise ValueError(f"theta must be -3 to 3; received {proposal['value']}")
        return proposal["value"]

    @t.validate("batch", "baseline", "target")
    def _validate_choice(self, proposal: dict) -> int | str:
        name, value = proposal["trait"].name, proposal["value"]
        choices = {"batch": BATCHES, "baseline": BASELINES, "target": TARGETS}[name]
        if value not in choices:
            listed = ", ".join(map(str, choices))
            raise ValueError(f"{name} must be one of {listed}; received {value}")
        return value

    @t.validate("seed")
    def _validate_seed(self, proposal: dict) -> int:
        if not 0 <= proposal["value"] < 2**31:
            raise ValueError(
                f"seed must be 0 to {2**31 - 1}; received {proposal['value']}"
            )
        return proposal["value"]


def _noise(seed: int) -> np.ndarray:
    """Standard normal numbers (1000, 100), the same as those of estimators.js."""
    with np.errstate(over="ignore"):
        n = np.arange(1, NUM_BATCHES * BATCHES[-1] + 1, dtype=np.uint32)
        v = np.uint32(seed) + n * np.uint32(0x9E3779B9)
        v = (v ^ (v >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        v = (v ^ (v >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    uniform = ((v ^ (v >> np.uint32(16))) + 0.5) / 2**32
    radius = np.sqrt(-2 * np.log(uniform[::2]))
    angle = 2 * np.pi * uniform[1::2]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
    return pairs.reshape(NUM_BATCHES, BATCHES[-1])
