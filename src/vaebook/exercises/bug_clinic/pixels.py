"""Cases 10 to 12: what is said of pixels."""

import math

import torch
from torch import Tensor

from vaebook.exercises.bug_clinic import patients
from vaebook.exercises.bug_clinic.case import AS_IT_CAME, Case
from vaebook.exercises.record import Mistake

X = torch.tensor([[0.0, 0.4, 1.0], [0.0, 0.9, 0.2]]).double()
MEAN = torch.tensor([[0.01, 0.5, 0.8], [0.0, 0.7, 0.3]]).double()
LOG_VAR = torch.tensor([-1.0, -3.0, -2.0]).double()
GREY = torch.tensor([[0.0, 0.25, 0.5], [0.75, 1.0, 0.4375]]).double()
LEVEL = 1 / 16  # of ink: the bundled digits have seventeen


def minus_log_gaussian(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """log 2π once for each pixel, as the square."""
    squares = (x - mean) ** 2 / log_var.exp()
    each = 0.5 * (squares + log_var + math.log(2 * math.pi))
    return each.sum(1)


def floored(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """No pixel is known more closely than it was recorded."""
    log_var = log_var.clamp(min=2 * math.log(1 / 16))
    squares = (x - mean) ** 2 / log_var.exp()
    return 0.5 * (squares + log_var + math.log(2 * math.pi)).sum(1)


def thresholded(grey: Tensor) -> Tensor:
    """Coins have two sides: lit from half the ink on."""
    return (grey >= 0.5).to(grey)


CONSTANT = Case(
    name="bug_clinic.10",
    solution=minus_log_gaussian,
    inputs=((X, MEAN, LOG_VAR), (X[:1, :1], MEAN[:1, :1], LOG_VAR[:1])),
    meaning="A sum over pixels of logarithms of densities.",
    hint="How often does log 2π occur for D pixels, and how often here?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_10),
        Mistake(
            "Without log 2π it is no density any more: nats can't be compared.",
            lambda x, mean, log_var: (
                0.5 * ((x - mean) ** 2 / log_var.exp() + log_var).sum(1)
            ),
        ),
        Mistake(
            "Once an image is too seldom: each pixel has a log 2π of its own.",
            lambda x, mean, log_var: (
                0.5 * ((x - mean) ** 2 / log_var.exp() + log_var).sum(1)
                + 0.5 * math.log(2 * math.pi)
            ),
        ),
    ),
    patient=patients.patient_10,
    fault="D log 2π belongs to an image, not to each of its D pixels. The gradient"
    " doesn't notice, nor does the shape of any curve; every comparison of nats does.",
    caught_by="tests/test_likelihood.py::test_gaussian_log_prob_is_scipys",
)

UNCLIPPED = Case(
    name="bug_clinic.11",
    solution=floored,
    inputs=(
        (X, MEAN, LOG_VAR),
        (X, X + 1e-3, LOG_VAR - 12),
        (X[:1], MEAN[:1], torch.tensor([-80.0, -5.0, 0.0]).double()),
    ),
    meaning="No pixel is known more closely than it was recorded.",
    hint="sigma of 1/16 at least: what is that as a log-variance?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_11),
        Mistake(
            "That is log sigma of the floor; the logarithm of its variance is twice"
            " that.",
            lambda x, mean, log_var: minus_log_gaussian(
                x, mean, log_var.clamp(min=math.log(LEVEL))
            ),
        ),
        Mistake(
            "Added to the variance the floor widens all pixels; asked is a bound.",
            lambda x, mean, log_var: minus_log_gaussian(
                x, mean, (log_var.exp() + LEVEL**2).log()
            ),
        ),
        Mistake(
            "A bound on the loss hides where it came from: bound the variance.",
            lambda x, mean, log_var: patients.patient_11(x, mean, log_var).clamp(min=0),
        ),
    ),
    patient=patients.patient_11,
    fault="A pixel that is never lit lets its variance fall without end, and the"
    " density there rise without end: the nats are bought at the edge of the image,"
    " until the variance rounds to 0 and 0/0 is nan.",
    caught_by="tests/em/test_mixtures.py"
    "::test_a_component_on_one_point_has_no_width_unless_a_prior_gives_it_some",
)

GREY_TO_COINS = Case(
    name="bug_clinic.12",
    solution=thresholded,
    inputs=((GREY,), (GREY[:1].flip(1),)),
    meaning="What a coin is asked about is 0 or 1.",
    hint="Which values has a coin? The book calls half the ink lit.",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_12),
        Mistake(
            "round takes one half to the even 0; the book calls it lit.", torch.round
        ),
        Mistake(
            "Any ink at all is too little: grey edges become strokes.",
            lambda grey: (grey > 0).to(grey),
        ),
    ),
    patient=patients.patient_12,
    fault="The formula of a coin takes 0.3 without a word. Summed over what a pixel"
    " can be, exp of it isn't 1: these are no nats of grey images, and even a perfect"
    " decoder pays for every grey pixel. As a training loss it may serve; as a score it"
    " may not.",
    caught_by="tests/datasets/test_bundled.py"
    "::test_digits_are_three_parts_of_the_rows_in_order",
)

CASES = (CONSTANT, UNCLIPPED, GREY_TO_COINS)
