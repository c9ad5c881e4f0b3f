"""The table of symbols: complete for each chapter, no clashes, true to the code."""

import re
from collections import Counter
from pathlib import Path

import pytest
from book.symbols import displays, formulas, rows, symbols

ROOT = Path(__file__).parents[2]
PAGES = {
    path.stem: path.read_text("utf-8") for path in (ROOT / "chapters").glob("*.md")
}
CHAPTERS = {
    stem: int(stem[:2]) if stem[0].isdigit() else 0
    for stem in sorted(PAGES)
    if stem[0].isdigit() or stem == "index"
}
ROWS = list(rows(PAGES["notation"]))
each_chapter = pytest.mark.parametrize("stem", CHAPTERS)


def forms(chapter):
    """The written forms that have a row for a chapter."""
    return [form for where, written in ROWS if chapter in where for form in written]


@each_chapter
def test_every_symbol_of_a_display_has_a_row_for_its_chapter(stem):
    used = set().union(*map(symbols, displays(PAGES[stem])))
    explained = set().union(*map(symbols, forms(CHAPTERS[stem])))
    assert used - explained == set()


@each_chapter
def test_no_written_form_has_two_rows_for_one_chapter(stem):
    twice = {form for form, n in Counter(forms(CHAPTERS[stem])).items() if n > 1}
    assert twice == set()


def test_every_row_is_about_something_that_a_chapter_writes():
    for where, written in ROWS:
        pages = "".join(PAGES[s] for s, chapter in CHAPTERS.items() if chapter in where)
        used = symbols(" ".join(formulas(pages)))
        for form in written:
            assert symbols(form) <= used, (form, where)


def test_names_in_code_are_names_in_the_code():
    sources = [p.read_text("utf-8") for p in (ROOT / "src").rglob("*.py")]
    cells = [page for stem, page in PAGES.items() if stem != "notation"]
    names = set(re.findall(r"\w+", "\n".join([*sources, *cells])))
    table = [line for line in PAGES["notation"].splitlines() if line.startswith("| $")]
    columns = [re.split(r"(?<!\\)\|", line)[4] for line in table]
    used = {
        name
        for text in columns
        for code in re.findall(r"`([^`]+)`", text)
        for name in re.findall(r"\w+", code)
    }
    assert len(used) > 80
    assert used - names == set()


@pytest.mark.parametrize(
    ("tex", "found"),
    [
        (r"\hat\sigma_x^2 = \tfrac1N \sum_n x_n", {r"\hat \sigma", "x", "N", "n"}),
        (r"\log p_\theta(x \mid z)", {"p", r"\theta", "x", "z"}),
        (r"\mathrm{KL}(q \,\|\, p) \ge 0", {"q", "p"}),
        (r"\mathcal L_S \text{ if all } W", {r"\mathcal L", "S", "W"}),
        (r"\overline{\log p}", {"p"}),
        (r"\hat{\mathcal L}_s", {r"\hat \mathcal L", "s"}),
        (
            r"\mathbb E_q[f], \quad \varepsilon",
            {r"\mathbb E", "q", "f", r"\varepsilon"},
        ),
        (r"\begin{aligned} a &= b \end{aligned}", {"a", "b"}),
    ],
)
def test_symbols_of_a_formula(tex, found):
    assert symbols(tex) == found


def test_rows_name_chapters():
    page = "| symbol | in |\n| $a$, $b_k$ | 0, 2\N{EN DASH}4 | x | `a` | |\n| b | all |"
    assert list(rows(page)) == [({0, 2, 3, 4}, ["a", "b_k"])]
