"""Comparing a reader's answer with the worked one, and saying what differs."""

import copy
import textwrap
from numbers import Real
from types import FunctionType
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.exercises.record import Argument, Exercise

WIDTH = 76  # columns that fit beside the page's margin
MOST_NUMBERS = 24  # a larger tensor is described by its shape alone

Numbers = float | list["Numbers"]

# what may be wrong with an answer, in the words a reader sees
ERROR = "it raised an error"
TYPE = "the type differs"
SHAPE = "the shape differs"
VALUE = "the value differs"


class Raised(NamedTuple):
    """An outcome that is an error.

    Attributes
    ----------
    text : str
        ``raised``, the error's type and the first line of its message.
    """

    text: str


def verdict(exercise: Exercise, answer: object) -> str:
    """What to print about an answer: ``correct``, or the first input that differs.

    Parameters
    ----------
    exercise : Exercise
    answer : object
        Whatever the reader gave. One that can be called is called with every trial's
        inputs; anything else is taken to be the number that is asked for.

    Returns
    -------
    str
        Lines of at most ``WIDTH`` columns. No error of the answer's leaves here.
    """
    if exercise.signature and not callable(answer):
        rows = {
            "expected": f"a function {exercise.signature}",
            "received": kind(outcome(answer, ())),
        }
        return report(exercise, TYPE, rows)

    for inputs in exercise.inputs:
        expected = outcome(tried(exercise, exercise.solution), inputs)
        received = outcome(tried(exercise, answer), inputs)
        what = difference(expected, received, exercise.rtol)
        if what:
            show = kind if what in (TYPE, SHAPE) else describe
            rows = {
                **named(exercise, inputs),
                "expected": show(expected),
                "received": show(received),
                "hint": advice(exercise, answer),
            }
            return report(exercise, what, rows)

    return paragraph(f"{exercise.name}: correct. {exercise.meaning}")


class NoAnswer(Exception):
    """An answer gave nothing yet: ``value`` is None or an ellipsis."""

    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.value = value


def tried(exercise: Exercise, answer: object) -> object:
    """What is compared of an answer: itself, or the exercise's trial of it."""
    if exercise.trial is None or not callable(answer):
        return answer

    def given(*arguments: Argument) -> object:
        value = answer(*arguments)
        if value is None or value is ...:
            raise NoAnswer(value)
        return value

    def trial(*inputs: Argument) -> object:
        try:
            return exercise.trial(given, *inputs)
        except NoAnswer as nothing:
            return nothing.value

    return trial


def outcome(answer: object, inputs: tuple[Argument, ...]) -> object:
    """What ``answer`` gives on its own copy of the inputs; any error as a Raised.

    A tensor comes back dense and on the CPU, a real number as a float (a bool is not
    a number here), all else as it is.
    """
    try:
        value = answer(*copy.deepcopy(inputs)) if callable(answer) else answer
        if isinstance(value, Tensor):
            return value.cpu().to_dense()
        if isinstance(value, Real) and not isinstance(value, bool):
            return float(value)
        return value
    except (Exception, SystemExit) as error:
        first_line = str(error).partition("\n")[0]
        return Raised(f"raised {type(error).__name__}: {first_line}")


def difference(expected: object, received: object, rtol: float) -> str:
    """How two outcomes differ, in words; empty when they agree.

    A tensor must meet a tensor; a float may meet a tensor without axes. Numbers may
    differ by ``rtol`` times the expected one plus 1e-6, and two nan agree.
    """
    if isinstance(received, Raised):
        return ERROR

    allowed = Tensor if isinstance(expected, Tensor) else (float, Tensor)
    if not isinstance(received, allowed) or torch.is_complex(torch.as_tensor(received)):
        return TYPE

    want = torch.as_tensor(expected, dtype=torch.float64)
    got = torch.as_tensor(received, dtype=torch.float64)
    if want.shape != got.shape:
        return SHAPE

    same = torch.allclose(got, want, rtol=rtol, atol=1e-6, equal_nan=True)
    return "" if same else VALUE


def advice(exercise: Exercise, answer: object) -> str:
    """What to tell the reader: the mistake's advice if it is a known one.

    A known one gives what the answer gives on every input; the first of them counts.
    """
    ours = tried(exercise, answer)
    trials = [(inputs, outcome(ours, inputs)) for inputs in exercise.inputs]

    for mistake in exercise.mistakes:
        differences = (
            difference(
                outcome(tried(exercise, mistake.answer), inputs),
                received,
                exercise.rtol,
            )
            for inputs, received in trials
        )
        if not any(differences):
            return mistake.advice

    return f'hint("{exercise.name}") prints one.'


def named(exercise: Exercise, inputs: tuple[Argument, ...]) -> dict[str, str]:
    """The inputs, described, as rows of a report."""
    pairs = zip(exercise.input_names, inputs, strict=True)
    return {f"input {name}": describe(value) for name, value in pairs}


def describe(value: object) -> str:
    """A value in words and six digits."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Tensor) and value.numel() <= MOST_NUMBERS:
        return digits(value.tolist())
    return kind(value)


def kind(value: object) -> str:
    """What sort of thing a value is."""
    if isinstance(value, Raised):
        return value.text
    if value is None:
        return "None: no answer yet"
    if value is ...:
        return "...: no answer yet"
    if isinstance(value, Tensor):
        word = "complex tensor" if value.is_complex() else "tensor"
        return f"a {word} of shape {tuple(value.shape)}"

    kinds = {float: "a number", FunctionType: "a function"}
    return kinds.get(type(value), f"a value of type {type(value).__name__}")


def digits(values: Numbers) -> str:
    """Nested lists of numbers, six digits each."""
    if isinstance(values, list):
        return f"[{', '.join(map(digits, values))}]"
    return f"{values:.6g}"


def report(exercise: Exercise, what: str, rows: dict[str, str]) -> str:
    """The verdict's lines: what differs, then one paragraph for each row.

    ``rows`` maps what stands on the left, ``expected``, to the text beside it.
    """
    width = max(map(len, rows)) + 2
    lines = [f"  {key:<{width}}{text}" for key, text in rows.items()]
    start = f"{exercise.name}: not yet, {what}"
    return "\n".join([start, *(paragraph(line, width + 2) for line in lines)])


def paragraph(text: str, indent: int = 2) -> str:
    """Text wrapped for the page, later lines indented."""
    return textwrap.fill(
        text,
        width=WIDTH,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
    )
