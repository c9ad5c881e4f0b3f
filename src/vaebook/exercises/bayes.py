"""Exercises of chapter 4: Bayesian inference."""

import math

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal

from vaebook.exercises.record import Exercise, Mistake


def posterior_mean(x: Tensor, sigma: float, mu: float, tau: float) -> float:
    """Precisions add, 1 / tau^2 of the prior and N / sigma^2 of the data,
    and each weighs its own mean."""
    prior = 1 / tau**2
    data = len(x) / sigma**2
    return (prior * mu + data * x.mean().item()) / (prior + data)


X = torch.tensor([3.0, 5.0, 4.0, 7.0]).double()
POSTERIOR_MEAN = Exercise(
    name="bayes.1",
    solution=posterior_mean,
    inputs=(
        (X, 2.0, 0.0, 0.5),
        (X[:1], 0.3, 10.0, 2.0),
        (-X[1:], 3.0, 1.0, 4.0),
    ),
    meaning="The prior counts as sigma^2 / tau^2 measurements.",
    hint="Weigh mu and the mean of x with their precisions, 1 over a variance each.",
    mistakes=(
        Mistake(
            "The prior is not used.",
            lambda x, sigma, mu, tau: x.mean().item(),
        ),
        Mistake(
            "A precision is 1 over a variance: square sigma and tau.",
            lambda x, sigma, mu, tau: posterior_mean(x, sigma**0.5, mu, tau**0.5),
        ),
        Mistake(
            "N measurements have N times the precision of one.",
            lambda x, *rest: posterior_mean(x.mean(0, keepdim=True), *rest),
        ),
        Mistake(
            "Upside down: the surer of the two counts for more.",
            # each weighs with its variance, sigma^2 / N or tau^2
            lambda x, sigma, mu, tau: posterior_mean(x, len(x) / sigma, mu, 1 / tau),
        ),
    ),
)


def two_ones(ones: float, zeros: float, a: float, b: float) -> float:
    """The chain rule: the next toss shows 1 with the posterior's mean, then
    counts as a 1 itself, and raises that mean."""
    one = a + ones
    total = a + b + ones + zeros
    return one / total * (one + 1) / (total + 1)


TWO_ONES = Exercise(
    name="bayes.2",
    solution=two_ones,
    inputs=(
        (3.0, 1.0, 1.0, 2.0),
        (0.0, 4.0, 2.0, 2.0),
        (50.0, 30.0, 0.5, 0.5),
    ),
    meaning="While the coin is unknown, tosses depend on each other.",
    hint="p(1, 1) = p(1) p(1 | 1): after the first, count it before the second.",
    mistakes=(
        Mistake(
            "You square one toss's probability: the first tells about the second.",
            lambda ones, zeros, a, b: ((a + ones) / (a + b + ones + zeros)) ** 2,
        ),
        Mistake(
            "You plug in the posterior's mode: average over the posterior.",
            lambda ones, zeros, a, b: (
                ((a + ones - 1) / (a + b + ones + zeros - 2)) ** 2
            ),
        ),
        Mistake(
            "The prior is not used.",
            lambda ones, zeros, a, b: (ones / (ones + zeros)) ** 2,
        ),
        Mistake(
            "This is one toss.",
            lambda ones, zeros, a, b: (a + ones) / (a + b + ones + zeros),
        ),
    ),
)


def log_p_tosses(ones: float, zeros: float, a: float, b: float) -> float:
    """log B(a + ones, b + zeros) - log B(a, b): the integral of prior times
    likelihood is the posterior's normaliser over the prior's."""
    before = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    a, b = a + ones, b + zeros
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b) - before


def log_p_counts(ones: float, zeros: float, a: float, b: float) -> float:
    """A mistake: the tosses in any order, of which there is a binomial number."""
    log_choose = -log_p_tosses(ones, zeros, 1.0, 1.0) - math.log(ones + zeros + 1)
    return log_p_tosses(ones, zeros, a, b) + log_choose


def best_coin(ones: float, zeros: float, a: float, b: float) -> float:
    """A mistake: the log-likelihood at its maximum, whatever the prior."""
    total = ones + zeros
    return ones * math.log(ones / total) + zeros * math.log(zeros / total)


LOG_P_TOSSES = Exercise(
    name="bayes.3",
    solution=log_p_tosses,
    inputs=(
        (3.0, 1.0, 2.0, 2.0),
        (8.0, 2.0, 0.5, 1.0),
        (3000.0, 2000.0, 2.0, 3.0),
    ),
    meaning="Its exp is how probable the model called these tosses.",
    hint="B(a, b) = Gamma(a) Gamma(b) / Gamma(a + b); math.lgamma is log Gamma.",
    mistakes=(
        Mistake("The order is given: no binomial coefficient.", log_p_counts),
        Mistake(
            "This is the best coin's log-likelihood: average over all coins.",
            best_coin,
        ),
        Mistake(
            "B(a, b) is missing: it makes the prior integrate to 1.",
            lambda ones, zeros, a, b: log_p_tosses(
                a + ones - 1, b + zeros - 1, 1.0, 1.0
            ),
        ),
    ),
)


def predictive_var(x: Tensor, sigma: float, tau: float) -> float:
    """The mean has its posterior variance, and the next measurement
    scatters around it with sigma^2; of x only the number matters."""
    return 1 / (1 / tau**2 + len(x) / sigma**2) + sigma**2


PREDICTIVE_VAR = Exercise(
    name="bayes.4",
    solution=predictive_var,
    inputs=(
        (X, 2.0, 0.5),
        (X[:1], 0.3, 10.0),
        (9 * X, 2.0, 0.5),
    ),
    meaning="With more data it falls to sigma^2, not to 0.",
    hint="A measurement is the mean plus noise, and their variances add.",
    mistakes=(
        Mistake(
            "The mean is not known: add its variance.",
            lambda x, sigma, tau: sigma**2,
        ),
        Mistake(
            "This is the mean's variance: a measurement scatters around it.",
            lambda x, sigma, tau: predictive_var(x, sigma, tau) - sigma**2,
        ),
        Mistake(
            "tau^2 was before x was seen.",
            lambda x, sigma, tau: tau**2 + sigma**2,
        ),
        Mistake(
            "The noise's variance is sigma^2, which is known, whatever x is.",
            lambda x, sigma, tau: (
                predictive_var(x, sigma, tau) - sigma**2 + x.var(correction=0).item()
            ),
        ),
    ),
)


def model_posterior(log_evidence: Tensor, prior: Tensor) -> Tensor:
    """p(M|x) is p(x|M) p(M) over its sum; softmax takes out the largest
    log before it exponentiates."""
    return (log_evidence + prior.log()).softmax(0)


LOG_P_X = torch.tensor([-2.0, -1.0, -2.5]).double()
PRIOR = torch.tensor([0.625, 0.125, 0.25]).double()
CERTAIN = torch.tensor([1.0, 0.0, 0.0]).double()
MODEL_POSTERIOR = Exercise(
    name="bayes.5",
    solution=model_posterior,
    inputs=(
        (LOG_P_X, PRIOR),
        (LOG_P_X - 3600, PRIOR),
        (9 * LOG_P_X, CERTAIN),
    ),
    meaning="Only differences of log-evidence count.",
    hint="Add log p(M), subtract the largest, and only then exponentiate.",
    mistakes=(
        Mistake(
            "The prior is not used.",
            lambda log_evidence, prior: log_evidence.softmax(0),
        ),
        Mistake(
            "exp(-3600) is 0 in floating point: subtract the largest first.",
            lambda log_evidence, prior: (
                log_evidence.exp() * prior / (log_evidence.exp() @ prior)
            ),
        ),
        Mistake(
            "These do not sum to 1: normalise after the prior.",
            lambda log_evidence, prior: log_evidence.softmax(0) * prior,
        ),
        Mistake(
            "This is a choice: the other models keep a probability.",
            lambda *given: model_posterior(*given).round(),
        ),
    ),
)


def log_evidence(x: Tensor, w: Tensor, b: Tensor, sigma: float) -> Tensor:
    """x is w z + b + noise, so Gaussian with mean b, and the covariances
    w w^T and sigma^2 I add."""
    cov = w @ w.T + sigma**2 * torch.eye(len(w)).to(x)  # (D, D)
    return MultivariateNormal(b, cov).log_prob(x)


def best_code(x: Tensor, w: Tensor, b: Tensor, sigma: float) -> Tensor:
    """A mistake: log p(x|z) at the z that decodes to the nearest image."""
    onto_columns = w @ w.pinverse()  # (D, D), symmetric
    decoded = b + (x - b) @ onto_columns
    return Normal(decoded, sigma).log_prob(x).sum(1)


ROWS = torch.tensor([[1.0, 2.0, 0.5], [-1.0, 0.0, 3.0]]).double()
W = torch.tensor([[1.0, 0.5], [0.0, 1.0], [-1.0, 0.5]]).double()
B = torch.tensor([0.5, 1.0, 0.5]).double()
FLAT_ROWS = torch.tensor([[1.0, -1.0], [2.0, 0.0], [0.5, 3.0]]).double()
FLAT_W = torch.tensor([[2.0, 0.0], [0.5, 3.0]]).double()
FLAT_B = torch.tensor([1.0, 0.5]).double()
LOG_EVIDENCE = Exercise(
    name="bayes.6",
    solution=log_evidence,
    inputs=(
        (ROWS, W, B, 0.8),
        (FLAT_ROWS, FLAT_W, FLAT_B, 2.0),
    ),
    meaning="The integral over z is done, without a sample.",
    hint="A sum of Gaussians is Gaussian: what are its mean and its covariance?",
    mistakes=(
        Mistake(
            "The noise's variance is sigma^2.",
            lambda x, w, b, sigma: log_evidence(x, w, b, math.sqrt(sigma)),
        ),
        Mistake(
            "You decode z = 0 alone: average p(x|z) over every z.",
            lambda x, w, b, sigma: Normal(b, sigma).log_prob(x).sum(1),
        ),
        Mistake("You decode the best z alone: average over every z.", best_code),
    ),
)

EXERCISES = (
    POSTERIOR_MEAN,
    TWO_ONES,
    LOG_P_TOSSES,
    PREDICTIVE_VAR,
    MODEL_POSTERIOR,
    LOG_EVIDENCE,
)
