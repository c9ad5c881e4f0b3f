"""The house style, the tables of results, and the drawings that several pages use."""

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Code
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from tabulate import JupyterHTMLStr, tabulate
from torch import Tensor

from vaebook.pictures import show_sharp
from vaebook.training import Epoch

STYLE = Path(__file__).with_name("book.mplstyle")

# Digits 0 to 9; theme.css has the same, and lighter ones for the dark theme.
CLASS_COLOURS = (
    "#3b2fa0",
    "#0072b2",
    "#0f8585",
    "#1b7837",
    "#76750a",
    "#b85500",
    "#c8301a",
    "#cc2f72",
    "#7c1d57",
    "#5a6673",
)
# The terms of the ELBO, as in the explorer.
LIKELIHOOD_COLOUR, KL_COLOUR, ELBO_COLOUR = "#0a6f85", "#b4540a", "#1d2733"


def use_book_style() -> None:
    """Draw every later figure in the style of the book, and show it sharply."""
    plt.style.use(STYLE)
    show_sharp()


def show_source(thing: Callable[..., object], *, docstring: bool = False) -> Code:
    """The library's own source of a function or class; ``docstring``: with that."""
    source = inspect.getsource(thing)
    if thing.__doc__ and not docstring:
        start = source.index('"""')
        start -= source[start - 1] == "r"
        end = source.index('"""', source.index('"""') + 3) + 3
        source = source[:start].rstrip() + source[end:]
    return Code(textwrap.dedent(source).strip(), language="python")


def table(
    rows: Iterable[Sequence[object]],
    headers: Sequence[str],
    formats: str | Sequence[str] = "",
) -> JupyterHTMLStr:
    """Results as a table: names at the left, numbers below one another at the right.

    Parameters
    ----------
    rows : iterable of sequences
        As many values as there are headers: texts, numbers, tensors of one number,
        or what says itself how it is shown, as an ``Estimate`` does.
    headers : sequence of str
        What stands in each column, with its unit.
    formats : str or sequence of str
        How numbers are written, as after the colon in an f-string: the same in all
        columns, or one for each. Texts stand as they are.

    Raises
    ------
    ValueError
        If a row or the formats are not as many as the headers.
    """
    rows = list(rows)
    if isinstance(formats, str):
        formats = [formats] * len(headers)
    cells = [
        [
            value if isinstance(value, str) else _written(value, form)
            for _, form, value in zip(headers, formats, row, strict=True)
        ]
        for row in rows
    ]
    named = all(isinstance(row[0], str) for row in rows)
    sides = ["left" if named else "right"] + ["right"] * (len(headers) - 1)
    return tabulate(
        cells, headers, tablefmt="html", colalign=sides, disable_numparse=True
    )


def _written(value: object, form: str) -> str:
    """A value as ``form`` says, its minus a minus; what rounds to zero has none."""
    text = format(value, form)
    if re.fullmatch(r"-[0.,]+%?", text):
        return text.removeprefix("-")
    return with_minus(text)


def with_minus(text: str) -> str:
    """A text in which the hyphen before a number is a minus; 1e-9 and a-3 stay."""
    return re.sub(r"(?<![\w.])-(?=\d)", "\N{MINUS SIGN}", text)


def draw_image(ax: Axes, image: Tensor) -> None:
    """One square image of ink in [0, 1], as ink on paper, without axes."""
    side = int(len(image) ** 0.5)
    pixels = image.detach().reshape(side, side).numpy()
    ax.imshow(pixels, cmap="gray_r", vmin=0, vmax=1)
    ax.set_axis_off()


def draw_grid(ax: Axes, images: Tensor, columns: int, gap: int = 1) -> None:
    """Images (N, D) in rows of ``columns``, left to right, top to bottom.

    Raises
    ------
    ValueError
        If the images do not fill whole rows.
    """
    number, dim = images.shape
    if number % columns:
        raise ValueError(f"{number} images do not fill rows of {columns}")
    side = int(dim**0.5)
    tiles = images.detach().reshape(-1, columns, side, side)
    tiles = torch.nn.functional.pad(tiles, (gap, gap, gap, gap))
    sheet = tiles.permute(0, 2, 1, 3).reshape(-1, columns * (side + 2 * gap))
    ax.imshow(sheet.numpy(), cmap="gray_r", vmin=0, vmax=1)
    ax.set_axis_off()


def draw_rows(rows: dict[str, Tensor]) -> Figure:
    """Named rows of images, one above the other: a comparison column by column."""
    columns = max(len(images) for images in rows.values())
    height = 0.62 * len(rows)
    fig, axes = plt.subplots(len(rows), figsize=(5.4, height), squeeze=False)
    for ax, (name, images) in zip(axes[:, 0], rows.items(), strict=True):
        draw_grid(ax, images, columns)
        ax.text(-1, 5, name, ha="right", va="center", fontsize=11)
    return fig


def portrait(losses: dict[str, Tensor], rows: dict[str, Tensor]) -> Figure:
    """Named curves of losses (E,) by epoch; at their right rows of images (N, D)."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.1), width_ratios=(1, 1.25))
    for name, values in losses.items():
        left.plot(values.detach().numpy(), label=name)
    left.set(xlabel="epoch", ylabel="its own loss, nats")
    left.legend()
    images = list(rows.values())
    draw_grid(right, torch.cat(images), columns=len(images[0]))
    return fig


def draw_codes(ax: Axes, mu: Tensor, y: Tensor, size: float = 22) -> PathCollection:
    """Posterior means (N, 2), each drawn as the digit of its class, in its colour."""
    points = mu.detach().numpy()
    for digit in np.unique(y.numpy()):
        rows = y.numpy() == digit
        marker = f"${digit}$"
        colour = CLASS_COLOURS[digit % 10]
        drawn = ax.scatter(*points[rows].T, s=size, marker=marker, color=colour, lw=0.2)
    ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    return drawn


def draw_history(ax: Axes, history: Sequence[Epoch]) -> None:
    """ELBO, log-likelihood term and KL over the epochs of ``training.fit``, in nats."""
    epochs = np.arange(1, len(history) + 1)
    fits = [e.expected_log_lik for e in history]
    curves = {
        "$-$KL, training": ([-e.kl for e in history], KL_COLOUR, "-"),
        "$E_q[\\log p(x|z)]$, training": (fits, LIKELIHOOD_COLOUR, "-"),
        "ELBO, training": ([e.elbo for e in history], ELBO_COLOUR, "-"),
        "ELBO, validation": ([e.validation_elbo for e in history], ELBO_COLOUR, ":"),
    }
    for name, (values, colour, dash) in curves.items():
        ax.plot(epochs, values, dash, color=colour, label=name)
    ax.set(xlabel="epoch", ylabel="nats per image", xscale="log")
    ax.legend(loc="lower right")
