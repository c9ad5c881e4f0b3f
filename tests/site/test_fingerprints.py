"""Fingerprints: what changes one, and how the marks of the tests are renewed."""

import ast

import pytest

from vaebook.site.claims import claims
from vaebook.site.fingerprints import fingerprint, main, normalised, renew


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (r"\sigma x", r"\sigma x"),
        (r"\sigmax", r"\sigmax"),
        (r"\sigma_d^{2}", r"\sigma _ d ^ { 2 }"),
        ("  a\n +\tb ", "a + b"),
        (r"a\,b \\ c", r"a \, b \\ c"),
        ("a\\ b", "a \\  b"),
        ("a\\\nb", "a \\  b"),
        ("a % said\n+ b", "a + b"),
        (r"5\% \\% said", r"5 \% \\"),
    ],
)
def test_a_formula_is_its_tokens(body, tokens):
    assert normalised(body) == tokens


def test_a_fingerprint_is_eight_digits_of_the_sha_256_of_the_tokens():
    assert fingerprint(" ab\n") == "c8687a08"  # printf 'a b' | sha256sum


PAGE = """
$$ a = b $$ (eq-em-one)

$$ c $$ (eq-em-two)
"""

TESTS = """
# ε: a letter of two bytes before what is edited
@pytest.mark.equation("eq-em-one", against="ε", body="00000000")
def test_old(): ...

@pytest.mark.equation(
    "eq-em-one",
    against="an integral, "
    "in two lines",
)
@pytest.mark.equation("eq-em-two", against="scipy", body="11111111")
def test_lines(): ...

class TestGroup:
    @pytest.mark.parametrize("x", [
        pytest.param(1, marks=pytest.mark.equation("eq-em-one", against=("auto"
            "grad"))), pytest.param(2, marks=[
            pytest.mark.equation("eq-em-one", body='', against="enumeration")])])
    def test_param(self, x):
        'pytest.mark.equation("eq-em-one", body="said")'
"""

RENEWED = """
# ε: a letter of two bytes before what is edited
@pytest.mark.equation("eq-em-one", against="ε", body="NEW")
def test_old(): ...

@pytest.mark.equation(
    "eq-em-one",
    against="an integral, "
    "in two lines", body="NEW",
)
@pytest.mark.equation("eq-em-two", against="scipy", body="11111111")
def test_lines(): ...

class TestGroup:
    @pytest.mark.parametrize("x", [
        pytest.param(1, marks=pytest.mark.equation("eq-em-one", against=("auto"
            "grad"), body="NEW")), pytest.param(2, marks=[
            pytest.mark.equation("eq-em-one", body="NEW", against="enumeration")])])
    def test_param(self, x):
        'pytest.mark.equation("eq-em-one", body="said")'
"""


@pytest.fixture
def book(tmp_path):
    """A folder with a page of two equations and a file of their tests."""
    for folder, name, text in [
        ("chapters", "03_em.md", PAGE),
        ("tests/em", "test_em.py", TESTS),
    ]:
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / name).write_text(text, encoding="utf-8")
    return tmp_path


def written(book):
    return (book / "tests/em/test_em.py").read_text(encoding="utf-8")


def test_only_the_bodies_of_a_label_are_written(book):
    renew(["eq-em-one"], book)
    assert written(book) == RENEWED.replace("NEW", fingerprint("a = b"))


def test_what_is_renewed_is_reported(book):
    found = renew(["eq-em-one", "eq-em-two"], book)
    name = "tests/em/test_em.py::test_"
    assert [(one.test.removeprefix(name), one.label, one.old) for one in found] == [
        ("old", "eq-em-one", "00000000"),
        ("lines", "eq-em-one", ""),
        ("lines", "eq-em-two", "11111111"),
        ("param", "eq-em-one", ""),
        ("param", "eq-em-one", ""),
    ]
    assert {one.new for one in found} == {fingerprint("a = b"), fingerprint("c")}


def test_what_is_renewed_is_what_the_marks_say(book):
    renew(["eq-em-one"], book)
    ast.parse(written(book))
    bodies = {one.body for one in claims(book / "tests") if one.label == "eq-em-one"}
    assert bodies == {fingerprint("a = b")}


def test_the_command_says_to_read_the_tests(book, capsys):
    main(["eq-em-two"], book)
    change = f"11111111 → {fingerprint('c')}"
    assert capsys.readouterr().out == (
        f"tests/em/test_em.py::test_lines  eq-em-two  {change}\n"
        "Read these tests before you commit.\n"
    )


def test_the_command_finds_nothing_to_renew_twice(book, capsys):
    main(["eq-em-one"], book)
    renewed = written(book)
    capsys.readouterr()
    main(["eq-em-one"], book)
    assert capsys.readouterr().out == "Nothing to renew.\n"
    assert written(book) == renewed


def test_a_label_that_no_chapter_states_is_refused(book, capsys):
    with pytest.raises(SystemExit):
        main(["eq-em-one", "eq-em-none"], book)
    assert "no chapter states eq-em-none" in capsys.readouterr().err
    assert written(book) == TESTS
