r"""Still pictures of the explorers, drawn from their state with matplotlib."""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from vaebook.explore.parts.colours import MUTED


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


def to_webp(rgba: np.ndarray, *, quality: int = 60, colours: int = 64) -> bytes:
    """WebP bytes of a picture: lossy, or lossless in few colours if that is smaller.

    Line drawings have few colours and stay crisp; photographs and maps go lossy.

    Parameters
    ----------
    rgba : array (height, width, 4)
        8-bit pixels; the alpha channel is dropped.
    quality : int
        Of the lossy candidate, 0 to 100.
    colours : int
        Size of the lossless candidate's palette.

    Returns
    -------
    bytes
        The shorter of the two encodings.
    """
    image = Image.fromarray(rgba).convert("RGB")
    drawn = image.quantize(colours, dither=Image.Dither.NONE).convert("RGB")
    lossy = _encode(image, quality=quality)
    return min(lossy, _encode(drawn, lossless=True), key=len)


def _encode(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", **options)
    return buffer.getvalue()
