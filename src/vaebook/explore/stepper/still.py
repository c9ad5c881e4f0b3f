r"""Still picture of the EM stepper, drawn with matplotlib."""

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from vaebook.em import GaussianMixture, e_step
from vaebook.explore.parts.colours import ACCENT, INK, LIGHT
from vaebook.explore.parts.picture import still_figure, still_picture
from vaebook.explore.stepper.maths import PICTURE, slice_heights
from vaebook.figures import KL_COLOUR

COLOURS = [LIGHT[name] for name in PICTURE["colours"]]


def stepper_still(
    x: Tensor, path: list[GaussianMixture], step: int, labels: list[str]
) -> bytes:
    """The points under their mixture and the slice of the present step, as WebP."""
    figure = still_figure()
    points, heights = figure.subplots(1, 2)
    number, half = divmod(min(step, max(2 * len(path) - 3, 0)), 2)
    _draw_points(points, x, e_step(path[number], x).log_resp.exp())
    _draw_mixture(points, path[number + half])
    points.set(xlabel=labels[0], ylabel=labels[1])
    if len(path) > 1:
        _draw_slice(heights, x, path[number : number + 2], half)
    return still_picture(figure, colours=40)


def _draw_points(ax: Axes, x: Tensor, resp: Tensor) -> None:
    palette = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in COLOURS])
    mixed = resp.numpy() @ palette[: resp.shape[1]] / 255
    ax.scatter(*x.T.numpy(), s=12, color=mixed.clip(0, 1), lw=0)


def _draw_mixture(ax: Axes, mixture: GaussianMixture) -> None:
    """Centres, and ellipses one and two standard deviations from them."""
    angle = np.linspace(0, 2 * np.pi, 100)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    chols = torch.linalg.cholesky(mixture.cov).numpy()
    for mu, chol, colour in zip(mixture.mu.numpy(), chols, COLOURS, strict=False):
        for k in (1, 2):
            ax.plot(*(mu[:, None] + k * chol @ circle), color=colour, lw=2 / k)
        ax.plot(*mu, "o", color=colour, mec="white", ms=9)


def _draw_slice(ax: Axes, x: Tensor, ends: list[GaussianMixture], half: int) -> None:
    """Log-likelihood and bound on the line between two mixtures."""
    log_resp = e_step(ends[0], x).log_resp
    s, log_lik, bound = slice_heights(x, ends, log_resp)
    ax.plot(s, log_lik, color=INK, label="log-likelihood")
    ax.plot(s, bound, color=ACCENT, label="bound")
    present = torch.tensor([half], dtype=torch.float64)
    _, [top], [low] = slice_heights(x, ends, log_resp, present)
    if half:
        ax.plot([1, 1], [low, top], color=KL_COLOUR, lw=3, label="gap, KL")
    ax.plot([half, half], [low, top], "o", color=INK, ms=5)
    base = log_lik[np.abs(s).argmin()]
    rise = np.max(log_lik)
    ax.set(
        ylim=(base - 0.6 * (rise - base), rise + PICTURE["headroom"] * (rise - base))
    )
    ax.set(xticks=[0, 1], xticklabels=["before", "after the M-step"], ylabel="nats")
    ax.legend(fontsize=7, loc="lower right")
