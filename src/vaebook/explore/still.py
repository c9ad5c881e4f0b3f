r"""Still pictures of the explorers, drawn from their state with matplotlib."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from vaebook.explore.fallback import to_webp
from vaebook.figures import CLASS_COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vaebook.explore.latent import LatentExplorer
    from vaebook.explore.surface import LikelihoodExplorer

INK, MUTED, ACCENT = "#1d2733", "#566273", "#0a6f85"


def still_figure() -> Figure:
    """An empty figure, twice as large as it is shown."""
    figure = Figure(figsize=(6.4, 3.0), dpi=200, facecolor="white", layout="tight")
    FigureCanvasAgg(figure)
    return figure


def still_picture(figure: Figure, *, colours: int, letters: int = 8) -> bytes:
    """The figure with quiet axes, as WebP of so many colours."""
    for ax in figure.axes:
        ax.tick_params(colors=MUTED, labelsize=letters)
        ax.spines[:].set_color("#c9cfd6")
    figure.canvas.draw()
    return to_webp(np.asarray(figure.canvas.buffer_rgba()), colours=colours)


def latent_still(explorer: "LatentExplorer") -> bytes:
    """The pad, the decoded image and the chosen image of an explorer, as WebP."""
    figure = Figure(figsize=(6.4, 4.0), dpi=120, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    pad, decoded, chosen = figure.subplot_mosaic(
        [["pad", "decoded"], ["pad", "chosen"]],
        width_ratios=(2, 1),
        gridspec_kw={"left": 0.09, "right": 0.99, "top": 0.94, "bottom": 0.14},
    ).values()
    _draw_pad(pad, explorer)
    _draw_image(decoded, explorer.probabilities(explorer.z), "decoded from z")
    image = _chosen(explorer)
    _draw_image(
        chosen, np.zeros(len(explorer.x[0])) if image is None else image, "input x"
    )
    canvas.draw()
    return to_webp(np.asarray(canvas.buffer_rgba()), colours=96)


def _chosen(explorer: "LatentExplorer") -> np.ndarray | None:
    """The image on show, (D,), or None."""
    if explorer.selected >= 0:
        return explorer.x[explorer.selected].numpy()
    return np.array(explorer.drawing, dtype=float) if explorer.drawing else None


def _draw_pad(ax: "Axes", explorer: "LatentExplorer") -> None:
    flat, bound, image = len(explorer.z) == 1, explorer.bound, _chosen(explorer)
    _draw_points(ax, explorer, flat)
    if image is not None and not flat:
        _draw_posterior(ax, explorer, image)
    height = 0 if flat else explorer.z[1]
    ax.plot(explorer.z[0], height, "o", ms=9, mfc="none", mec=INK, mew=2)
    ax.set(xlim=(-bound, bound), ylim=(-bound, bound), xlabel="$z_1$", aspect="equal")
    ax.set_ylabel("" if flat else "$z_2$")
    ax.tick_params(colors=MUTED, labelsize=8)
    ax.spines[:].set_color("#c9cfd6")
    if flat:
        ax.set_yticks([])


def _draw_points(ax: "Axes", explorer: "LatentExplorer", flat: bool) -> None:
    """Each test image as the digit of its class; one latent: a row for each class."""
    mu = explorer.terms(explorer.x).mu.numpy()
    kinds = np.unique(explorer.y.numpy(), return_inverse=True)[1]
    heights = (kinds.mean() - kinds) / 2 if flat else mu[:, 1]
    style = {"size": 7.5, "weight": "bold", "ha": "center", "va": "center"}
    points = zip(mu[:, 0], heights, kinds, explorer.labels, strict=True)
    for x, y, kind, label in points:
        ax.text(x, y, label, color=CLASS_COLOURS[kind % 10], **style)


def _draw_posterior(ax: "Axes", explorer: "LatentExplorer", image: np.ndarray) -> None:
    """Ellipses one and two standard deviations from the posterior mean."""
    terms = explorer.terms(image)
    mu, sigma = terms.mu[0].numpy(), (0.5 * terms.log_var[0]).exp().numpy()
    for k, face in ((1, ACCENT + "38"), (2, "none")):
        width, height = 2 * k * sigma[:2]
        ax.add_patch(Ellipse(mu[:2], width, height, fc=face, ec=ACCENT, lw=1.2))


def _draw_image(ax: "Axes", pixels: np.ndarray, title: str) -> None:
    side = round(len(pixels) ** 0.5)
    ax.imshow(np.asarray(pixels).reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.set_xlabel(title, color=MUTED, size=9)
    ax.spines[:].set_color("#8a95a3")


def surface_still(explorer: "LikelihoodExplorer") -> bytes:
    """The data under their density and the likelihood surface, as WebP."""
    figure = still_figure()
    data, surface = figure.subplots(1, 2)
    _draw_density(data, explorer)
    _draw_surface(surface, explorer)
    for ax in (data, surface):
        ax.set_xlim(explorer.frame["mu"])
        ax.xaxis.label.set_size(9)
        ax.yaxis.label.set_size(9)
    return still_picture(figure, colours=24)


def _draw_density(ax: "Axes", explorer: "LikelihoodExplorer") -> None:
    mu, sigma, frame = explorer.mu, explorer.sigma, explorer.frame
    ax.stairs(explorer.bars["heights"], explorer.bars["edges"], fill=True, fc="#e3e7ec")
    x = np.linspace(*frame["mu"], 300)
    density = np.exp(-(((x - mu) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))
    ax.plot(x, density, color=ACCENT)
    ax.plot(explorer.x, np.zeros(len(explorer.x)), "|", color=INK, ms=6, mew=0.6)
    top = max(frame["density"], 1.04 * density.max())
    ax.set(ylim=(0, top), xlabel=explorer.label, ylabel="density")


def _draw_surface(ax: "Axes", explorer: "LikelihoodExplorer") -> None:
    """Contours a fixed number of nats below the maximum, and the present point."""
    frame, x = explorer.frame, np.array(explorer.x)
    mu, sigma = np.meshgrid(
        np.linspace(*frame["mu"], 200), np.geomspace(*frame["sigma"], 200)
    )
    squared = (x.var() + (x.mean() - mu) ** 2) / sigma**2
    below = len(x) * (np.log(sigma / x.std()) + squared / 2 - 0.5)
    lines = ax.contour(mu, sigma, below, [2, 10, 30, 100, 300, 1000], colors=ACCENT)
    ax.clabel(lines, fmt=lambda drop: f"\u2212{drop:g}", fontsize=7, colors=INK)
    ax.plot(x.mean(), x.std(), "+", color=INK)
    ax.plot(explorer.mu, explorer.sigma, "o", ms=9, mfc="none", mec=INK, mew=2)
    ax.set(yscale="log", xlabel=r"mean $\mu$", ylabel=r"standard deviation $\sigma$")
    ax.set_yticks([s for s in (0.5, 1, 2, 5) if s < frame["sigma"][1]])
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
