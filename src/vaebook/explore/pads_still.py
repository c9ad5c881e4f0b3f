r"""Still picture of the two latent pads, drawn with matplotlib."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from vaebook.explore.still import ACCENT, INK, MUTED, still_figure, still_picture
from vaebook.figures import CLASS_COLOURS, KL_COLOUR, draw_grid

if TYPE_CHECKING:
    from vaebook.explore.pads import LatentPads

COLUMNS = 2  # of the images beside a pad
DASHES = {"prior": "-", "fitted": "--"}  # as in pads.css


def pads_still(pads: "LatentPads") -> bytes:
    """Each model's codes and draws, the decoded draws beside them, as WebP."""
    figure = still_figure()
    figure.set_layout_engine("constrained")
    panels = figure.subplots(1, 4, width_ratios=(3, 1, 3, 1))
    for k, name in enumerate(pads.names):
        _draw_pad(panels[2 * k], pads, k)
        panels[2 * k].set_title(name, size=9, color=INK)
        _draw_strip(panels[2 * k + 1], pads, k)
    return still_picture(figure, colours=48, letters=8)


def pads_words(pads: "LatentPads", source: str) -> str:
    """What the picture shows, and the numbers under each pad."""
    lost, inside = pads.where_no_code_is(), pads.codes_inside()
    words = "; ".join(
        f"{name}: {inside[k]} codes within 2 sigma of it, {lost[k].sum()} of its "
        f"{lost[k].numel()} draws where no code is"
        for k, name in enumerate(pads.names)
    )
    return (
        f"Two latent pads, still picture: the codes of {len(pads.labels)} test images "
        f"in two models, {pads.num_draws} draws of {source} as crosses, and the images "
        f"decoded from them. {words}."
    )


def _draw_pad(ax: Axes, pads: "LatentPads", model: int) -> None:
    kinds = np.unique(pads.labels, return_inverse=True)[1]
    colours = [CLASS_COLOURS[k % 10] for k in kinds]
    ax.scatter(*pads.codes[model].T, s=4, c=colours, lw=0, antialiased=False)
    draws, lost = (t[model, pads.draw] for t in (pads.draws(), pads.where_no_code_is()))
    ax.plot(*draws[~lost].T, "+", color=INK, ms=7, mew=1.4)
    ax.plot(*draws[lost].T, "x", color=KL_COLOUR, ms=6, mew=1.4)
    for source in sorted({"prior", pads.source}):
        _draw_ellipses(ax, *pads.sources[source][model], DASHES[source])
    across, up = pads.frames[model]
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


def _draw_strip(ax: Axes, pads: "LatentPads", model: int) -> None:
    images = pads.probabilities(model, pads.draws()[model, pads.draw])
    images = (8 * images).round() / 8  # few greys, for the palette
    blanks = images.new_zeros(-len(images) % COLUMNS, images.shape[1])
    draw_grid(ax, torch.cat([images, blanks]), COLUMNS)
