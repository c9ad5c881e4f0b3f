"""Numbers in the text come from the run, or stand on the claims page with a reason."""

import re
from pathlib import Path

import jupytext
import pytest
from book.typed import typed, value

from vaebook.datasets import load_digits, load_iris
from vaebook.site.values import ROLE, asked_by

PAGES = Path(__file__).parents[2] / "chapters"
TEXTS = {path.stem: path.read_text("utf-8") for path in sorted(PAGES.glob("*.md"))}
READ = [stem for stem in TEXTS if stem not in {"claims", "references"}]
LEAST = 100  # values in the book; it had 150 when this was written


def sizes():
    """Of the data sets that every page speaks of."""
    digits = load_digits(binarize=True)
    found = {len(part.x) for part in digits} | {digits.train.x.shape[1]}
    iris = load_iris()
    return found | {len(iris.x), int((iris.y == 0).sum())}


def cells(text):
    notebook = jupytext.reads(text, fmt="md:myst")
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def captions(cell):
    options = cell.metadata.get("mystnb", {})
    words = (
        options.get("figure", {}).get("caption"),
        options.get("image", {}).get("alt"),
    )
    return [text for text in words if text]


def faults(text):
    """(line, words) of what is typed on a page and looks like a result."""
    code = cells(text)
    said = [words for cell in code for words in captions(cell)]
    return typed(text, [cell.source for cell in code], said, sizes())


def listed():
    """(stem, words) that the claims page says are typed."""
    for line in TEXTS["claims"].splitlines():
        bold = re.findall(r"\*\*(.+?)\*\*", line)
        if line.startswith("|") and bold:
            for stem in stems(line.split("|")[2].strip()):
                yield from ((stem, words.lower()) for words in bold)


def stems(where):
    """Pages that a cell such as ``chapters 2, 10`` or ``notation`` names."""
    if not re.search(r"\d", where):
        return [where]
    prefixes = [f"{int(number):02}_" for number in re.findall(r"\d+", where)]
    prefixes = ["index" if prefix == "00_" else prefix for prefix in prefixes]
    return [stem for stem in TEXTS if stem.startswith(tuple(prefixes))]


LISTED = set(listed())


@pytest.mark.parametrize("stem", READ)
def test_no_result_is_typed(stem):
    found = [
        (line, words)
        for line, words in faults(TEXTS[stem])
        if (stem, words.lower()) not in LISTED
    ]
    assert found == []


@pytest.mark.parametrize(("stem", "words"), sorted(LISTED))
def test_what_the_claims_page_lists_is_still_typed(stem, words):
    assert words in " ".join(TEXTS[stem].lower().split())


def test_the_book_asks_for_many_values():
    asked = [role for text in TEXTS.values() for role in ROLE.findall(text)]
    assert len(asked) >= LEAST


@pytest.mark.parametrize("stem", READ)
def test_a_value_of_another_page_is_one_that_it_shows(stem):
    for role in ROLE.findall(TEXTS[stem]):
        page, mark, text = role.partition("#")
        assert not mark or f"{{value}}`{text}`" in TEXTS[page], role


PAGE = """# A page with 99 in its heading

In {value}`n:.1f` of them, {cite:t}`a2019`, chapter 12, 2019, [link](12.md), `12.5`.

```{code-cell} ipython3
setting = 0.25, 40
```

$$ x = 12.75 $$ (eq-page-x)

The prior is 0.25 wide over forty steps and four seeds, $x = 0.25$.

```{admonition} Prediction
:class: prediction
Is it 12.5 nats?
```

## Exercises

Write 12.5.

## Then
"""


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("It is fine.", []),
        ("It gained 0.31.", ["0.31"]),
        ("It gained four nats.", ["four nats"]),
        ("It gained 0.25 nats.", ["0.25 nats"]),
        ("It gained half a nat.", ["half a nat"]),
        ("It gained some three tenths of a nat.", ["tenths of a nat"]),
        ("It gained 7 %.", ["7 %"]),
        ("Twenty-six were expected.", ["Twenty-six"]),
        ("There were 31.", ["31"]),
        ("There were fifteen thousand.", ["fifteen thousand"]),
        ("It is three of its own errors low.", ["three of its own errors"]),
        ("It is $\\log 2 = 0.69$.", ["0.69"]),
        ("| $z$, $s$ | 0, 4\N{EN DASH}11, 12 | codes | |", []),
        ("| $z$ | 12 codes | 13 | |", ["12", "13"]),
        ("It fell to \N{MINUS SIGN}2.5 in all.", ["\N{MINUS SIGN}2.5"]),
    ],
)
def test_a_typed_result_is_found(sentence, found):
    text = PAGE + "\n" + sentence + "\n"
    assert [words for _, words in faults(text)] == found
    lines = text.splitlines()
    assert all(words in lines[line - 1] for line, words in faults(text))


DRAWN = """# A page

```{code-cell} ipython3
---
mystnb:
  figure:
    caption: Falls to 27.5.
  image:
    alt: A line at ALT.
---
plt.plot(x)
```
"""


def test_captions_and_alt_texts_are_read_too():
    assert faults(DRAWN.replace("ALT", "30 nats")) == [(0, "27.5"), (0, "30 nats")]
    (cell,) = cells(DRAWN.replace("ALT", "{value}`x:.1f`"))
    assert list(asked_by(cell)) == ["x:.1f"]


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("ninety-seven", 97),
        ("fifteen thousand", 15000),
        ("1,797", 1797),
        ("dozen", None),
    ],
)
def test_numbers_are_read_in_digits_and_in_words(words, number):
    assert value(words) == number
