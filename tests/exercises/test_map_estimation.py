"""Exercises of chapter 2 against scipy, scikit-learn and torch's optimiser."""

import math

import numpy as np
import pytest
import torch
from exercises.answers import (
    assert_recognised,
)
from scipy import optimize
from sklearn.linear_model import Lasso
from torch.distributions import (
    Beta,
    LogNormal,
    Normal,
    SigmoidTransform,
    TransformedDistribution,
)
from torch.nn.functional import hardshrink, softshrink

from vaebook import map_estimation


def peak(density, low, high):
    """Where a density is largest: the zero of its autograd score."""

    def score(at):
        at = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        return torch.autograd.grad(density.log_prob(at), at)[0].item()

    return optimize.brentq(score, low, high, xtol=1e-13)


def beta(a, b):
    return Beta(torch.as_tensor(a).double(), torch.as_tensor(b).double())


def beta_peak(ones, zeros, a, b):
    return peak(beta(ones + a, zeros + b), 1e-9, 1 - 1e-9)


def logit_peaks(ones, zeros):
    logit = SigmoidTransform().inv
    laws = (beta(a + 1, b + 1) for a, b in zip(ones, zeros, strict=True))
    peaks = [peak(TransformedDistribution(law, logit), -9, 9) for law in laws]
    return torch.tensor(peaks, dtype=torch.float64)


def penalty_at_the_map(sigma, tau, n):
    """From the MAP of one weight, as the posterior mean of y and w's joint Gaussian."""
    x = torch.linspace(-1, 2, int(n)).double()
    y = x.exp()
    cov_y = sigma**2 * torch.eye(int(n)).double() + tau**2 * torch.outer(x, x)
    w = tau**2 * x @ torch.linalg.solve(cov_y, y)
    return ((x * (y - w * x)).mean() / w).item()


def sklearn_lasso(y, sigma, b):
    lasso = Lasso(alpha=sigma**2 / b / len(y), fit_intercept=False)
    return torch.from_numpy(lasso.fit(np.eye(len(y)), y).coef_)


def optimiser_step(w, gradient, rate, tau, n):
    w = w.clone().requires_grad_()
    (w @ gradient - Normal(0.0, tau).log_prob(w).sum() / n).backward()
    torch.optim.SGD([w], lr=rate).step()
    return w.detach()


ORACLES = {
    "map.1": beta_peak,
    "map.2": logit_peaks,
    "map.3": penalty_at_the_map,
    "map.4": sklearn_lasso,
    "map.5": optimiser_step,
    "map.6": lambda mu, tau: peak(LogNormal(mu, tau), 1e-9, math.exp(mu)),
}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("map.1", lambda n, m, a, b: map_estimation.Beta(a + n, b + m).mode()),
        ("map.2", lambda n, m: map_estimation.Beta(n + 1, m + 1).logit_mode().logit()),
        ("map.3", lambda sigma, tau, n: np.float32((sigma / tau) ** 2 / n)),
        ("map.4", lambda y, sigma, b: softshrink(y, sigma**2 / b)),
        ("map.5", lambda w, g, rate, tau, n: (1 - rate / n / tau**2) * w - rate * g),
        ("map.6", lambda mu, tau: LogNormal(mu, tau).mode),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        ("map.1", lambda n, m, a, b: beta(n + a, m + b).mean, "posterior's mean"),
        ("map.2", lambda n, m: (n / (n + m)).logit(), "of pi's mode"),
        ("map.3", lambda sigma, tau, n: sigma**2 / tau**2, "for the sum"),
        ("map.4", lambda y, sigma, b: hardshrink(y, sigma**2 / b), "Values that are"),
        (
            "map.5",
            lambda w, g, rate, tau, n: w - rate * (g + w / tau**2),
            "part by n too",
        ),
        ("map.6", lambda mu, tau: LogNormal(mu, tau).mean, "the mean of sigma"),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    assert_recognised(said(name, answer), advice)
