r"""Still picture of the latent explorer, drawn with matplotlib."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from torch import Tensor

from vaebook.explore.latent.maths import PICTURE, Shown, Terms
from vaebook.explore.parts.colours import ACCENT, INK, LIGHT, MUTED
from vaebook.explore.parts.picture import to_webp
from vaebook.figures import CLASS_COLOURS


def latent_still(shown: Shown) -> bytes:
    """The pad, the decoded image and the image on show, as WebP."""
    figure = Figure(figsize=(6.4, 4.0), dpi=120, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    pad, decoded, chosen = figure.subplot_mosaic(
        [["pad", "decoded"], ["pad", "chosen"]],
        width_ratios=(2, 1),
        gridspec_kw={"left": 0.09, "right": 0.99, "top": 0.94, "bottom": 0.14},
    ).values()

    _draw_pad(pad, shown)
    _draw_image(decoded, shown.decoded, "decoded from z")
    blank = torch.zeros_like(shown.decoded)
    _draw_image(chosen, blank if shown.image is None else shown.image, "input x")

    canvas.draw()
    return to_webp(np.asarray(canvas.buffer_rgba()), colours=96)


def _draw_pad(ax: Axes, shown: Shown) -> None:
    flat = len(shown.z) == 1
    _draw_points(ax, shown.mu.numpy(), shown.labels)
    if shown.terms is not None and not flat:
        _draw_posterior(ax, shown.terms)
    height = 0 if flat else shown.z[1]
    ax.plot(shown.z[0], height, "o", ms=9, mfc="none", mec=INK, mew=2)

    limits = (-shown.bound, shown.bound)
    ax.set(xlim=limits, ylim=limits, xlabel="$z_1$", aspect="equal")
    ax.set_ylabel("" if flat else "$z_2$")
    ax.tick_params(colors=MUTED, labelsize=8)
    ax.spines[:].set_color("#c9cfd6")
    if flat:
        ax.set_yticks([])


def _draw_points(ax: Axes, mu: np.ndarray, labels: list[int]) -> None:
    """Each test image as the digit of its class; one latent: a row for each class."""
    kinds = np.unique(labels, return_inverse=True)[1]
    heights = (kinds.mean() - kinds) / 2 if mu.shape[1] == 1 else mu[:, 1]
    style = {"size": 7.5, "weight": "bold", "ha": "center", "va": "center"}
    for x, y, kind, label in zip(mu[:, 0], heights, kinds, labels, strict=True):
        ax.text(x, y, label, color=CLASS_COLOURS[kind % 10], **style)


def _draw_posterior(ax: Axes, terms: Terms) -> None:
    """Ellipses one and two standard deviations from the posterior mean."""
    mu = terms.mu[0].numpy()
    sigma = (0.5 * terms.log_var[0]).exp().numpy()
    for k, face in ((1, to_rgba(ACCENT, PICTURE["fill"])), (2, "none")):
        width, height = 2 * k * sigma[:2]
        ax.add_patch(Ellipse(mu[:2], width, height, fc=face, ec=ACCENT, lw=1.2))


def _draw_image(ax: Axes, pixels: Tensor, title: str) -> None:
    side = round(len(pixels) ** 0.5)
    ax.imshow(pixels.reshape(side, side).numpy(), cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.set_xlabel(title, color=MUTED, size=9)
    ax.spines[:].set_color(LIGHT["edge"])
