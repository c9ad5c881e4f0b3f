"""Still picture of the gap ledger, drawn with matplotlib."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from vaebook.explore.ledger.maths import Gaps, Q, View
from vaebook.explore.parts.colours import ACCENT, INK, MUTED
from vaebook.explore.parts.picture import still_figure, still_picture
from vaebook.figures import KL_COLOUR, draw_image, with_minus


class Shown(NamedTuple):
    """An image (D,), the curves of its posterior, a Gaussian over it, and its gaps.

    ``view`` is the square of the plane that is drawn.
    """

    image: Tensor
    curves: list
    q: Q
    gaps: Gaps
    view: View


def ledger_still(shown: Shown, draws: int) -> bytes:
    """The image, the posterior under q, and the bar, as WebP."""
    figure = still_figure()
    image, plane, bar = figure.subplots(1, 3, width_ratios=(0.5, 1.2, 1.4))
    draw_image(image, shown.image)
    _draw_plane(plane, shown)
    _draw_bar(bar, shown.gaps, draws)
    return still_picture(figure, colours=32)


def _draw_plane(ax: Axes, shown: Shown) -> None:
    for curves, shade in zip(shown.curves, ("#d9dee4", "#b3bcc7"), strict=True):
        for curve in curves:
            ax.fill(*np.array(curve).T, facecolor=shade, edgecolor=MUTED, lw=0.6)
    turn = np.linspace(0, 2 * np.pi, 100)
    ring = np.stack([np.cos(turn), np.sin(turn)])
    for k in (1, 2):
        ax.plot(*(np.array(shown.q.mu) + k * (ring.T * shown.q.sigma)).T, color=ACCENT)
    (x, y), half = shown.view
    ax.set(xlim=(x - half, x + half), ylim=(y - half, y + half), aspect="equal")
    ax.set(xlabel="$z_1$", ylabel="$z_2$")


def _draw_bar(ax: Axes, gaps: Gaps, draws: int) -> None:
    end, best = gaps.log_evidence, gaps.log_evidence - gaps.approximation
    low = end - 1.25 * max(1.0, end - gaps.elbo)
    rows = (
        (f"approximation gap {gaps.approximation:.2f}", best, end, MUTED),
        (f"amortisation gap {gaps.amortisation:.2f}", gaps.elbo, best, KL_COLOUR),
        (f"ELBO of q {gaps.elbo:.2f}", low, gaps.elbo, ACCENT),
    )
    for place, (name, left, right, colour) in enumerate(rows):
        ax.barh(-place, right - left, left=left, height=0.3, color=colour)
        _write(ax, low, -place, name)
    ax.plot(gaps.weighted, -3, "o", color=INK)
    _write(ax, low, -3, f"bound of {draws} draws {gaps.weighted:.2f}")
    ax.axvline(end, color=INK, lw=1.5)
    ax.set_title(with_minus(f"log p(x) {end:.2f}"), size=9, loc="right")
    ax.set(xlim=(low, end + 0.06 * (end - low)), ylim=(-3.4, 0.8))
    ax.set(yticks=[], xlabel="nats")


def _write(ax: Axes, x: float, row: float, text: str) -> None:
    """A row's words, above its bar."""
    ax.text(x, row + 0.32, with_minus(f" {text}"), size=8, color=INK)
