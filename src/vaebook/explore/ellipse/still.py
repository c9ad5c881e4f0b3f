"""Still picture of the ELBO ellipse, drawn with matplotlib."""

import numpy as np
import torch
from matplotlib.axes import Axes

from vaebook.explore.ellipse.maths import PICTURE, Ellipse, Target
from vaebook.explore.parts.colours import ACCENT, INK, MUTED
from vaebook.explore.parts.picture import still_figure, still_picture
from vaebook.figures import KL_COLOUR


def ellipse_still(ellipse: Ellipse, bound: float) -> bytes:
    """The posterior under q, and the bar, as WebP."""
    figure = still_figure()
    plane, bar = figure.subplots(1, 2)
    _draw_posterior(plane, ellipse.target, bound)
    _draw_q(plane, ellipse)
    _draw_bar(bar, ellipse)
    return still_picture(figure, colours=24)


def _draw_posterior(ax: Axes, target: Target, bound: float) -> None:
    axis = torch.linspace(-bound, bound, 241, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)
    height = target.log_joint(grid).numpy()
    levels = [height.max() - drop for drop in PICTURE["drops"]]
    shades = ["#eceff2", "#d9dee4", "#c5ccd4"]
    ax.contourf(axis, axis, height, [*levels, height.max() + 1], colors=shades)
    ax.contour(
        axis, axis, height, levels, colors=MUTED, linewidths=0.6, linestyles="solid"
    )
    limits = (-bound, bound)
    ax.set(xlim=limits, ylim=limits, aspect="equal", xlabel="$z_1$", ylabel="$z_2$")


def _draw_q(ax: Axes, ellipse: Ellipse) -> None:
    """Ellipses one and two standard deviations from the mean, and the axes."""
    turn = np.radians(ellipse.angle)
    mu = np.array(ellipse.mu)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    axes = rotation * ellipse.lengths
    t = np.linspace(0, 2 * np.pi, 100)
    for k in (1, 2):
        ax.plot(*(mu + k * (axes @ [np.cos(t), np.sin(t)]).T).T, color=ACCENT, lw=1.4)
    for tip in mu + 2 * axes.T:
        ax.plot(*zip(mu, tip, strict=True), color=ACCENT, lw=0.8)
        ax.plot(*tip, "o", ms=5, color=ACCENT, mec="white")
    ax.plot(*mu, "o", ms=9, mfc="white", mec=INK, mew=2)


def _draw_bar(ax: Axes, ellipse: Ellipse) -> None:
    """The ELBO and the gap, which end at log p(x)."""
    log_evidence, elbo = ellipse.log_evidence(), ellipse.elbo()
    low = log_evidence - PICTURE["in_view"]
    high = log_evidence + PICTURE["beyond"]
    start = max(elbo, low)
    ax.barh(0, start - low, left=low, height=0.3, color=ACCENT, alpha=0.3)
    ax.barh(0, log_evidence - start, left=start, height=0.3, color=KL_COLOUR)
    ax.axvline(log_evidence, color=INK, lw=2)
    whole, bound, kl = ellipse.summands()
    beyond = "\u25c2 " if elbo < low else ""
    side = "left" if start < low + 2 else "right"
    style = {"size": 9, "va": "center"}
    end = log_evidence - 0.1
    ax.text(end, 0.75, f"log p(x) {whole}", color=INK, ha="right", **style)
    ax.text(start, -0.3, f"{beyond}ELBO {bound}", color=ACCENT, ha=side, **style)
    ax.text(end, 0.27, f"KL(q \u2016 p) {kl}", color=KL_COLOUR, ha="right", **style)
    ax.set(xlim=(low, high), ylim=(-1, 1), yticks=[], xlabel="nats")
