"""Exercises of chapter 11 against scipy, torch's distributions and quadrature."""

import math

import numpy as np
import pytest
import torch
from exercises.answers import (
    assert_recognised,
)
from scipy import integrate, special, stats


def by_entropy():
    return float(stats.entropy(np.full(1000, 1 / 1000)))


def spread_by_numpy(log_w):
    w = np.exp(log_w.numpy() - log_w.max().item())
    return torch.tensor((w**2).mean() / w.mean() ** 2)


def steps_one_by_one(log_lik, beta):
    total = torch.zeros_like(log_lik[0])
    for t in range(1, len(beta)):
        total = total + (beta[t] - beta[t - 1]) * log_lik[t - 1]
    return total


def crowd_by_scipy(z, mu, sigma):
    each = stats.norm.logpdf(z.numpy()[:, None], mu.numpy(), sigma.numpy())
    return torch.from_numpy(special.logsumexp(each, 1, b=1 / len(mu)))


def dreg_by_loop(log_w, slope):
    shares = special.softmax(log_w.numpy())
    return torch.tensor(
        sum(a * a * b for a, b in zip(shares, slope.tolist(), strict=True))
    )


def constant_by_quadrature(logit):
    """One over the integral of the coin's formula over ink from 0 to 1."""
    if abs(logit) > 100:  # all of it lies at one end
        return math.log(abs(logit))
    half = abs(logit) / 2

    def coin(ink):
        return math.exp(2 * half * (ink - 0.5)) / (2 * math.cosh(half))

    return -math.log(integrate.quad(coin, 0, 1, epsabs=1e-13)[0])


ORACLES = {
    "evaluation.1": lambda nats, num_pixels: math.log2(math.exp(nats / num_pixels)),
    "evaluation.2": by_entropy,
    "evaluation.3": spread_by_numpy,
    "evaluation.4": steps_one_by_one,
    "evaluation.5": crowd_by_scipy,
    "evaluation.6": dreg_by_loop,
    "evaluation.7": constant_by_quadrature,
}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("evaluation.1", lambda nats, d: np.float64(nats) / d / np.log(2)),
        ("evaluation.2", 6.9078),
        ("evaluation.2", np.log(1000)),
        ("evaluation.3", lambda w: len(w) * torch.softmax(w, 0).square().sum()),
        ("evaluation.4", lambda ll, b: ((b[1:] - b[:-1])[:, None] * ll).sum(0)),
        ("evaluation.6", lambda w, g: (torch.softmax(w, 0) ** 2 * g).sum()),
        ("evaluation.7", constant_by_quadrature),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


def naive_constant(logit):
    return math.log(logit / math.tanh(logit / 2)) if logit else 0.0


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        ("evaluation.1", lambda nats, d: nats / d, "nats per pixel"),
        ("evaluation.1", lambda nats, d: nats / np.log(2), "bits per image"),
        ("evaluation.2", 9.966, "in bits"),
        ("evaluation.2", 3, "base 10"),
        ("evaluation.2", 1000, "take its logarithm"),
        (
            "evaluation.3",
            lambda w: (w.exp() ** 2).mean() / w.exp().mean() ** 2,
            "logsumexp",
        ),
        ("evaluation.3", lambda w: spread_by_numpy(w) - 1, "chi^2 alone"),
        ("evaluation.4", lambda ll, b: b[1:] @ ll, "their differences"),
        ("evaluation.4", lambda ll, b: -(b.diff() @ ll), "the way back"),
        (
            "evaluation.5",
            lambda z, m, s: crowd_by_scipy(z, m, s) + np.log(len(m)),
            "by log N",
        ),
        ("evaluation.6", lambda w, g: torch.softmax(w, 0) @ g, "biased"),
        ("evaluation.6", lambda w, g: g.mean(), "the ELBO's gradient"),
        ("evaluation.7", naive_constant, "not 1"),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    assert_recognised(said(name, answer), advice)
