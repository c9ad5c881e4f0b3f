r"""Still picture of the spectrum explorer, drawn with matplotlib."""

from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes

from vaebook.explore.parts.colours import ACCENT, INK, LIGHT, MUTED
from vaebook.explore.parts.picture import still_figure, still_picture
from vaebook.explore.spectrum.maths import PICTURE, Noise
from vaebook.figures import KL_COLOUR, draw_grid

TEST_COLOUR = LIGHT[PICTURE["test"]]


class Frame(NamedTuple):
    """What the axes hold: the eigenvalues shown, variances, nats."""

    most: int
    var: tuple[float, float]
    nats: tuple[float, float]


def spectrum_still(noise: Noise, frame: Frame) -> bytes:
    """The eigenvalues, the curves and the digits of the present state, as WebP."""
    figure = still_figure()
    ratios = (1.15, 1, 0.38 * len(noise.digits))
    bars, curves, digits = figure.subplots(1, 3, width_ratios=ratios)
    _draw_eigenvalues(bars, noise, frame)
    _draw_curves(curves, noise, frame)
    pictures = noise.digits, noise.reconstructions()
    draw_grid(digits, torch.cat(pictures).clamp(0, 1), len(noise.digits))
    digits.set_title("seen, rebuilt", size=8, color=MUTED)
    return still_picture(figure, colours=48)


def _draw_eigenvalues(ax: Axes, noise: Noise, frame: Frame) -> None:
    """Bars, filled where a latent is alive and orange above the line; the line."""
    low, high = frame.var
    place = np.arange(1, frame.most + 1)
    heights = noise.eigenvalues.numpy()
    on, collapsed, off = np.split(place, (noise.num_alive(), noise.num_latents))
    width = 2 * PICTURE["half"]
    hollow = {"fill": False, "width": width}

    ax.bar(collapsed, heights[collapsed - 1], ec=INK, ls="--", lw=0.8, **hollow)
    ax.bar(off, heights[off - 1], ec=MUTED, ls=":", lw=0.8, **hollow)
    ax.bar(on, heights[on - 1], color=KL_COLOUR, width=width)
    ax.bar(on, noise.var, color="#79b0bc", width=width)
    ax.axhline(noise.var, color=INK)

    ax.set(yscale="log", ylim=(low, high), xticks=PICTURE["ticks"])
    ax.set_xlim(PICTURE["left"], frame.most + 0.6)
    ax.set_yticks([v for v in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if low < v < high])
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.set_xlabel("direction $i$", size=8)
    ax.set_title(r"eigenvalues, and $\sigma^2$", size=8, color=MUTED)


def _draw_curves(ax: Axes, noise: Noise, frame: Frame) -> None:
    """Mean log p(x) against the noise variance, the best and the present one."""
    across = np.geomspace(*frame.var, 60)
    for name, spread, value, colour, style in (
        ("train", noise.eigenvalues, noise.log_evidence(), ACCENT, "-"),
        (
            "test",
            noise.images.test_spread,
            noise.test_log_evidence(),
            TEST_COLOUR,
            "--",
        ),
    ):
        heights = noise.mean_log_p(spread, across)
        ax.plot(across, heights, color=colour, ls=style, label=name)
        ax.plot(noise.var, value, "o", color=colour, ms=5, mec="white")
    ax.axvline(noise.best_var(), color=INK, ls=":", lw=1)
    ax.set(xscale="log", ylim=frame.nats, xticks=[0.01, 0.1])
    ax.xaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.set_xlabel(r"noise variance $\sigma^2$", size=8)
    ax.set_title("mean log p(x), nats", size=8, color=MUTED)
    ax.legend(fontsize=8, loc="lower center", frameon=False)
