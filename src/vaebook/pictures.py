"""A figure as a notebook and a page show it: sharp, and legible on a phone too.

A notebook gets one picture, with two pixels for each that is shown. A page gets two
forms: one for its column, and one as narrow as a phone's, with letters of the same
size and with panels below one another where side by side they would be too small.
"""

import base64
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from IPython.core.getipython import get_ipython
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.text import Text
from PIL import Image

COLOURS = 64
PIXELS = 2  # drawn for each that is shown
POINTS = 72  # in an inch

PAGE_DPI = 105  # CSS pixels an inch: 6.4 inches are as wide as the column of a page
PHONE_COLUMN = 328  # CSS pixels, of a phone 360 wide
NARROW = 3.7  # inches; so wide a figure may be on a phone
PHONE_DPI = PHONE_COLUMN / NARROW
LEAST_PANEL = 2.2  # inches; panels with scales may not be narrower
LEAST_LETTERS = 11  # CSS pixels


class LetteringError(ValueError):
    """Letters of a figure would be too small on a phone: says which, and how small."""


class Form(NamedTuple):
    """One form of a figure: its file, and its size in CSS pixels."""

    suffix: str
    width: int
    height: int
    data: bytes


def show_sharp() -> None:
    """In a notebook, show every later figure so; elsewhere do nothing."""
    shell = get_ipython()
    if shell is not None:
        bundles = shell.display_formatter.mimebundle_formatter
        bundles.for_type(Figure, mimebundle)


def mimebundle(fig: Figure) -> tuple[dict[str, str], dict[str, dict]]:
    """The notebook's picture as an output; in its metadata, the forms for a page.

    Raises
    ------
    LetteringError
        If letters would be lower than 11 CSS pixels on a phone.
    """
    check_lettering(fig, min(fig.get_figwidth(), NARROW))
    picture = png(fig, PAGE_DPI)
    width, height = _size(picture)
    forms = [form._replace(data=_text(form.data))._asdict() for form in forms_of(fig)]
    metadata = {"width": width, "height": height, "forms": forms}
    return {"image/png": _text(picture)}, {"image/png": metadata}


def forms_of(fig: Figure) -> list[Form]:
    """The form for a page, and if that is wider than a phone, the one for a phone."""
    forms = [lightest(fig, PAGE_DPI)]
    if fig.get_figwidth() > NARROW:
        with narrowed(fig):
            forms.append(lightest(fig, PHONE_DPI))
    return forms


def lightest(fig: Figure, dpi: float) -> Form:
    """SVG or WebP, whichever a compressing server sends in fewer bytes.

    Curves are lighter as SVG, images of pixels as WebP.
    """
    picture = png(fig, dpi)
    width, height = _size(picture)
    with Image.open(io.BytesIO(picture)) as image:
        webp = io.BytesIO()
        image.convert("RGB").save(webp, "WEBP", lossless=True, quality=100, method=6)
    drawing = svg(fig)
    if len(zlib.compress(drawing)) < len(webp.getvalue()):
        return Form(".svg", width, height, drawing)
    return Form(".webp", width, height, webp.getvalue())


def png(fig: Figure, dpi: float) -> bytes:
    """The figure, cut to what is drawn, with so many CSS pixels an inch."""
    drawn = io.BytesIO()
    fig.savefig(drawn, dpi=PIXELS * dpi, bbox_inches="tight", facecolor="white")
    few = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    saved = io.BytesIO()
    few.save(saved, format="PNG", optimize=True)
    return saved.getvalue()


def svg(fig: Figure) -> bytes:
    """The figure, cut to what is drawn; the same bytes whenever it is drawn."""
    drawn = io.BytesIO()
    options = {"bbox_inches": "tight", "facecolor": "white", "metadata": {"Date": None}}
    fig.savefig(drawn, format="svg", **options)
    return drawn.getvalue()


@contextmanager
def narrowed(fig: Figure) -> Iterator[None]:
    """Within, the figure is as narrow as a phone's column; then as it was."""
    width, height = fig.get_size_inches()
    panels = [ax for ax in fig.axes if ax.get_subplotspec() is not None]
    places = [ax.get_subplotspec() for ax in panels]

    if _too_narrow(panels):
        _stack(fig, panels)
    elif all(ax.get_aspect() != "auto" for ax in panels):
        fig.set_size_inches(NARROW, height * NARROW / width)
    else:
        fig.set_size_inches(NARROW, min(height, 0.85 * NARROW))
    yield
    for ax, place in zip(panels, places, strict=True):
        ax.set_subplotspec(place)
    fig.set_size_inches(width, height)


def _too_narrow(panels: list[Axes]) -> bool:
    """Whether panels side by side could not show the scales that they have."""
    columns = max((ax.get_gridspec().ncols for ax in panels), default=1)
    return columns > 1 and any(map(_scaled, panels)) and NARROW / columns < LEAST_PANEL


def _scaled(ax: Axes) -> bool:
    return ax.axison and len(ax.get_xticks()) > 0


def _stack(fig: Figure, panels: list[Axes]) -> None:
    """Put the panels below one another; one without scales needs less height."""
    heights = [0.75 * NARROW if _scaled(ax) else 0.4 * NARROW for ax in panels]
    rows = GridSpec(len(panels), 1, figure=fig, height_ratios=heights)
    for ax, row in zip(panels, rows, strict=True):
        ax.set_subplotspec(row)
    fig.set_size_inches(NARROW, sum(heights))


def check_lettering(fig: Figure, inches: float) -> None:
    """Refuse letters that would be too small on a phone 360 CSS pixels wide.

    Parameters
    ----------
    fig : Figure
    inches : float
        How much of the figure's width fills the phone's column.

    Raises
    ------
    LetteringError
        With the smallest text and its height there.
    """
    shown = PHONE_COLUMN / inches / POINTS
    texts = [t for t in fig.findobj(Text) if t.get_visible() and t.get_text().strip()]
    smallest = min(texts, key=Text.get_fontsize, default=None)
    if smallest is not None and smallest.get_fontsize() * shown < LEAST_LETTERS:
        raise LetteringError(
            f"{smallest.get_text()!r} would be {smallest.get_fontsize() * shown:.1f} "
            f"CSS pixels high on a phone; at least {LEAST_LETTERS} are legible"
        )


def _size(picture: bytes) -> tuple[int, int]:
    """Width and height at which a picture is shown, CSS pixels."""
    with Image.open(io.BytesIO(picture)) as image:
        width, height = image.size
    return round(width / PIXELS), round(height / PIXELS)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
