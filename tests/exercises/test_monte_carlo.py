"""Exercises of chapter 6 against scipy, quadrature and loops."""

import itertools
import math

import numpy as np
import pytest
import torch
from exercises.answers import (
    EXERCISES,
    assert_recognised,
)
from scipy import integrate, special, stats

from vaebook import monte_carlo
from vaebook.monte_carlo import log_mean_exp


def group_by_group(log_w):
    size = 1 / log_w.shape[1]
    bounds = [special.logsumexp(group, 0, b=size) for group in log_w.numpy()]
    return torch.from_numpy(np.mean(bounds, 0))


def ess_of_variation(log_w):
    """S / (1 + the squared coefficient of variation of the weights)."""
    variation = stats.variation((log_w - log_w.amax(0)).exp().numpy(), 0)
    return torch.from_numpy(len(log_w) / (1 + variation**2))


def integrated_draws(s, error):
    def log_square(z):
        return 2 * stats.norm.logpdf(z) - stats.norm.logpdf(z, scale=s)

    if log_square(60) > log_square(0):
        return math.inf
    square, _ = integrate.quad(lambda z: np.exp(log_square(z)), -60, 60, epsabs=1e-12)
    return float((square - 1) / error**2)


def metropolis_hastings(p, proposal):
    """Entry by entry, as the chain moves."""
    step = torch.zeros_like(proposal)
    for i, j in itertools.product(range(len(p)), repeat=2):
        forth = (p[i] * proposal[i, j]).item()
        back = (p[j] * proposal[j, i]).item()
        accept = min(1.0, back / forth) if forth else 0.0
        step[i, j] += proposal[i, j] * accept
        step[i, i] += proposal[i, j] * (1 - accept)
    return step


ORACLES = {
    "monte.1": lambda values: float(stats.sem(values)),
    "monte.2": group_by_group,
    "monte.3": ess_of_variation,
    "monte.4": lambda f, w: float(np.average(f, weights=(w - w.max()).exp())),
    "monte.5": integrated_draws,
    "monte.6": metropolis_hastings,
}


def hastings(p, proposal):
    ratio = p * proposal.T / (p[:, None] * proposal)
    step = proposal * ratio.nan_to_num(1).clamp(max=1)
    return step.fill_diagonal_(0) + torch.diag(1 - step.sum(1))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("monte.1", lambda values: monte_carlo.estimate(values).standard_error),
        ("monte.2", lambda log_w: log_mean_exp(log_w, 1).mean(0)),
        ("monte.3", monte_carlo.effective_sample_size),
        ("monte.4", lambda *f: monte_carlo.self_normalized_estimate(*f).mean),
        ("monte.6", hastings),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


def test_transition_keeps_its_density_in_detailed_balance():
    for p, proposal in EXERCISES["monte.6"].inputs:
        step = EXERCISES["monte.6"].solution(p, proposal)
        flow = p[:, None] * step
        torch.testing.assert_close(flow, flow.T)
        torch.testing.assert_close(p @ step, p)
        assert (step >= 0).all()


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        ("monte.1", lambda v: np.std(v.numpy()), 'hint("monte.1")'),
        ("monte.1", lambda v: np.std(v.numpy()) / len(v) ** 0.5, "S - 1"),
        ("monte.2", lambda log_w: log_mean_exp(log_w.flatten(0, 1)), "all G S"),
        ("monte.3", lambda log_w: (log_w.softmax(0) ** 2).sum(0), "Upside down"),
        ("monte.4", lambda f, w: monte_carlo.importance_estimate(f, w).mean, "divide"),
        (
            "monte.5",
            lambda s, e: s**2 / abs(2 * s**2 - 1) ** 0.5 / e**2 - 1 / e**2,
            'hint("monte.5")',
        ),
        (
            "monte.6",
            lambda p, move: hastings(p, move).fill_diagonal_(0) + move.diag().diag(),
            "rows sum to 1",
        ),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    assert_recognised(said(name, answer), advice)
