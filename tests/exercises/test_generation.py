"""Exercises of chapter 13 against rotations, quadrature, scipy and loops."""

import numpy as np
import pytest
import torch
from exercises.answers import assert_recognised
from scipy import integrate, linalg, optimize, special, stats


def by_half_a_turn(a, b):
    """The rotation that takes a to b, half of it."""
    a, b = a.numpy(), b.numpy()
    length = np.linalg.norm(a)
    e = a / length
    f = b - (b @ e) * e
    f /= np.linalg.norm(f)
    omega = np.arccos(b @ e / length)
    turn = linalg.expm(omega / 2 * (np.outer(f, e) - np.outer(e, f)))
    return torch.from_numpy(turn @ a)


def by_quadrature(p, q):
    """Of each coin's root information, between its two chances."""

    def root_information(t):  # at p = sin^2(t), which has no poles
        p = np.sin(t) ** 2
        return 2 * np.sin(t) * np.cos(t) / np.sqrt(p * (1 - p))

    parts = [
        integrate.quad(root_information, *np.arcsin(np.sqrt([a, b])), epsabs=1e-12)[0]
        for a, b in zip(p.tolist(), q.tolist(), strict=True)
    ]
    return float(np.sqrt(np.sum(np.square(parts))))


def by_mann_and_whitney(drawn, held_out):
    found = stats.mannwhitneyu(drawn, held_out, method="asymptotic").statistic
    return float(found / (len(drawn) * len(held_out)))


def by_a_loop(logits, x, seen):
    total = 0.0
    for logit, pixel, there in zip(logits, x, seen, strict=True):
        if there == 1:
            chance = special.expit(logit.item())
            total += stats.bernoulli(chance).logpmf(int(pixel))
    return float(total)


def by_the_shortest(z, slope, amount):
    """Of all steps with that rise the shortest, by scipy."""
    found = optimize.minimize(
        lambda step: step @ step,
        np.zeros(len(z)),
        jac=lambda step: 2 * step,
        constraints={
            "type": "eq",
            "fun": lambda step: step @ slope.numpy() - amount,
            "jac": lambda step: slope.numpy(),
        },
        method="SLSQP",
        tol=1e-14,
    )
    return z + torch.from_numpy(found.x)


ORACLES = {
    "generation.1": by_half_a_turn,
    "generation.2": by_quadrature,
    "generation.3": by_mann_and_whitney,
    "generation.4": by_a_loop,
    "generation.5": by_the_shortest,
}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        (
            "generation.1",
            lambda a, b: (
                (a + b) / (2 * torch.cos(torch.acos(a @ b / (a.norm() * b.norm())) / 2))
            ),
        ),
        ("generation.2", lambda p, q: np.float64(by_quadrature(p, q))),
        ("generation.3", lambda d, h: np.float64(by_mann_and_whitney(d, h))),
        (
            "generation.4",
            lambda logits, x, seen: (
                torch.distributions.Bernoulli(logits=logits[seen > 0])
                .log_prob(x[seen > 0])
                .sum()
                .item()
            ),
        ),
        ("generation.5", lambda z, g, a: z + g * (a / (g @ g))),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        ("generation.1", lambda a, b: a + 0.5 * (b - a), "halfway along the chord"),
        (
            "generation.1",
            lambda a, b: (
                (a / a.norm() + b / b.norm()) / (a / a.norm() + b / b.norm()).norm()
            ),
            "its length is 1",
        ),
        (
            "generation.2",
            lambda p, q: torch.dist(p.sqrt().arcsin(), q.sqrt().arcsin()).item(),
            "factor 2 is missing",
        ),
        (
            "generation.2",
            lambda p, q: torch.dist(p, q).item(),
            "distance of the probabilities",
        ),
        (
            "generation.3",
            lambda d, h: float(np.mean([[a > b for b in h] for a in d])),
            "Ties count half",
        ),
        (
            "generation.4",
            lambda logits, x, seen: (
                ((logits * x - logits.exp().log1p()) * seen).sum().item()
            ),
            "nan times 0 is nan",
        ),
        (
            "generation.5",
            lambda z, g, a: z + a * g / (g @ g).sqrt(),
            "a step of that length",
        ),
    ],
)
def test_wrong_answer_written_otherwise_is_recognised(name, answer, advice, said):
    assert_recognised(said(name, answer), advice)
