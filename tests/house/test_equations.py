"""Every labelled equation has a test against something else, and every mark a label.

The printed formula is locked: whoever edits it is sent to its tests.
"""

import re

import pytest
from house.trees import FILES, PAGES, ROOT, relative

from vaebook.site.claims import claims, equations
from vaebook.site.fingerprints import fingerprint

each_file = pytest.mark.parametrize("path", FILES, ids=relative)


def label_faults(stated, marks):
    """Labels without a test, marks without a label or a comparison, doubles."""
    labels = [equation.label for equation in stated]
    checked = {mark.label for mark in marks}
    return {
        "no test": sorted(set(labels) - checked),
        "no such label": sorted(checked - set(labels)),
        "stated twice": sorted({one for one in labels if labels.count(one) > 1}),
        "against nothing": [m.test for m in marks if not m.against.strip()],
        "another chapter's name": [
            e.label for e in stated if not e.label.startswith(prefix(e.chapter))
        ],
    }


def prefix(stem):
    """How the labels of a chapter begin: ``eq-monte-carlo-`` for 06_monte_carlo."""
    return f"eq-{re.sub('^[0-9]+_', '', stem).replace('_', '-')}-"


STATED = [e for e in equations(ROOT / "chapters") if e.chapter in PAGES]


@pytest.mark.parametrize("fault", label_faults([], []))
def test_every_equation_is_tested_and_every_mark_has_one(fault):
    assert STATED
    found = label_faults(STATED, claims(ROOT / "tests"))[fault]
    assert found == [], found


def test_label_faults_are_found(tmp_path):
    page = "$$ x $$ (eq-em-one)\n\n$$ x $$ (eq-em-one)\n\n$$ x $$ (eq-vae-two)\n"
    (tmp_path / "03_em.md").write_text(page)
    mark = '@pytest.mark.equation("eq-em-none", against=" ")\ndef test_it(): ...\n'
    (tmp_path / "test_em.py").write_text(mark)
    assert label_faults(equations(tmp_path), claims(tmp_path)) == {
        "no test": ["eq-em-one", "eq-vae-two"],
        "no such label": ["eq-em-none"],
        "stated twice": ["eq-em-one"],
        "against nothing": ["tests/test_em.py::test_it"],
        "another chapter's name": ["eq-vae-two"],
    }


def body_faults(stated, marks):
    """For each formula that a test does not know as it is printed, what to do."""
    faults = []
    for equation in stated:
        own = [mark for mark in marks if mark.label == equation.label]
        printed = fingerprint(equation.body)
        if any(mark.body != printed for mark in own):
            faults.append(reading_list(equation, own, printed))
    return faults


def reading_list(equation, marks, printed):
    """Where a formula stands, how it reads, and the tests to read again."""
    tests = [f"    {mark.test}  {mark.body or 'no body'}" for mark in marks]
    body = [f"    {line}" for line in equation.body.splitlines()]
    return "\n".join(
        [
            f"{equation.label}, chapters/{equation.chapter}.md, line {equation.line}: "
            f"its tests know another formula than the one printed, {printed}:",
            *body,
            "Read these tests again; does each check what is printed?",
            *dict.fromkeys(tests),
            f"Then renew: make fingerprint EQUATION={equation.label}",
        ]
    )


def test_every_printed_formula_is_the_one_that_its_tests_know():
    faults = body_faults(STATED, claims(ROOT / "tests"))
    if faults:
        pytest.fail("\n\n".join(faults), pytrace=False)


KNOWN = r"""
$$
\log p(x) = \log\sigma x - \tfrac12
$$ (eq-em-one)
"""


def faults_after(tmp_path, old, new, body):
    """What is found where a page was edited and the mark of its test was not."""
    page = KNOWN.replace(old, new)
    assert page != KNOWN
    (tmp_path / "03_em.md").write_text(page)
    keyword = f', body="{body}"' if body else ""
    mark = f'@pytest.mark.equation("eq-em-one", against="scipy"{keyword})\n'
    tests = f"{mark}def test_it(): ...\n{mark}def test_again(): ...\n"
    (tmp_path / "test_em.py").write_text(tests)
    return body_faults(equations(tmp_path), claims(tmp_path))


BODY = fingerprint(r"\log p(x) = \log\sigma x - \tfrac12")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x - ", "x + "),
        (r" - \tfrac12", ""),
        (r"\sigma x", r"\sigma^2 x"),
        ("p(x)", "q(x)"),
        (r"\sigma x", r"\sigmax"),
    ],
)
def test_an_edited_formula_sends_to_its_tests(tmp_path, old, new):
    (fault,) = faults_after(tmp_path, old, new, BODY)
    assert "eq-em-one, chapters/03_em.md, line 4:" in fault
    assert f"    {KNOWN.splitlines()[2].replace(old, new)}\n" in fault
    assert "tests/test_em.py::test_it" in fault
    assert "tests/test_em.py::test_again" in fault
    assert fault.endswith("make fingerprint EQUATION=eq-em-one")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" = ", "\n  =\n"),
        (" - ", "-"),
        (r"\log\sigma", r"\log  \sigma"),
        ("p(x)", "p ( x )"),
        ("\n$$ (", " $$ ("),
    ],
)
def test_white_space_is_no_edit(tmp_path, old, new):
    assert faults_after(tmp_path, old, new, BODY) == []


def test_a_mark_without_a_fingerprint_is_a_fault(tmp_path):
    (fault,) = faults_after(tmp_path, " = ", "=", "")
    assert "tests/test_em.py::test_it  no body" in fault


@each_file
def test_docstrings_name_equations_that_exist(path):
    named = re.findall(r"Equations?: (eq-[\w-]+)", path.read_text(encoding="utf-8"))
    unknown = sorted(set(named) - {equation.label for equation in STATED})
    assert unknown == [], unknown
