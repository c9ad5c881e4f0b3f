"""Values of the text: worked out where they stand, kept with the run, shown."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from docutils import nodes

from vaebook.figures import with_minus
from vaebook.site import execution, values
from vaebook.site.execution import cached_values, opened_cache, run_all, run_alone
from vaebook.site.values import ROLE, Value, known, merge, put_in, wanted

PAGES = [*(Path(__file__).parents[2] / "chapters").glob("*.md")]
CODE, TEXT = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell


def notebook_of(*cells):
    made = nbformat.v4.new_notebook(cells=list(cells))
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return made


def run(apart, *cells):
    notebook = notebook_of(*cells)
    return apart(lambda: asyncio.run(run_alone(notebook, timeout=60))), notebook


def test_a_value_is_what_an_f_string_makes_of_it_at_its_place(apart):
    figure = CODE("n = 3\nd = {'a': 0.25}")
    figure.metadata["mystnb"] = {
        "figure": {"caption": "There are {value}`n`."},
        "image": {"alt": "A line at {value}`d['a']:.1%`."},
    }
    found, notebook = run(
        apart,
        CODE("n, m = 2, -1.25"),
        TEXT('Half of {value}`m / 2:.3f`, and {value}`"b" + str(n)`.'),
        figure,
        TEXT(
            "Then {value}`n + 1`; elsewhere {value}`03_em#n`.\n\n```\n{value}`no`\n```"
        ),
    )
    assert found.error == ""
    assert found.values == {
        "m / 2:.3f": "-0.625",
        '"b" + str(n)': "b2",
        "n": "3",
        "d['a']:.1%": "25.0%",
        "n + 1": "4",
    }
    assert [c.get("execution_count") for c in notebook.cells[::2]] == [1, 2]
    assert all(not c.outputs for c in notebook.cells if c.cell_type == "code")


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ([CODE("n = 1"), TEXT("{value}`lost`")], "'lost': NameError"),
        ([CODE("n = 1"), TEXT("{value}`n:.1q`")], "'n:.1q': ValueError"),
        ([TEXT("{value}`n`"), CODE("n = 1")], "'n' is asked for before the first cell"),
        (
            [CODE("n = 1"), TEXT("{value}`n`"), CODE("n = 2"), TEXT("{value}`n`")],
            "'n' is 1 first and 2 later: two names",
        ),
    ],
)
def test_a_value_that_there_is_not_or_twice_ends_the_run(apart, cells, complaint):
    found, _ = run(apart, *cells)
    assert found.error.startswith("ValueError") and complaint in found.error


def test_values_are_cached_and_a_new_one_makes_the_page_run_again(tmp_path, apart):
    first = notebook_of(CODE("n = 5"), TEXT("{value}`n`"))
    more = notebook_of(CODE("n = 5"), TEXT("{value}`n` and {value}`n + 1`"))
    with opened_cache(tmp_path / "cache") as cache:
        assert cached_values(cache, first) == {}
        apart(run_all, {"a.md": first}, cache, timeout=60)
        assert cached_values(cache, more) == {"n": "5"}
        apart(run_all, {"a.md": more}, cache, timeout=60)
        assert cached_values(cache, more) == {"n": "5", "n + 1": "6"}


def test_a_page_knows_its_own_values_and_those_of_others_by_their_names():
    env = SimpleNamespace(
        vaebook_values={"chapters/03_em": {"n": "1"}, "chapters/index": {"n": "2"}}
    )
    assert known(env, "chapters/index") == {"03_em#n": "1", "index#n": "2", "n": "2"}
    assert known(SimpleNamespace(), "chapters/index") == {}


def test_text_takes_what_is_known_and_a_minus_is_one():
    text = "From {value}`a:.1f` to {value}`b`."
    assert put_in(text, {"a:.1f": "-2.5"}) == "From \N{MINUS SIGN}2.5 to {value}`b`."
    assert with_minus("1e-9") == "1e-9" and with_minus("a-3") == "a-3"
    assert with_minus("-3 to -4") == "\N{MINUS SIGN}3 to \N{MINUS SIGN}4"


def test_what_is_asked_belongs_to_the_cell_above_it():
    cells = [CODE("a = 1"), TEXT("{value}`a`"), TEXT("{value}`a + 1`"), CODE("b = 2")]
    assert wanted(notebook_of(*cells)) == {0: ["a", "a + 1"]}
    found = {"a": "1"}
    merge(found, {"a": "1", "b": "2"})
    assert found == {"a": "1", "b": "2"}


def asked_of(env, text):
    """What the role gives on page ``a``: its nodes, and the errors it reports."""
    errors = []
    inliner = SimpleNamespace(
        document=SimpleNamespace(settings=SimpleNamespace(env=env)),
        reporter=SimpleNamespace(error=lambda message, line: errors.append(message)),
    )
    (node,), _ = Value()("value", f"{{value}}`{text}`", text, 7, inliner)
    return node, errors


def test_the_role_shows_its_value_and_reports_one_that_there_is_not():
    env = SimpleNamespace(docname="a", vaebook_values={"a": {"n": "-2"}})
    node, errors = asked_of(env, "n")
    assert node.astext() == "\N{MINUS SIGN}2" and node["classes"] == ["value"]
    assert errors == []
    node, errors = asked_of(env, "m")
    assert isinstance(node, nodes.problematic)
    assert errors == ["no cell of this page gave 'm' a value"]


def test_alt_texts_of_a_page_carry_its_values():
    env = SimpleNamespace(docname="a", vaebook_values={"a": {"n": "-2"}})
    image = nodes.image(alt="A line at {value}`n`.")
    page = nodes.section("", image)
    values._put_into_alt_texts(SimpleNamespace(env=env), page)
    assert image["alt"] == "A line at \N{MINUS SIGN}2."


def test_a_run_is_cached_only_with_every_value_that_is_asked(tmp_path, apart):
    asks = [TEXT("{value}`n`"), TEXT("{value}`n` and {value}`n + 1`")]
    first, more = (notebook_of(CODE("n = 5"), text) for text in asks)
    early = notebook_of(asks[0], CODE("n = 5"))
    with opened_cache(tmp_path / "cache") as cache:
        apart(run_all, {"a.md": first}, cache, timeout=60)
        found = [execution._is_cached(cache, one) for one in (first, more, early)]
    assert found == [True, False, False]


TWO_BOXES = """```{admonition} One
{value}`a`
```

Between them {value}`b`.

````{admonition} Two
```python
{value}`no`
```
{value}`c`
````

~~~
{value}`no`
```
{value}`no`
~~~
```not a fence``` And {value}`d`."""


def test_what_is_asked_for_between_boxes_is_not_taken_for_code():
    notebook = notebook_of(CODE("n = 1"), TEXT(TWO_BOXES))
    assert wanted(notebook) == {0: ["a", "b", "c", "d"]}


def test_a_run_that_fails_says_on_which_page_and_why(tmp_path, apart, monkeypatch):
    said = []
    logger = SimpleNamespace(warning=lambda text, *parts: said.append(text % parts))
    monkeypatch.setattr(execution, "LOGGER", logger)
    bad = notebook_of(CODE("n = 5"), TEXT("{value}`lost`"))
    with opened_cache(tmp_path / "cache") as cache:
        apart(run_all, {"a/b.md": bad}, cache, timeout=60)
    (line,) = said
    assert line.startswith("b.md: ValueError: 'lost': NameError")


@pytest.mark.book
def test_no_role_is_left_on_a_page_or_in_a_notebook(built_site):
    pages = [p.read_text("utf-8") for p in built_site.glob("**/*.html")]
    assert sum(page.count('class="value"') for page in pages) >= 100
    books = [p.read_text("utf-8") for p in built_site.glob("_sources/**/*.ipynb")]
    assert len(books) == sum("{code-cell}" in p.read_text("utf-8") for p in PAGES)
    for text in [*pages, *books]:
        assert "{value}" not in text or not ROLE.search(text)
