"""Comparing a reader's answer with the worked one, and saying what differs."""

import copy
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from types import FunctionType
from typing import Any, NamedTuple

import torch
from torch import Tensor

WIDTH = 76  # columns that fit beside the page's margin
ERROR, TYPE = "it raised an error", "the type differs"
SHAPE, VALUE = "the shape differs", "the value differs"
MOST_NUMBERS = 24  # a larger tensor is described by its shape alone


@dataclass(frozen=True)
class Mistake:
    """A wrong answer worth recognising.

    Attributes
    ----------
    advice : str
        What was done wrong, as the reader is told.
    answer : callable
        Takes what the solution takes, gives a float or a Tensor. A reader's answer
        that agrees with it on every input is this mistake.
    """

    advice: str
    answer: Callable[..., float | Tensor]


@dataclass(frozen=True)
class Exercise:
    """One exercise: how it is solved, tried and commented on.

    Attributes
    ----------
    name : str
        Chapter and number, ``"vae.1"``.
    solution : callable
        The worked answer; returns a float or a Tensor. One without parameters stands
        for an exercise whose answer is a number.
    inputs : tuple of tuples
        The arguments of each trial, the first being the one a reader sees most.
    meaning : str
        What a right answer shows, in a sentence.
    hint : str
        What :func:`vaebook.exercises.hint` prints.
    mistakes : tuple of Mistake
    rtol : float
        Relative error allowed; a little absolute error is allowed too.
    """

    name: str
    solution: Callable[..., float | Tensor]
    inputs: tuple[tuple[Any, ...], ...]
    meaning: str
    hint: str
    mistakes: tuple[Mistake, ...]
    rtol: float = 1e-5

    @property
    def signature(self) -> str:
        """How the answer is called, ``kl(mu, sigma)``; empty for a number."""
        names = ", ".join(inspect.signature(self.solution).parameters)
        return f"{self.solution.__name__}({names})" if names else ""


class Raised(NamedTuple):
    """The first line of an error that an answer ended in."""

    text: str


def verdict(exercise: Exercise, answer: Any) -> str:
    """What to print about an answer: ``correct``, or the first input that differs."""
    if exercise.signature and not callable(answer):
        rows = {"expected": f"a function {exercise.signature}"}
        rows["received"] = kind(outcome(answer, ()))
        return report(exercise, TYPE, rows)
    for inputs in exercise.inputs:
        expected = outcome(exercise.solution, inputs)
        received = outcome(answer, inputs)
        what = difference(expected, received, exercise.rtol)
        if what:
            show = kind if what in (TYPE, SHAPE) else describe
            rows = named(exercise.solution, inputs)
            rows |= {"expected": show(expected), "received": show(received)}
            return report(exercise, what, rows | {"hint": advice(exercise, answer)})
    return paragraph(f"{exercise.name}: correct. {exercise.meaning}")


def outcome(answer: Any, inputs: tuple[Any, ...]) -> Any:
    """What ``answer`` gives on its own copy of the inputs; any error as a Raised."""
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


def difference(expected: Any, received: Any, rtol: float) -> str:
    """How two outcomes differ, in words; empty when they agree.

    A tensor must meet a tensor; a float may meet a tensor without axes.
    """
    if isinstance(received, Raised):
        return ERROR
    allowed = Tensor if isinstance(expected, Tensor) else (float, Tensor)
    if not isinstance(received, allowed) or torch.is_complex(torch.as_tensor(received)):
        return TYPE
    want, got = (torch.as_tensor(v, dtype=torch.float64) for v in (expected, received))
    if want.shape != got.shape:
        return SHAPE
    same = torch.allclose(got, want, rtol=rtol, atol=1e-6, equal_nan=True)
    return "" if same else VALUE


def advice(exercise: Exercise, answer: Any) -> str:
    """What to tell the reader: the mistake's advice if it is a known one."""
    trials = [(inputs, outcome(answer, inputs)) for inputs in exercise.inputs]
    for mistake in exercise.mistakes:
        wrong = (outcome(mistake.answer, inputs) for inputs, _ in trials)
        pairs = zip(wrong, trials, strict=True)
        if not any(difference(a, b, exercise.rtol) for a, (_, b) in pairs):
            return mistake.advice
    return f'hint("{exercise.name}") prints one.'


def named(function: Callable[..., Any], inputs: tuple[Any, ...]) -> dict[str, str]:
    """The inputs, described, as rows of a report."""
    names = inspect.signature(function).parameters
    pairs = zip(names, inputs, strict=True)
    return {f"input {name}": describe(value) for name, value in pairs}


def describe(value: Any) -> str:
    """A value in words and six digits."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Tensor) and value.numel() <= MOST_NUMBERS:
        return digits(value.tolist())
    return kind(value)


def kind(value: Any) -> str:
    """What sort of thing a value is."""
    if isinstance(value, Raised):
        return value.text
    if value is None or value is ...:
        return f"{'None' if value is None else '...'}: no answer yet"
    if isinstance(value, Tensor):
        word = "complex tensor" if value.is_complex() else "tensor"
        return f"a {word} of shape {tuple(value.shape)}"
    kinds = {float: "a number", FunctionType: "a function"}
    return kinds.get(type(value), f"a value of type {type(value).__name__}")


def digits(values: Any) -> str:
    """Nested lists of numbers, six digits each."""
    if isinstance(values, list):
        return f"[{', '.join(map(digits, values))}]"
    return f"{values:.6g}"


def report(exercise: Exercise, what: str, rows: dict[str, str]) -> str:
    """The verdict's lines: what differs, then one paragraph for each row."""
    width = max(map(len, rows)) + 2
    lines = [f"  {key:<{width}}{text}" for key, text in rows.items()]
    start = f"{exercise.name}: not yet, {what}"
    return "\n".join([start, *(paragraph(line, width + 2) for line in lines)])


def paragraph(text: str, indent: int = 2) -> str:
    """Text wrapped for the page, later lines indented."""
    return textwrap.fill(
        text, WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False
    )
