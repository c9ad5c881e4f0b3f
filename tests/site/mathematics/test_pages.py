"""What of a node is typeset."""

import pytest
from docutils import nodes

from vaebook.site.mathematics.pages import abreast, formulas


@pytest.mark.parametrize(
    ("tex", "parts"),
    [
        ("a = b", ["a = b"]),
        (r"a = b, \qquad b > 0.", ["a = b,", "b > 0."]),
        (r"a, \qquad b, \qquad c", ["a,", "b,", "c"]),
        (r"a \quad b", [r"a \quad b"]),
        (r"\frac{a \qquad b}{c}", [r"\frac{a \qquad b}{c}"]),
        (r"\frac{a}{b}, \qquad c", [r"\frac{a}{b},", "c"]),
        (r"\left( a \right), \qquad c", [r"\left( a \right),", "c"]),
        (r"\left( a \qquad b \right)", [r"\left( a \qquad b \right)"]),
        (
            r"\begin{split}a \qquad b\end{split}",
            [r"\begin{split}a \qquad b\end{split}"],
        ),
        (r"\{ a \qquad b \}", [r"\{ a", r"b \}"]),
    ],
)
def test_what_a_wide_space_divides_may_wrap(tex, parts):
    assert abreast(tex) == parts


def test_lines_are_split_and_paragraphs_aligned():
    def typeset(text: str, **options) -> list[str]:
        node = nodes.math_block(text, text, **options)
        found = formulas(node)
        assert all(one.display for one in found)
        return [one.tex for one in found]

    assert typeset("a") == ["a"]
    assert typeset("a \\\\ b") == [r"\begin{split}a \\ b\end{split}"]
    assert typeset("a\n\nb") == [
        r"\begin{align}\begin{aligned}a\\b\end{aligned}\end{align}"
    ]
    assert typeset("a \\\\ b", nowrap=True) == [r"a \\ b"]


def test_a_formula_in_a_line_stands_in_it():
    (found,) = formulas(nodes.math("x ", "x "))
    assert found == ("x", False)
