"""Mend what other extensions get wrong for readers who use a screen reader."""

from docutils import nodes
from sphinx.application import Sphinx

# A bibliography is a list, so its entries are items; the role it gives is deprecated.
ROLES = {'role="doc-biblioentry"': 'role="listitem"'}


def connect(app: Sphinx) -> None:
    app.connect("html-page-context", _mend, priority=800)


def _mend(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict,
    doctree: nodes.document | None,
) -> None:
    for wrong, right in ROLES.items():
        context["body"] = context.get("body", "").replace(wrong, right)
