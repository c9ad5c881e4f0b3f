"""The checker: what it says about an answer, whatever it is given."""

import math

import pytest
import torch
from exercises.answers import distributions_loss, exits, joined, normal_kl

from vaebook.exercises import check, hint, solution_source
from vaebook.monte_carlo import log_mean_exp


def test_report_shows_the_input_and_both_values(said):
    assert said("vae.1", lambda mu, sigma: 2 * normal_kl(mu, sigma)) == [
        "vae.1: not yet, the value differs",
        "  input mu     1",
        "  input sigma  2",
        "  expected     1.30685",
        "  received     2.61371",
        "  hint         Your value is twice the expected one: is the factor 1/2",
        "               there?",
    ]


def test_report_shows_the_first_input_that_differs(said):
    lines = said("vae.3", lambda w: w.exp().mean(0).log())
    assert lines[1].split("  ")[-1].startswith("[[-2001, -2003]")
    assert lines[3].endswith("[-inf, -inf]")


def in_place(log_w):
    top = log_w.max(0).values
    return log_w.sub_(top).exp_().mean(0).log_() + top


def test_answer_that_overwrites_its_inputs_spoils_no_later_trial(said):
    first = said("vae.3", in_place)
    assert first == said("vae.3", in_place) == said("vae.3", log_mean_exp)


def fails():
    raise RuntimeError("first line\nsecond line")


@pytest.mark.parametrize(
    ("answer", "what", "received"),
    [
        (lambda mu, sigma: 1 / 0, "it raised an error", "raised ZeroDivisionError: d"),
        (lambda mu, sigma: fails(), "it raised an error", "RuntimeError: first line"),
        (lambda mu: mu, "it raised an error", "raised TypeError: "),
        (exits, "it raised an error", "raised SystemExit: leaving"),
        (lambda mu, sigma: None, "the type differs", "None: no answer yet"),
        (lambda mu, sigma: ..., "the type differs", "...: no answer yet"),
        (lambda mu, sigma: "1.3", "the type differs", "a value of type str"),
        (lambda mu, sigma: [1.3], "the type differs", "a value of type list"),
        (lambda mu, sigma: True, "the type differs", "a value of type bool"),
        (lambda mu, sigma: 1j, "the type differs", "a value of type complex"),
        (lambda mu, sigma: abs, "the type differs", "builtin_function"),
        (lambda mu, sigma: fails, "the type differs", "a function"),
        (lambda mu, sigma: torch.tensor(1j), "the type differs", "a complex tensor"),
        (lambda mu, sigma: torch.zeros(1), "the shape differs", "of shape (1,)"),
        (lambda mu, sigma: math.nan, "the value differs", "nan"),
        (lambda mu, sigma: -math.inf, "the value differs", "-inf"),
        (lambda mu, sigma: 10**400, "it raised an error", "raised OverflowError"),
        (1.30685, "the type differs", "a number"),
        (None, "the type differs", "None: no answer yet"),
    ],
)
def test_what_is_wrong_with_an_answer_is_named(answer, what, received, said):
    lines = said("vae.1", answer)
    assert lines[0] == f"vae.1: not yet, {what}"
    assert "second line" not in joined(lines)
    assert received in next(one for one in lines if one.startswith("  received"))


@pytest.mark.parametrize(
    ("answer", "what", "received"),
    [
        (lambda x, resp: resp.T @ x.T, "it raised an error", "raised RuntimeError: "),
        (lambda x, resp: None, "the type differs", "None: no answer yet"),
        (lambda x, resp: "resp.T @ x", "the type differs", "a value of type str"),
        (lambda x, resp: x.numpy(), "the type differs", "a value of type ndarray"),
        (lambda x, resp: (x, resp), "the type differs", "a value of type tuple"),
        (lambda x, resp: 1.5, "the type differs", "a number"),
        (lambda x, resp: resp.T, "the shape differs", "of shape (2, 4)"),
        (lambda x, resp: x.new_full((2, 3), torch.nan), "the value differs", "[[nan, "),
        (torch.zeros(2, 3), "the type differs", "a tensor of shape (2, 3)"),
    ],
)
def test_what_is_wrong_with_a_tensor_is_named(answer, what, received, said):
    lines = said("em.3", answer)
    assert lines[0] == f"em.3: not yet, {what}"
    assert received in next(one for one in lines if one.startswith("  received"))


@pytest.mark.parametrize("value", [None, ...])
def test_an_answer_that_is_tried_out_may_be_missing(value, said):
    """Its trial would otherwise fail on what it gives."""
    lines = said("bug_clinic.14", lambda optimizer, loss: value)
    assert lines[0] == "bug_clinic.14: not yet, the type differs"
    assert "no answer yet" in joined(lines)


def test_right_shape_and_kind_are_said(said):
    assert "expected a tensor of shape (2,) received a tensor of shape (3,)" in joined(
        said("vae.3", lambda w: w.mean(1))
    )
    assert "expected a tensor of shape () received a number" in joined(
        said("vae.4", lambda *terms: distributions_loss(*terms).item())
    )
    assert "expected a function log_evidence(log_w)" in joined(said("vae.3", 1.0))


@pytest.mark.parametrize("ask", [lambda name: check(name, 1.0), hint, solution_source])
@pytest.mark.parametrize("name", ["vae.9", "vae", "", "judge.1", None])
def test_unknown_name_lists_the_known_ones(ask, name):
    known = r"likelihood\.1, .*map\.1, .*em\.1, .*bug_clinic\.19"
    with pytest.raises(ValueError, match=f"{known}; received {name!r}"):
        ask(name)
