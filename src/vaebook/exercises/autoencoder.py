"""Exercises of chapter 9: the autoencoder."""

import math

import torch
from torch import Tensor

from vaebook.exercises.record import Exercise, Mistake


def least_error(eigenvalues: Tensor, k: int) -> float:
    """The best plane is that of the k largest eigenvalues; what is lost is
    the variance across it, the sum of all the others."""
    return eigenvalues.sort(descending=True).values[k:].sum().item()


EIGENVALUES = torch.tensor([0.5, 3.0, 0.25, 1.0]).double()
LEAST_ERROR = Exercise(
    name="autoencoder.1",
    solution=least_error,
    inputs=(
        (EIGENVALUES, 2),
        (EIGENVALUES**2, 1),
        (EIGENVALUES.flip(0), 3),
    ),
    meaning="No linear autoencoder does better.",
    hint="The variance along the best k directions is kept, the rest is lost.",
    mistakes=(
        Mistake(
            "This is what is kept.",
            lambda eigenvalues, k: eigenvalues.topk(k).values.sum().item(),
        ),
        Mistake(
            "The eigenvalues come in any order: sort them first.",
            lambda eigenvalues, k: eigenvalues[k:].sum().item(),
        ),
        Mistake(
            "This is the mean over the directions left, the noise of chapter 8.",
            lambda eigenvalues, k: least_error(eigenvalues, k) / (len(eigenvalues) - k),
        ),
        Mistake(
            "This is the share lost.",
            lambda eigenvalues, k: least_error(eigenvalues / eigenvalues.sum(), k),
        ),
    ),
)


def best_decoder(u: Tensor, x: Tensor) -> Tensor:
    """With the codes z = U x fixed, each pixel is a regression on them:
    V = [sum x z^T] [sum z z^T]^-1."""
    z = x @ u.T  # (N, L)
    return torch.linalg.solve(z.T @ z, z.T @ x).T


X = torch.tensor([[2, 1, 0], [-1, 1, 2], [0, -3, 1], [-2, 0, -1], [1, 1, -2]]).double()
U = torch.tensor([[1.0, 0.5, -1.0], [0.0, 1.0, 1.0]]).double()
BEST_DECODER = Exercise(
    name="autoencoder.2",
    solution=best_decoder,
    inputs=(
        (U, X),
        (U[:1], X),
        (3 * U, X - 2 * X.flip(1)),
    ),
    meaning="V is not U transposed unless U was well chosen.",
    hint="The codes are known numbers now: regress each pixel on them.",
    mistakes=(
        Mistake(
            "U transposed fits orthonormal components only.",
            lambda u, x: u.T,
        ),
        Mistake(
            "The pseudo-inverse does not know the images, as if pixels were white.",
            lambda u, x: u.pinverse(),
        ),
        Mistake("Transposed: V is (D, L).", lambda *given: best_decoder(*given).T),
        Mistake(
            "The codes are not white: divide by their second moments too.",
            lambda u, x: x.T @ (x @ u.T) / len(x),
        ),
    ),
)


def angle(a: Tensor, b: Tensor) -> float:
    """b has one part along a and one across it; atan2 of their lengths
    keeps the digits that acos loses where a cosine is close to 1."""
    along = (a @ b) / (a @ a) * a
    return torch.atan2((b - along).norm(), along.norm()).item()


A = torch.tensor([1.0, 2.0, 2.0])
ACROSS = torch.tensor([4.0, -2.0, 0.0])  # at right angles to A
ANGLE = Exercise(
    name="autoencoder.3",
    solution=angle,
    inputs=(
        (A, -A.flip(0)),
        (A, 2 * A + ACROSS / 8192),
        (A, A - 2),
    ),
    meaning="A sine sees angles too small for a cosine.",
    hint="Split b into its parts along a and across a: their ratio is a tangent.",
    mistakes=(
        Mistake(
            "A cosine so close to 1 has lost its digits: use the sine or tangent.",
            lambda a, b: torch.acos((a @ b).abs() / (a.norm() * b.norm())).item(),
        ),
        Mistake(
            "A line has no arrow: at most pi / 2.",
            lambda a, b: torch.acos(a @ b / (a.norm() * b.norm())).item(),
        ),
        Mistake("This is in degrees.", lambda a, b: math.degrees(angle(a, b))),
        Mistake("This is the cosine.", lambda a, b: math.cos(angle(a, b))),
    ),
)


def best_spread(w: Tensor, sigma: float) -> float:
    """In s the ELBO is -s^2 |w|^2 / (2 sigma^2) - s^2 / 2 + log s: its
    slope is zero where 1 / s^2 = 1 + |w|^2 / sigma^2."""
    return (1 + w.square().sum().item() / sigma**2) ** -0.5


W = torch.tensor([1.0, -2.0, 0.5]).double()
BEST_SPREAD = Exercise(
    name="autoencoder.4",
    solution=best_spread,
    inputs=(
        (W, 0.5),
        (W[1:] / 9, 2.0),
        (0 * W, 0.3),
    ),
    meaning="Never 0, as an autoencoder has it.",
    hint="Average -|x - w z - b|^2 / (2 sigma^2) under q; then subtract the KL.",
    mistakes=(
        Mistake("This is the variance s^2.", lambda *given: best_spread(*given) ** 2),
        Mistake(
            "The KL has s^2 / 2 beside -log s: the prior counts as well.",
            lambda w, sigma: sigma / w.norm().item() if w.any() else math.inf,
        ),
        Mistake(
            "The noise's variance is sigma^2.",
            lambda w, sigma: best_spread(w, math.sqrt(sigma)),
        ),
        Mistake(
            "That is the autoencoder, whose KL is infinite.",
            lambda w, sigma: 0.0,
        ),
    ),
)


def denoised_pixels(seen: Tensor, p: Tensor, flip: float) -> Tensor:
    """Bayes' rule, pixel by pixel: p times the chance of what was seen if
    the pixel is lit, over the same for both cases."""
    lit = torch.where(seen == 1, 1 - flip, flip)
    return p * lit / (p * lit + (1 - p) * (1 - lit))


SEEN = torch.tensor([1, 0, 1, 0, 1]).double()
P = torch.tensor([0.5, 0.25, 0.125, 0.75, 0.0]).double()
DENOISED_PIXELS = Exercise(
    name="autoencoder.5",
    solution=denoised_pixels,
    inputs=(
        (SEEN, P, 0.25),
        (1 - SEEN, P, 0.0625),
        (SEEN, P, 0.5),
    ),
    meaning="It is the mean of the clean pixel, given this one.",
    hint="p times the chance of what was seen if lit, over both cases' sum.",
    mistakes=(
        Mistake(
            "The prior p is not used.",
            lambda seen, p, flip: torch.where(seen == 1, 1 - flip, flip),
        ),
        Mistake(
            "This is joint, lit and seen: divide by the chance of what was seen.",
            lambda seen, p, flip: p * torch.where(seen == 1, 1 - flip, flip),
        ),
        Mistake("This does not look at the pixel.", lambda seen, p, flip: p),
        Mistake("This only copies the damage.", lambda seen, p, flip: seen),
        Mistake(
            "A lit pixel is seen lit with probability 1 - flip, not flip.",
            lambda seen, p, flip: denoised_pixels(1 - seen, p, flip),
        ),
    ),
)


def denoised(y: Tensor, data: Tensor, tau: float) -> Tensor:
    """The posterior's mean: each row of data weighs as its likelihood,
    normalised by softmax, which no distance can underflow."""
    squared = (y[:, None] - data).square().sum(-1)  # (N, M)
    return (-squared / (2 * tau**2)).softmax(1) @ data


def denoised_without_logs(y: Tensor, data: Tensor, tau: float) -> Tensor:
    """A mistake: likelihoods that are all 0 far from the data, over their sum."""
    weights = (-(torch.cdist(y, data) ** 2) / (2 * tau**2)).exp()  # (N, M)
    return weights / weights.sum(1, keepdim=True) @ data


DATA = torch.tensor([[0, 1, 2], [1, 0, 1], [2, 2, 0], [0, 0, 1]]).double()
Y = torch.tensor([[0.5, 0.5, 1.5], [1.0, 1.5, 0.5]]).double()
DENOISED = Exercise(
    name="autoencoder.6",
    solution=denoised,
    inputs=(
        (Y, DATA, 0.75),
        (100 * Y, DATA, 1.5),
        (Y[:1], DATA[1:], 0.5),
    ),
    meaning="By Tweedie, a step of tau^2 along the score from y.",
    hint="The mean E[x | y]: softmax of the log-likelihoods, times the rows.",
    mistakes=(
        Mistake(
            "The nearest row is likeliest, but the mean has the least squared error.",
            lambda y, data, tau: data[torch.cdist(y, data).argmin(1)],
        ),
        Mistake(
            "exp underflows far from the data, and 0 / 0 is nan: use softmax.",
            denoised_without_logs,
        ),
        Mistake(
            "The Gaussian's exponent has 2 tau^2 below.",
            lambda y, data, tau: denoised(y, data, tau / math.sqrt(2)),
        ),
        Mistake(
            "Tau is a standard deviation: the exponent has its square.",
            lambda y, data, tau: denoised(y, data, math.sqrt(tau)),
        ),
    ),
)

EXERCISES = (
    LEAST_ERROR,
    BEST_DECODER,
    ANGLE,
    BEST_SPREAD,
    DENOISED_PIXELS,
    DENOISED,
)
