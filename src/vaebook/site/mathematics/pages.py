"""Each formula of a page is written typeset; none that cannot be is let through.

All formulas of the book are typeset in one run, when the first is written: the style
sheet serves every page, also one that an earlier build wrote.
"""

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


def connect(app: Sphinx) -> None:
    app.add_html_math_renderer("typeset", (_inline, None), (_display, None))
    app.connect("html-page-context", _style)


def formula(node: nodes.math | nodes.math_block) -> Formula:
    r"""What is to be typeset for a node.

    As Sphinx has it for MathJax: lines divided by ``\\`` are split where they have no
    environment of their own, and paragraphs are aligned below each other.
    """
    tex = node.astext()
    if isinstance(node, nodes.math):
        return Formula(tex.strip(), display=False)
    if node.get("nowrap"):
        return Formula(tex.strip(), display=True)
    parts = [_split(part.strip()) for part in tex.split("\n\n") if part.strip()]
    if len(parts) == 1:
        return Formula(parts[0], display=True)
    lines = r"\\".join(parts)
    aligned = rf"\begin{{align}}\begin{{aligned}}{lines}\end{{aligned}}\end{{align}}"
    return Formula(aligned, display=True)


def _split(part: str) -> str:
    return rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate"))
    self.body.append(_html(self, node))
    self.body.append("</span>")
    raise nodes.SkipNode


def _display(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", "", CLASS="math notranslate"))
    if node.get("number"):
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(_html(self, node))
    self.body.append("</div>\n")
    raise nodes.SkipNode


def _html(self: HTML5Translator, node: nodes.math | nodes.math_block) -> str:
    """The formula's HTML, which also carries the TeX that a copy of it gives."""
    wanted = formula(node)
    book = _typeset_book(self.builder.app)
    if wanted not in book.html:
        wrong = book.errors.get(wanted, "it was not there when the book was typeset")
        LOGGER.warning(
            "formula %r is not typeset: %s",
            wanted.tex,
            wrong,
            location=node,
            type="vaebook",
            subtype="mathematics",
        )
        return f"<code>{escape(wanted.tex)}</code>"
    tex = escape(node.astext().strip(), quote=True)
    return book.html[wanted].replace(OPENING, f'{OPENING} data-tex="{tex}"', 1)


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
            found |= {formula(node) for node in doctree.findall(kind)}
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
