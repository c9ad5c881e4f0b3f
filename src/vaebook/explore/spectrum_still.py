r"""Still picture of the spectrum explorer, drawn with matplotlib."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from matplotlib.axes import Axes

from vaebook.explore.still import ACCENT, INK, MUTED, still_figure, still_picture
from vaebook.figures import CLASS_COLOURS, KL_COLOUR, draw_grid
from vaebook.likelihood import LOG_2PI

if TYPE_CHECKING:
    from vaebook.explore.spectrum import SpectrumExplorer

TEST_COLOUR = CLASS_COLOURS[7]


def spectrum_still(explorer: "SpectrumExplorer") -> bytes:
    """The eigenvalues, the curves and the digits of the present state, as WebP."""
    figure = still_figure()
    ratios = (1.15, 1, 0.38 * len(explorer.digits))
    bars, curves, digits = figure.subplots(1, 3, width_ratios=ratios)
    _draw_eigenvalues(bars, explorer)
    _draw_curves(curves, explorer)
    pictures = explorer.digits, explorer.reconstructions()
    draw_grid(digits, torch.cat(pictures).clamp(0, 1), len(explorer.digits))
    digits.set_title("seen, rebuilt", size=8, color=MUTED)
    return still_picture(figure, colours=48)


def mean_log_p(
    explorer: "SpectrumExplorer", spread: list[float], across: np.ndarray
) -> np.ndarray:
    """Mean log p(x) at noise variances (V,) of images with these mean squared codes."""
    own = np.repeat(across[:, None], len(spread), 1)
    count = explorer.num_latents
    own[:, :count] = np.maximum(own[:, :count], explorer.eigenvalues[:count])
    return -0.5 * (LOG_2PI + np.log(own) + spread / own).sum(1)


def _draw_eigenvalues(ax: Axes, explorer: "SpectrumExplorer") -> None:
    """Bars, filled where a latent is alive and orange above the line; the line."""
    values, alive = explorer.eigenvalues[: explorer.most], explorer.num_alive()
    place, (low, high) = np.arange(1, explorer.most + 1), explorer.frame["var"]
    on, collapsed, off = np.split(place, (alive, explorer.num_latents))
    hollow = {"fill": False, "width": 0.76}
    heights = dict(zip(place.tolist(), values, strict=True))

    def tops(some: np.ndarray) -> list[float]:
        return [heights[i] for i in some.tolist()]

    ax.bar(collapsed, tops(collapsed), ec=INK, ls="--", lw=0.8, **hollow)
    ax.bar(off, tops(off), ec=MUTED, ls=":", lw=0.8, **hollow)
    ax.bar(on, tops(on), color=KL_COLOUR, width=0.76)
    ax.bar(on, explorer.var, color="#79b0bc", width=0.76)
    ax.axhline(explorer.var, color=INK)
    ax.set(yscale="log", ylim=(low, high), xticks=[1, 5, 10, 15, 20])
    ax.set_xlim(0.4, explorer.most + 0.6)
    ax.set_yticks([v for v in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if low < v < high])
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.set_xlabel("direction $i$", size=8)
    ax.set_title(r"eigenvalues, and $\sigma^2$", size=8, color=MUTED)


def _draw_curves(ax: Axes, explorer: "SpectrumExplorer") -> None:
    """Mean log p(x) against the noise variance, the best and the present one."""
    across = np.geomspace(*explorer.frame["var"], 60)
    for name, spread, value, colour, style in (
        ("train", explorer.eigenvalues, explorer.log_evidence(), ACCENT, "-"),
        ("test", explorer.test_spread, explorer.test_log_evidence(), TEST_COLOUR, "--"),
    ):
        heights = mean_log_p(explorer, spread, across)
        ax.plot(across, heights, color=colour, ls=style, label=name)
        ax.plot(explorer.var, value, "o", color=colour, ms=5, mec="white")
    ax.axvline(explorer.best_var(), color=INK, ls=":", lw=1)
    ax.set(xscale="log", ylim=explorer.frame["nats"], xticks=[0.01, 0.1])
    ax.xaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.set_xlabel(r"noise variance $\sigma^2$", size=8)
    ax.set_title("mean log p(x), nats", size=8, color=MUTED)
    ax.legend(fontsize=8, loc="lower center", frameon=False)
