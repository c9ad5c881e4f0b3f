"""The page and the stills have one table of colours."""

import re

import pytest

from vaebook import figures
from vaebook.explore.parts import colours
from vaebook.explore.parts.bundle import EXPLORE, stylesheet

SHEETS = sorted(EXPLORE.rglob("*.css"))
SCRIPTS = sorted(EXPLORE.rglob("*.js"))


def name(path):
    return path.relative_to(EXPLORE).as_posix()


def test_a_colour_of_the_page_is_that_of_the_figures():
    css = stylesheet("surface/explorer.css")
    for k, colour in enumerate(figures.CLASS_COLOURS):
        assert f"--vb-class-{k}: light-dark({colour}, " in css
    assert f"--vb-kl: light-dark({figures.KL_COLOUR}, " in css
    assert f"--vb-accent: light-dark({figures.LIKELIHOOD_COLOUR}, " in css


def test_the_stills_name_colours_of_the_table():
    named = {
        "ink": colours.INK,
        "muted": colours.MUTED,
        "accent": colours.ACCENT,
        "line": colours.LINE,
    }
    for name, colour in named.items():
        assert colours.LIGHT_AND_DARK[name][0] == colour


def test_no_two_classes_share_a_colour():
    for one in zip(*colours.LIGHT_AND_DARK.values(), strict=True):
        classes = one[-10:]
        assert len(set(classes)) == 10


@pytest.mark.parametrize("path", SHEETS, ids=name)
def test_a_style_sheet_names_no_colour_of_its_own(path):
    found = re.findall(r"#[0-9a-fA-F]{3,8}\b", path.read_text("utf-8"))
    assert set(found) <= {"#fff"}  # the paper of a drawn frame, in both themes


@pytest.mark.parametrize("path", sorted(EXPLORE.glob("*/explorer.css")), ids=name)
def test_the_sheet_of_an_explorer_styles_nothing_of_another(path):
    """All sheets of a page hold for the whole page."""
    own = path.parent.name.replace("_", "-")
    text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
    rules = [rule.strip() for rule in re.findall(r"([^{}]+)\{", text)]
    selectors = [
        one.strip()
        for rule in rules
        if not rule.startswith("@")
        for one in re.split(r",(?![^(]*\))", rule)
    ]
    strangers = [one for one in selectors if not re.search(rf"\.(vb-)?{own}\b", one)]
    assert selectors and strangers == []
    outside = [one for one in selectors if re.match(r"(\.vb|html|body)\b(?!-)", one)]
    assert outside == []  # nested in the root, which none of these lies in


@pytest.mark.parametrize("path", [*SHEETS, *SCRIPTS], ids=name)
def test_every_colour_that_is_used_is_one_of_the_table(path):
    used = re.findall(r"var\(--vb-([a-z]+(?:-[0-9])?)\)", path.read_text("utf-8"))
    assert set(used) <= set(colours.LIGHT_AND_DARK)
