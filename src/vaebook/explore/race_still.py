r"""Still picture of the race of samplers, drawn with matplotlib."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from vaebook.explore.still import INK, still_figure, still_picture
from vaebook.figures import CLASS_COLOURS
from vaebook.monte_carlo import LogEvidence

if TYPE_CHECKING:
    from vaebook.explore.race import SamplerRace

COLOURS = [CLASS_COLOURS[k] for k in (1, 7, 4, 0)]  # as in race.css
ROOM, BAR = 1.15, 1.06  # as in race.js
DASHES = ["-", (0, (6, 3)), (0, (1.5, 2)), (0, (8, 2, 2, 2))]


def race_still(race: "SamplerRace") -> bytes:
    """The lines of the samplers on show, their bands and the exact value, as WebP."""
    figure = still_figure()
    ax = figure.subplots()
    ax.axhline(race.truth, color=INK, lw=1.2, label="exact")
    for name, colour, dash in zip(race.names, COLOURS, DASHES, strict=False):
        if name in race.shown:
            _draw_path(ax, race, race.paths[name], {"color": colour, "ls": dash})
            ax.plot([], [], color=colour, ls=dash, label=name)
    ends = race.sizes[0] / ROOM, race.sizes[-1] * ROOM
    ax.set(xscale="log", xlim=ends, ylim=race.frame)
    ax.set_xlabel("number of draws $S$", size=9)
    ax.set_ylabel(f"estimate of {race.label}", size=9)
    ax.minorticks_off()
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 0.98), "frameon": False}
    ax.legend(fontsize=7, ncols=5, **place)
    return still_picture(figure, colours=40)


def _draw_path(ax: Axes, race: "SamplerRace", path: LogEvidence, style: dict) -> None:
    value, error = (column[:, race.run].numpy() for column in path[:2])
    now = race.sizes.index(race.num_samples) + 1
    used, low, high = race.sizes[:now], value - 2 * error, value + 2 * error
    band = {"color": style["color"], "alpha": 0.15, "lw": 0, "antialiased": False}
    wide = used if now > 1 else [used[0] / BAR, used[0] * BAR]
    ax.fill_between(wide, low[:now], high[:now], **band)
    ax.plot(race.sizes[now - 1 :], value[now - 1 :], lw=0.7, **style)
    ax.plot(used, value[:now], lw=1.6, **style)
    ax.plot(race.num_samples, value[now - 1], "o", color=style["color"], ms=4)
