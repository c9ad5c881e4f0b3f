"""The order of the book: chapters, their modules and the tests of both."""

from pathlib import Path

import pytest
from house.trees import BOOK, MODULES, PAGES, ROOT, SOURCE

NUMBERED = [stem for stem in PAGES if stem[:2].isdigit()]
TESTS = ROOT / "tests"
WITHOUT_SOURCE = ("house", "book", "browser")  # tests of the whole
OF_ALL = {"test_every"}  # what each of a folder's modules owes
OF_AN_EXPLORER = {"test_maths", "test_twins", "test_view"}
CASES = "codes", "losses", "pixels", "scores", "steps", "tables"
TESTED_TOGETHER = {
    **{f"exercises/bug_clinic/{name}": "exercises/bug_clinic/case" for name in CASES},
    "exercises/record": "exercises/judge",
    "explore/parts/ranges": "explore/parts/picture",
}


def misnumbered(stems):
    """Chapters whose number is not their place in the book, or out of order."""
    planned = [f"{place:02}_{module}" for place, module in enumerate(BOOK, 1)]
    wrong = [stem for stem in stems if stem not in planned]
    return wrong or (stems if stems != sorted(stems) else [])


def test_chapters_stand_in_the_planned_order():
    assert PAGES[0] == "index" and NUMBERED
    assert misnumbered(NUMBERED) == []
    assert misnumbered(["10_vae", "03_em"]) and misnumbered(["02_vae"])


@pytest.mark.parametrize("stem", NUMBERED)
def test_numbered_chapter_has_module_and_tests_of_its_stem(stem):
    assert (ROOT / "chapters" / f"{stem}.md").is_file()
    assert f"vaebook.{stem[3:]}" in MODULES
    assert (TESTS / stem[3:]).is_dir() or (TESTS / f"test_{stem[3:]}.py").is_file()


def place_of_tests(module: Path) -> Path:
    """Where the tests of a module lie, both named from their roots."""
    return module.with_name(f"test_{module.stem.strip('_')}.py")


def untested(modules: list[Path], tests: list[Path]) -> list[str]:
    """Modules without a test file at the same place."""
    return [
        path.as_posix()
        for path in modules
        if path.name != "__init__.py"
        and not explorer_of(path)
        and path.parts[0] != "site"
        and path.with_suffix("").as_posix() not in TESTED_TOGETHER
        and place_of_tests(path) not in tests
    ]


def explorer_of(path: Path) -> str:
    """The explorer in whose folder a file lies; empty if in none."""
    inside = len(path.parts) == 3 and path.parts[0] == "explore"
    return path.parts[1] if inside and path.parts[1] != "parts" else ""


def homeless(tests: list[Path], modules: list[Path]) -> list[str]:
    """Test files without a module at the same place."""
    places = {place_of_tests(path) for path in modules}
    explorers = {explorer_of(path) for path in modules} - {""}
    return [
        path.as_posix()
        for path in tests
        if path not in places
        and path.parts[0] not in WITHOUT_SOURCE
        and path.stem not in OF_ALL
        and not (path.stem in OF_AN_EXPLORER and explorer_of(path) in explorers)
    ]


SOURCES = [path.relative_to(SOURCE) for path in sorted(SOURCE.rglob("*.py"))]
SCRIPTS = [path.relative_to(SOURCE) for path in sorted(SOURCE.rglob("*.js"))]
TEST_FILES = [path.relative_to(TESTS) for path in sorted(TESTS.rglob("test_*.py"))]


def test_every_module_has_tests_at_its_place():
    assert untested(SOURCES, TEST_FILES) == []
    known = {path.with_suffix("").as_posix() for path in SOURCES}
    assert TESTED_TOGETHER.keys() | set(TESTED_TOGETHER.values()) <= known


@pytest.mark.parametrize("name", sorted({explorer_of(path) for path in SOURCES} - {""}))
def test_every_explorer_has_tests_in_its_folder(name):
    own = {path.stem for path in TEST_FILES if explorer_of(path) == name}
    assert "test_view" in own


def test_every_test_has_a_module_at_its_place():
    pages = {Path("site/test_pages.py"), Path("site/test_firefox.py")}
    tests = [path for path in TEST_FILES if path not in pages]
    assert homeless(tests, [*SOURCES, *SCRIPTS]) == []


def test_what_is_out_of_place_is_found():
    modules = [Path("em/mixtures.py"), Path("explore/pads/maths.py")]
    assert untested(modules, [Path("test_mixtures.py")]) == ["em/mixtures.py"]
    lost = [Path("test_mixtures.py"), Path("explore/pad/test_view.py")]
    assert homeless(lost, modules) == [path.as_posix() for path in lost]
    assert homeless([Path("explore/pads/test_view.py")], modules) == []


EXPLORER = {"explorer.py", "explorer.js", "explorer.css", "__init__.py"}


@pytest.mark.parametrize("name", sorted({explorer_of(path) for path in SOURCES} - {""}))
def test_every_explorer_folder_is_of_one_shape(name):
    files = {path.name for path in (SOURCE / "explore" / name).iterdir()}
    assert files >= EXPLORER
    assert {Path(file).suffix for file in files} <= {".py", ".js", ".css", ""}
