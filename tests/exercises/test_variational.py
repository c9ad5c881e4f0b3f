"""Exercises of chapter 5 against quadrature, autograd and exact arithmetic."""

from decimal import Decimal

import numpy as np
import pytest
import torch
from exercises.answers import (
    EXERCISES,
    assert_recognised,
    descended_vars,
    exact_shares,
    linear,
    normal_kl,
    normal_mean,
)
from scipy import integrate, special, stats
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import kl_div

from vaebook import variational
from vaebook.likelihood import FullGaussian
from vaebook.variational import expected_log_weights


def log_ratio(p, q):
    """log p - log q at a point, for two (mu, sigma)."""
    return lambda z: stats.norm.logpdf(z, *p) - stats.norm.logpdf(z, *q)


def quadrature_elbo(x, sigma_x, mu, sigma):
    def integrand(z):
        return stats.norm.logpdf(x, z, sigma_x) + log_ratio((0, 1), (mu, sigma))(z)

    return normal_mean(integrand, mu, sigma)


def exact_gap(log_joint, q):
    gaps = []
    for row, weights in zip(log_joint, q, strict=True):
        posterior = exact_shares(row, torch.ones_like(row))
        both = zip(map(Decimal, weights.tolist()), posterior, strict=True)
        gaps.append(sum(w * (w.ln() - p.ln()) for w, p in both if w))
    return q.new_tensor([float(gap) for gap in gaps])


def integrated_resp(log_lik, concentration):
    """E[log weight] by quadrature under each weight's Beta."""
    expected = []
    for a in concentration.tolist():
        b = concentration.sum().item() - a
        law = {"weight": "alg-loga", "wvar": (a - 1, b - 1), "epsabs": 1e-12}
        log_mean, _ = integrate.quad(lambda _: 1.0, 0, 1, **law)
        expected.append(log_mean / special.beta(a, b))
    return torch.from_numpy(special.softmax(log_lik.numpy() + expected, 1))


def geometric_mean(joint, q):
    product = np.prod(joint.numpy() ** q.numpy(), 1)
    return torch.from_numpy(product / product.sum())


ORACLES = {
    "variational.1": lambda m, s, *p: normal_mean(log_ratio((m, s), p), m, s),
    "variational.2": exact_gap,
    "variational.3": quadrature_elbo,
    "variational.4": descended_vars,
    "variational.5": integrated_resp,
    "variational.6": geometric_mean,
}


def elbo_of_the_library(x, sigma_x, mu, sigma):
    one = torch.ones(1, 1).double()
    model = linear(one, 0 * one[0], sigma_x)
    q = FullGaussian(mu * one[0], sigma**2 * one)
    return variational.linear_elbo(model, x * one, q).elbo[0]


def vars_of_the_library(cov):
    p = FullGaussian(cov[0], cov)
    return variational.mean_field_gaussian(p, cov[0], 0)[0].var


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("variational.1", lambda *p: kl_divergence(Normal(*p[:2]), Normal(*p[2:]))),
        (
            "variational.2",
            lambda joint, q: kl_div(joint.log_softmax(1), q, reduction="none").sum(1),
        ),
        (
            "variational.2",
            lambda joint, q: (
                joint.logsumexp(1) + (torch.xlogy(q, q) - q * joint).sum(1)
            ),
        ),
        ("variational.3", elbo_of_the_library),
        ("variational.4", vars_of_the_library),
        (
            "variational.5",
            lambda log_lik, alpha: (log_lik + expected_log_weights(alpha)).softmax(1),
        ),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


def test_best_factor_has_the_lowest_divergence(rng):
    exercise = EXERCISES["variational.6"]
    joint, q = exercise.inputs[1]

    def divergence(factor):
        return special.rel_entr(np.outer(factor, q), joint.numpy()).sum()

    best = divergence(exercise.solution(joint, q))
    others = torch.rand(100, len(joint), generator=rng).double()
    assert all(best < divergence(other / other.sum()) for other in others)


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        (
            "variational.1",
            lambda *p: kl_divergence(Normal(*p[2:]), Normal(*p[:2])),
            "KL(p || q)",
        ),
        (
            "variational.2",
            lambda joint, q: kl_div(joint.softmax(1).log(), q, reduction="none").sum(1),
            "underflows",
        ),
        (
            "variational.3",
            lambda x, s, m, t: Normal(m, s).log_prob(torch.tensor(x)) - normal_kl(m, t),
            "mu alone",
        ),
        ("variational.4", torch.diag, "p's own"),
        (
            "variational.5",
            lambda log_lik, a: (log_lik + (a / a.sum()).log()).softmax(1),
            "log of the expected weights",
        ),
        (
            "variational.6",
            lambda joint, q: (joint.log() * q).sum(1).softmax(0),
            "0 log 0",
        ),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    assert_recognised(said(name, answer), advice)
