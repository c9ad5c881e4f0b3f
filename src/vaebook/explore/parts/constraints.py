r"""What a number, a word or a list of an explorer may be, and how a refusal reads."""

import math
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple


class Constraint(NamedTuple):
    """What a value must be, in words; whether it is; and what of it a refusal shows."""

    rule: str
    holds: Callable[[Any], bool]
    shown: Callable[[Any], object] = lambda value: value


def obeying(name: str, value: Any, constraint: Constraint) -> Any:  # noqa: ANN401
    """``value`` itself, if it obeys; else ValueError with its name, rule and value."""
    if not constraint.holds(value):
        received = constraint.shown(value)
        raise ValueError(f"{name} must be {constraint.rule}; received {received}")
    return value


FINITE = Constraint("finite", math.isfinite)
POSITIVE = Constraint(
    "positive and finite", lambda value: value > 0 and math.isfinite(value)
)


def within(low: float, high: float) -> Constraint:
    """From low to high; the end of a slider may miss a bound by rounding."""

    def holds(value: float) -> bool:
        slack = 1e-9 * (high - low) if isinstance(value, float) else 0
        return low - slack <= value <= high + slack

    return Constraint(f"{_written(low)} to {_written(high)}", holds)


def at_least(low: float) -> Constraint:
    """Not below low."""
    return Constraint(f"at least {_written(low)}", lambda value: value >= low)


def one_of(choices: Collection) -> Constraint:
    """Among them."""
    words = [str(choice) for choice in choices]
    rule = " or ".join(words) if len(words) == 2 else f"one of {', '.join(words)}"
    return Constraint(rule, lambda value: value in choices)


def among(names: Sequence[str]) -> Constraint:
    """A list of some of the names; a refusal shows the first that is none of them."""
    return Constraint(
        f"among {', '.join(names)}",
        lambda values: set(values) <= set(names),
        lambda values: next(name for name in values if name not in names),
    )


def numbers(count: int, each: Constraint = FINITE) -> Constraint:
    """A list of so many numbers that obey one by one."""
    return Constraint(
        f"{count} numbers, {each.rule}",
        lambda values: len(values) == count and all(map(each.holds, values)),
    )


def points(count: int, dim: int = 2) -> Constraint:
    """A list of so many points, each a list of ``dim`` finite numbers."""
    point = numbers(dim)

    def holds(values: list) -> bool:
        lists = all(isinstance(value, list) for value in values)
        return len(values) == count and lists and all(map(point.holds, values))

    return Constraint(f"{count} points of {dim} finite numbers", holds)


def _written(bound: float) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)
