"""Mend what other extensions get wrong for readers who use a screen reader."""

from docutils import nodes
from sphinx.application import Sphinx

MENDED = {
    # A bibliography is a list, so its entries are items; its role is deprecated.
    'role="doc-biblioentry"': 'role="listitem"',
    # A fold is spoken as it is read, "Show code cell source"; so a voice can open it.
    ' aria-label="Toggle hidden content"': "",
}


def connect(app: Sphinx) -> None:
    app.connect("html-page-context", _mend, priority=800)


def _mend(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict,
    doctree: nodes.document | None,
) -> None:
    for wrong, right in MENDED.items():
        context["body"] = context.get("body", "").replace(wrong, right)
