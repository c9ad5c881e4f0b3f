"""A picture that says nothing to a reader who cannot see it fails the build.

In Markdown the text is ``![here](picture.svg)``. A cell's figure carries it in its
output (``figures.show(fig, alt=...)``) or in the cell's ``mystnb: image: alt:``.
"""

from html.parser import HTMLParser

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


class _Images(HTMLParser):
    """Collects the images without alt text in a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.silent: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "img" and not named.get("alt", "").strip():
            self.silent.append((named.get("src") or "")[:60])


def connect(app: Sphinx) -> None:
    app.connect("doctree-resolved", _check)


def _check(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for image in doctree.findall(nodes.image):
        if not image.get("alt", "").strip():
            _warn(image["uri"], image, docname)
    for raw in doctree.findall(nodes.raw):
        if raw.get("format") == "html":
            for source in _Images(raw.astext()).silent:
                _warn(source, raw, docname)


def _warn(source: str, node: nodes.Node | None, docname: str) -> None:
    while node is not None and node.line is None:
        node = node.parent
    LOGGER.warning(
        "image %s has no alt text; say in words what it shows",
        source,
        location=(docname, node and node.line),
        type="vaebook",
        subtype="alt",
    )
