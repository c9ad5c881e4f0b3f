r"""A race of samplers: log p(x) from more and more draws of several proposals."""

from collections.abc import Mapping

import traitlets as t
from torch import Tensor

from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.constraints import (
    FINITE,
    Constraint,
    among,
    obeying,
    within,
)
from vaebook.explore.parts.traits import constrained
from vaebook.explore.parts.widget import PicturedWidget
from vaebook.explore.sampler_race.maths import (
    PICTURE,
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
    _css = stylesheet("parts/plot.css", "sampler_race/explorer.css")

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
    picture = t.Dict(PICTURE).tag(sync=True)

    def __init__(
        self,
        log_w: Mapping[str, Tensor],
        truth: float,
        *,
        label: str = "log p(x), nats",
        num_samples: int | None = None,
    ) -> None:
        num_draws, num_runs = checked_shape(log_w)
        obeying("truth", truth, FINITE)
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

    held = constrained(
        {
            "num_samples": lambda self: one_size(self.sizes),
            "run": lambda self: within(0, self.num_runs - 1),
            "shown": lambda self: among(self.names),
        }
    )


def one_size(sizes: list[int]) -> Constraint:
    """One of them; a refusal shows the nearest."""

    def with_nearest(value: int) -> str:
        return f"{value}, nearest {min(sizes, key=lambda size: abs(size - value))}"

    rule = f"one of sizes, {sizes[0]} to {sizes[-1]}"
    return Constraint(rule, lambda value: value in sizes, with_nearest)
