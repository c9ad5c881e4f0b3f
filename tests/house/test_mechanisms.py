"""One mechanism for each thing: what only one file of the explorers may do."""

import re

import pytest
from house.trees import SOURCE

EXPLORE = SOURCE / "explore"
ONLY = {  # what, and where it stands
    r"\.addEventListener\(": {"parts/state.js"},
    r"\bmodel\.(on|off|set|save_changes)\(": {"parts/state.js"},
    r"\bsetInterval\(": {"parts/player.js"},
    r"\bMutationObserver\(": {"parts/dom.js"},
    r'\btype: "range"': {"parts/controls.js"},
    r'\btype: "checkbox"': {"parts/controls.js"},
    r'h\("select"': {"parts/controls.js"},
    r"#[0-9a-f]{6}\b": {"parts/colours.py"},
    r"\bt\.validate\(": {"parts/traits.py"},
    r": light-dark\(": {"parts/colours.py"},
}
FILES = [path for path in EXPLORE.rglob("*") if path.suffix in {".py", ".js", ".css"}]
AS_IN = re.compile(r"(?://|/\*|#).*\bas in [\w./]+\.(?:js|css|py)\b")


def places(pattern, files):
    """Where below explore a pattern is found, stills aside."""
    return {
        path.relative_to(EXPLORE).as_posix()
        for path in files
        if path.name not in {"still.py", "picture.py"}
        and re.search(pattern, path.read_text("utf-8"))
    }


@pytest.mark.parametrize("pattern", ONLY)
def test_a_mechanism_stands_in_one_file(pattern):
    assert places(pattern, FILES) == ONLY[pattern]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_repeats_what_stands_in_another(path):
    """A number of two languages travels as a trait, not by a comment."""
    assert AS_IN.findall(path.read_text("utf-8")) == []


def test_a_second_place_is_found(tmp_path):
    stray = EXPLORE / "parts" / "state.js"
    assert places(r"\.addEventListener\(", [stray]) == {"parts/state.js"}
    assert AS_IN.search("EVEN = 1.05  # as in explorer.js")
    assert not AS_IN.search("# as in the last panel")
