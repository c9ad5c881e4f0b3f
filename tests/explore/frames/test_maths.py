"""Frames drawn ahead: every combination once, within their limits."""

import io

import numpy as np
import pytest
from explore.made import make_frames
from PIL import Image

from vaebook.explore import explore
from vaebook.pictures import LetteringError


def test_frames_are_drawn_for_every_combination():
    figure = explore(
        lambda ax, a, b: ax.plot([0, a], [0, len(b)]),
        alt="A line",
        a=(0, 0.3, 0.1),
        b=["x", "yy"],
    )
    assert figure.choices == [[0, 0.1, 0.2, 0.3], ["x", "yy"]]
    assert len(figure.frames) == 8 and len(set(figure.frames)) > 4
    assert Image.open(io.BytesIO(figure.frames[0])).size == (814, 594)


def test_a_page_knows_the_shape_of_a_frame_before_it_has_one():
    figure = explore(lambda ax, a: None, alt="a", a=[1], figsize=(3, 2))
    frame = Image.open(io.BytesIO(figure.frames[0]))
    assert (2 * figure.width, 2 * figure.height) == frame.size


def test_letters_too_small_for_a_phone_are_refused():
    with pytest.raises(LetteringError, match="'small' would be"):
        explore(lambda ax, a: ax.set_title("small", fontsize=6), alt="a", a=[1])


def test_a_fresh_figure_carries_each_frame_once():
    assert make_frames().exact == {}


def test_setting_values_draws_exactly_those():
    figure, seen = make_frames(), []
    figure.observe(lambda change: seen.append(change["new"]), "values")
    figure.values = {"slope": 0.5}
    assert seen == [{"slope": 0.5}]
    assert figure.exact["alt"] == "A line of slope 0.5"
    assert figure.exact["frame"] not in figure.frames
    figure.values = {"slope": 2}
    assert figure.exact["frame"] == figure.frames[-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slope": (0, 4.1, 0.1)}, r"at most 40 frames; received 42 \(42 of slope\)"),
        ({"a": [1], "b": [2]}, r"1 or 2 parameters; received 3"),
        ({"slope": (0, 1)}, r"must be \(lo, hi, step\).*received \(0, 1\)"),
        ({"slope": (1, 0, 0.1)}, "lo < hi"),
        ({"slope": []}, "or a list; received"),
        ({"alt": " "}, "alt must say what the figure shows"),
    ],
)
def test_explore_says_what_to_reduce(options, message):
    with pytest.raises(ValueError, match=message):
        make_frames(**options)


def test_frames_that_weigh_too_much_are_refused():
    noise = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"500 KB together; the first \d+ of 21 weigh"):
        explore(
            lambda ax, k: ax.imshow(noise.random((400, 700, 3)), aspect="auto"),
            alt="Noise",
            k=(0, 20, 1),
        )


def test_values_must_name_the_parameters():
    with pytest.raises(ValueError, match="must be named slope; received tilt"):
        make_frames().values = {"tilt": 1}
