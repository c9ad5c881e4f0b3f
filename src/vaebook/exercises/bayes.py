"""Exercises of chapter 4: Bayesian inference."""

import math

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal

from vaebook.exercises.verdict import Exercise, Mistake


def posterior_mean(x: Tensor, sigma: float, mu: float, tau: float) -> float:
    """Precisions add, 1 / tau^2 of the prior and N / sigma^2 of the data,
    and each weighs its own mean."""
    prior, data = 1 / tau**2, len(x) / sigma**2
    return (prior * mu + data * x.mean().item()) / (prior + data)


X = torch.tensor([3.0, 5.0, 4.0, 7.0]).double()
POSTERIOR_MEAN = Exercise(
    name="bayes.1",
    solution=posterior_mean,
    inputs=((X, 2.0, 0.0, 0.5), (X[:1], 0.3, 10.0, 2.0), (-X[1:], 3.0, 1.0, 4.0)),
    meaning="The prior counts as sigma^2 / tau^2 measurements.",
    hint="Weigh mu and the mean of x with their precisions, 1 over a variance each.",
    mistakes=(
        Mistake("The prior is not used.", lambda x, *prior: x.mean().item()),
        Mistake(
            "A precision is 1 over a variance: square sigma and tau.",
            lambda x, sigma, mu, tau: posterior_mean(x, sigma**0.5, mu, tau**0.5),
        ),
        Mistake(
            "N measurements have N times the precision of one.",
            lambda x, *prior: posterior_mean(x.mean(0, True), *prior),
        ),
        Mistake(
            "Upside down: the surer of the two counts for more.",
            lambda x, s, mu, tau: posterior_mean(x, len(x) / s, mu, 1 / tau),
        ),
    ),
)


def two_ones(ones: float, zeros: float, a: float, b: float) -> float:
    """The chain rule: the next toss shows 1 with the posterior's mean, then
    counts as a 1 itself, and raises that mean."""
    one, total = a + ones, a + b + ones + zeros
    return one / total * (one + 1) / (total + 1)


TWO_ONES = Exercise(
    name="bayes.2",
    solution=two_ones,
    inputs=((3.0, 1.0, 1.0, 2.0), (0.0, 4.0, 2.0, 2.0), (50.0, 30.0, 0.5, 0.5)),
    meaning="While the coin is unknown, tosses depend on each other.",
    hint="p(1, 1) = p(1) p(1 | 1): after the first, count it before the second.",
    mistakes=(
        Mistake(
            "You square one toss's probability: the first tells about the second.",
            lambda n, m, a, b: ((a + n) / (a + b + n + m)) ** 2,
        ),
        Mistake(
            "You plug in the posterior's mode: average over the posterior.",
            lambda n, m, a, b: ((a + n - 1) / (a + b + n + m - 2)) ** 2,
        ),
        Mistake("The prior is not used.", lambda n, m, a, b: (n / (n + m)) ** 2),
        Mistake("This is one toss.", lambda n, m, a, b: (a + n) / (a + b + n + m)),
    ),
)


def log_p_tosses(ones: float, zeros: float, a: float, b: float) -> float:
    """log B(a + ones, b + zeros) - log B(a, b): the integral of prior times
    likelihood is the posterior's normaliser over the prior's."""
    before = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    a, b = a + ones, b + zeros
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b) - before


def log_p_counts(n: float, m: float, a: float, b: float) -> float:
    log_choose = -log_p_tosses(n, m, 1.0, 1.0) - math.log(n + m + 1)
    return log_p_tosses(n, m, a, b) + log_choose


LOG_P_TOSSES = Exercise(
    name="bayes.3",
    solution=log_p_tosses,
    inputs=((3.0, 1.0, 2.0, 2.0), (8.0, 2.0, 0.5, 1.0), (3000.0, 2000.0, 2.0, 3.0)),
    meaning="Its exp is how probable the model called these tosses.",
    hint="B(a, b) = Gamma(a) Gamma(b) / Gamma(a + b); math.lgamma is log Gamma.",
    mistakes=(
        Mistake("The order is given: no binomial coefficient.", log_p_counts),
        Mistake(
            "This is the best coin's log-likelihood: average over all coins.",
            lambda n, m, *ab: n * math.log(n / (n + m)) + m * math.log(m / (n + m)),
        ),
        Mistake(
            "B(a, b) is missing: it makes the prior integrate to 1.",
            lambda n, m, a, b: log_p_tosses(a + n - 1, b + m - 1, 1.0, 1.0),
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
    inputs=((X, 2.0, 0.5), (X[:1], 0.3, 10.0), (9 * X, 2.0, 0.5)),
    meaning="With more data it falls to sigma^2, not to 0.",
    hint="A measurement is the mean plus noise, and their variances add.",
    mistakes=(
        Mistake("The mean is not known: add its variance.", lambda x, s, t: s**2),
        Mistake(
            "This is the mean's variance: a measurement scatters around it.",
            lambda x, sigma, tau: predictive_var(x, sigma, tau) - sigma**2,
        ),
        Mistake("tau^2 was before x was seen.", lambda x, s, t: t**2 + s**2),
        Mistake(
            "The noise's variance is sigma^2, which is known, whatever x is.",
            lambda x, s, t: predictive_var(x, s, t) - s**2 + x.var(correction=0).item(),
        ),
    ),
)


def model_posterior(log_evidence: Tensor, prior: Tensor) -> Tensor:
    """p(M|x) is p(x|M) p(M) over its sum; softmax takes out the largest
    log before it exponentiates."""
    return (log_evidence + prior.log()).softmax(0)


LOG_P_X, PRIOR = torch.tensor([[-2.0, -1.0, -2.5], [0.625, 0.125, 0.25]]).double()
MODEL_POSTERIOR = Exercise(
    name="bayes.5",
    solution=model_posterior,
    inputs=((LOG_P_X, PRIOR), (LOG_P_X - 3600, PRIOR), (9 * LOG_P_X, PRIOR.round())),
    meaning="Only differences of log-evidence count.",
    hint="Add log p(M), subtract the largest, and only then exponentiate.",
    mistakes=(
        Mistake("The prior is not used.", lambda log_p, prior: log_p.softmax(0)),
        Mistake(
            "exp(-3600) is 0 in floating point: subtract the largest first.",
            lambda log_p, prior: log_p.exp() * prior / (log_p.exp() @ prior),
        ),
        Mistake(
            "These do not sum to 1: normalise after the prior.",
            lambda log_p, prior: log_p.softmax(0) * prior,
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
    cov = w @ w.T + sigma**2 * torch.eye(len(w)).to(x)
    return MultivariateNormal(b, cov).log_prob(x)


def best_code(x: Tensor, w: Tensor, b: Tensor, sigma: float) -> Tensor:
    decoded = b + (x - b) @ (w @ w.pinverse())
    return Normal(decoded, sigma).log_prob(x).sum(1)


ROWS = torch.tensor([[1.0, 2.0, 0.5], [-1.0, 0.0, 3.0]]).double()
W = torch.tensor([[1.0, 0.5], [0.0, 1.0], [-1.0, 0.5]]).double()
LOG_EVIDENCE = Exercise(
    name="bayes.6",
    solution=log_evidence,
    inputs=((ROWS, W, W[:, 1], 0.8), (ROWS.T, ROWS.T[1:], W[0], 2.0)),
    meaning="The integral over z is done, without a sample.",
    hint="A sum of Gaussians is Gaussian: what are its mean and its covariance?",
    mistakes=(
        Mistake(
            "The noise's variance is sigma^2.",
            lambda *given: log_evidence(*given[:3], math.sqrt(given[3])),
        ),
        Mistake(
            "You decode z = 0 alone: average p(x|z) over every z.",
            lambda x, w, *noise: Normal(*noise).log_prob(x).sum(1),
        ),
        Mistake("You decode the best z alone: average over every z.", best_code),
    ),
)

EXERCISES = (
    *(POSTERIOR_MEAN, TWO_ONES, LOG_P_TOSSES),
    *(PREDICTIVE_VAR, MODEL_POSTERIOR, LOG_EVIDENCE),
)
