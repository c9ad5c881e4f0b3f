"""What the numbers and words of an explorer may be, and how a refusal reads."""

import math

import pytest

from vaebook.explore.parts.constraints import (
    FINITE,
    POSITIVE,
    among,
    at_least,
    numbers,
    obeying,
    one_of,
    points,
    within,
)

CASES = {
    "finite": (FINITE, [0, -3.5], [math.inf, math.nan], "finite"),
    "positive": (POSITIVE, [1e-9, 3], [0, -1, math.inf, math.nan], "positive and"),
    "within": (
        within(-1.0, 2),
        [-1, 2, 2 + 1e-9],
        [-1.01, 2 + 1e-8, 2.1, math.nan],
        "-1 to 2",
    ),
    "whole within": (within(0, 2**31 - 1), [0, 2**31 - 1], [-1, 2**31], "2147483647"),
    "at least": (at_least(1), [1, 9], [0, -1, math.nan], "at least 1"),
    "one of two": (one_of(("a", "b")), ["a", "b"], ["c", ""], "a or b;"),
    "one of three": (one_of((1, 2, 5)), [1, 5], [3, 0], "one of 1, 2, 5"),
    "keys": (one_of({"x": 1, "y": 2}), ["x"], ["z"], "x or y"),
    "among": (among(["a", "b"]), [[], ["b", "a"]], [["a", "c"]], "among a, b"),
    "numbers": (numbers(2), [[0, 1.5]], [[0], [0, 1, 2], [0, math.nan]], "2 numbers"),
    "lengths": (numbers(2, POSITIVE), [[1, 2]], [[0, 1]], "positive and finite"),
    "points": (
        points(2),
        [[[0, 1], [2, 3]]],
        [[[0, 1]], [0, 1], [[0], [1]], [[0, 1], [2, math.inf]]],
        "2 points",
    ),
}
each_case = pytest.mark.parametrize(
    ("constraint", "good", "bad", "words"), CASES.values(), ids=CASES
)


@each_case
def test_what_obeys_comes_back_as_it_is(constraint, good, bad, words):
    for value in good:
        assert obeying("it", value, constraint) is value


@each_case
def test_what_does_not_is_refused_by_name_rule_and_value(constraint, good, bad, words):
    for value in bad:
        with pytest.raises(ValueError, match=r"^it must be .*; received ") as refused:
            obeying("it", value, constraint)
        assert words in str(refused.value)


def test_a_refusal_of_a_list_shows_the_stranger():
    with pytest.raises(ValueError, match=r"among a, b; received c$"):
        obeying("shown", ["a", "c", "d"], among(["a", "b"]))
