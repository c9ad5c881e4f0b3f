"""Number the equations of chapter 10 (10.1), (10.2), …, wherever they are cited."""

import re
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.application import Sphinx


def connect(app: Sphinx) -> None:
    app.connect("doctree-read", _number)


def prefix(docname: str) -> str:
    """``"10."`` for ``chapters/10_vae``, nothing for a page that is no chapter."""
    chapter = re.match(r"\d+(?=_)", PurePosixPath(docname).name)
    return f"{int(chapter[0])}." if chapter else ""


def _number(app: Sphinx, doctree: nodes.document) -> None:
    docname = app.env.docname
    domain = app.env.get_domain("math")
    for equation in doctree.findall(nodes.math_block):
        if equation.get("label") in domain.equations and equation.get("number"):
            number = f"{prefix(docname)}{equation['number']}"
            equation["number"] = number
            domain.equations[equation["label"]] = (docname, number)
