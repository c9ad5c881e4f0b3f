"""Reading labels and marks: every way to write one, and the ways that do not count."""

import pytest

from vaebook.site.claims import Claim, Equation, claims, equations, prose

PAGE = r"""---
jupytext: {}
---

# A page: *title*

$$
x = 1
$$ (eq-page-lines)

$$ x = 1 $$ (eq-page-inline)

```{math}
:class: wide
:label: eq-page-directive
x
```

::::{dropdown} More
:::{math}
:label: eq-page-colon
x
:::
$$ y $$ (eq-page-folded)
::::

````{admonition} Said
```{math}
:label: eq-page-nested
x
```
```python
"$$ x $$ (eq-page-code)"
```
````

```{code-cell} ipython3
text = '''
# no title
$$ x $$ (eq-page-cell)
'''
```

See {eq}`eq-page-lines`, and $$ z $$ (note) and :label: eq-page-loose.

```{note}
:label: eq-page-note
```
"""


def test_every_way_to_label_an_equation(tmp_path):
    (tmp_path / "07_page.md").write_text(PAGE)
    found = equations(tmp_path)
    first = Equation("eq-page-lines", "07_page", "A page: *title*", 9, "x = 1")
    assert found[0] == first
    names = ["lines", "inline", "directive", "colon", "folded", "nested"]
    assert [equation.label for equation in found] == [f"eq-page-{n}" for n in names]
    lines = PAGE.splitlines()
    assert all(equation.label in lines[equation.line - 1] for equation in found)


BODIES = r"""
A price of $$3, then $y$.

$$
\begin{align}
a &= b \\
  &= c
\end{align}
$$ (eq-page-align)

$$ x $$ said twice: $$ y_1 $$ (eq-page-inline)

1. In a list:

   $$
   u
     + v
   $$ (eq-page-list)

```{math} a
:label: eq-page-argument
:class: wide

b
```

::::{dropdown} More
:::{math}
:class: wide
:label: eq-page-colon
c
:::
d
::::
"""


def test_the_formula_of_every_way_to_write_one(tmp_path):
    (tmp_path / "07_page.md").write_text(BODIES)
    found = {one.label: one.body.split() for one in equations(tmp_path)}
    align = r"\begin{align} a &= b \\ &= c \end{align}"
    assert found == {
        "eq-page-align": align.split(),
        "eq-page-inline": ["y_1"],
        "eq-page-list": ["u", "+", "v"],
        "eq-page-argument": ["a", "b"],
        "eq-page-colon": ["c"],
    }


def test_prose_leaves_out_code_and_keeps_what_follows():
    kept = [line for _, line in prose("a\n~~~\n```\nb\n~~~\nc\n```{note}\nd\n```\ne")]
    assert kept == ["a", "c", "```{note}", "d", "e"]


TESTS = '''
@pytest.mark.equation("eq-a-one", against="scipy", body="3f2a91c0")
@pytest.mark.equation("eq-a-two", against="an identity, "
                      "in two lines")
def test_two(): ...

class TestGroup:
    @pytest.mark.equation(label="eq-a-three")
    def test_method(self): ...

@pytest.mark.parametrize("x", [
    pytest.param(1, marks=pytest.mark.equation("eq-a-four", against="autograd"))
])
def test_param(x):
    """@pytest.mark.equation("eq-a-text", against="not a mark")"""
'''


def test_every_mark_is_found(tmp_path):
    (tmp_path / "test_a.py").write_text(TESTS)
    (tmp_path / "helper.py").write_text(TESTS)
    one, two, three, four = claims(tmp_path)
    assert one == Claim("eq-a-one", "test_a.py", "test_two", "scipy", "3f2a91c0", 2)
    assert one.test == "tests/test_a.py::test_two"
    assert two.against == "an identity, in two lines"
    assert two.body == ""
    assert (three.label, three.function, three.against) == (
        "eq-a-three",
        "test_method",
        "",
    )
    assert (four.label, four.function) == ("eq-a-four", "test_param")


@pytest.mark.parametrize("given", ["NAMED", "'eq-a-one', body=NAMED"])
def test_a_mark_that_is_not_written_out_is_refused(tmp_path, given):
    mark = f"@pytest.mark.equation({given}, against='x')\ndef test(): ..."
    (tmp_path / "test_a.py").write_text(mark)
    with pytest.raises(ValueError, match=r"test_a\.py, line 1.*NAMED"):
        claims(tmp_path)
