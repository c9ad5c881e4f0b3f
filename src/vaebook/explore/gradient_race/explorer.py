r"""The variance race: pathwise and score-function estimates of one gradient."""

import torch
import traitlets as t

from vaebook.explore.gradient_race.maths import (
    BASELINES,
    BATCHES,
    FARTHEST,
    NAMES,
    NUM_BATCHES,
    PICTURE,
    SHAPE,
    TARGETS,
    VERDICTS,
    Race,
    noise,
)
from vaebook.explore.gradient_race.still import gradient_race_still
from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.constraints import one_of, within
from vaebook.explore.parts.traits import constrained
from vaebook.explore.parts.widget import PicturedWidget

CHOICES = {
    "baselines": list(BASELINES.items()),
    "farthest": FARTHEST,
    "sizes": BATCHES,
    "targets": list(NAMES.items()),
}


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
    now : Race
        What is exact there, and the estimates.

    Raises
    ------
    ValueError
        If one of them is not of these; the message says what was received.
    """

    _esm = bundle("gradient_race/explorer.js")
    _css = stylesheet("parts/plot.css", "gradient_race/explorer.css")

    theta = t.Float().tag(sync=True)
    batch = t.Int(1).tag(sync=True)
    baseline = t.Unicode("none").tag(sync=True)
    target = t.Unicode("square").tag(sync=True)
    seed = t.Int().tag(sync=True)
    shape = t.Dict(SHAPE).tag(sync=True)
    choices = t.Dict(CHOICES).tag(sync=True)
    verdicts = t.Dict(VERDICTS).tag(sync=True)
    picture = t.Dict(PICTURE).tag(sync=True)

    def __init__(
        self,
        *,
        theta: float = 1.0,
        batch: int = 1,
        baseline: str = "none",
        target: str = "square",
        seed: int = 0,
    ) -> None:
        super().__init__(
            theta=float(theta), batch=batch, baseline=baseline, target=target, seed=seed
        )
        self.eps = torch.from_numpy(noise(seed))

    @property
    def now(self) -> Race:
        """The present setting, in numbers."""
        return Race(self.theta, self.batch, self.baseline, self.target, self.eps)

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        return gradient_race_still(self.now)

    def describe(self) -> str:
        """Alt text of the snapshot."""
        truth = self.now.truth()
        return (
            f"Variance race, still picture: two histograms of {NUM_BATCHES:,} "
            f"estimates of the gradient of the mean of {NAMES[self.target]}, x ~ "
            f"N({self.theta:.1f}, 1), by batches of {self.batch} with baseline "
            f"{self.baseline}, around the true {truth.gradient:.2f}: pathwise above, "
            f"variance {truth.pathwise:.2f} per draw; score function below, variance "
            f"{truth.score:.2f}. For the same accuracy {self.now.verdict()}."
        )

    held = constrained(
        {
            "theta": within(-FARTHEST, FARTHEST),
            "batch": one_of(BATCHES),
            "baseline": one_of(BASELINES),
            "target": one_of(TARGETS),
            "seed": within(0, 2**31 - 1),
        }
    )
