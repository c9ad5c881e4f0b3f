"""Room for explorers and sections: measured heights, as a style sheet reserves them."""

import re

import pytest

from vaebook.site import heights

KNOTS = [[320, 1000], [600, 1280], [604, 700], [720, 710]]
PAGES = ("chapters/index", "chapters/03_em", "chapters/10_vae")


def reserved(css: str, width: float, selector: str = ".a", name: str = "--r") -> float:
    """What the rules give at a width of the page, the later ones over the earlier."""
    found = None
    rule = rf"(?:@media\(min-width:(\d+)px\)\{{)?{selector}\{{{name}:([^}}]*)\}}"
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
def test_between_two_knots_the_height_changes_evenly(width, height):
    css = heights.rules(".a", "--r", KNOTS)
    assert reserved(css, width) == pytest.approx(height, abs=0.1)


def test_an_explorer_has_a_little_room_to_spare():
    css = heights.explorer_rules(".a", KNOTS, KNOTS)
    assert reserved(css, 320, name="--reserved") == 1000 + heights.SPARE
    assert "pointer" not in css


@pytest.mark.parametrize(("width", "height"), [(320, 1044), (460, 1184), (2000, 754)])
def test_under_a_finger_an_explorer_has_more_room(width, height):
    higher = [[width, height + 40] for width, height in KNOTS]
    css = heights.explorer_rules(".a", KNOTS, higher)
    room = heights.explorer_rules(".a", KNOTS, KNOTS)
    least = ".a{--reserved:1044px}"
    finger = css.removeprefix(room).replace(f"@media(pointer:coarse){{{least}}}", least)
    finger = finger.replace("@media(pointer:coarse) and ", "@media")
    assert css.count("(pointer:coarse)") == len(KNOTS) + 1
    assert reserved(finger, width, name="--reserved") == pytest.approx(height, abs=0.1)


@pytest.mark.parametrize("page", PAGES)
def test_the_record_has_a_line_over_all_widths_for_each(page):
    of_explorers = [knots for both in heights.of_explorers(page) for knots in both]
    lines = [*of_explorers, *heights.of_sections(page).values()]
    assert len(lines) > 3
    for knots in lines:
        widths = [width for width, _ in knots]
        assert widths == sorted(set(widths))
        assert widths[0] == 320 and widths[-1] == 1280
        assert all(height > 50 for _, height in knots)


def test_a_section_is_higher_where_the_page_is_narrower():
    css = heights.section_rules("chapters/03_em")
    phone, desktop = (
        reserved(css, width, "#two-steps-repeated", "--estimated")
        for width in (360, 1280)
    )
    assert phone > desktop > 500


def test_a_page_that_was_not_measured_reserves_nothing():
    assert heights.of_explorers("chapters/none") == []
    assert heights.section_rules("chapters/none") == ""
