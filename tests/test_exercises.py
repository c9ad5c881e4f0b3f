"""Exercises: right answers pass, wrong ones are told apart, nothing is ever raised."""

import copy
import math
import re
import time

import numpy as np
import pytest
import torch
from scipy import optimize, special, stats
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits

from vaebook.exercises import check, exercises, hint, solution_source
from vaebook.exercises.verdict import WIDTH
from vaebook.monte_carlo import log_mean_exp
from vaebook.variational import gaussian_kl

EXERCISES = exercises()
MISTAKES = [(name, one) for name, e in EXERCISES.items() for one in e.mistakes]
each_exercise = pytest.mark.parametrize("name", EXERCISES)


@pytest.fixture
def said(capsys):
    """``said(name, answer)``: what check prints, line by line."""

    def printed(name, answer):
        assert check(name, answer) is None
        text, errors = capsys.readouterr()
        assert errors == ""
        return text.splitlines()

    return printed


def joined(lines):
    """The lines as one, so that a wrapped sentence can be found."""
    return re.sub(r"\s+", " ", " ".join(lines))


# The records


def test_names_are_chapter_and_number_in_order():
    by_chapter = {}
    for name, exercise in EXERCISES.items():
        assert exercise.name == name
        chapter, number = name.split(".")
        by_chapter.setdefault(chapter, []).append(int(number))
    assert by_chapter["vae"] == [1, 2, 3, 4, 5]
    for numbers in by_chapter.values():
        assert numbers == list(range(1, len(numbers) + 1))


def normal_kl(mu, sigma):
    q, p = Normal(mu, sigma), Normal(0.0, 1.0)
    return kl_divergence(q, p).item()


def distributions_loss(x, logits, mu, log_var):
    log_lik = Independent(Bernoulli(logits=logits), 1).log_prob(x)
    q = Independent(Normal(mu, torch.exp(log_var / 2)), 1)
    p = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    return (kl_divergence(q, p) - log_lik).mean()


def searched_sigma(x, x_hat):
    def cost(log_sigma):
        return -stats.norm.logpdf(x, x_hat, np.exp(log_sigma)).sum()

    return float(np.exp(optimize.minimize_scalar(cost, tol=1e-10).x))


ORACLES = {
    "vae.1": normal_kl,
    "vae.2": lambda: float(stats.bernoulli.logpmf(np.ones(64), 0.5).sum()),
    "vae.3": lambda w: torch.from_numpy(special.logsumexp(w, 0, b=1 / len(w))),
    "vae.4": distributions_loss,
    "vae.5": searched_sigma,
}


@each_exercise
def test_solution_equals_an_independent_answer_to_more_than_the_tolerance(name):
    exercise = EXERCISES[name]
    for inputs in exercise.inputs:
        expected = ORACLES[name](*inputs)
        received = exercise.solution(*copy.deepcopy(inputs))
        assert type(received) is type(expected)
        torch.testing.assert_close(
            received, expected, rtol=exercise.rtol / 100, atol=1e-7
        )


# Right answers


@each_exercise
@pytest.mark.parametrize("by", ["solution", "oracle"])
def test_right_answer_is_accepted_in_one_line(name, by, said):
    exercise = EXERCISES[name]
    answer = exercise.solution if by == "solution" else ORACLES[name]
    assert said(name, answer) == [f"{name}: correct. {exercise.meaning}"]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("vae.1", lambda m, s: np.float64(normal_kl(m, s))),
        ("vae.1", lambda m, s: torch.tensor(normal_kl(m, s), requires_grad=True)),
        ("vae.1", lambda m, s: math.log(1 / s) + s * s / 2 + m * m / 2 - 1 / 2),
        ("vae.2", -64 * math.log(2)),
        ("vae.2", np.float32(-44.36)),
        ("vae.2", torch.tensor(-44.3614)),
        ("vae.3", log_mean_exp),
        ("vae.3", lambda w: log_mean_exp(w.float())),
        ("vae.3", lambda w: w.max(0)[0] + (w - w.max(0)[0]).exp().mean(0).log()),
        (
            "vae.4",
            lambda x, logits, mu, log_var: (
                binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
                + gaussian_kl(mu, log_var).mean()
            ),
        ),
        ("vae.5", lambda x, x_hat: torch.linalg.norm(x - x_hat) / x.numel() ** 0.5),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


def in_place(log_w):
    top = log_w.max(0).values
    return log_w.sub_(top).exp_().mean(0).log_() + top


def test_answer_that_overwrites_its_inputs_spoils_no_later_trial(said):
    first = said("vae.3", in_place)
    assert first == said("vae.3", in_place) == said("vae.3", log_mean_exp)


# Wrong answers


@pytest.mark.parametrize(
    ("name", "mistake"), MISTAKES, ids=[f"{n}-{m.advice[:30]}" for n, m in MISTAKES]
)
def test_listed_mistake_is_named_beside_input_expected_and_received(
    name, mistake, said
):
    lines = said(name, mistake.answer)
    assert re.fullmatch(rf"{name}: not yet, the (value|shape) differs", lines[0])
    keys = [f"input {key}" for key in re.findall(r"\w+", signature(name))[1:]]
    assert rows(lines) == [*keys, "expected", "received", "hint"]
    assert mistake.advice in joined(lines)
    assert max(map(len, lines)) <= WIDTH


def signature(name):
    return EXERCISES[name].signature


def rows(lines):
    """The keys of a report's rows."""
    found = (re.match(r"  (\S+(?: \S+)?)  ", line) for line in lines[1:])
    return [one[1] for one in found if one]


def kl_of_log_var(mu, sigma):
    return gaussian_kl(torch.tensor([mu]), torch.tensor([sigma]))


def naive_loss(x, logits, mu, log_var):
    p = 1 / (1 + torch.exp(-logits))
    log_lik = x * torch.log(p) + (1 - x) * torch.log(1 - p)
    return -log_lik.sum(1).mean() + gaussian_kl(mu, log_var).mean()


def loss_of_pixel_mean(x, logits, mu, log_var):
    bce = binary_cross_entropy_with_logits(logits, x)
    return bce + 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1).mean()


def loss_of_var(x, logits, mu, var):
    log_lik = (x * logits - torch.log1p(torch.exp(logits))).sum(1)
    return -(log_lik - 0.5 * (mu**2 + var - 1 - torch.log(var)).sum(1)).mean()


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        ("vae.1", lambda m, s: (m * m + s - 1) / 2 - math.log(s) / 2, "sigma^2 should"),
        ("vae.1", lambda m, s: m**2 + s**2 - 1 - 2 * math.log(s), "factor 1/2"),
        ("vae.1", lambda m, s: 0.5 - m * m / 2 - s * s / 2 + math.log(s), "minus the"),
        ("vae.1", lambda m, s: kl_of_log_var(m, s).sum(), "read as a log-variance"),
        ("vae.2", -64, "in bits"),
        ("vae.2", 44.36, "sign"),
        ("vae.2", -0.693, "one pixel's"),
        ("vae.3", lambda w: w.sum(0) / len(w), "is the ELBO"),
        ("vae.3", lambda w: torch.logaddexp(w[0], w[1:].logsumexp(0)), "by log S"),
        ("vae.3", lambda w: log_mean_exp(w, 1), "over the images"),
        ("vae.3", lambda w: torch.log(torch.exp(w).sum(0) / len(w)), "floating point"),
        ("vae.4", loss_of_pixel_mean, "averaged over pixels"),
        ("vae.4", lambda *a: sum(distributions_loss(*a) for _ in a[0]), "the images"),
        ("vae.4", lambda *a: -distributions_loss(*a), "the ELBO itself"),
        ("vae.4", loss_of_var, "exp(log_var)"),
        ("vae.4", naive_loss, "log(sigmoid)"),
        ("vae.5", lambda x, m: ((x - m) ** 2).mean(), "the variance"),
        ("vae.5", lambda x, m: ((x - m) ** 2).sum(1).mean() ** 0.5, "over pixels"),
        ("vae.5", lambda x, m: torch.std(x - m), "mean away first"),
        ("vae.5", lambda x, m: np.sqrt(np.var(x.numpy() - m.numpy())), 'hint("vae.5")'),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    text = joined(said(name, answer))
    assert "not yet, the value differs" in text or "the shape differs" in text
    assert advice in text


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


# Whatever is given, something sensible is printed


def fails():
    raise RuntimeError("first line\nsecond line")


def exits(*_):
    raise SystemExit("leaving")


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


def test_right_shape_and_kind_are_said(said):
    assert "expected a tensor of shape (2,) received a tensor of shape (3,)" in joined(
        said("vae.3", lambda w: w.mean(1))
    )
    assert "expected a tensor of shape () received a number" in joined(
        said("vae.4", lambda *terms: distributions_loss(*terms).item())
    )
    assert "expected a function log_evidence(log_w)" in joined(said("vae.3", 1.0))


JUNK = [
    *(
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
    ),
    *(object(), int, type, abs, np.zeros(2), np.float32(1), ValueError("v"), exits),
    *(torch.zeros(()), torch.zeros(0), torch.zeros(3, 2), torch.zeros(9, 9)),
    *(torch.tensor([True]), torch.tensor(1j), torch.zeros(2, device="meta")),
    *(torch.zeros(2, 2).to_sparse(), torch.full((2,), torch.inf), torch.nn.Identity()),
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


# Hints, solutions, names


@each_exercise
def test_hint_and_solution_are_shown(name, capsys):
    hint(name)
    printed = capsys.readouterr().out.splitlines()
    assert joined(printed) == f"{name}: {EXERCISES[name].hint}"
    source = solution_source(name)
    assert source.startswith(f"def {EXERCISES[name].solution.__name__}(")
    assert '"""' in source and "return" in source
    assert max(map(len, [*printed, *source.splitlines()])) <= WIDTH


@pytest.mark.parametrize("ask", [lambda name: check(name, 1.0), hint, solution_source])
@pytest.mark.parametrize("name", ["vae.9", "vae", "", "verdict.1", None])
def test_unknown_name_lists_the_known_ones(ask, name):
    with pytest.raises(ValueError, match=r"vae\.1, vae\.2.*received " + repr(name)):
        ask(name)
