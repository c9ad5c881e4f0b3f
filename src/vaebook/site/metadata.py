"""Give every page a description, and the site root a page that leads to the book."""

from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

LONGEST = 160
ROOT_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="{description}">
<meta http-equiv="refresh" content="0; url={target}">
<link rel="icon" href="_static/icon.svg">
<title>{title}</title>
</head>
<body><main><h1>{title}</h1><p><a href="{target}">Open the book</a></p></main></body>
</html>
"""


def connect(app: Sphinx) -> None:
    app.connect("html-page-context", _describe)
    app.connect("build-finished", _write_root)


def description(doctree: nodes.document | None, default: str) -> str:
    """First prose paragraph of a page in at most 160 characters, or ``default``."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        text = " ".join(paragraph.astext().split())
        if isinstance(paragraph.parent, nodes.section) and len(text) > 40:
            return text if len(text) <= LONGEST else _cut(text)
    return default


def _cut(text: str) -> str:
    return text[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def _describe(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict,
    doctree: nodes.document | None,
) -> None:
    if 'name="description"' not in context.get("metatags", ""):
        context["description"] = description(doctree, app.config.html_title)


def _write_root(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        page = ROOT_PAGE.format(
            title=escape(app.config.html_title),
            description=escape(app.config.html_title),
            target=app.builder.get_target_uri(app.config.root_doc),
        )
        Path(app.outdir, "index.html").write_text(page, encoding="utf-8")
