"""No picture without words: such a build fails, and fails again."""

import shutil
from pathlib import Path

import pytest
from browser.book import ROOT, build_book

CONFIG = ("_config.yml", "requirements.txt")


PROSE = "# A page\n\n{}\n\n```{{bibliography}}\n```\n"


@pytest.fixture
def small_book(tmp_path: Path):
    """Builds a book of one page whose second paragraph is the argument."""
    for name in CONFIG:
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    chapters = shutil.copytree(ROOT / "chapters/_static", tmp_path / "chapters/_static")
    (chapters.parent / "references.bib").write_text("")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: chapters/index\n")

    def build(prose: str):
        (tmp_path / "chapters/index.md").write_text(PROSE.format(prose))
        return build_book(tmp_path)

    return build


def test_a_picture_without_alt_text_fails_every_build_until_it_has_one(small_book):
    """Over what a failed build left behind, the same build must fail again."""
    for _ in range(2):
        build = small_book("![](_static/icon.svg)")
        assert build.returncode and "icon.svg has no alt text" in build.stderr
    assert small_book("![A bell curve over a grid](_static/icon.svg)").returncode == 0


def test_html_without_alt_text_fails_too(small_book):
    build = small_book('<img src="_static/icon.svg">')
    assert build.returncode and "has no alt text" in build.stderr
