r"""``explore(draw, ...)``: any drawing of the book with sliders, kernel or not."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import matplotlib.pyplot as plt
import numpy as np
import traitlets as t
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.constraints import Constraint
from vaebook.explore.parts.picture import to_webp
from vaebook.explore.parts.traits import constrained
from vaebook.explore.parts.widget import PicturedWidget
from vaebook.figures import STYLE
from vaebook.pictures import NARROW, PIXELS, check_lettering

MOST_PARAMETERS, MOST_FRAMES, MOST_BYTES = 2, 40, 500_000
SHOWN_DPI = 110  # CSS pixels an inch, where the page has room
DPI = PIXELS * SHOWN_DPI
FIGSIZE = (NARROW, 2.7)  # inches; legible on a phone too


class FrameExplorer(PicturedWidget):
    """Sliders over frames drawn ahead; made by :func:`explore`.

    Attributes
    ----------
    values : dict
        Name to value. Setting it from Python draws exactly those values, between the
        steps too; ``observe(callback, "values")`` follows the reader.
    """

    _esm = bundle("frames/explorer.js")
    _css = stylesheet("frames/explorer.css")

    values = t.Dict().tag(sync=True)
    names = t.List(t.Unicode()).tag(sync=True)
    labels = t.List(t.Unicode()).tag(sync=True)
    choices = t.List(t.List()).tag(sync=True)
    frames = t.List(t.Bytes()).tag(sync=True)
    alts = t.List(t.Unicode()).tag(sync=True)
    exact = t.Dict().tag(sync=True)
    width = t.Int().tag(sync=True)
    height = t.Int().tag(sync=True)

    def __init__(
        self,
        draw: Callable,
        alt: str | Callable[..., str],
        choices: dict[str, list],
        labels: dict[str, str],
        figsize: tuple[float, float],
    ) -> None:
        self.draw = draw
        self.alt = alt
        self.figsize = figsize
        self.ready = False
        grid = [dict(zip(choices, v, strict=True)) for v in _product(choices)]
        frames = list(_draw_all(self._frame, grid))
        super().__init__(
            values={name: _first(steps) for name, steps in choices.items()},
            names=list(choices),
            labels=[labels.get(name, name) for name in choices],
            choices=list(choices.values()),
            frames=frames,
            alts=[self._describe(values) for values in grid],
            width=round(SHOWN_DPI * figsize[0]),
            height=round(SHOWN_DPI * figsize[1]),
        )
        self.ready = True

    def snapshot(self) -> bytes:
        """The frame of the present values, WebP."""
        return self._frame(self.values)

    def describe(self) -> str:
        """Alt text of the frame of the present values."""
        return self._describe(self.values)

    def _describe(self, values: dict) -> str:
        return self.alt(**values) if callable(self.alt) else self.alt

    def _figure(self) -> Figure:
        with plt.style.context(STYLE):
            return Figure(figsize=self.figsize, dpi=DPI, facecolor="white")

    def _frame(self, values: dict) -> bytes:
        """Draw one frame in the book's style; WebP bytes at two pixels to one."""
        with plt.style.context(STYLE):
            figure = self._figure()
            canvas = FigureCanvasAgg(figure)
            self.draw(figure.subplots(), **values)
            check_lettering(figure, self.figsize[0])
            canvas.draw()
        return to_webp(np.asarray(canvas.buffer_rgba()), colours=32)

    held = constrained({"values": lambda self: naming(self.names)})

    @t.observe("values")
    def _redraw(self, change: dict) -> None:
        """With a kernel each change is drawn anew; without one frames are stepped."""
        if self.ready:
            frame = self._frame(self.values)
            alt = self.describe()
            self.exact = {"values": self.values, "frame": frame, "alt": alt}


def naming(names: list[str]) -> Constraint:
    """A dict with these keys; any, before they are known."""
    return Constraint(
        f"named {', '.join(names)}",
        lambda values: sorted(values) == sorted(names or values),
        lambda values: ", ".join(values),
    )


def explore(
    draw: Callable,
    *,
    alt: str | Callable[..., str],
    labels: dict[str, str] | None = None,
    figsize: tuple[float, float] = FIGSIZE,
    **ranges: tuple | list,
) -> FrameExplorer:
    """Put sliders on a drawing.

    ``explore(draw, alt="...", mu=(-2, 2, 0.5), sigma=[0.5, 1, 2])`` calls
    ``draw(ax, mu=..., sigma=...)`` for every combination ahead of time, so that the
    figure moves on the site too; with a kernel each change is drawn anew.

    Parameters
    ----------
    draw : callable
        ``draw(ax, **values)`` draws on one axes; fix its limits, or frames jump.
    alt : str, or callable of the values returning str
        What the figure shows.
    labels : dict, optional
        Visible name of a slider where the parameter's own will not do.
    figsize : (width, height), optional
        Inches; by default as wide as a phone takes it.
    **ranges : (lo, hi, step), or a list of choices
        At most two, and at most 40 combinations; ``[False, True]`` is a box to tick.

    Raises
    ------
    ValueError
        If there are too many parameters, frames or bytes, a range is not understood,
        or ``alt`` is empty; the message says what to reduce.
    LetteringError
        If letters would be too small on a phone.
    """
    if not callable(alt) and not alt.strip():
        raise ValueError("alt must say what the figure shows; received an empty text")
    choices = {name: _steps(name, given) for name, given in ranges.items()}
    _check_count(choices)
    return FrameExplorer(draw, alt, choices, labels or {}, figsize)


def _steps(name: str, given: tuple | list) -> list:
    """The values of one slider."""
    if isinstance(given, list) and given:
        return list(given)
    rule = f"{name} must be (lo, hi, step) with lo < hi and step > 0, or a list"
    if not isinstance(given, tuple) or len(given) != 3:
        raise ValueError(f"{rule}; received {given!r}")
    low, high, step = given
    if not (low < high and step > 0):
        raise ValueError(f"{rule}; received {given!r}")
    count = math.floor((high - low) / step + 1e-9) + 1
    return [round(low + k * step, 10) for k in range(count)]


def _first(steps: list) -> object:
    """The middle of a slider; a box to tick is not ticked."""
    return steps[0] if isinstance(steps[0], bool) else steps[len(steps) // 2]


def _check_count(choices: dict[str, list]) -> None:
    if not 1 <= len(choices) <= MOST_PARAMETERS:
        raise ValueError(
            f"explore takes 1 or {MOST_PARAMETERS} parameters; received "
            f"{len(choices)} ({', '.join(choices) or 'none'}): fix the others in draw"
        )
    count = math.prod(map(len, choices.values()))
    if count > MOST_FRAMES:
        sizes = ", ".join(f"{len(v)} of {name}" for name, v in choices.items())
        raise ValueError(
            f"explore draws at most {MOST_FRAMES} frames; received {count} "
            f"({sizes}): take larger steps or fewer choices"
        )


def _product(choices: dict[str, list]) -> Iterator[Sequence]:
    """Every combination, the last parameter changing fastest."""
    return itertools.product(*choices.values())


def _draw_all(frame: Callable[[dict], bytes], grid: list[dict]) -> Iterator[bytes]:
    """Draw every frame, stopping once they weigh too much together."""
    total = 0
    for number, values in enumerate(grid, 1):
        drawn = frame(values)
        total += len(drawn)
        if total > MOST_BYTES:
            raise ValueError(
                f"frames may weigh {MOST_BYTES // 1000} KB together; the first "
                f"{number} of {len(grid)} weigh {total // 1000} KB: draw fewer or "
                f"simpler frames, or a smaller figsize"
            )
        yield drawn
