"""Every labelled equation has a test against something else, and every mark a label."""

import re

import pytest
from house.trees import FILES, PAGES, ROOT, relative

from vaebook.site.claims import claims, equations

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


@each_file
def test_docstrings_name_equations_that_exist(path):
    named = re.findall(r"Equations?: (eq-[\w-]+)", path.read_text(encoding="utf-8"))
    unknown = sorted(set(named) - {equation.label for equation in STATED})
    assert unknown == [], unknown
