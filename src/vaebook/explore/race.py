r"""A race of samplers: log p(x) from more and more draws of several proposals."""

import math
from collections.abc import Mapping

import numpy as np
import torch
import traitlets as t
from torch import Tensor

from vaebook.explore.bundle import bundle, stylesheet
from vaebook.explore.fallback import PicturedWidget
from vaebook.explore.race_still import race_still
from vaebook.monte_carlo import LogEvidence, iw_log_evidence

MOST_SAMPLERS, MOST_RUNS = 4, 8
FEWEST_DRAWS, MOST_DRAWS, A_DECADE = 10, 1_000_000, 10
FARTHEST = 3.0  # nats below the truth that the picture shows for few draws


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

    _esm = bundle("race.js")
    _css = stylesheet("theme.css", "plot.css", "race.css")

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
    ):
        num_draws, num_runs = _check_weights(log_w)
        if not math.isfinite(truth):
            raise ValueError(f"truth must be finite; received {truth}")
        self.sizes, truth = _sizes(num_draws), float(truth)
        self.paths = {name: _running(one, self.sizes) for name, one in log_w.items()}
        super().__init__(
            names=list(log_w),
            shown=list(log_w),
            sizes=self.sizes,
            num_samples=num_samples or self.sizes[len(self.sizes) // 2],
            num_runs=num_runs,
            truth=truth,
            label=label,
            frame=_frame(self.paths, truth),
            numbers=_packed(self.paths, truth),
        )

    def estimates(self) -> dict[str, LogEvidence]:
        """Each sampler's estimate from the present draws of the present run, nats."""
        at = self.sizes.index(self.num_samples), self.run
        return {
            name: LogEvidence(*(column[at] for column in path))
            for name, path in self.paths.items()
        }

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        return race_still(self)

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


def _check_weights(log_w: Mapping[str, Tensor]) -> tuple[int, int]:
    """Number of draws and of runs, the same for each sampler."""
    shapes = {name: tuple(one.shape) for name, one in log_w.items()}
    first = next(iter(shapes.values()), ())
    proper = len(first) == 2 and 100 <= first[0] <= MOST_DRAWS
    proper = proper and 1 <= first[1] <= MOST_RUNS
    if not (proper and len(shapes) <= MOST_SAMPLERS and {*shapes.values()} == {first}):
        raise ValueError(
            f"log_w must hold 1 to {MOST_SAMPLERS} samplers of one shape (S, R), "
            f"100 <= S <= {MOST_DRAWS:,} and R <= {MOST_RUNS}; received {shapes}"
        )
    for name, one in log_w.items():
        if not one.isfinite().all():
            bad = one[~one.isfinite()][0]
            raise ValueError(f"log_w must be finite; received {bad} in {name}")
    return first


def _sizes(num_draws: int) -> list[int]:
    """Whole powers of ten among them, and S itself."""
    decades = math.log10(num_draws / FEWEST_DRAWS)
    exponents = np.arange(math.ceil(A_DECADE * decades)) / A_DECADE
    spaced = (FEWEST_DRAWS * 10**exponents).round().astype(int).tolist()
    return sorted({*spaced, num_draws})


def _running(log_w: Tensor, sizes: list[int]) -> LogEvidence:
    """Estimate, standard error and ESS of the first s draws, each (sizes, R)."""
    rows = [iw_log_evidence(lambda count: log_w[:count], s, chunk=s) for s in sizes]
    return LogEvidence(*(torch.stack(column) for column in zip(*rows, strict=True)))


def _packed(paths: Mapping[str, LogEvidence], truth: float) -> bytes:
    """Error and standard error, float32: by sampler, run and size. ESS follows."""
    pairs = [(path.value - truth, path.standard_error) for path in paths.values()]
    rows = torch.stack([torch.stack(pair, -1) for pair in pairs])
    return rows.transpose(1, 2).numpy().astype("<f4").tobytes()


def _frame(paths: Mapping[str, LogEvidence], truth: float) -> list[float]:
    """Least and greatest height of the picture, with every last estimate in it.

    What is far off with few draws stays outside until it comes near.
    """
    values = torch.stack([path.value for path in paths.values()]) - truth
    bands = torch.stack([2 * path.standard_error for path in paths.values()])
    last = values[:, -1]
    low = max(min(-values.quantile(0.05).item(), FARTHEST), -last.min().item())
    high = max((values + bands).quantile(0.9).item(), last.max().item())
    low, high = max(low, high / 2, 1e-3), max(high, low / 4, 1e-3)
    return [truth - 1.1 * low, truth + 1.1 * high]
