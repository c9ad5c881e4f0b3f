"""Exercises of chapter 13: generation."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as minus_log_prob

from vaebook.exercises.record import Exercise, Mistake


def halfway(a: Tensor, b: Tensor) -> Tensor:
    """Their sum points there; its length is made theirs."""
    middle = a + b
    return middle * a.norm() / middle.norm()


EAST = torch.tensor([3.0, 0.0, 4.0]).double()
NORTH = torch.tensor([0.0, 5.0, 0.0]).double()
HALFWAY = Exercise(
    name="generation.1",
    solution=halfway,
    inputs=(
        (EAST, NORTH),
        (EAST, torch.tensor([4.0, 0.0, 3.0]).double()),
        (NORTH / 10, EAST / 10),
    ),
    meaning="Halfway along the arc a code is as long as its ends.",
    hint="Which way does a + b point, and how long must the answer be?",
    mistakes=(
        Mistake(
            "That is halfway along the chord: it is shorter than a and b are.",
            lambda a, b: (a + b) / 2,
        ),
        Mistake(
            "The direction is right, but its length is 1: make it that of a.",
            lambda a, b: (a + b) / (a + b).norm(),
        ),
        Mistake(
            "Without the half: the sum is longer than an arc's middle.",
            lambda a, b: a + b,
        ),
    ),
)


def coin_distance(p: Tensor, q: Tensor) -> float:
    """Pythagoras, with an angle for each coin."""
    apart = 2 * (p.sqrt().arcsin() - q.sqrt().arcsin())
    return apart.norm().item()


P = torch.tensor([0.5, 0.1, 0.9, 0.0]).double()
Q = torch.tensor([0.6, 0.3, 0.2, 0.0]).double()
COIN_DISTANCE = Exercise(
    name="generation.2",
    solution=coin_distance,
    inputs=(
        (P, Q),
        (P[:1], Q[:1]),
        (torch.zeros(2).double(), torch.ones(2).double()),
    ),
    meaning="A coin goes from never to always in a distance of pi.",
    hint="First the angle of each coin, then the distance between two points.",
    mistakes=(
        Mistake(
            "The angle is twice the arcsine: the factor 2 is missing.",
            lambda p, q: coin_distance(p, q) / 2,
        ),
        Mistake(
            "That is the distance of the probabilities; asked is that of angles.",
            lambda p, q: (p - q).norm().item(),
        ),
        Mistake(
            "Differences of angles are added in squares, as in any distance.",
            lambda p, q: (
                (2 * (p.sqrt().arcsin() - q.sqrt().arcsin())).abs().sum().item()
            ),
        ),
        Mistake(
            "That is the square of the distance.",
            lambda p, q: coin_distance(p, q) ** 2,
        ),
        Mistake(
            "The angle is of the square root of the probability.",
            lambda p, q: (2 * (p.arcsin() - q.arcsin())).norm().item(),
        ),
    ),
)


def farther(drawn: Tensor, held_out: Tensor) -> float:
    """All pairs are compared; a tie is half a win."""
    apart = drawn[:, None] - held_out
    wins, ties = (apart > 0).double(), (apart == 0).double()
    return (wins + ties / 2).mean().item()


DRAWN = torch.tensor([1.0, 2.0, 2.0, 3.0, 4.0]).double()
HELD_OUT = torch.tensor([2.0, 3.0, 5.0]).double()
FARTHER = Exercise(
    name="generation.3",
    solution=farther,
    inputs=(
        (DRAWN, HELD_OUT),
        (HELD_OUT + 1, DRAWN),
        (torch.zeros(4).double(), torch.zeros(2).double()),
    ),
    meaning="All equal gives one half, the mark of equal laws.",
    hint="Compare every drawn distance with every held-out one.",
    mistakes=(
        Mistake(
            "Ties count half: pixels are 0 or 1, and many distances are equal.",
            lambda drawn, held_out: (drawn[:, None] > held_out).double().mean().item(),
        ),
        Mistake(
            "A tie is half a win, not a whole one.",
            lambda drawn, held_out: (drawn[:, None] >= held_out).double().mean().item(),
        ),
        Mistake(
            "That is the chance that the held-out image is farther.",
            lambda drawn, held_out: farther(held_out, drawn),
        ),
    ),
)


def seen_log_lik(logits: Tensor, x: Tensor, seen: Tensor) -> float:
    """Only what is seen is asked for."""
    there = seen > 0
    return -minus_log_prob(logits[there], x[there], reduction="sum").item()


LOGITS = torch.tensor([2.0, -1.0, 0.5, -3.0, 1.5]).double()
PIXELS = torch.tensor([1.0, 0.0, 0.0, torch.nan, torch.nan]).double()
SEEN = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0]).double()
SEEN_LOG_LIK = Exercise(
    name="generation.4",
    solution=seen_log_lik,
    inputs=(
        (LOGITS, PIXELS, SEEN),
        (LOGITS, PIXELS.nan_to_num(0), torch.ones(5).double()),
        (-LOGITS, PIXELS, torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0]).double()),
    ),
    meaning="A hidden pixel has no say, whatever holds its place.",
    hint="Select the seen pixels first: nan times 0 is nan.",
    mistakes=(
        Mistake(
            "nan times 0 is nan: select the seen pixels instead of weighing all.",
            lambda logits, x, seen: (
                -(seen * minus_log_prob(logits, x, reduction="none")).sum().item()
            ),
        ),
        Mistake(
            "Zeros in place of hidden pixels are scored as if they were seen.",
            lambda logits, x, seen: (
                -minus_log_prob(logits, x.nan_to_num(0), reduction="sum").item()
            ),
        ),
        Mistake(
            "That is the mean over seen pixels; a likelihood is a sum.",
            lambda logits, x, seen: seen_log_lik(logits, x, seen) / int(seen.sum()),
        ),
        Mistake(
            "Scaled up to a whole image, it is no bound on the seen pixels any more.",
            lambda logits, x, seen: (
                seen_log_lik(logits, x, seen) * len(x) / int(seen.sum())
            ),
        ),
        Mistake(
            "The sign: a log-probability is never above 0.",
            lambda logits, x, seen: -seen_log_lik(logits, x, seen),
        ),
    ),
)


def up_the_slope(z: Tensor, slope: Tensor, amount: float) -> Tensor:
    """Of the steps that rise by so much the shortest."""
    return z + amount * slope / slope.square().sum()


CODE = torch.tensor([0.5, -1.0, 2.0]).double()
SLOPE = torch.tensor([2.0, 0.0, -1.0]).double()
UP_THE_SLOPE = Exercise(
    name="generation.5",
    solution=up_the_slope,
    inputs=(
        (CODE, SLOPE, 0.5),
        (CODE, 10 * SLOPE, 0.5),
        (CODE, SLOPE, -2.0),
    ),
    meaning="Where the slope is steep, a short step is enough.",
    hint="Which multiple of the slope, times the slope, is the amount?",
    mistakes=(
        Mistake(
            "That is gradient ascent: a steeper slope makes it rise by more.",
            lambda z, slope, amount: z + amount * slope,
        ),
        Mistake(
            "That is a step of that length; asked is a rise of that amount.",
            lambda z, slope, amount: z + amount * slope / slope.norm(),
        ),
        Mistake(
            "That is the step alone: add it to the code.",
            lambda z, slope, amount: amount * slope / slope.square().sum(),
        ),
        Mistake(
            "That raises each latent's share, not the whole, and divides by 0.",
            lambda z, slope, amount: z + amount / slope,
        ),
    ),
)

EXERCISES = (HALFWAY, COIN_DISTANCE, FARTHER, SEEN_LOG_LIK, UP_THE_SLOPE)
