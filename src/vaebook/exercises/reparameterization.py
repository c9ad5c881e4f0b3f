"""Exercises of chapter 7: gradients through randomness."""

import math
from statistics import NormalDist

import torch
from torch import Tensor

from vaebook.exercises.record import Exercise, Mistake


def exponential_draws(rate: float, u: Tensor) -> Tensor:
    """u = F(z) = 1 - exp(-rate z), solved for z."""
    return -torch.log1p(-u) / rate


U = torch.tensor([0.125, 0.5, 0.75, 0.0625]).double()
EXPONENTIAL_DRAWS = Exercise(
    name="reparameterization.1",
    solution=exponential_draws,
    inputs=(
        (2.0, U),
        (0.25, U[:3]),
    ),
    meaning="With u held, z is smooth in the rate.",
    hint="A uniform number is where a draw stands in its law: u = F(z).",
    mistakes=(
        Mistake(
            "The same law, but a larger u gives a smaller draw: it is 1 - F(z).",
            lambda rate, u: -u.log() / rate,
        ),
        Mistake(
            "A larger rate means shorter waits: divide by it.",
            lambda rate, u: exponential_draws(1 / rate, u),
        ),
        Mistake("This is F: invert it.", lambda rate, u: 1 - torch.exp(-rate * u)),
    ),
)


def cubic_gradient(mu: float, log_var: float, eps: Tensor) -> Tensor:
    """The slope 3 z^2, times dz/dmu = 1 or dz/dlog_var = sigma eps / 2."""
    sigma = math.exp(log_var / 2)
    slope = 3 * (mu + sigma * eps) ** 2
    return torch.stack([slope.mean(), (slope * sigma * eps / 2).mean()])


def exact_cubic_gradient(mu: float, log_var: float, eps: Tensor) -> Tensor:
    """A mistake: of E[z^3] = mu^3 + 3 mu var, whatever the draws."""
    var = math.exp(log_var)
    return 3 * eps.new_tensor([mu**2 + var, mu * var])


EPS = torch.tensor([0.5, -1.25, 2.0, 0.25]).double()
CUBIC_GRADIENT = Exercise(
    name="reparameterization.2",
    solution=cubic_gradient,
    inputs=(
        (1.0, 0.8, EPS),
        (-0.5, -1.5, EPS[:3]),
    ),
    meaning="A slope, carried back to its two dials.",
    hint="Write z = mu + sigma eps with sigma = exp(log_var / 2): the chain rule.",
    mistakes=(
        Mistake(
            "The second entry is d/d log sigma: sigma = exp(log_var / 2) gives 1/2.",
            lambda *given: cubic_gradient(*given) * torch.tensor([1, 2]),
        ),
        Mistake(
            "You took exp(log_var), the variance, for sigma.",
            lambda mu, log_var, eps: cubic_gradient(mu, 2 * log_var, eps),
        ),
        Mistake(
            "This is the exact gradient: average over the draws that are given.",
            exact_cubic_gradient,
        ),
    ),
)


def poisson_gradient(values: Tensor, z: Tensor, log_rate: float) -> float:
    """log p = z log rate - rate - log z! has the derivative z - rate by
    log rate; the others' mean is (sum - own) / (S - 1)."""
    others = (values.sum() - values) / (len(values) - 1)
    return ((values - others) * (z - math.exp(log_rate))).mean().item()


VALUES = torch.tensor([2.0, 5.0, 1.0, 3.5]).double()
Z = torch.tensor([3, 0, 1, 7]).double()
POISSON_GRADIENT = Exercise(
    name="reparameterization.3",
    solution=poisson_gradient,
    inputs=(
        (VALUES, Z, 0.7),
        (10 - VALUES[1:], Z[1:], -0.4),
    ),
    meaning="f needs no slope: z is a count.",
    hint="Differentiate log p(z) by log rate, and subtract from each value a mean.",
    mistakes=(
        Mistake(
            "No baseline: subtract the mean value of the other draws.",
            lambda values, z, log_rate: (
                (values * (z - math.exp(log_rate))).mean().item()
            ),
        ),
        Mistake(
            "This mean contains the draw itself: the estimate shrinks by 1 - 1/S.",
            lambda values, z, log_rate: (
                poisson_gradient(values, z, log_rate) * (1 - 1 / len(values))
            ),
        ),
        Mistake(
            "The derivative by log rate is rate times this one, by the rate.",
            lambda values, z, log_rate: (
                poisson_gradient(values, z, log_rate) / math.exp(log_rate)
            ),
        ),
        Mistake(
            "The baseline belongs to f, not to the score.",
            lambda values, z, log_rate: (
                (values * (z - math.exp(log_rate)) - values.mean()).mean().item()
            ),
        ),
    ),
)


def score_var(
    slope: float, offset: float, mu: float, sigma: float, baseline: float
) -> float:
    """With d = a mu + c - b a draw is (d + a sigma eps) eps / sigma, whose
    square has the mean d^2 / sigma^2 + 3 a^2; its mean is a."""
    above = slope * mu + offset - baseline
    return (above / sigma) ** 2 + 2 * slope**2


SCORE_VAR = Exercise(
    name="reparameterization.4",
    solution=score_var,
    inputs=(
        (1.5, 4.0, 1.0, 0.5, 0.0),
        (-2.0, 0.5, 3.0, 2.0, 1.0),
    ),
    meaning="The pathwise gradient has no variance here.",
    hint="Write z = mu + sigma eps; eps^2 and eps^4 have the means 1 and 3.",
    mistakes=(
        Mistake(
            "This is the mean square: subtract the squared gradient.",
            lambda slope, *rest: score_var(slope, *rest) + slope**2,
        ),
        Mistake(
            "E[eps^4] is 3, not 1.",
            lambda slope, *rest: score_var(slope, *rest) - 2 * slope**2,
        ),
        Mistake(
            "The baseline is not used.",
            lambda slope, offset, mu, sigma, baseline: score_var(
                slope, offset, mu, sigma, 0.0
            ),
        ),
        Mistake(
            "The score is (z - mu) / sigma^2, with the variance.",
            lambda slope, offset, mu, sigma, baseline: (
                sigma**2 * score_var(slope, offset, mu, sigma, baseline)
            ),
        ),
    ),
)


def relaxed_gradient(
    values: Tensor, logits: Tensor, noise: Tensor, temperature: float
) -> Tensor:
    """dy_k/dl_j is y_k ([j = k] - y_j) / tau, so each f_j counts by how far
    it is above the draw's own mean value."""
    y = torch.softmax((logits + noise) / temperature, 1)  # (S, K)
    own = (y @ values)[:, None]  # (S, 1)
    return (y * (values - own)).mean(0) / temperature


K_VALUES = torch.tensor([2.0, 5.0, 1.0]).double()
K_LOGITS = torch.tensor([1.5, -0.5, 0.0]).double()
OTHER_K_VALUES = torch.tensor([0.0, 1.0, 7.0]).double()
OTHER_K_LOGITS = torch.tensor([-0.5, -2.0, 0.25]).double()
NOISE = torch.tensor([[0.5, 2.0, -0.25], [1.5, -0.5, 0.0]]).double()
RELAXED_GRADIENT = Exercise(
    name="reparameterization.5",
    solution=relaxed_gradient,
    inputs=(
        (K_VALUES, K_LOGITS, NOISE, 0.5),
        (OTHER_K_VALUES, OTHER_K_LOGITS, NOISE.flip(1), 2.0),
    ),
    meaning="A path, for a problem near the true one.",
    hint="Find dy_k / dl_j first: it is that of a softmax, over the temperature.",
    mistakes=(
        Mistake(
            "The temperature divides once more: y is a function of l / tau.",
            lambda values, logits, noise, temperature: (
                relaxed_gradient(values, logits, noise, temperature) * temperature
            ),
        ),
        Mistake(
            "y sums to 1: raising one entry lowers the others.",
            lambda values, logits, noise, temperature: (
                ((logits + noise) / temperature).softmax(1).mean(0)
                * values
                / temperature
            ),
        ),
        Mistake(
            "argmax has no slope, a softmax has.",
            lambda values, *rest: torch.zeros_like(values),
        ),
        Mistake(
            "Average over the noise.",
            # the sum over two draws
            lambda *given: 2 * relaxed_gradient(*given),
        ),
    ),
)


def mixture_slope(
    z: float,
    weight: float,
    mu_1: float,
    mu_2: float,
) -> float:
    """u = F(z; w) is held, so 0 = p(z) dz/dw + dF/dw, and dF/dw is the
    difference of the two distribution functions."""
    one = NormalDist(mu_1)
    other = NormalDist(mu_2)
    density = weight * one.pdf(z) + (1 - weight) * other.pdf(z)
    return (other.cdf(z) - one.cdf(z)) / density


MIXTURE_SLOPE = Exercise(
    name="reparameterization.6",
    solution=mixture_slope,
    inputs=(
        (0.5, 0.3, 2.0, -1.0),
        (-1.0, 0.75, -2.0, 1.5),
    ),
    meaning="A slope of draws that have no formula.",
    hint="Differentiate F(z; w) = u on both sides, with z a function of w.",
    mistakes=(
        Mistake(
            "The sign: where F rises with w, the draw of the same u moves down.",
            lambda *given: -mixture_slope(*given),
        ),
        Mistake(
            "This is dF/dw where z is held: hold u, and divide by the density.",
            lambda z, weight, mu_1, mu_2: (
                NormalDist(mu_1).cdf(z) - NormalDist(mu_2).cdf(z)
            ),
        ),
        Mistake(
            "w chooses between two draws, it does not mix them.",
            lambda z, weight, mu_1, mu_2: mu_1 - mu_2,
        ),
    ),
)

EXERCISES = (
    EXPONENTIAL_DRAWS,
    CUBIC_GRADIENT,
    POISSON_GRADIENT,
    SCORE_VAR,
    RELAXED_GRADIENT,
    MIXTURE_SLOPE,
)
