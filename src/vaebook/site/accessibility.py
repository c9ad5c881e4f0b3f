"""Mend what other extensions get wrong for readers who use a screen reader."""

from sphinx.application import Sphinx

# A bibliography is a list, so its entries are items; the role it gives is deprecated.
ROLES = {'role="doc-biblioentry"': 'role="listitem"'}


def connect(app: Sphinx) -> None:
    app.connect("html-page-context", _mend, priority=800)


def _mend(app: Sphinx, pagename, templatename, context, doctree) -> None:
    for wrong, right in ROLES.items():
        context["body"] = context.get("body", "").replace(wrong, right)
