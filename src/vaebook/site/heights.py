"""Room for explorers and sections before they are there, so that nothing moves.

How high one will be depends on its words, its fonts and the width of the page, so it
is measured in a browser: ``heights.json`` holds an explorer's heights over the widths,
as the knots of a piecewise straight line, and a section's on a phone and a desktop.
``make heights`` measures them anew.
"""

import json
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

RECORD = Path(__file__).with_name("heights.json")
PHONE, DESKTOP = 412, 1280  # widths of a page at which sections are measured
SPARE = 4  # pixels; by so much the line may be too low

Knots = Sequence[Sequence[int]]


@cache
def _record() -> dict[str, dict]:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def recorded(pagename: str) -> list[Knots]:
    """The knots of a page's explorers, from its top down."""
    return _record()["explorers"].get(pagename, [])


def section_rules(pagename: str) -> str:
    """CSS that says how high each section is while it is not laid out."""
    sections = _record()["sections"].get(pagename, {})
    phone, desktop = (
        "".join(f"#{a}{{--estimated:{h[k]}px}}" for a, h in sections.items())
        for k in (0, 1)
    )
    return f"{phone}@media(min-width:769px){{{desktop}}}" if sections else ""


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
