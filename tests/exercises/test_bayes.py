"""Exercises of chapter 4 against regression, quadrature and exact arithmetic."""

import numpy as np
import pytest
import torch
from exercises.answers import (
    assert_recognised,
    exact_shares,
    linear,
)
from scipy import special, stats
from sklearn.linear_model import Ridge
from torch.distributions import Categorical, Normal

from vaebook import bayes, map_estimation
from vaebook.likelihood import Gaussian


def ridge_mean(x, sigma, mu0, tau):
    """Least squares of x - mu0 on a column of ones, penalised."""
    ridge = Ridge(alpha=(sigma / tau) ** 2, fit_intercept=False)
    return float(mu0 + ridge.fit(np.ones((len(x), 1)), x - mu0).coef_[0])


def toss_by_toss(ones, zeros, a, b):
    """Each toss predicted from those before it: all ones, then all zeros."""
    lit = np.log((a + np.arange(ones)) / (a + b + np.arange(ones)))
    dark = np.log((b + np.arange(zeros)) / (a + b + ones + np.arange(zeros)))
    return float(lit.sum() + dark.sum())


def conditional_var(x, sigma, tau):
    """Of one more measurement, from the covariance of all of them."""
    cov = tau**2 + sigma**2 * np.eye(len(x) + 1)
    return float(cov[0, 0] - cov[0, 1:] @ np.linalg.solve(cov[1:, 1:], cov[1:, 0]))


def exact_posterior(log_evidence, prior):
    return prior.new_tensor([float(one) for one in exact_shares(log_evidence, prior)])


def integrated_over_codes(x, weights, offset, sigma):
    """Gauss-Hermite quadrature of p(x|z) over two standard normal codes."""
    nodes, w = np.polynomial.hermite_e.hermegauss(80)
    z = np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 2)  # (6400, 2)
    mass = np.outer(w, w).ravel() / w.sum() ** 2  # (6400,)

    mu = z @ weights.numpy().T + offset.numpy()  # (6400, D)
    log_lik = stats.norm.logpdf(x.numpy()[:, None], mu, sigma).sum(-1)  # (N, 6400)
    return torch.from_numpy(special.logsumexp(log_lik, 1, b=mass))


ORACLES = {
    "bayes.1": ridge_mean,
    "bayes.2": lambda n, m, a, b: float(stats.betabinom.pmf(2, 2, a + n, b + m)),
    "bayes.3": toss_by_toss,
    "bayes.4": conditional_var,
    "bayes.5": exact_posterior,
    "bayes.6": integrated_over_codes,
}


def mean_of_the_library(x, sigma, mu0, tau):
    prior = Gaussian(torch.tensor([mu0]).double(), torch.tensor([tau**2]).double())
    return bayes.normal_posterior(x[:, None], prior, sigma**2)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("bayes.1", lambda *given: mean_of_the_library(*given).mu[0]),
        (
            "bayes.2",
            lambda n, m, a, b: bayes.beta_log_evidence(
                map_estimation.Beta(a + n, b + m), 2, 0
            ).exp(),
        ),
        (
            "bayes.3",
            lambda n, m, *ab: bayes.beta_log_evidence(map_estimation.Beta(*ab), n, m),
        ),
        (
            "bayes.3",
            lambda n, m, a, b: special.betaln(a + n, b + m) - special.betaln(a, b),
        ),
        ("bayes.4", lambda x, s, t: mean_of_the_library(x, s, 0.0, t).var[0] + s**2),
        ("bayes.5", lambda log_p, p: Categorical(logits=log_p + p.log()).probs),
        ("bayes.6", lambda x, *model: linear(*model).log_evidence(x)),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


def least_squares_code(x, weights, offset, sigma):
    z = torch.linalg.lstsq(weights, (x - offset).T).solution
    return Normal(offset + (weights @ z).T, sigma).log_prob(x).sum(1)


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        ("bayes.1", lambda x, *_: sum(x.tolist()) / len(x), "prior is not used"),
        (
            "bayes.1",
            lambda x, s, mu0, t: (mu0 / t + x.sum() / s) / (1 / t + len(x) / s),
            "1 over a variance",
        ),
        (
            "bayes.2",
            lambda n, m, a, b: map_estimation.Beta(a + n, b + m).mean() ** 2,
            "the first tells",
        ),
        (
            "bayes.3",
            lambda n, m, a, b: stats.betabinom.logpmf(n, n + m, a, b),
            "no binomial",
        ),
        (
            "bayes.3",
            lambda n, m, a, b: special.betaln(a + n, b + m),
            "B(a, b) is missing",
        ),
        (
            "bayes.4",
            lambda x, s, t: s**2 * t**2 / (s**2 + len(x) * t**2),
            "mean's variance",
        ),
        ("bayes.5", lambda log_p, p: log_p.exp() * p / (log_p.exp() * p).sum(), "-36"),
        ("bayes.6", lambda x, w, b, s: Normal(b, s).log_prob(x).sum(-1), "z = 0"),
        ("bayes.6", least_squares_code, "the best z alone"),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    assert_recognised(said(name, answer), advice)
