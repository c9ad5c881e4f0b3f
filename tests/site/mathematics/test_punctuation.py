"""What stands beside a formula with no space between stays on its line."""

import pytest
from docutils import nodes

from vaebook.site.mathematics.punctuation import keep


def paragraph(text: str) -> nodes.paragraph:
    """A paragraph in which what stands between dollar signs is a formula."""
    made = nodes.paragraph()
    for k, part in enumerate(text.split("$")):
        if k % 2:
            made += nodes.math("", part)
        elif part:
            made += nodes.Text(part)
    return made


def kept(text: str) -> list[str]:
    """What is kept together in a paragraph, formulas between dollar signs again."""
    made = paragraph(text)
    before = made.astext()
    keep(made)
    assert made.astext() == before
    found = made.findall(lambda n: isinstance(n, nodes.inline))
    return ["".join(map(_shown, one.children)) for one in found]


def _shown(node: nodes.Node) -> str:
    return f"${node.astext()}$" if isinstance(node, nodes.math) else node.astext()


@pytest.mark.parametrize(
    ("text", "together"),
    [
        ("Take $x$, then $y$.", ["$x$,", "$y$."]),
        ("a pair (here $x$) of $y$", ["$x$)"]),
        ("small ($z$, $x = 2$), and", ["($z$,", "$x = 2$),"]),
        ("an $L$-dimensional $z$", ["$L$-"]),
        ("the $k$th of $K$", ["$k$th"]),
        ("$a$/$b$ and $c$", ["$a$/$b$"]),
        ("it holds—$x$ is near", []),
        ("“$x$”", ["“$x$”"]),
        ("$x$ alone, $y$ too", []),
        ("nothing to keep", []),
    ],
)
def test_a_formula_keeps_what_touches_it(text, together):
    assert kept(text) == together


def test_a_formula_at_the_end_of_a_bold_phrase_keeps_the_stop_after_it():
    made = nodes.paragraph("", "", nodes.strong("", "", nodes.math("", "x")))
    made += nodes.Text(". Then")
    keep(made)
    (word,) = made.findall(nodes.inline)
    assert word.astext() == "x."


def test_no_text_is_cut_where_nothing_is_kept():
    made = paragraph("all of this is one text, and $x$ stands alone in it")
    keep(made)
    assert [type(child) for child in made] == [nodes.Text, nodes.math, nodes.Text]
