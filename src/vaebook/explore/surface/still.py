r"""Still picture of the likelihood surface, drawn with matplotlib."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from vaebook.explore.parts.colours import ACCENT, INK, LINE
from vaebook.explore.parts.picture import still_figure, still_picture
from vaebook.explore.surface.maths import PICTURE, Fit


class Frame(NamedTuple):
    """The bars of the data, and what the axes hold."""

    bars: dict[str, list[float]]
    ranges: dict[str, list[float]]
    label: str


def surface_still(fit: Fit, frame: Frame) -> bytes:
    """The data under their density and the likelihood surface, as WebP."""
    figure = still_figure()
    data, surface = figure.subplots(1, 2)
    _draw_density(data, fit, frame)
    _draw_surface(surface, fit, frame)
    for ax in (data, surface):
        ax.set_xlim(frame.ranges["mu"])
        ax.xaxis.label.set_size(9)
        ax.yaxis.label.set_size(9)
    return still_picture(figure, colours=24)


def _draw_density(ax: Axes, fit: Fit, frame: Frame) -> None:
    mu = fit.mu
    sigma = fit.sigma
    ranges = frame.ranges
    ax.stairs(frame.bars["heights"], frame.bars["edges"], fill=True, fc=LINE)
    x = np.linspace(*ranges["mu"], 300)
    density = np.exp(-(((x - mu) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))
    ax.plot(x, density, color=ACCENT)
    ax.plot(fit.x, np.zeros(len(fit.x)), "|", color=INK, ms=6, mew=0.6)
    top = max(ranges["density"], PICTURE["headroom"] * density.max())
    ax.set(ylim=(0, top), xlabel=frame.label, ylabel="density")


def _draw_surface(ax: Axes, fit: Fit, frame: Frame) -> None:
    """Contours a fixed number of nats below the maximum, and the present point."""
    ranges = frame.ranges
    x = fit.x.numpy()
    mu, sigma = np.meshgrid(
        np.linspace(*ranges["mu"], 200), np.geomspace(*ranges["sigma"], 200)
    )
    squared = (x.var() + (x.mean() - mu) ** 2) / sigma**2
    below = len(x) * (np.log(sigma / x.std()) + squared / 2 - 0.5)
    lines = ax.contour(mu, sigma, below, PICTURE["levels"], colors=ACCENT)
    ax.clabel(lines, fmt=lambda drop: f"\u2212{drop:g}", fontsize=7, colors=INK)
    ax.plot(x.mean(), x.std(), "+", color=INK)
    ax.plot(fit.mu, fit.sigma, "o", ms=9, mfc="none", mec=INK, mew=2)
    ax.set(yscale="log", xlabel=r"mean $\mu$", ylabel=r"standard deviation $\sigma$")
    ax.set_yticks([s for s in (0.5, 1, 2, 5) if s < ranges["sigma"][1]])
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
