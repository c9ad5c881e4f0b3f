"""What a change makes the build do again: execute the notebooks, or write the pages."""

import pytest

from vaebook.site import freshness


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A module, a job of the site, and the two that see what cells give."""
    (tmp_path / "vaebook/site").mkdir(parents=True)
    site = ("metadata.py", "execution.py", "values.py")
    for name in ("em.py", *(f"site/{job}" for job in site)):
        (tmp_path / "vaebook" / name).write_text("x = 1\n", encoding="utf-8")
    monkeypatch.setattr(freshness, "PACKAGE", tmp_path / "vaebook")
    return tmp_path / "vaebook"


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("em.py", {"outputs"}),
        ("site/metadata.py", {"pages"}),
        ("site/execution.py", {"outputs", "pages"}),
        ("site/values.py", {"outputs", "pages"}),
        ("../requirements.txt", {"outputs"}),
        ("../_toc.yml", {"pages"}),
    ],
)
def test_a_change_asks_for_what_depends_on_it(package, changed, again):
    before = freshness.sources(package.parent)
    (package / changed).write_text("x = 2\n", encoding="utf-8")
    after = freshness.sources(package.parent)
    assert {name for name in before if before[name] != after[name]} == again
