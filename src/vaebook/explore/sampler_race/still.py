r"""Still picture of the race of samplers, drawn with matplotlib."""

from typing import NamedTuple

from matplotlib.axes import Axes

from vaebook.explore.parts.picture import INK, still_figure, still_picture
from vaebook.explore.sampler_race.maths import Paths
from vaebook.figures import CLASS_COLOURS

COLOURS = [CLASS_COLOURS[k] for k in (1, 7, 4, 0)]  # as in explorer.css
ROOM, BAR = 1.15, 1.06  # as in explorer.js
DASHES = ["-", (0, (6, 3)), (0, (1.5, 2)), (0, (8, 2, 2, 2))]


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
    for name, colour, dash in zip(paths.of, COLOURS, DASHES, strict=False):
        if name in shown.names:
            _draw_path(ax, paths, name, shown, {"color": colour, "ls": dash})
            ax.plot([], [], color=colour, ls=dash, label=name)
    ends = paths.sizes[0] / ROOM, paths.sizes[-1] * ROOM
    ax.set(xscale="log", xlim=ends, ylim=shown.nats)
    ax.set_xlabel("number of draws $S$", size=9)
    ax.set_ylabel(f"estimate of {shown.label}", size=9)
    ax.minorticks_off()
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 0.98), "frameon": False}
    ax.legend(fontsize=7, ncols=5, **place)
    return still_picture(figure, colours=40)


def _draw_path(ax: Axes, paths: Paths, name: str, shown: Shown, style: dict) -> None:
    """One sampler: its band up to the draws used, its line, thin beyond them."""
    path = paths.of[name]
    value = path.value[:, shown.run].numpy()
    error = path.standard_error[:, shown.run].numpy()
    now = paths.sizes.index(shown.num_samples) + 1
    used, low, high = paths.sizes[:now], value - 2 * error, value + 2 * error

    band = {"color": style["color"], "alpha": 0.15, "lw": 0, "antialiased": False}
    wide = used if now > 1 else [used[0] / BAR, used[0] * BAR]
    ax.fill_between(wide, low[:now], high[:now], **band)
    ax.plot(paths.sizes[now - 1 :], value[now - 1 :], lw=0.7, **style)
    ax.plot(used, value[:now], lw=1.6, **style)
    ax.plot(shown.num_samples, value[now - 1], "o", color=style["color"], ms=4)
