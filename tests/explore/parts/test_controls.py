"""Where a value stands on a slider, and which value stands where."""

import json

import pytest

from vaebook.explore.parts.bundle import EXPLORE, bundle

CONTROLS = """import { among, any, even, whole } from "./controls.js";
import { nearestNumber, nearestRatio } from "./controls.js";
import { linear, logarithmic } from "./scales.js";
const tracks = { among, any, even, whole };
globalThis.parts = { ...tracks, linear, logarithmic, nearestNumber, nearestRatio };
"""


@pytest.fixture
def run(page_factory, tmp_path):
    """``run(expression)``: its value, with tracks and scales in ``parts``."""
    for name in ("controls", "dom", "scales", "state"):
        text = (EXPLORE / "parts" / f"{name}.js").read_text("utf-8")
        (tmp_path / f"{name}.js").write_text(text, "utf-8")
    (tmp_path / "root.js").write_text(CONTROLS, "utf-8")
    page = page_factory().page
    page.goto("about:blank")
    page.evaluate(f"() => {{ {bundle('root.js', tmp_path)} }}")

    def evaluate(expression):
        text = page.evaluate(f"JSON.stringify((({expression})))")
        return json.loads(text)

    return evaluate


@pytest.mark.browser
@pytest.mark.parametrize(
    ("track", "pairs"),
    [
        ("parts.even(parts.linear(-2, 2), 40)", [(-2, 0), (0, 20), (0.1, 21), (2, 40)]),
        ("parts.even(parts.logarithmic(1, 100), 2)", [(1, 0), (10, 1), (100, 2)]),
        ("parts.whole(1, 9)", [(1, 1), (9, 9)]),
        ("parts.any(-3, 3)", [(-3, -3), (0.25, 0.25)]),
        ("parts.among([5, 7, 9], parts.nearestNumber)", [(5, 0), (7, 1), (9, 2)]),
    ],
)
def test_a_value_and_its_place_lead_to_each_other(run, track, pairs):
    for value, place in pairs:
        assert run(f"{track}.at({value})") == pytest.approx(place, abs=1e-9)
        assert run(f"{track}.value({place})") == value


@pytest.mark.browser
def test_the_ends_of_a_track_are_the_ends_of_its_slider(run):
    ends = "(({ min, max, step }) => [min, max, step])"
    assert run(f"{ends}(parts.even(parts.linear(0, 1), 7))") == [0, 7, 1]
    assert run(f"{ends}(parts.whole(2, 5))") == [2, 5, 1]
    assert run(f"{ends}(parts.any(-1, 1))") == [-1, 1, "any"]
    assert run(f"{ends}(parts.among(['a', 'b'], () => 0))") == [0, 1, 1]


@pytest.mark.browser
def test_between_two_choices_numbers_go_by_difference_and_sizes_by_ratio(run):
    choices = "[200, 300]"
    assert run(f"parts.nearestNumber({choices}, 246)") == 0
    assert run(f"parts.nearestRatio({choices}, 246)") == 1
    assert run(f"parts.nearestNumber({choices}, 251)") == 1
    assert run(f"parts.nearestRatio({choices}, 244)") == 0
