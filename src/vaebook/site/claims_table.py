"""``{claims-table}``: each equation, its chapter, its tests, and against what they go.

The formula stands in a row as wide as the table, its tests below it.
"""

from collections import defaultdict
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from vaebook.site.checkmarks import CLAIMS_PAGE, claim_id
from vaebook.site.claims import Claim, claims, equations

HEADINGS = ("Equation", "Chapter", "Test", "Compared with")
WIDTHS = (22, 20, 32, 26)


class Stated(NamedTuple):
    """A labelled equation, the page that states it, its number there, and its TeX."""

    label: str
    page: str
    number: str
    body: str


class claims_table(nodes.General, nodes.Element):
    """Holds the place of the table until every chapter has been read."""


class ClaimsTable(SphinxDirective):
    """Directive without arguments."""

    def run(self) -> list[nodes.Node]:
        return [claims_table()]


def connect(app: Sphinx) -> None:
    app.add_node(claims_table)
    app.add_directive("claims-table", ClaimsTable)
    app.connect("env-updated", _always_rewrite)
    app.connect("doctree-resolved", _fill)


def _always_rewrite(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The table depends on every chapter and test, so it is written every time."""
    return [CLAIMS_PAGE] if CLAIMS_PAGE in env.found_docs else []


def _fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for place in list(doctree.findall(claims_table)):
        found = defaultdict(list)
        for claim in claims(Path(app.srcdir, "tests")):
            found[claim.label].append(claim)
        rows = [_rows(app, docname, e, found[e.label]) for e in _equations(app)]
        place.replace_self(_table(list(chain(*rows))))


def _equations(app: Sphinx) -> list[Stated]:
    """Labelled equations in the order of the book."""
    order = list(app.env.collect_relations())
    known = app.env.get_domain("math").equations.items()
    bodies = {one.label: one.body for one in equations(Path(app.srcdir, "chapters"))}
    found = [
        Stated(label, page, str(number), bodies[label])
        for label, (page, number) in known
        if label.startswith("eq-")
    ]
    return sorted(found, key=lambda e: (order.index(e.page), _parts(e.number)))


def _parts(number: str) -> list[int]:
    return [int(part) for part in number.split(".")]


def _rows(
    app: Sphinx, docname: str, equation: Stated, tests: list[Claim]
) -> list[nodes.row]:
    """The formula, then one row a test; label and chapter span the tests."""
    label, page, number, body = equation
    uri = app.builder.get_relative_uri(docname, page)
    number = _reference(f"{uri}#equation-{label}", f"({number})")
    chapter = _reference(uri, app.env.titles[page].astext())
    checks = [_check(test) for test in tests] or [[_entry(), _entry()]]
    spanning = [
        _entry(number, nodes.Text(" "), nodes.literal("", label)),
        _entry(chapter),
    ]
    for entry in spanning:
        entry["morerows"] = len(checks) - 1
    first, *others = checks
    rows = [nodes.row("", *spanning, *first), *(nodes.row("", *c) for c in others)]
    return [_formula(label, body), *rows]


def _formula(label: str, body: str) -> nodes.row:
    """A row that is the anchor of a label; the copy of the formula has none itself."""
    copy = nodes.math_block(body, body, label=None, number=None, nowrap=False)
    entry = nodes.entry("", copy, morecols=len(HEADINGS) - 1)
    return nodes.row("", entry, ids=[claim_id(label)], classes=["formula"])


def _check(test: Claim) -> list[nodes.entry]:
    file = nodes.literal("", test.file)
    name = nodes.literal("", test.function)
    return [_entry(file, nodes.Text(" "), name), _entry(nodes.Text(test.against))]


def _reference(uri: str, text: str) -> nodes.reference:
    return nodes.reference("", text, refuri=uri, internal=True)


def _entry(*children: nodes.Node) -> nodes.entry:
    return nodes.entry("", nodes.paragraph("", "", *(children or [nodes.Text("—")])))


def _table(rows: list[nodes.row]) -> nodes.table:
    heads = [_entry(nodes.Text(text)) for text in HEADINGS]
    columns = [nodes.colspec(colwidth=width) for width in WIDTHS]
    head = nodes.thead("", nodes.row("", *heads))
    group = nodes.tgroup("", *columns, head, nodes.tbody("", *rows), cols=len(heads))
    return nodes.table("", group, classes=["claims-table", "colwidths-given"])
