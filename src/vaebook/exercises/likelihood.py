"""Exercises of chapter 1: maximum likelihood."""

import math

import torch
from torch import Tensor
from torch.distributions import Normal
from torch.nn.functional import binary_cross_entropy, softplus

from vaebook.exercises.record import Exercise, Mistake


def log_density(x: float, mu: float, sigma: float) -> float:
    """The log of exp(-(x - mu)^2 / (2 sigma^2)) / sqrt(2 pi sigma^2)."""
    squared = ((x - mu) / sigma) ** 2
    return -0.5 * (math.log(2 * math.pi * sigma**2) + squared)


LOG_DENSITY = Exercise(
    name="likelihood.1",
    solution=log_density,
    inputs=(
        (1.0, 0.0, 2.0),
        (0.2, 0.2, 0.1),
        (-3.0, 1.0, 0.5),
    ),
    meaning="It may be positive: a density can exceed 1.",
    hint="Take the log of each factor of the density; a square root gives one half.",
    mistakes=(
        Mistake(
            "-1/2 log 2 pi is missing: without it the density's integral is not 1.",
            lambda x, mu, sigma: -math.log(sigma) - 0.5 * ((x - mu) / sigma) ** 2,
        ),
        Mistake(
            "-log sigma is missing: a wider Gaussian is a lower one.",
            lambda x, mu, sigma: log_density(x, mu, sigma) + math.log(sigma),
        ),
        Mistake(
            "Sigma is read as a variance: it is a standard deviation.",
            lambda x, mu, sigma: log_density(x, mu, math.sqrt(sigma)),
        ),
        Mistake(
            "This is the density: its logarithm is asked for.",
            lambda *given: math.exp(log_density(*given)),
        ),
    ),
)


def rate(waits: Tensor) -> float:
    """The derivative of N log rate - rate * sum(waits) in the rate is
    N / rate - sum(waits): zero at one over the mean."""
    return 1 / waits.mean().item()


WAITS = torch.tensor([0.5, 2.0, 3.5, 1.0]).double()
RATE = Exercise(
    name="likelihood.2",
    solution=rate,
    inputs=(
        (WAITS,),
        (WAITS[1:].square(),),
    ),
    meaning="It is one over the mean wait, the MLE of 1 / rate.",
    hint="Set the derivative of N log rate - rate * sum(waits) to zero.",
    mistakes=(
        Mistake("This is the mean wait: invert it.", lambda waits: waits.mean().item()),
        Mistake(
            "You average 1 / x: average x first.",
            lambda waits: (1 / waits).mean().item(),
        ),
        Mistake(
            "N - 1 makes the rate unbiased; the likelihood's maximum has N.",
            lambda waits: (len(waits) - 1) / waits.sum().item(),
        ),
    ),
)


def best_log_lik(x: Tensor) -> float:
    """With sigma^2 the mean of (x - mu)^2, the squared terms average to 1:
    what is left is -1/2 (log 2 pi sigma^2 + 1)."""
    var = (x - x.mean()).square().mean().item()
    return -0.5 * (math.log(2 * math.pi * var) + 1)


X = torch.tensor([1.0, 3.0, 2.0, 6.0]).double()
BEST_LOG_LIK = Exercise(
    name="likelihood.3",
    solution=best_log_lik,
    inputs=(
        (X,),
        (X[1:] / 20,),
    ),
    meaning="It is minus the entropy of the fitted Gaussian.",
    hint="Fit mu and sigma^2, dividing by N, then average the log-density over x.",
    mistakes=(
        Mistake(
            "Your sigma divides by N - 1, as torch.std does unless told otherwise.",
            lambda x: Normal(x.mean(), x.std()).log_prob(x).mean().item(),
        ),
        Mistake(
            "The squared terms are missing: with their 1/2 they average to -1/2.",
            lambda x: best_log_lik(x) + 0.5,
        ),
        Mistake("This is the sum: divide it by N.", lambda x: best_log_lik(x) * len(x)),
    ),
)


def log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """With pi = 1 / (1 + e^-l), log pi = l - log(1 + e^l) and
    log(1 - pi) = -log(1 + e^l); softplus is the stable log(1 + e^l)."""
    return (x * logits - softplus(logits)).sum(-1)


PIXELS = torch.tensor([[1, 0, 1], [0, 0, 1]]).double()
LOGITS = torch.tensor([[2.0, -1.0, -0.5], [1.0, 3.0, -2.0]]).double()
LOG_PROB = Exercise(
    name="likelihood.4",
    solution=log_prob,
    inputs=(
        (PIXELS, LOGITS),
        (PIXELS, 500 * LOGITS),
        (1 - PIXELS, -9 * LOGITS),
    ),
    meaning="From logits no log-probability is lost.",
    hint="Write log pi and log(1 - pi) with log(1 + e^l), then use softplus.",
    mistakes=(
        Mistake(
            "sigmoid(l) is exactly 0 or 1 far from 0: use softplus of the logits.",
            lambda x, logits: (
                x * logits.sigmoid().log() + (1 - x) * (1 - logits.sigmoid()).log()
            ).sum(1),
        ),
        Mistake(
            "binary_cross_entropy cuts each log off at -100: keep the logits.",
            lambda x, logits: (
                -binary_cross_entropy(logits.sigmoid(), x, reduction="none").sum(1)
            ),
        ),
        Mistake(
            "e^1000 is infinite in floating point: use softplus for log(1 + e^l).",
            lambda x, logits: (x * logits - logits.exp().log1p()).sum(1),
        ),
        Mistake(
            "You average over pixels: their log-probabilities add.",
            lambda x, logits: log_prob(x, logits) / x.shape[1],
        ),
    ),
)


def gradient(x: Tensor, mu: float, log_sigma: float) -> Tensor:
    """Of log N(x; mu, sigma^2): (x - mu) / sigma^2 in mu, and
    (x - mu)^2 / sigma^2 - 1 in log sigma; both averaged over x."""
    var = math.exp(2 * log_sigma)
    off = x - mu
    return torch.stack([off.mean() / var, off.square().mean() / var - 1])


GRADIENT = Exercise(
    name="likelihood.5",
    solution=gradient,
    inputs=(
        (X, 1.0, 0.5),
        (X, 5.0, -1.0),
        (X, 3.0, 0.5 * math.log(3.5)),
    ),
    meaning="It is 0 at the mean and the 1/N variance only.",
    hint="By the chain rule, d/d log sigma is sigma times d/d sigma.",
    mistakes=(
        Mistake(
            "This is the sum's: divide by N.",
            lambda x, *where: len(x) * gradient(x, *where),
        ),
        Mistake(
            "Your second entry is d/d sigma: multiply by sigma for d/d log sigma.",
            lambda x, mu, log_sigma: (
                gradient(x, mu, log_sigma) * torch.tensor([1, math.exp(-log_sigma)])
            ),
        ),
        Mistake(
            "Your second entry takes the squares about x's mean, not about mu.",
            lambda x, mu, log_sigma: torch.stack(
                [
                    gradient(x, mu, log_sigma)[0],
                    x.var(correction=0) / math.exp(2 * log_sigma) - 1,
                ]
            ),
        ),
        Mistake(
            "The sign: this is a loss's gradient.",
            lambda *given: -gradient(*given),
        ),
    ),
)


def logit_error(ones: float, zeros: float) -> float:
    """The second derivative of ones * l - N log(1 + e^l) is
    -N pi (1 - pi), which is -ones * zeros / N at the maximum."""
    return math.sqrt((ones + zeros) / (ones * zeros))


LOGIT_ERROR = Exercise(
    name="likelihood.6",
    solution=logit_error,
    inputs=(
        (30.0, 10.0),
        (2.0, 98.0),
        (1.0, 1.0),
    ),
    meaning="It is large if either face is rare.",
    hint="Differentiate the log-likelihood in the logit l twice; pi' = pi (1 - pi).",
    mistakes=(
        Mistake(
            "This is the standard error of pi: differentiate in the logit.",
            lambda ones, zeros: math.sqrt(ones * zeros / (ones + zeros) ** 3),
        ),
        Mistake(
            "This is the variance: take its root.",
            lambda *counts: logit_error(*counts) ** 2,
        ),
        Mistake(
            "The information is inverted: more of it is a smaller error.",
            lambda *counts: 1 / logit_error(*counts),
        ),
        Mistake(
            "This is for one toss: N tosses carry N times the information.",
            lambda *counts: logit_error(*counts) * math.sqrt(sum(counts)),
        ),
    ),
)

EXERCISES = (
    LOG_DENSITY,
    RATE,
    BEST_LOG_LIK,
    LOG_PROB,
    GRADIENT,
    LOGIT_ERROR,
)
