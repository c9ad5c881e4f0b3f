r"""A race of samplers: log p(x) from more and more draws of several proposals."""

import math
from collections.abc import Mapping

import traitlets as t
from torch import Tensor

from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.widget import PicturedWidget
from vaebook.explore.sampler_race.maths import (
    Paths,
    checked_shape,
    draw_counts,
    nats_shown,
    packed,
    running,
)
from vaebook.explore.sampler_race.still import Shown, race_still
from vaebook.monte_carlo import LogEvidence


class SamplerRace(PicturedWidget):
    """Estimates of log p(x) by importance sampling, as the number of draws grows.

    Each sampler has a line and the band of two standard errors that it reports. The
    exact value is known, so that the reader sees which band deserves belief.

    Parameters
    ----------
    log_w : dict of str to Tensor (S, R)
        For one to four samplers, the log-weights of S draws in each of R runs:
        100 <= S <= 1,000,000 and R <= 8.
    truth : float
        The exact log p(x), nats.
    label : str
        What is estimated, and its unit.
    num_samples : int, optional
        Draws at the start; by default the middle of the slider.

    Attributes
    ----------
    num_samples : int
        Draws in use, one of ``sizes``.
    run : int
        The run on show, from 0 to R - 1.
    shown : list of str
        The samplers on show.
    sizes : list of int
        Numbers of draws from 10 to S, ten in each decade.

    Raises
    ------
    ValueError
        If the weights or a trait are not of this form; the message says what was
        received.
    """

    _esm = bundle("sampler_race/explorer.js")
    _css = stylesheet("parts/theme.css", "parts/plot.css", "sampler_race/explorer.css")

    num_samples = t.Int().tag(sync=True)
    run = t.Int().tag(sync=True)
    shown = t.List(t.Unicode()).tag(sync=True)
    names = t.List(t.Unicode()).tag(sync=True)
    sizes = t.List(t.Int()).tag(sync=True)
    num_runs = t.Int().tag(sync=True)
    truth = t.Float().tag(sync=True)
    label = t.Unicode().tag(sync=True)
    frame = t.List(t.Float()).tag(sync=True)
    numbers = t.Bytes().tag(sync=True)

    def __init__(
        self,
        log_w: Mapping[str, Tensor],
        truth: float,
        *,
        label: str = "log p(x), nats",
        num_samples: int | None = None,
    ) -> None:
        num_draws, num_runs = checked_shape(log_w)
        if not math.isfinite(truth):
            raise ValueError(f"truth must be finite; received {truth}")
        self.sizes = draw_counts(num_draws)
        estimates = {name: running(one, self.sizes) for name, one in log_w.items()}
        self.paths = Paths(self.sizes, estimates, float(truth))
        super().__init__(
            names=list(log_w),
            shown=list(log_w),
            sizes=self.sizes,
            num_samples=num_samples or self.sizes[len(self.sizes) // 2],
            num_runs=num_runs,
            truth=self.paths.truth,
            label=label,
            frame=nats_shown(self.paths),
            numbers=packed(self.paths),
        )

    def estimates(self) -> dict[str, LogEvidence]:
        """Each sampler's estimate from the present draws of the present run, nats."""
        return self.paths.at(self.num_samples, self.run)

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        shown = Shown(self.num_samples, self.run, self.shown, self.label, self.frame)
        return race_still(self.paths, shown)

    def describe(self) -> str:
        """Alt text of the snapshot."""
        rows = self.estimates()
        said = "; ".join(
            f"{name} {rows[name].value:.3f} ± {rows[name].standard_error:.3f}"
            for name in self.shown
        )
        return (
            f"Race of samplers, still picture: estimates of {self.label} against the "
            f"number of draws, in run {self.run + 1} of {self.num_runs}, with bands of "
            f"two standard errors up to {self.num_samples:,} draws, and a line at the "
            f"exact {self.truth:.3f}. There: {said or 'no sampler shown'}."
        )

    @t.validate("num_samples")
    def _validate_num_samples(self, proposal: dict) -> int:
        if proposal["value"] not in self.sizes:
            nearest = min(self.sizes, key=lambda s: abs(s - proposal["value"]))
            raise ValueError(
                f"num_samples must be one of sizes, {self.sizes[0]} to "
                f"{self.sizes[-1]}; received {proposal['value']}, nearest {nearest}"
            )
        return proposal["value"]

    @t.validate("run")
    def _validate_run(self, proposal: dict) -> int:
        if not 0 <= proposal["value"] < self.num_runs:
            raise ValueError(
                f"run must be 0 to {self.num_runs - 1}; received {proposal['value']}"
            )
        return proposal["value"]

    @t.validate("shown")
    def _validate_shown(self, proposal: dict) -> list[str]:
        unknown = [name for name in proposal["value"] if name not in self.names]
        if unknown:
            raise ValueError(
                f"shown must be among {', '.join(self.names)}; received {unknown[0]}"
            )
        return proposal["value"]
