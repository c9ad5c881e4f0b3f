"""A check mark beside each tested equation, leading to its row on the claims page."""

from docutils import nodes
from sphinx.application import Sphinx

CLAIMS_PAGE = "chapters/claims"


def connect(app: Sphinx) -> None:
    app.connect("doctree-resolved", _mark)


def claim_id(label: str) -> str:
    """Anchor of a label's row on the claims page."""
    return nodes.make_id(f"claim-{label}")


def _mark(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if app.builder.format != "html" or CLAIMS_PAGE not in app.env.found_docs:
        return
    page = app.builder.get_relative_uri(docname, CLAIMS_PAGE)
    for equation in list(doctree.findall(nodes.math_block)):
        if str(equation.get("label", "")).startswith("eq-"):
            link = _link(f"{page}#{claim_id(equation['label'])}", equation["number"])
            box = nodes.container(classes=["tested-equation"])
            equation.parent.replace(equation, box)
            box += [equation, link]


def _link(uri: str, number: str) -> nodes.Element:
    says = f"Equation {number} is tested: see how"
    sign = nodes.raw("", '<span aria-hidden="true">✓</span>', format="html")
    words = nodes.inline("", says, classes=["spoken"])
    link = nodes.reference("", "", sign, words, refuri=uri, internal=True)
    link["reftitle"] = says
    link["classes"].append("check-mark")
    return nodes.paragraph("", "", link, classes=["check-mark-line"])
