"""What the tests of several chapters' exercises share: answers and comparisons."""

import copy
import re
from decimal import Decimal

import torch
from scipy import integrate, optimize, stats
from torch.distributions import (
    Bernoulli,
    Independent,
    MultivariateNormal,
    Normal,
    kl_divergence,
)

from vaebook import bayes
from vaebook.exercises import exercises
from vaebook.exercises.judge import tried

EXERCISES = exercises()


def assert_equals_solution(name, oracle):
    """The oracle gives what the solution gives, to a hundredth of what is allowed."""
    exercise = EXERCISES[name]
    for inputs in exercise.inputs:
        expected = tried(exercise, oracle)(*copy.deepcopy(inputs))
        received = tried(exercise, exercise.solution)(*copy.deepcopy(inputs))
        assert type(received) is type(expected)
        torch.testing.assert_close(
            received, expected, rtol=exercise.rtol / 100, atol=1e-7
        )


def assert_recognised(lines, advice):
    """What was printed says that the value or shape differs, and gives the advice."""
    text = joined(lines)
    assert "not yet, the value differs" in text or "the shape differs" in text
    assert advice in text


def joined(lines):
    """The lines as one, so that a wrapped sentence can be found."""
    return re.sub(r"\s+", " ", " ".join(lines))


def normal_mean(f, mu, sigma):
    """E[f(z)] for z from N(mu, sigma^2), by adaptive quadrature."""

    def weighted(eps):
        return stats.norm.pdf(eps) * f(mu + sigma * eps)

    return float(integrate.quad(weighted, -15, 15, epsabs=1e-12, epsrel=1e-12)[0])


def exact_shares(logs, weights):
    """weights exp(logs) over their sum, in 28 digits: nothing underflows."""
    pairs = zip(logs.tolist(), weights.tolist(), strict=True)
    terms = [Decimal(weight) * Decimal(log).exp() for log, weight in pairs]
    return [term / sum(terms) for term in terms]


def normal_kl(mu, sigma):
    """From N(0, 1), by torch."""
    return kl_divergence(Normal(mu, sigma), Normal(0.0, 1.0)).item()


def descended_vars(cov):
    """Where the gradient of torch's KL in the log-variances is zero."""
    zero = torch.zeros(len(cov)).double()

    def slope(log_var):
        at = torch.tensor(log_var, requires_grad=True)
        q = MultivariateNormal(zero, at.exp().diag())
        kl = kl_divergence(q, MultivariateNormal(zero, cov))
        return torch.autograd.grad(kl, at)[0].numpy()

    return torch.from_numpy(optimize.root(slope, zero.numpy(), tol=1e-13).x).exp()


def linear(weights, offset, sigma):
    """The library's model: x is weights z + offset and noise of one sigma."""
    prior = bayes.standard_gaussian(weights.shape[1])
    return bayes.LinearGaussian(prior, weights, offset, 0 * offset + sigma**2)


def distributions_loss(x, logits, mu, log_var):
    """Minus the ELBO, averaged over images, by torch's distributions."""
    log_lik = Independent(Bernoulli(logits=logits), 1).log_prob(x)
    q = Independent(Normal(mu, torch.exp(log_var / 2)), 1)
    p = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    return (kl_divergence(q, p) - log_lik).mean()


def exits(*_):
    """An answer that would end the program."""
    raise SystemExit("leaving")
