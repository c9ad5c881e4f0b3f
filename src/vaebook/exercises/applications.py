"""Exercises of chapter 12: applications."""

import math

import torch
from torch import Tensor

from vaebook.exercises.record import Exercise, Mistake


def one_draw() -> float:
    """Twice the squared error is 10 log10(2) dB less."""
    return 17.0 - 10 * math.log10(2)


ONE_DRAW = Exercise(
    name="applications.1",
    solution=one_draw,
    inputs=((),),
    meaning="Truth and draw are off the mean, both alike.",
    hint="By which factor is its squared error larger, and what is that in decibels?",
    mistakes=(
        Mistake(
            "That is the mean's own: a draw has the spread of the posterior on top.",
            lambda: 17.0,
        ),
        Mistake(
            "More error is fewer decibels: the difference has the other sign.",
            lambda: 17.0 + 10 * math.log10(2),
        ),
        Mistake(
            "Six decibels are twice the distance: the squared error is doubled here.",
            lambda: 17.0 - 20 * math.log10(2),
        ),
        Mistake(
            "Decibels are not halved: it is their mean squared error.", lambda: 8.5
        ),
    ),
    rtol=2e-3,  # 14.0 will do
)


def fit_squares(x: Tensor, y: Tensor, factor: int) -> Tensor:
    """Every pixel of a square moves by what its mean is short of y."""
    rows, columns = y.shape
    means = x.reshape(rows, factor, columns, factor).mean((1, 3))
    short = y - means
    step = short.repeat_interleave(factor, 0).repeat_interleave(factor, 1)
    return x + step


IMAGE = torch.tensor(
    [
        [0.1, 0.9, 0.4, 0.0],
        [0.3, 0.5, 0.8, 0.6],
        [0.0, 0.2, 1.0, 0.7],
        [0.4, 0.6, 0.5, 0.1],
    ]
).double()
SQUARES = torch.tensor([[0.2, 0.9], [0.5, 0.4]]).double()
FIT_SQUARES = Exercise(
    name="applications.2",
    solution=fit_squares,
    inputs=(
        (IMAGE, SQUARES, 2),
        (IMAGE, IMAGE.flip(0), 1),
        (IMAGE[:, :2], torch.tensor([[0.7], [0.1]]).double(), 2),
        (IMAGE, torch.tensor([[0.6]]).double(), 4),
    ),
    meaning="So a camera without noise is obeyed.",
    hint="By how much is the mean of a square too small? Who has to move, and how far?",
    mistakes=(
        Mistake(
            "The squares are evenly inked: what x said within them is to stay.",
            lambda x, y, factor: y.repeat_interleave(factor, 0).repeat_interleave(
                factor, 1
            ),
        ),
        Mistake(
            "Each pixel moves by 1/factor^2 of what is missing, and so does the mean.",
            lambda x, y, factor: x + (fit_squares(x, y, factor) - x) / factor**2,
        ),
        Mistake(
            "Scaling a square also gives it the right mean, but is not the nearest.",
            lambda x, y, factor: (
                x
                * (y / x.reshape(y.shape[0], factor, y.shape[1], factor).mean((1, 3)))
                .repeat_interleave(factor, 0)
                .repeat_interleave(factor, 1)
            ),
        ),
        Mistake(
            "It moves the wrong way: away from the measurement.",
            lambda x, y, factor: 2 * x - fit_squares(x, y, factor),
        ),
    ),
)


def accept(
    joint_new: Tensor, joint_old: Tensor, q_new: Tensor, q_old: Tensor
) -> Tensor:
    """The ratio as a difference of logs, cut at 0, then exponentiated."""
    gain = joint_new - joint_old + q_old - q_new
    return gain.clamp(max=0).exp()


JOINT_NEW = torch.tensor([-40.0, -35.0, -52.0, -41.0]).double()
JOINT_OLD = torch.tensor([-41.0, -38.0, -50.0, -40.5]).double()
Q_NEW = torch.tensor([2.0, 1.0, 3.0, 0.5]).double()
Q_OLD = torch.tensor([1.5, -3.0, 3.5, 0.8]).double()
ACCEPT = Exercise(
    name="applications.3",
    solution=accept,
    inputs=(
        (JOINT_NEW, JOINT_OLD, Q_NEW, Q_OLD),
        (JOINT_NEW - 1e4, JOINT_OLD - 1e4, Q_NEW + 1e4, Q_OLD + 1e4),
        (JOINT_NEW + 1e4, JOINT_OLD, Q_NEW, Q_OLD),
        (JOINT_NEW, JOINT_NEW, Q_NEW, Q_NEW),
    ),
    meaning="With an exact encoder it is always 1.",
    hint="Add and subtract the four logarithms first; exponentiate at the end.",
    mistakes=(
        Mistake(
            "The proposal is not corrected for: q belongs in the ratio.",
            lambda jn, jo, qn, qo: (jn - jo).clamp(max=0).exp(),
        ),
        Mistake(
            "q(z|x) and q(z'|x) have changed places.",
            lambda jn, jo, qn, qo: (jn - jo + qn - qo).clamp(max=0).exp(),
        ),
        Mistake(
            "A probability is at most 1: the minimum is missing.",
            lambda jn, jo, qn, qo: (jn - jo + qo - qn).exp(),
        ),
        Mistake(
            "This is its logarithm: exponentiate.",
            lambda jn, jo, qn, qo: (jn - jo + qo - qn).clamp(max=0),
        ),
        Mistake(
            "exp(-10000) is 0, and 0/0 is nothing: subtract the logarithms first.",
            lambda jn, jo, qn, qo: (jn.exp() * qo.exp() / (jo.exp() * qn.exp())).clamp(
                max=1
            ),
        ),
        Mistake(
            "Old and new have changed places: this accepts the way back.",
            lambda jn, jo, qn, qo: (jo - jn + qn - qo).clamp(max=0).exp(),
        ),
    ),
)


def completed(
    f: Tensor, weights: Tensor, y: Tensor, var: Tensor, sigma: float
) -> Tensor:
    """What is unexplained of y, carried back to the pixels."""
    spread = weights * var  # A R
    cov = spread @ weights.T + sigma**2 * torch.eye(len(y)).to(y)
    return f + spread.T @ torch.linalg.solve(cov, y - weights @ f)


MEAN = torch.tensor([0.2, 0.7, 0.5, 0.9]).double()
WEIGHTS = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.0, 0.3, 0.3, 0.4]]).double()
SEEN = torch.tensor([0.6, 0.4]).double()
VAR = torch.tensor([0.01, 0.03, 0.02, 0.05]).double()
COMPLETED = Exercise(
    name="applications.4",
    solution=completed,
    inputs=(
        (MEAN, WEIGHTS, SEEN, VAR, 0.1),
        (MEAN, WEIGHTS, SEEN, VAR, 0.0),
        (MEAN, WEIGHTS[:1], SEEN[:1], 20 * VAR, 1.0),
    ),
    meaning="Without noise it fits y exactly.",
    hint="V is what y - A f varies by: the pixels' own noise, and the camera's.",
    mistakes=(
        Mistake(
            "sigma is a standard deviation: V needs its square.",
            lambda f, weights, y, var, sigma: completed(f, weights, y, var, sigma**0.5),
        ),
        Mistake(
            "The decoder's variances are missing in front of A^T.",
            lambda f, weights, y, var, sigma: (
                f + (completed(f, weights, y, var, sigma) - f) / var
            ),
        ),
        Mistake(
            "The camera's noise is left out of V: y is believed too much.",
            lambda f, weights, y, var, sigma: completed(f, weights, y, var, 0.0),
        ),
        Mistake(
            "The pixels' noise is left out of V: it is not the camera's alone.",
            lambda f, weights, y, var, sigma: (
                f + (weights * var).T @ (y - weights @ f) / max(sigma**2, 1e-3)
            ),
        ),
        Mistake(
            "The residual has the wrong sign: it is y - A f.",
            lambda f, weights, y, var, sigma: (
                2 * f - completed(f, weights, y, var, sigma)
            ),
        ),
        Mistake(
            "f is missing: what you have is the correction alone.",
            lambda f, weights, y, var, sigma: completed(f, weights, y, var, sigma) - f,
        ),
    ),
)


def held(draws: Tensor, truth: Tensor) -> float:
    """Sort the draws of each pixel, and look between two of them."""
    line = draws.sort(0).values
    return ((line[1] < truth) & (truth < line[-2])).double().mean().item()


DRAWS = torch.randn(
    39, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64
)
TRUTH = torch.randn(40, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
HELD = Exercise(
    name="applications.5",
    solution=held,
    inputs=(
        (DRAWS, 1.9 * TRUTH),
        (0.5 * DRAWS + 1, 1 + TRUTH),
        (DRAWS.exp(), TRUTH.exp()),
    ),
    meaning="One more draw is held 36 times in 40.",
    hint="Sort along the draws, and count pixels, not images.",
    mistakes=(
        Mistake(
            "These are the smallest and the largest: the second of each was asked for.",
            lambda draws, truth: (
                ((draws.amin(0) < truth) & (truth < draws.amax(0)))
                .double()
                .mean()
                .item()
            ),
        ),
        Mistake(
            "Mean and 1.645 standard deviations hold nine in ten of a Gaussian only.",
            lambda draws, truth: (
                ((truth - draws.mean(0)).abs() < 1.645 * draws.std(0))
                .double()
                .mean()
                .item()
            ),
        ),
        Mistake(
            "This is the share outside.", lambda draws, truth: 1 - held(draws, truth)
        ),
        Mistake(
            "This is a number of pixels: divide by how many there are.",
            lambda draws, truth: held(draws, truth) * len(truth),
        ),
        Mistake(
            "All pixels are sorted together: each has draws of its own.",
            lambda draws, truth: held(draws.reshape(-1, 1), truth),
        ),
    ),
)

EXERCISES = (
    ONE_DRAW,
    FIT_SQUARES,
    ACCEPT,
    COMPLETED,
    HELD,
)
