"""Room for each explorer before it is there, so that nothing moves when it comes.

How high one will be depends on its words, its fonts and the width of the page, so it
is measured in a browser: ``heights.json`` holds the heights over the widths, as the
knots of a piecewise straight line. ``make heights`` measures them anew.
"""

import json
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

RECORD = Path(__file__).with_name("heights.json")
SPARE = 4  # pixels; by so much the line may be too low

Knots = Sequence[Sequence[int]]


@cache
def recorded() -> dict[str, list[Knots]]:
    """By the name of a page, the knots of its explorers, from its top down."""
    return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}


def rules(selector: str, knots: Knots) -> str:
    """CSS that reserves the heights: ``(width of the page, height)`` in pixels."""
    width, height = knots[0]
    found = [f"{selector}{{--reserved:{height + SPARE}px}}"]
    for (width, height), (next_width, next_height) in pairwise(knots):
        slope = (next_height - height) / (next_width - width)
        line = f"calc({height + SPARE}px + {slope:.3f}*(100vw - {width}px))"
        found.append(f"@media(min-width:{width}px){{{selector}{{--reserved:{line}}}}}")
    width, height = knots[-1]
    fixed = f"{selector}{{--reserved:{height + SPARE}px}}"
    return "".join([*found, f"@media(min-width:{width}px){{{fixed}}}"])
