"""Formulas typeset by MathJax: what comes out, and what is refused."""

import re

import pytest

from vaebook.site.mathematics.typeset import Formula, typeset


@pytest.fixture(scope="module")
def result():
    formulas = [
        Formula(r"\log p(x) = \mathbb{E}[z]", display=False),
        Formula(r"\begin{split}a &= b \\ &= \text{c, if } d\end{split}", display=True),
        Formula(r"\frac{a", display=True),
        Formula(r"\unknown", display=False),
        Formula(r"\text{жук}", display=False),
    ]
    return formulas, typeset(formulas)


def test_each_formula_has_boxes_for_the_eye_and_mathml_for_the_ear(result):
    (inline, display, *_), found = result
    for formula in (inline, display):
        html = found.html[formula]
        assert html.count("<mjx-container") == html.count("<math ") == 1
        assert re.search(r'<mjx-math[^>]* aria-hidden="true"', html)
    assert 'display="true"' not in found.html[inline]
    assert 'display="true"' in found.html[display]
    assert "<mi>log</mi>" in found.html[inline]
    assert '<mi mathvariant="double-struck">E</mi>' in found.html[inline]


def test_the_style_sheet_draws_every_character(result):
    _, found = result
    used = set(re.findall(r"\bmjx-c[0-9A-F]+\b", "".join(found.html.values())))
    styled = set(re.findall(r"mjx-c\.(mjx-c[0-9A-F]+)", found.css))
    assert len(used) > 10
    assert used <= styled


@pytest.mark.parametrize(
    ("k", "says"),
    [
        (2, "Missing close brace"),
        (3, r"Undefined control sequence \unknown"),
        (4, "a character that no font of MathJax has"),
    ],
)
def test_what_cannot_be_typeset_is_an_error_that_says_why(result, k, says):
    formulas, found = result
    assert found.errors[formulas[k]] == says
    assert formulas[k] not in found.html


def test_a_failing_run_says_what_node_printed(monkeypatch):
    monkeypatch.setattr("vaebook.site.mathematics.typeset.MATHJAX", "/nowhere")
    with pytest.raises(RuntimeError, match="Cannot find module '/nowhere"):
        typeset([Formula("x", display=False)])
