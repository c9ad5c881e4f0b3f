"""Room for explorers and sections before they are there, so that nothing moves.

How high one will be depends on its words, its fonts and the width of the page, so it
is measured in a browser: ``heights.json`` holds heights over widths, as the knots of a
piecewise straight line. ``make heights`` measures them anew.
"""

import json
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

RECORD = Path(__file__).with_name("heights.json")
SPARE = 4  # pixels; by so much the line of an explorer may be too low

Knots = Sequence[Sequence[int]]


@cache
def _record() -> dict[str, dict[str, dict[str, Knots]]]:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def of_explorers(pagename: str) -> list[Knots]:
    """Knots (width of the page, height) of a page's explorers, from its top down."""
    return list(_record()["explorers"].get(pagename, {}).values())


def of_sections(pagename: str) -> dict[str, Knots]:
    """Knots of a page's sections, by their anchors."""
    return _record()["sections"].get(pagename, {})


def explorer_rules(selector: str, knots: Knots) -> str:
    """CSS that reserves the height of an explorer."""
    spared = [(width, height + SPARE) for width, height in knots]
    return rules(selector, "--reserved", spared)


def section_rules(pagename: str) -> str:
    """CSS that says how high each section is while it is not laid out."""
    found = of_sections(pagename).items()
    return "".join(rules(f"#{name}", "--estimated", knots) for name, knots in found)


def rules(selector: str, name: str, knots: Knots) -> str:
    """CSS that sets a property to the line's height, CSS pixels, at each width."""
    found = [f"{selector}{{{name}:{knots[0][1]}px}}"]
    for (width, height), (next_width, next_height) in pairwise(knots):
        slope = (next_height - height) / (next_width - width)
        line = f"calc({height}px + {slope:.3f}*(100vw - {width}px))"
        found.append(f"@media(min-width:{width}px){{{selector}{{{name}:{line}}}}}")
    width, height = knots[-1]
    fixed = f"{selector}{{{name}:{height}px}}"
    return "".join([*found, f"@media(min-width:{width}px){{{fixed}}}"])
