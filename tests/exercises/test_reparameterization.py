"""Exercises of chapter 7 against autograd, quadrature and finite differences."""

import math

import numpy as np
import pytest
import torch
from exercises.answers import (
    assert_recognised,
    normal_mean,
)
from scipy import optimize, stats
from torch.distributions import Exponential, Poisson

from vaebook import reparameterization


def cubic_by_autograd(mu, log_var, eps):
    at = torch.tensor([mu, log_var], dtype=torch.float64, requires_grad=True)
    (at[0] + (at[1] / 2).exp() * eps).pow(3).mean().backward()
    return at.grad


def poisson_by_autograd(values, z, log_rate):
    """Draw by draw, the others averaged after the draw is deleted."""
    found = []
    for s, value in enumerate(values.tolist()):
        at = torch.tensor(log_rate, dtype=torch.float64, requires_grad=True)
        (score,) = torch.autograd.grad(Poisson(at.exp()).log_prob(z[s]), at)
        found.append((value - np.delete(values.numpy(), s).mean()) * score.item())
    return float(np.mean(found))


def integrated_score_var(slope, offset, mu, sigma, baseline):
    def estimate(z):
        return (slope * z + offset - baseline) * (z - mu) / sigma**2

    square = normal_mean(lambda z: estimate(z) ** 2, mu, sigma)
    return square - normal_mean(estimate, mu, sigma) ** 2


def relaxed_by_autograd(values, logits, noise, temperature):
    at = logits.clone().requires_grad_()
    weights = ((at + noise) / temperature).exp()
    (weights @ values / weights.sum(1)).mean().backward()
    return at.grad


def moved_quantile(z, weight, mu_1, mu_2):
    """Differences of the draw that scipy's root finder gives the same u."""

    def cdf(z, w):
        return w * stats.norm.cdf(z - mu_1) + (1 - w) * stats.norm.cdf(z - mu_2)

    def draw(w):
        u = cdf(z, weight)
        return optimize.brentq(lambda y: cdf(y, w) - u, -20, 20, xtol=1e-15)

    def slope(h):
        return (draw(weight + h) - draw(weight - h)) / (2 * h)

    return (4 * slope(1e-3) - slope(2e-3)) / 3  # the error of order h^2 cancels


ORACLES = {
    "reparameterization.1": lambda a, u: torch.from_numpy(stats.expon.ppf(u) / a),
    "reparameterization.2": cubic_by_autograd,
    "reparameterization.3": poisson_by_autograd,
    "reparameterization.4": integrated_score_var,
    "reparameterization.5": relaxed_by_autograd,
    "reparameterization.6": moved_quantile,
}


def cubic_of_the_library(mu, log_var, eps):
    found = reparameterization.pathwise_gradient(
        lambda z: z[:, 0] ** 3,
        eps.new_tensor([mu]),
        eps.new_tensor([log_var]),
        eps[:, None],
    )
    return torch.cat([draws.mean(0) for draws in found])


def poisson_of_the_library(values, z, log_rate):
    score = (z - math.exp(log_rate))[:, None]
    return reparameterization.score_gradient(
        values,
        reparameterization.GaussianGradient(score, score),
        reparameterization.leave_one_out(values),
    ).mu.mean()


def score_var_of_the_library(slope, offset, mu, sigma, baseline):
    def line(z):
        return slope * z[:, 0] + offset - baseline

    at_mu = torch.tensor([mu]).double()
    at_log_var = torch.tensor([2 * math.log(sigma)]).double()
    found = reparameterization.estimator_variances(line, at_mu, at_log_var)
    return found.score.mu[0]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("reparameterization.1", lambda rate, u: -(1 - u).log() / rate),
        ("reparameterization.1", lambda rate, u: Exponential(rate).icdf(u)),
        ("reparameterization.2", cubic_of_the_library),
        ("reparameterization.3", poisson_of_the_library),
        ("reparameterization.4", score_var_of_the_library),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        (
            "reparameterization.1",
            lambda rate, u: Exponential(rate).icdf(1 - u),
            "a larger u",
        ),
        (
            "reparameterization.2",
            lambda mu, log_var, eps: (
                cubic_by_autograd(mu, log_var, eps) * torch.tensor([1.0, 2.0])
            ),
            "log sigma",
        ),
        (
            "reparameterization.2",
            lambda mu, v, eps: torch.tensor(
                [3 * mu**2 + 3 * math.exp(v), 3 * mu * math.exp(v)]
            ),
            "exact gradient",
        ),
        (
            "reparameterization.3",
            lambda f, z, a: (
                (f - f.mean()) * (z - torch.tensor(a).double().exp())
            ).mean(),
            "contains the draw itself",
        ),
        (
            "reparameterization.3",
            lambda f, z, a: poisson_of_the_library(f, z, a) / math.exp(a),
            "by the rate",
        ),
        (
            "reparameterization.4",
            lambda a, c, mu, sigma, b: (a * mu + c - b) ** 2 + 2 * (a * sigma) ** 2,
            "with the variance",
        ),
        (
            "reparameterization.4",
            lambda a, c, mu, sigma, b: 2 * a**2 + ((a * mu + c) / sigma) ** 2,
            "baseline is not used",
        ),
        (
            "reparameterization.5",
            lambda f, at, noise, t: torch.zeros(3),
            "argmax has no slope",
        ),
        (
            "reparameterization.5",
            lambda f, at, noise, t: relaxed_by_autograd(t * f, at, noise, t),
            "divides once more",
        ),
        (
            "reparameterization.6",
            lambda z, w, m_1, m_2: stats.norm.cdf(z, m_1) - stats.norm.cdf(z, m_2),
            "divide by the density",
        ),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    assert_recognised(said(name, answer), advice)
