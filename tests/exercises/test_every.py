"""What every exercise owes: its mistakes are told apart, and nothing is ever raised."""

import copy
import math
import pkgutil
import re
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from exercises.answers import EXERCISES, assert_equals_solution, exits, joined

import vaebook.exercises as package
from vaebook.exercises import hint, solution_source
from vaebook.exercises.judge import WIDTH, tried

IN_A_FOLDER = {"bug_clinic"}
CHAPTERS = [chapter.__name__.split(".")[-1] for chapter in package.CHAPTERS]
MISTAKES = [(name, one) for name, e in EXERCISES.items() for one in e.mistakes]


def module_of_tests(chapter):
    """The file of tests that holds a chapter's independent answers."""
    folder = chapter in IN_A_FOLDER
    return f"exercises.{chapter}.test_case" if folder else f"exercises.test_{chapter}"


ORACLES = {  # independent answers, each chapter's from its file of tests
    name: oracle
    for chapter in CHAPTERS
    for name, oracle in import_module(module_of_tests(chapter)).ORACLES.items()
}
each_exercise = pytest.mark.parametrize("name", EXERCISES)


def test_names_are_chapter_and_number_in_order():
    by_chapter = {}
    for name, exercise in EXERCISES.items():
        assert exercise.name == name
        chapter, number = name.split(".")
        by_chapter.setdefault(chapter, []).append(int(number))

    counts = {
        "likelihood": 6,
        "map": 6,
        "em": 6,
        "bayes": 6,
        "variational": 6,
        "monte": 6,
        "reparameterization": 6,
        "linear": 5,
        "autoencoder": 6,
        "vae": 5,
        "evaluation": 7,
        "applications": 9,
        "generation": 5,
        "bug_clinic": 19,
    }
    assert list(by_chapter) == list(counts)
    assert [len(numbers) for numbers in by_chapter.values()] == list(counts.values())
    for numbers in by_chapter.values():
        assert numbers == list(range(1, len(numbers) + 1))


def test_every_exercise_has_an_independent_answer():
    assert list(ORACLES) == list(EXERCISES)


@each_exercise
def test_solution_equals_an_independent_answer_to_more_than_the_tolerance(name):
    assert_equals_solution(name, ORACLES[name])


@each_exercise
@pytest.mark.parametrize("by", ["solution", "oracle"])
def test_right_answer_is_accepted_in_one_line(name, by, said):
    exercise = EXERCISES[name]
    answer = exercise.solution if by == "solution" else ORACLES[name]
    assert said(name, answer) == [f"{name}: correct. {exercise.meaning}"]


def test_every_module_of_exercises_is_a_chapter_in_the_package():
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert sorted([*CHAPTERS, "judge", "record"]) == sorted(modules)


def test_every_chapter_has_its_own_file_of_tests():
    files = {path.stem for path in Path(__file__).parent.glob("test_*.py")}
    assert {
        f"test_{chapter}" for chapter in CHAPTERS if chapter not in IN_A_FOLDER
    } == files - {
        "test_every",
        "test_judge",
    }


def signature(name):
    return EXERCISES[name].signature


def rows(lines):
    """The keys of a report's rows."""
    found = (re.match(r"  (\S+(?: \S+)?)  ", line) for line in lines[1:])
    return [one[1] for one in found if one]


@pytest.mark.parametrize(
    ("name", "mistake"), MISTAKES, ids=[f"{n}-{m.advice[:30]}" for n, m in MISTAKES]
)
def test_listed_mistake_is_named_beside_input_expected_and_received(
    name, mistake, said
):
    lines = said(name, mistake.answer)
    assert re.fullmatch(rf"{name}: not yet, the (value|shape) differs", lines[0])
    keys = [f"input {key}" for key in EXERCISES[name].input_names]
    assert rows(lines) == [*keys, "expected", "received", "hint"]
    assert mistake.advice in joined(lines)
    assert max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize(("name", "mistake"), MISTAKES)
def test_mistake_is_a_float_where_the_solution_is(name, mistake):
    """Else a reader's float would not be recognised: it never equals a tensor."""
    exercise = EXERCISES[name]
    for inputs in exercise.inputs:
        wrong = tried(exercise, mistake.answer)(*copy.deepcopy(inputs))
        right = tried(exercise, exercise.solution)(*copy.deepcopy(inputs))
        assert isinstance(wrong, type(right))


JUNK = [
    None,
    ...,
    True,
    0,
    1.5,
    math.nan,
    10**400,
    1j,
    "text",
    b"",
    [],
    [1.0],
    {},
    set(),
    object(),
    int,
    type,
    abs,
    np.zeros(2),
    np.float32(1),
    ValueError("v"),
    exits,
    torch.zeros(()),
    torch.zeros(0),
    torch.zeros(3, 2),
    torch.zeros(9, 9),
    torch.tensor([True]),
    torch.tensor(1j),
    torch.zeros(2, device="meta"),
    torch.zeros(2, 2).to_sparse(),
    torch.full((2,), torch.inf),
    torch.nn.Identity(),
]


@each_exercise
@pytest.mark.parametrize("returned", [False, True], ids=["given", "returned"])
def test_nothing_raises_and_nothing_wrong_passes(name, returned, said):
    for junk in JUNK:
        answer = (lambda *_, junk=junk: junk) if returned else junk
        lines = [one for one in said(name, answer) if one]
        start = next(one for one in lines if one.startswith(f"{name}: "))
        assert start.startswith(f"{name}: not yet, "), junk
        assert any(one.startswith("  received") for one in lines)
        assert max(map(len, lines)) <= WIDTH


@each_exercise
def test_a_placeholder_is_told_no_value(name, said):
    def placeholder(*_): ...

    answer = placeholder if signature(name) else ...
    lines = said(name, answer)
    expected = next(one for one in lines if one.startswith("  expected"))
    assert not re.search(r"\d\.\d", expected)


@each_exercise
def test_check_is_deterministic_draws_nothing_and_is_quick(name, said):
    state = torch.get_rng_state()
    answers = [EXERCISES[name].solution, lambda *_: 0.0]
    start = time.process_time()
    first = [said(name, one) for one in answers]
    assert time.process_time() - start < 2 * 0.5
    assert [said(name, one) for one in answers] == first
    assert torch.equal(torch.get_rng_state(), state)


@each_exercise
def test_hint_and_solution_are_shown(name, capsys):
    hint(name)
    printed = capsys.readouterr().out.splitlines()
    assert joined(printed) == f"{name}: {EXERCISES[name].hint}"
    source = solution_source(name)
    assert source.startswith(f"def {EXERCISES[name].solution.__name__}(")
    assert '"""' in source and "return" in source
    assert max(map(len, [*printed, *source.splitlines()])) <= WIDTH


PAGES = Path(__file__).parents[2] / "chapters"


def test_each_exercise_is_printed_with_the_name_that_check_takes():
    text = "".join(p.read_text("utf-8") for p in sorted(PAGES.glob("[01]*.md")))
    printed = re.findall(r"^\*\*(\d+)\.(\d+) ★+\*\* \(`(\w+)\.(\d+)`\)", text, re.M)
    of_chapters = [name for name in EXERCISES if not name.startswith("bug_clinic")]
    chapters = list(dict.fromkeys(name.split(".")[0] for name in of_chapters))
    assert [(f"{kind}.{n}", int(m)) for _, m, kind, n in printed] == [
        (name, int(name.split(".")[1])) for name in of_chapters
    ]
    assert all(chapters[int(chapter) - 1] == kind for chapter, _, kind, _ in printed)


def test_each_case_is_printed_with_the_name_that_check_takes():
    text = (PAGES / "bug_clinic.md").read_text("utf-8")
    printed = re.findall(r"^\*\*Case (\d+) ★+\*\* \(`bug_clinic\.(\d+)`\)", text, re.M)
    cases = [name for name in EXERCISES if name.startswith("bug_clinic")]
    assert [f"bug_clinic.{n}" for n, _ in printed] == cases
    assert all(shown == name for shown, name in printed)
