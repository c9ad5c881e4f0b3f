"""Exercises of chapter 1 against scipy and autograd."""

import math

import numpy as np
import pytest
import torch
from exercises.answers import (
    assert_recognised,
)
from scipy import special, stats
from torch.distributions import Bernoulli, Normal
from torch.nn.functional import softplus

from vaebook.likelihood import bernoulli_log_prob


def fitted_log_lik(x):
    return float(stats.norm.logpdf(x, *stats.norm.fit(x)).mean())


def expit_log_prob(x, logits):
    lit = special.log_expit(logits.numpy())
    dark = special.log_expit(-logits.numpy())
    return torch.from_numpy(np.where(x == 1, lit, dark).sum(1))


def autograd_gradient(x, mu, log_sigma):
    at = torch.tensor([mu, log_sigma], dtype=torch.float64, requires_grad=True)
    Normal(at[0], at[1].exp()).log_prob(x).mean().backward()
    return at.grad


def curvature_error(ones, zeros):
    def log_lik(logit):
        lit, dark = Bernoulli(logits=logit).log_prob(torch.tensor([1.0, 0.0]).double())
        return ones * lit + zeros * dark

    at = torch.tensor(ones / zeros).double().log()
    return (-torch.autograd.functional.hessian(log_lik, at)).item() ** -0.5


ORACLES = {
    "likelihood.1": lambda x, mu, sigma: float(stats.norm.logpdf(x, mu, sigma)),
    "likelihood.2": lambda waits: float(1 / stats.expon.fit(waits, floc=0)[1]),
    "likelihood.3": fitted_log_lik,
    "likelihood.4": expit_log_prob,
    "likelihood.5": autograd_gradient,
    "likelihood.6": curvature_error,
}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("likelihood.1", lambda x, m, s: Normal(m, s).log_prob(torch.tensor(x))),
        ("likelihood.2", lambda waits: len(waits) / sum(waits)),
        ("likelihood.3", lambda x: -Normal(0.0, x.std(correction=0)).entropy()),
        ("likelihood.4", bernoulli_log_prob),
        ("likelihood.4", lambda x, at: Bernoulli(logits=at).log_prob(x).sum(1)),
        ("likelihood.6", lambda ones, zeros: math.sqrt(1 / ones + 1 / zeros)),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


def sigmoid_log_prob(x, logits):
    p = 1 / (1 + torch.exp(-logits))
    return torch.sum(x * torch.log(p) + (1 - x) * torch.log(1 - p), dim=1)


def sigma_gradient(x, mu, log_sigma):
    at = torch.tensor([mu, math.exp(log_sigma)]).double().requires_grad_()
    Normal(*at).log_prob(x).mean().backward()
    return at.grad


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        ("likelihood.1", lambda x, m, s: stats.norm.pdf(x, m, s), "the density"),
        ("likelihood.1", lambda x, m, s: stats.norm.logpdf(x, m, s**0.5), "a variance"),
        (
            "likelihood.2",
            lambda waits: sum(1 / waits) / len(waits),
            "average 1 / x",
        ),
        (
            "likelihood.3",
            lambda x: stats.norm.logpdf(x, *stats.norm.fit(x)).sum(),
            "sum",
        ),
        (
            "likelihood.3",
            lambda x: stats.norm.logpdf(x, x.mean(), x.std()).mean(),
            "N - 1",
        ),
        ("likelihood.4", sigmoid_log_prob, "exactly 0 or 1"),
        (
            "likelihood.4",
            lambda x, at: x @ at.T - softplus(at).sum(1),
            'hint("likelihood.4")',
        ),
        ("likelihood.5", sigma_gradient, "second entry is d/d sigma"),
        ("likelihood.6", lambda a, b: math.sqrt(a * b / (a + b)), "is inverted"),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    assert_recognised(said(name, answer), advice)
