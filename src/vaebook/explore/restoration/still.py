r"""Still picture of a restoration, drawn with matplotlib."""

from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from torch import Tensor

from vaebook.explore.parts.colours import INK
from vaebook.explore.parts.picture import still_figure, still_picture
from vaebook.explore.restoration.maths import Answer, Blocks
from vaebook.figures import draw_grid, draw_image


class Shown(NamedTuple):
    """What was measured, the whole image if it is known, and what follows."""

    blocks: Blocks
    truth: Tensor | None
    answer: Answer


def restoration_still(shown: Shown) -> bytes:
    """What is seen, the mean, the standard deviation, and eight images, as WebP."""
    figure = still_figure()
    panels = figure.subplots(1, 4, width_ratios=(1, 1, 1, 2))
    _draw_seen(panels[0], shown.blocks)
    mean, sd = shown.answer.mean.clamp(0, 1), shown.answer.sd
    draw_image(panels[1], _few(mean))
    draw_image(panels[2], _few(2 * sd.clamp(0, 0.5)))
    draw_grid(panels[3], _few(shown.answer.images.clamp(0, 1)), 4)
    titles = "seen", "mean", "spread", "images that fit"
    for ax, title in zip(panels, titles, strict=True):
        ax.set_title(title, size=9, color=INK)
    return still_picture(figure, colours=32)


def _few(images: Tensor) -> Tensor:
    """Few greys, for the palette."""
    return (16 * images).round() / 16


def _draw_seen(ax: Axes, blocks: Blocks) -> None:
    """Ink of what was seen; hidden squares are crossed out."""
    across = round(len(blocks.seen) ** 0.5)
    seen = torch.tensor(blocks.seen, dtype=torch.bool)
    draw_image(ax, torch.where(seen, blocks.ink, 0.0))
    for b in (~seen).nonzero().flatten().tolist():
        row, column = divmod(b, across)
        ax.plot(column, row, "x", color="#8a939e", ms=18 / across, mew=1)
