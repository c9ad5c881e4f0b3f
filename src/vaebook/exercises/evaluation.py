"""Exercises of chapter 11: evaluation."""

import math

import torch
from torch import Tensor

from vaebook.exercises.record import Exercise, Mistake


def bits(nats: float, num_pixels: int) -> float:
    """A nat is 1 / log 2 bits, and the score is shared among the pixels."""
    return nats / (num_pixels * math.log(2))


BITS = Exercise(
    name="evaluation.1",
    solution=bits,
    inputs=(
        (17.2, 64),
        (86.0, 784),
        (3000.0, 3072),
    ),
    meaning="One bit a pixel is what a fair coin for each costs.",
    hint="How many nats are a bit? And how many pixels share the score?",
    mistakes=(
        Mistake(
            "These are nats per pixel: divide by log 2 as well.",
            lambda nats, num_pixels: nats / num_pixels,
        ),
        Mistake(
            "A bit is log 2 nats, so nats are divided by log 2, not multiplied.",
            lambda nats, num_pixels: nats * math.log(2) / num_pixels,
        ),
        Mistake(
            "These are bits per image: divide by the number of pixels as well.",
            lambda nats, num_pixels: nats / math.log(2),
        ),
        Mistake(
            "Multiplying by log 2 and by the pixels goes the other way.",
            lambda nats, num_pixels: nats * num_pixels * math.log(2),
        ),
    ),
)


def most_information() -> float:
    """A code can at most tell which of the 1,000 images it was."""
    return math.log(1000)


MOST_INFORMATION = Exercise(
    name="evaluation.2",
    solution=most_information,
    inputs=((),),
    meaning="Information about one of N things ends at log N.",
    hint="What is the entropy of an image drawn evenly from the thousand?",
    mistakes=(
        Mistake(
            "This is in bits: a nat takes the natural log.", lambda: math.log2(1000)
        ),
        Mistake(
            "A number of images is no number of nats: take its logarithm.",
            lambda: 1000.0,
        ),
        Mistake(
            "This is the logarithm to base 10: a nat takes the natural one.",
            lambda: 3.0,
        ),
    ),
    rtol=1e-3,  # four digits typed by hand will do
)


def spread(log_w: Tensor) -> Tensor:
    """Mean square over squared mean: S sum w^2 / (sum w)^2, in logs to the
    end, so that no common factor matters."""
    log_ratio = (2 * log_w).logsumexp(0) - 2 * log_w.logsumexp(0)
    return len(log_w) * log_ratio.exp()


LOG_W = torch.tensor([-1.0, -3.0, -2.0, -0.5]).double()
SPREAD = Exercise(
    name="evaluation.3",
    solution=spread,
    inputs=(
        (LOG_W,),
        (LOG_W - 2000,),
        (torch.zeros(7).double(),),
        (3 * LOG_W - 5,),
    ),
    meaning="It is S over the effective sample size.",
    hint="Divide the mean of w^2 by the square of the mean of w, in logarithms.",
    mistakes=(
        Mistake(
            "This is the effective sample size over S: turn the fraction round.",
            lambda log_w: 1 / spread(log_w),
        ),
        Mistake(
            "This is chi^2 alone: 1 + chi^2 was asked for.",
            lambda log_w: spread(log_w) - 1,
        ),
        Mistake(
            "These are sums where means belong: a factor S is missing.",
            lambda log_w: spread(log_w) / len(log_w),
        ),
        Mistake(
            "exp(-2000) is 0 in floating point: use logsumexp.",
            lambda log_w: log_w.exp().square().mean() / log_w.exp().mean().square(),
        ),
        Mistake(
            "This is the spread of the log-weights: the weights' is asked for.",
            lambda log_w: log_w.square().mean() / log_w.mean().square(),
        ),
    ),
)


def anneal_weight(log_lik: Tensor, beta: Tensor) -> Tensor:
    """Each rise of the temperature is paid at the place before the move."""
    return beta.diff() @ log_lik


LOG_LIK = torch.tensor([[-9.0, -4.0], [-5.0, -3.5], [-2.0, -3.0]]).double()
BETA = torch.tensor([0.0, 0.1, 0.5, 1.0]).double()
ANNEAL = Exercise(
    name="evaluation.4",
    solution=anneal_weight,
    inputs=(
        (LOG_LIK, BETA),
        (LOG_LIK[:1], BETA[[0, 3]]),
        (2 * LOG_LIK, BETA**2),
    ),
    meaning="One step alone is sampling from the prior.",
    hint="Sum (beta_t - beta_(t-1)) log p(x | z_(t-1)) over the steps.",
    mistakes=(
        Mistake(
            "The weights are the temperatures themselves: take their differences.",
            lambda log_lik, beta: beta[1:] @ log_lik,
        ),
        Mistake(
            "These are the temperatures before each rise: take the differences.",
            lambda log_lik, beta: beta[:-1] @ log_lik,
        ),
        Mistake(
            "The plain sum counts every step whole: weigh it with its rise.",
            lambda log_lik, beta: log_lik.sum(0),
        ),
        Mistake(
            "The sign is that of the way back, from the posterior to the prior.",
            lambda log_lik, beta: -beta.diff() @ log_lik,
        ),
        Mistake(
            "Your sum runs over the chains: the steps are on axis 0.",
            lambda log_lik, beta: log_lik.sum(1) @ beta.diff() / log_lik.shape[1],
        ),
    ),
)


def crowd(z: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    """log (1/N) sum_n N(z; mu_n, sigma_n^2): a Gaussian an image."""
    each = -0.5 * ((z[:, None] - mu) / sigma) ** 2  # (M, N)
    each = each - sigma.log() - 0.5 * math.log(2 * math.pi)
    return each.logsumexp(1) - math.log(len(mu))


Z = torch.tensor([-1.0, 0.0, 0.5, 60.0]).double()
MU = torch.tensor([-1.0, 0.5, 2.0]).double()
SIGMA = torch.tensor([0.5, 0.2, 1.0]).double()
CROWD = Exercise(
    name="evaluation.5",
    solution=crowd,
    inputs=(
        (Z, MU, SIGMA),
        (Z[:2], MU[:1], SIGMA[:1]),
    ),
    meaning="It is a mixture with a component for each image.",
    hint="Densities are averaged over images, then the logarithm is taken.",
    mistakes=(
        Mistake(
            "This is the mean of the log-densities: the log goes outside the mean.",
            lambda z, mu, sigma: torch.stack(
                [crowd(z, m[None], s[None]) for m, s in zip(mu, sigma, strict=True)]
            ).mean(0),
        ),
        Mistake(
            "Your value is too large by log N: a mean divides the sum by N.",
            lambda z, mu, sigma: crowd(z, mu, sigma) + math.log(len(mu)),
        ),
        Mistake(
            "Sigma stands where sigma^2 should, or the other way round.",
            lambda z, mu, sigma: crowd(z, mu, sigma.sqrt()),
        ),
        Mistake(
            "The normalising constants are missing: densities must integrate to 1.",
            lambda z, mu, sigma: (
                (-0.5 * ((z[:, None] - mu) / sigma) ** 2).logsumexp(1)
                - math.log(len(mu))
            ),
        ),
        Mistake(
            "Far from all codes the density underflows: use logsumexp.",
            lambda z, mu, sigma: (
                torch.stack(
                    [crowd(z, m[None], s[None]) for m, s in zip(mu, sigma, strict=True)]
                )
                .exp()
                .mean(0)
                .log()
            ),
        ),
    ),
)


def dreg(log_w: Tensor, slope: Tensor) -> Tensor:
    """Each draw counts with the square of its share, as dz/dmu is 1."""
    return torch.softmax(log_w, 0).square() @ slope


SLOPE = torch.tensor([0.3, -1.0, 2.0, 0.5]).double()
DREG = Exercise(
    name="evaluation.6",
    solution=dreg,
    inputs=(
        (LOG_W, SLOPE),
        (LOG_W - 2000, 2 * SLOPE),
        (LOG_W[:1], SLOPE[:1]),
    ),
    meaning="With one draw it is the path's gradient of the ELBO.",
    hint="The shares are softmax(log_w); which power of them is it?",
    mistakes=(
        Mistake(
            "The shares count once: that is the path-only gradient, and biased.",
            lambda log_w, slope: torch.softmax(log_w, 0) @ slope,
        ),
        Mistake(
            "All draws count alike: that is the ELBO's gradient.",
            lambda log_w, slope: slope.mean(),
        ),
        Mistake(
            "The squares are normalised again: they need not sum to 1.",
            lambda log_w, slope: torch.softmax(2 * log_w, 0) @ slope,
        ),
        Mistake(
            "The weights are not divided by their sum: take the shares.",
            lambda log_w, slope: log_w.exp().square() @ slope,
        ),
        Mistake(
            "The slopes are squared, not the shares.",
            lambda log_w, slope: torch.softmax(log_w, 0) @ slope.square(),
        ),
    ),
)


def constant(logit: float) -> float:
    """log(l / tanh(l / 2)). Near 0 the ratio is 2 + l^2 / 6, and far from
    it the hyperbolic tangent is 1 or -1."""
    size = abs(logit)
    if size < 1e-3:
        return math.log(2) + size**2 / 12
    return math.log(size / math.tanh(size / 2))


CONSTANT = Exercise(
    name="evaluation.7",
    solution=constant,
    inputs=(
        (2.0,),
        (0.0,),
        (-3.0,),
        (1e-9,),
        (800.0,),
    ),
    meaning="It is even in the logit, and least, log 2, at 0.",
    hint="C = l / tanh(l / 2); what is it near 0, and what does the sign do?",
    mistakes=(
        Mistake(
            "This is C itself: its logarithm was asked for.",
            lambda logit: math.exp(constant(logit)),
        ),
        Mistake(
            "The integral of the coin's formula is 1 / C: the sign is the other.",
            lambda logit: -constant(logit),
        ),
        Mistake(
            "The hyperbolic tangent is of half the logit.",
            lambda logit: constant(2 * logit) - math.log(2),
        ),
        Mistake(
            "C is 2 at a logit of 0, where one half is said of every ink: not 1.",
            lambda logit: constant(logit) if logit else 0.0,
        ),
    ),
)

EXERCISES = (
    BITS,
    MOST_INFORMATION,
    SPREAD,
    ANNEAL,
    CROWD,
    DREG,
    CONSTANT,
)
