"""Exercises of chapter 2: maximum a posteriori estimation."""

import math

import torch
from torch import Tensor

from vaebook.exercises.record import Exercise, Mistake


def coin_mode(ones: float, zeros: float, a: float, b: float) -> float:
    """The posterior is Beta(ones + a, zeros + b), whose mode is
    (ones + a - 1) / (ones + zeros + a + b - 2)."""
    return (ones + a - 1) / (ones + zeros + a + b - 2)


COIN_MODE = Exercise(
    name="map.1",
    solution=coin_mode,
    inputs=(
        (4.0, 1.0, 2.0, 4.0),
        (0.0, 10.0, 2.0, 2.0),
        (5.0, 2.0, 1.0, 1.0),
    ),
    meaning="Beta(a, b) counts as a - 1 ones and b - 1 zeros.",
    hint="The log-posterior is (ones + a - 1) log pi + (zeros + b - 1) log(1 - pi).",
    mistakes=(
        Mistake(
            "This is maximum likelihood: the prior is not used.",
            lambda ones, zeros, a, b: ones / (ones + zeros),
        ),
        Mistake(
            "This is the posterior's mean: the mode has a - 1 and b - 1.",
            lambda ones, zeros, a, b: (ones + a) / (ones + zeros + a + b),
        ),
        Mistake(
            "a and b are exchanged: a belongs to the ones.",
            lambda ones, zeros, a, b: coin_mode(ones, zeros, b, a),
        ),
    ),
)


def logit_mode(ones: Tensor, zeros: Tensor) -> Tensor:
    """The logit's density is that of pi times dpi/dlogit = pi (1 - pi):
    pi^(ones + 1) (1 - pi)^(zeros + 1), a one and a zero more."""
    return ((ones + 1) / (zeros + 1)).log()


ONES = torch.tensor([3.0, 0.0, 7.0]).double()
ZEROS = torch.tensor([1.0, 5.0, 7.0]).double()
OTHER_ONES = torch.tensor([3.0, 7.0, 9.0]).double()
OTHER_ZEROS = torch.tensor([3.0, 0.0, 7.0]).double()
LOGIT_MODE = Exercise(
    name="map.2",
    solution=logit_mode,
    inputs=(
        (ONES, ZEROS),
        (OTHER_ONES, OTHER_ZEROS),
    ),
    meaning="A prior that is flat in pi is not flat in the logit.",
    hint="Multiply the posterior of pi by dpi/dlogit = pi (1 - pi), then maximise.",
    mistakes=(
        Mistake(
            "This is the logit of pi's mode: the logit's density has dpi/dlogit too.",
            lambda ones, zeros: (ones / zeros).log(),
        ),
        Mistake(
            "The factor is dpi/dlogit = pi (1 - pi); you divide by it.",
            lambda ones, zeros: ((ones - 1) / (zeros - 1)).log(),
        ),
        Mistake(
            "This is the probability: its logit is asked for.",
            lambda ones, zeros: logit_mode(ones, zeros).sigmoid(),
        ),
        Mistake(
            "This is the logit's posterior mean: its mode is asked for.",
            lambda ones, zeros: (ones + 1).digamma() - (zeros + 1).digamma(),
        ),
    ),
)


def penalty(sigma: float, tau: float, n: float) -> float:
    """Minus the log-posterior is sum (y - Xw)^2 / (2 sigma^2) +
    sum w^2 / (2 tau^2); times 2 sigma^2 / n, the first is the mean."""
    return sigma**2 / (n * tau**2)


PENALTY = Exercise(
    name="map.3",
    solution=penalty,
    inputs=(
        (2.0, 0.5, 40.0),
        (0.3, 3.0, 1000.0),
    ),
    meaning="The more rows, the weaker the same prior in a mean.",
    hint="Scale minus the log-posterior until the squared errors stand as a mean.",
    mistakes=(
        Mistake(
            "This is for the sum of squared errors: their mean is n times smaller.",
            lambda sigma, tau, n: (sigma / tau) ** 2,
        ),
        Mistake("Sigma and tau are squared.", lambda sigma, tau, n: sigma / tau / n),
        Mistake(
            "Upside down: noise makes the prior count more, a wide prior less.",
            lambda sigma, tau, n: tau**2 / (n * sigma**2),
        ),
        Mistake(
            "Both terms have a 1/2: it cancels.",
            lambda *given: penalty(*given) / 2,
        ),
    ),
)


def laplace_map(y: Tensor, sigma: float, b: float) -> Tensor:
    """The slope of (y - w)^2 / 2 sigma^2 + |w| / b is zero sigma^2 / b from
    y; where that would cross 0, the minimum is at the kink, 0."""
    return y - y.clamp(-(sigma**2) / b, sigma**2 / b)


Y = torch.tensor([3.0, -2.0, 0.5, -0.25, 0.0]).double()
LAPLACE_MAP = Exercise(
    name="map.4",
    solution=laplace_map,
    inputs=(
        (Y, 2.0, 4.0),
        (Y, 0.5, 0.5),
    ),
    meaning="All shrink by the same amount; small ones are 0.",
    hint="Minimise (y - w)^2 / (2 sigma^2) + |w| / b for w > 0, w < 0 and w = 0.",
    mistakes=(
        Mistake(
            "Values that are not set to 0 move towards it too, by sigma^2 / b.",
            lambda y, sigma, b: y * (y.abs() > sigma**2 / b),
        ),
        Mistake(
            "The threshold is sigma^2 / b: your sigma is not squared.",
            lambda y, sigma, b: laplace_map(y, math.sqrt(sigma), b),
        ),
        Mistake(
            "A value within sigma^2 / b of 0 stops at 0: yours go past it.",
            lambda y, sigma, b: y - y.sign() * sigma**2 / b,
        ),
        Mistake(
            "Negative values shrink too: keep y's sign, threshold its size.",
            lambda y, sigma, b: (y - sigma**2 / b).clamp(min=0),
        ),
        Mistake(
            "You divide by 1 + sigma^2 / b^2, as under a Gaussian prior.",
            lambda y, sigma, b: y / (1 + sigma**2 / b**2),
        ),
    ),
)


def step(w: Tensor, g: Tensor, rate: float, tau: float, n: float) -> Tensor:
    """The log-prior's part of the loss, |w|^2 / (2 n tau^2), has the
    gradient w / (n tau^2)."""
    return w - rate * (g + w / (n * tau**2))


W = torch.tensor([1.0, -2.0, 0.5]).double()
G = torch.tensor([0.3, 0.2, -0.1]).double()
SMALL_W = torch.tensor([0.3, 0.2, -0.1]).double()
LARGE_G = torch.tensor([1.0, -2.0, 0.5]).double()
STEP = Exercise(
    name="map.5",
    solution=step,
    inputs=(
        (W, G, 0.1, 0.5, 20.0),
        (SMALL_W, LARGE_G, 0.5, 2.0, 100.0),
    ),
    meaning="For SGD, weight decay 1 / (n tau^2) is a Gaussian prior.",
    hint="Add the gradient of |w|^2 / (2 n tau^2) to the one given.",
    mistakes=(
        Mistake(
            "The loss is a mean over n examples: divide the prior's part by n too.",
            lambda w, g, rate, tau, n: step(w, g, rate, tau, 1.0),
        ),
        Mistake(
            "The decay is not multiplied with the rate: it is a part of the gradient.",
            lambda w, g, rate, tau, n: w - rate * g - w / (n * tau**2),
        ),
        Mistake(
            "Your weights grow: the prior pulls them towards 0.",
            lambda w, g, rate, tau, n: step(w, g, rate, tau, -n),
        ),
    ),
)


def sigma_mode(mu: float, tau: float) -> float:
    """The density of sigma is N(log sigma; mu, tau^2) / sigma; its log
    has slope 0 in log sigma where -(log sigma - mu) / tau^2 = 1."""
    return math.exp(mu - tau**2)


SIGMA_MODE = Exercise(
    name="map.6",
    solution=sigma_mode,
    inputs=(
        (0.0, 0.5),
        (1.0, 2.0),
        (-2.0, 0.1),
    ),
    meaning="The mode depends on the coordinates; an MLE does not.",
    hint="Divide the density of log sigma by sigma before you maximise.",
    mistakes=(
        Mistake(
            "Log sigma is most probable there; sigma's density has 1 / sigma too.",
            lambda mu, tau: math.exp(mu),
        ),
        Mistake(
            "This is the mean of sigma: its mode is asked for.",
            lambda mu, tau: math.exp(mu + tau**2 / 2),
        ),
        Mistake(
            "You multiply by sigma: the density of sigma is divided by it.",
            lambda mu, tau: math.exp(mu + tau**2),
        ),
        Mistake("This is log sigma: sigma is asked for.", lambda mu, tau: mu - tau**2),
    ),
)

EXERCISES = (
    COIN_MODE,
    LOGIT_MODE,
    PENALTY,
    LAPLACE_MAP,
    STEP,
    SIGMA_MODE,
)
