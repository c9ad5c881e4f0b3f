r"""Still picture of the two latent pads, drawn with matplotlib."""

from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from vaebook.explore.pads.maths import PICTURE, Pads
from vaebook.explore.parts.colours import ACCENT, INK, MUTED
from vaebook.explore.parts.picture import still_figure, still_picture
from vaebook.figures import CLASS_COLOURS, KL_COLOUR, draw_grid

COLUMNS = 2  # of the images beside a pad


class Shown(NamedTuple):
    """What of the pads is shown: names, classes, frames, and the set of draws."""

    names: list[str]
    labels: list[int]
    frames: list[list[list[float]]]
    draw: int


def pads_still(pads: Pads, shown: Shown) -> bytes:
    """Each model's codes and draws, the decoded draws beside them, as WebP."""
    figure = still_figure()
    figure.set_layout_engine("constrained")
    panels = figure.subplots(1, 4, width_ratios=(3, 1, 3, 1))
    for k, name in enumerate(shown.names):
        _draw_pad(panels[2 * k], pads, shown, k)
        panels[2 * k].set_title(name, size=9, color=INK)
        _draw_strip(panels[2 * k + 1], pads, shown, k)
    return still_picture(figure, colours=48, letters=8)


def _draw_pad(ax: Axes, pads: Pads, shown: Shown, model: int) -> None:
    kinds = np.unique(shown.labels, return_inverse=True)[1]
    colours = [CLASS_COLOURS[k % 10] for k in kinds]
    ax.scatter(*pads.codes[model].T, s=4, c=colours, lw=0, antialiased=False)
    draws = pads.draws()[model, shown.draw]
    lost = pads.where_no_code_is()[model, shown.draw]
    ax.plot(*draws[~lost].T, "+", color=INK, ms=7, mew=1.4)
    ax.plot(*draws[lost].T, "x", color=KL_COLOUR, ms=6, mew=1.4)
    for source in sorted({"prior", pads.source}):
        dash = "--" if PICTURE["dashes"][source] else "-"
        _draw_ellipses(ax, *pads.sources[source][model], dash)
    across, up = shown.frames[model]
    ax.set(xlim=across, ylim=up, aspect="equal")
    ax.set_xlabel("$z_1$", size=9, color=MUTED, labelpad=0)
    ax.set_ylabel("$z_2$", size=9, color=MUTED, labelpad=-4)


def _draw_ellipses(ax: Axes, mean: Tensor, chol: Tensor, dash: str) -> None:
    """One and two sigma of a Gaussian."""
    angle = np.linspace(0, 2 * np.pi, 100)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    for radius in (1, 2):
        points = mean.numpy()[:, None] + radius * chol.numpy() @ circle
        ax.plot(*points, dash, color=ACCENT, lw=1, zorder=3)


def _draw_strip(ax: Axes, pads: Pads, shown: Shown, model: int) -> None:
    draws = pads.draws()[model, shown.draw]
    images = pads.probabilities(model, draws)
    images = (8 * images).round() / 8  # few greys, for the palette
    blanks = images.new_zeros(-len(images) % COLUMNS, images.shape[1])
    draw_grid(ax, torch.cat([images, blanks]), COLUMNS)
