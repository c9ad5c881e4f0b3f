"""Room for explorers and sections before they are there, so that nothing moves.

How high one will be depends on its words, its fonts and the width of the page, so it
is measured in a browser: ``heights.json`` holds heights over widths, as the knots of a
piecewise straight line. Under a finger explorers are higher, since their controls are:
they have a second line. ``make heights`` measures all of them anew.
"""

import json
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

RECORD = Path(__file__).with_name("heights.json")
SPARE = 4  # pixels; by so much the line of an explorer may be too low
FINGER = "(pointer:coarse)"

Knots = Sequence[Sequence[int]]


@cache
def _record() -> dict[str, dict[str, dict[str, Knots]]]:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def of_explorers(pagename: str) -> list[tuple[Knots, Knots]]:
    """Of a page's explorers, from its top down: knots (width of the page, height).

    Under a mouse, and under a finger.
    """
    mouse, finger = (
        _record()[kind].get(pagename, {}).values() for kind in ("explorers", "touched")
    )
    return list(zip(mouse, finger, strict=True))


def of_sections(pagename: str) -> dict[str, Knots]:
    """Knots of a page's sections, by their anchors."""
    return _record()["sections"].get(pagename, {})


def explorer_rules(selector: str, mouse: Knots, finger: Knots) -> str:
    """CSS that reserves the height of an explorer."""
    room, more = (
        [(width, height + SPARE) for width, height in knots]
        for knots in (mouse, finger)
    )
    found = rules(selector, "--reserved", room)
    return found + (rules(selector, "--reserved", more, FINGER) if more != room else "")


def section_rules(pagename: str) -> str:
    """CSS that says how high each section is while it is not laid out."""
    found = of_sections(pagename).items()
    return "".join(rules(f"#{name}", "--estimated", knots) for name, knots in found)


def rules(selector: str, name: str, knots: Knots, media: str = "") -> str:
    """CSS that sets a property to the line's height, CSS pixels, at each width.

    ``media`` is what must hold besides, in parentheses.
    """
    also = f"{media} and " if media else ""
    first = f"{selector}{{{name}:{knots[0][1]}px}}"
    found = [f"@media{media}{{{first}}}" if media else first]
    for (width, height), (next_width, next_height) in pairwise(knots):
        slope = (next_height - height) / (next_width - width)
        line = f"calc({height}px + {slope:.3f}*(100vw - {width}px))"
        rule = f"{selector}{{{name}:{line}}}"
        found.append(f"@media{also}(min-width:{width}px){{{rule}}}")
    width, height = knots[-1]
    fixed = f"{selector}{{{name}:{height}px}}"
    return "".join([*found, f"@media{also}(min-width:{width}px){{{fixed}}}"])
