"""Room for an explorer: the measured heights as a style sheet reserves them."""

import re

import pytest

from vaebook.site import heights

KNOTS = [[320, 1000], [600, 1280], [604, 700], [720, 710]]


def reserved(css: str, width: float) -> float:
    """What the rules give at a width of the page, the later ones over the earlier."""
    found = None
    rule = r"(?:@media\(min-width:(\d+)px\)\{)?\.a\{--reserved:([^}]*)\}"
    for least, value in re.findall(rule, css):
        if width >= int(least or 0):
            found = value
    line = re.fullmatch(r"calc\(([\d.]+)px \+ (-?[\d.]+)\*\(100vw - (\d+)px\)\)", found)
    if line is None:
        return float(found.removesuffix("px"))
    start, slope, origin = map(float, line.groups())
    return start + slope * (width - origin)


@pytest.mark.parametrize(
    ("width", "height"),
    [(300, 1000), (320, 1000), (460, 1140), (604, 700), (662, 705), (2000, 710)],
)
def test_between_two_knots_the_room_grows_evenly(width, height):
    css = heights.rules(".a", KNOTS)
    assert reserved(css, width) == pytest.approx(height + heights.SPARE, abs=0.1)


def test_the_record_has_a_rising_line_for_each_explorer_of_a_page():
    record = heights.recorded()
    assert record
    for lines in record.values():
        for knots in lines:
            widths = [width for width, _ in knots]
            assert widths == sorted(set(widths))
            assert widths[0] == 320 and widths[-1] == 1280
            assert all(height > 50 for _, height in knots)
