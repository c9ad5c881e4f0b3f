"""Each formula of a page is written typeset; none that cannot be is let through.

All formulas of the book are typeset in one run, when the first is written: the style
sheet serves every page, also one that an earlier build wrote.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from vaebook.site.mathematics.fonts import embedded
from vaebook.site.mathematics.typeset import Formula, Typeset, typeset

LOGGER = logging.getLogger(__name__)
STYLE = "mathematics.css"
OPENING = "<mjx-container"
BREAK = re.compile(r"\\\\")
TOKEN = re.compile(r"\\(?:[A-Za-z]+|.)|[{}]", re.DOTALL)
OPENERS = ("{", r"\begin", r"\left")
CLOSERS = ("}", r"\end", r"\right")


def connect(app: Sphinx) -> None:
    app.add_html_math_renderer("typeset", (_inline, None), (_display, None))
    app.connect("html-page-context", _style)


def formulas(node: nodes.math | nodes.math_block) -> list[Formula]:
    r"""What is to be typeset for a node: one formula, or several that may wrap.

    As Sphinx has it for MathJax: lines divided by ``\\`` are split where they have no
    environment of their own, and paragraphs are aligned below each other. What a
    ``\qquad`` divides stands side by side where there is room, else below each other.
    """
    tex = node.astext().strip()
    if isinstance(node, nodes.math):
        return [Formula(tex, display=False)]
    paragraphs = [part.strip() for part in tex.split("\n\n") if part.strip()]
    if node.get("nowrap") or len(paragraphs) == 1:
        whole = tex if node.get("nowrap") else _split(tex)
        return [Formula(part, display=True) for part in abreast(whole)]
    lines = r"\\".join(map(_split, paragraphs))
    aligned = rf"\begin{{align}}\begin{{aligned}}{lines}\end{{aligned}}\end{{align}}"
    return [Formula(aligned, display=True)]


def _split(part: str) -> str:
    return rf"\begin{{split}}{part}\end{{split}}" if BREAK.search(part) else part


def abreast(tex: str) -> list[str]:
    r"""The parts of a formula that a ``\qquad`` divides, outside of any group."""
    depth, start, parts = 0, 0, []
    for token in TOKEN.finditer(tex):
        depth += token[0] in OPENERS
        depth -= token[0] in CLOSERS
        if token[0] == r"\qquad" and depth == 0:
            parts.append(tex[start : token.start()].strip())
            start = token.end()
    return [part for part in [*parts, tex[start:].strip()] if part]


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(_start(self, node, "span"))
    self.body.extend(_html(self, node))
    self.body.append("</span>")
    raise nodes.SkipNode


def _display(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(_start(self, node, "div"))
    if node.get("number"):
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    parts = _html(self, node)
    if len(parts) > 1:
        parts = ['<div class="abreast">', *parts, "</div>"]
    self.body.extend([*parts, "</div>\n"])
    raise nodes.SkipNode


def _start(self: HTML5Translator, node: nodes.math | nodes.math_block, tag: str) -> str:
    """The start of a formula's element, which carries the TeX that a copy gives."""
    tex = node.astext().strip()
    attributes = {"CLASS": "math notranslate", "data-tex": tex}
    return self.starttag(node, tag, "", **attributes)


def _html(self: HTML5Translator, node: nodes.math | nodes.math_block) -> list[str]:
    """The HTML of a node's formulas; of one that is not typeset, its TeX."""
    book = _typeset_book(self.builder.app)
    found = []
    for one in formulas(node):
        if one not in book.html:
            _warn(one, book, node)
        found.append(book.html.get(one, f"<code>{escape(one.tex)}</code>"))
    return found


def _warn(formula: Formula, book: Typeset, node: nodes.Node) -> None:
    LOGGER.warning(
        "formula %r is not typeset: %s",
        formula.tex,
        book.errors.get(formula, "it was not there when the book was typeset"),
        location=node,
        type="vaebook",
        subtype="mathematics",
    )


def _typeset_book(app: Sphinx) -> Typeset:
    """The whole book, typeset once a build; its style sheet is written on the way."""
    if not hasattr(app, "_typeset_book"):
        book = typeset(sorted(_formulas(app)))
        style = Path(app.outdir, "_static", STYLE)
        style.parent.mkdir(parents=True, exist_ok=True)
        style.write_text(embedded(book.css), encoding="utf-8")
        app._typeset_book = book
    return app._typeset_book


def _formulas(app: Sphinx) -> set[Formula]:
    found = set()
    for docname in app.env.found_docs:
        doctree = app.env.get_doctree(docname)
        for kind in (nodes.math, nodes.math_block):
            for node in doctree.findall(kind):
                found.update(formulas(node))
    return found


def _style(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict,
    doctree: nodes.document | None,
) -> None:
    if OPENING in context.get("body", ""):
        app.add_css_file(STYLE)
