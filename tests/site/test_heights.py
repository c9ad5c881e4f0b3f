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
    pages = ["chapters/index", "chapters/03_em", "chapters/10_vae"]
    for page in pages:
        assert heights.recorded(page)
        for knots in heights.recorded(page):
            widths = [width for width, _ in knots]
            assert widths == sorted(set(widths))
            assert widths[0] == 320 and widths[-1] == 1280
            assert all(height > 50 for _, height in knots)


def test_a_page_that_was_not_measured_reserves_nothing():
    assert heights.recorded("chapters/none") == []
    assert heights.section_rules("chapters/none") == ""


def test_a_section_has_a_height_on_a_phone_and_on_a_desktop():
    css = heights.section_rules("chapters/03_em")
    rule = r"#two-steps-repeated\{--estimated:(\d+)px\}"
    phone, desktop = css.split("@media(min-width:769px)")
    narrow, wide = (int(re.search(rule, part)[1]) for part in (phone, desktop))
    assert narrow > wide > 500
