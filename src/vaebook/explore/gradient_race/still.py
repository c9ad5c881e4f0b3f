r"""Still picture of the variance race, drawn with matplotlib."""

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from vaebook.explore.gradient_race.maths import NUM_BATCHES, PICTURE, Race
from vaebook.explore.parts.colours import ACCENT, INK, LINE
from vaebook.explore.parts.picture import still_figure, still_picture
from vaebook.figures import KL_COLOUR

NAMES = {"pathwise": "pathwise", "score": "score function"}


def gradient_race_still(race: Race) -> bytes:
    """The estimates by both estimators over one axis, as WebP."""
    figure = still_figure()
    panels = figure.subplots(2, 1, sharex=True)
    truth = race.truth()
    half = PICTURE["half"][race.target]
    edges = np.linspace(-half, half, PICTURE["bins"][race.batch] + 1)
    pairs = zip(panels, NAMES, (ACCENT, KL_COLOUR), race.estimates(), strict=True)
    for ax, kind, colour, values in pairs:
        spread = getattr(truth, kind)
        peak = _draw_exact(ax, truth.gradient, (spread / race.batch) ** 0.5, edges)
        _draw_estimates(ax, values, edges, colour, peak)
        title = f"{NAMES[kind]}: variance {spread:.2f} per draw"
        ax.set_title(title, loc="left", size=9, color=INK)
        ax.set_ylabel("batches", size=8)
    panels[1].set_xlabel("estimate of the gradient", size=8)
    panels[1].set_xlim(-half, half)
    return still_picture(figure, colours=24)


def _draw_exact(ax: Axes, gradient: float, sd: float, edges: np.ndarray) -> float:
    """True gradient, one standard deviation, normal density; returns its peak."""
    ax.axvspan(gradient - sd, gradient + sd, color=LINE, lw=0)
    ax.axvline(gradient, color=INK, lw=1.2)
    u = np.linspace(-4, 4, 161)
    peak = NUM_BATCHES * (edges[1] - edges[0]) / (sd * np.sqrt(2 * np.pi))
    ax.plot(gradient + u * sd, peak * np.exp(-(u**2) / 2), color=INK, lw=0.8)
    return peak


def _draw_estimates(
    ax: Axes, values: Tensor, edges: np.ndarray, colour: str, peak: float
) -> None:
    """A histogram; what lies beyond counts in the first and last bar."""
    half = edges[-1]
    counts = np.histogram(values.clip(-half, half).numpy(), edges)[0]
    ax.stairs(counts, edges, fill=True, color=colour, alpha=0.6)
    tallest = counts[1:-1].max()
    highest = PICTURE["cut"] * peak
    ax.set_ylim(0, PICTURE["headroom"] * np.clip(tallest, peak, highest))
    style = {"size": 8, "color": INK, "va": "top"}
    style["xycoords"] = "data", "axes fraction"
    for side, name in ((-half, "left"), (half, "right")):
        count = int((values * np.sign(side) > half).sum())
        if count:
            ax.annotate(f" {count} beyond ", (side, 0.96), ha=name, **style)
    if tallest > highest:
        at = edges[counts.tolist().index(tallest)]
        ax.annotate(f"{tallest} \u2191 ", (at, 0.96), ha="right", **style)
