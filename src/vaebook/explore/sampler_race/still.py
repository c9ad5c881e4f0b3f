r"""Still picture of the race of samplers, drawn with matplotlib."""

from typing import NamedTuple

from matplotlib.axes import Axes

from vaebook.explore.parts.colours import INK, LIGHT
from vaebook.explore.parts.picture import still_figure, still_picture
from vaebook.explore.sampler_race.maths import PICTURE, Paths


class Shown(NamedTuple):
    """What of the paths is shown: draws used, run, samplers; label and axis, nats."""

    num_samples: int
    run: int
    names: list[str]
    label: str
    nats: list[float]


def race_still(paths: Paths, shown: Shown) -> bytes:
    """The lines of the samplers on show, their bands and the exact value, as WebP."""
    figure = still_figure()
    ax = figure.subplots()
    ax.axhline(paths.truth, color=INK, lw=1.2, label="exact")
    for name, line in zip(paths.of, PICTURE["lines"], strict=False):
        if name in shown.names:
            style = _style(**line)
            _draw_path(ax, paths, name, shown, style)
            ax.plot([], [], label=name, **style)
    room = PICTURE["room"]
    ends = paths.sizes[0] / room, paths.sizes[-1] * room
    ax.set(xscale="log", xlim=ends, ylim=shown.nats)
    ax.set_xlabel("number of draws $S$", size=9)
    ax.set_ylabel(f"estimate of {shown.label}", size=9)
    ax.minorticks_off()
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 0.98), "frameon": False}
    ax.legend(fontsize=7, ncols=5, **place)
    return still_picture(figure, colours=40)


def _style(colour: str, dash: list[int]) -> dict:
    """Of a line; matplotlib measures dashes in widths of the line."""
    dashes = (0, [0.75 * length for length in dash]) if dash else "-"
    return {"color": LIGHT[colour], "ls": dashes}


def _draw_path(ax: Axes, paths: Paths, name: str, shown: Shown, style: dict) -> None:
    """One sampler: its band up to the draws used, its line, thin beyond them."""
    path = paths.of[name]
    value = path.value[:, shown.run].numpy()
    error = path.standard_error[:, shown.run].numpy()
    now = paths.sizes.index(shown.num_samples) + 1
    used, low, high = paths.sizes[:now], value - 2 * error, value + 2 * error

    band = {"color": style["color"], "alpha": 0.15, "lw": 0, "antialiased": False}
    wide = used if now > 1 else [used[0] / PICTURE["bar"], used[0] * PICTURE["bar"]]
    ax.fill_between(wide, low[:now], high[:now], **band)
    ax.plot(paths.sizes[now - 1 :], value[now - 1 :], lw=0.7, **style)
    ax.plot(used, value[:now], lw=1.6, **style)
    ax.plot(shown.num_samples, value[now - 1], "o", color=style["color"], ms=4)
