"""Exercises of chapter 9 against scikit-learn, scipy and fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from exercises.answers import (
    assert_recognised,
    linear,
)
from scipy import linalg, optimize, stats
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    Normal,
    kl_divergence,
)
from torch.nn.functional import cosine_similarity

from vaebook import autoencoder, linear_vae


def pca_error(eigenvalues, k):
    """Of scikit-learn, on a cloud of that covariance along turned axes."""
    turn = stats.ortho_group(len(eigenvalues), seed=0).rvs()
    arms = np.sqrt(len(turn) * eigenvalues.numpy())[:, None] * turn
    x = np.concatenate([arms, -arms])
    pca = PCA(k).fit(x)
    x_hat = pca.inverse_transform(pca.transform(x))
    return float(((x - x_hat) ** 2).sum(1).mean())


def regression_on_codes(u, x):
    fitted = LinearRegression(fit_intercept=False).fit(x @ u.T, x)
    return torch.from_numpy(fitted.coef_)


def subspace_angle(a, b):
    """In double precision, by scipy."""
    line_a = a.double().numpy()[:, None]
    line_b = b.double().numpy()[:, None]
    return linalg.subspace_angles(line_a, line_b).item()


def spread_without_slope(w, sigma):
    """Where autograd of the ELBO by quadrature over one code has no slope in log s."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    nodes = torch.from_numpy(nodes)
    weights = torch.from_numpy(weights / weights.sum())
    x = w + 1
    mu = torch.tensor(0.7, dtype=torch.float64)
    prior = Normal(torch.tensor(0.0).double(), torch.tensor(1.0).double())

    def slope(log_s):
        log_s = torch.tensor(log_s, dtype=torch.float64, requires_grad=True)
        z = mu + log_s.exp() * nodes
        log_lik = Normal(z[:, None] * w, sigma).log_prob(x).sum(1)  # one a node
        kl = kl_divergence(Normal(mu, log_s.exp()), prior)
        return torch.autograd.grad(weights @ log_lik - kl, log_s)[0].item()

    return math.exp(optimize.brentq(slope, -9, 2, xtol=1e-13))


def exact_pixels(seen, p, flip):
    """Each pixel by fractions, over the two values it may have had."""
    found = []
    for value, lit in zip(seen.tolist(), p.tolist(), strict=True):
        prior = Fraction(lit)
        kept = 1 - Fraction(flip)
        joint = {1: prior, 0: 1 - prior}
        for clean in joint:
            joint[clean] *= kept if clean == value else 1 - kept
        found.append(float(joint[1] / sum(joint.values())))
    return torch.tensor(found, dtype=torch.float64)


def tweedie(y, data, tau):
    """y + tau^2 times torch's score of a mixture with one component a row."""
    rows = Independent(Normal(data, torch.full_like(data, tau)), 1)
    law = MixtureSameFamily(Categorical(torch.ones(len(data)).double()), rows)
    at = y.clone().requires_grad_()
    return y + tau**2 * torch.autograd.grad(law.log_prob(at).sum(), at)[0]


ORACLES = {
    "autoencoder.1": pca_error,
    "autoencoder.2": regression_on_codes,
    "autoencoder.3": subspace_angle,
    "autoencoder.4": spread_without_slope,
    "autoencoder.5": exact_pixels,
    "autoencoder.6": tweedie,
}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("autoencoder.1", lambda e, k: sum(sorted(e.tolist())[: len(e) - k])),
        ("autoencoder.2", lambda u, x: torch.linalg.lstsq(x @ u.T, x).solution.T),
        (
            "autoencoder.3",
            lambda a, b: autoencoder.principal_angles(a[:, None], b[:, None])[0],
        ),
        (
            "autoencoder.3",
            lambda a, b: cosine_similarity(a.double(), b.double(), 0).abs().acos(),
        ),
        (
            "autoencoder.4",
            lambda w, s: linear(w[:, None], w, s).posterior(w[None]).cov[0, 0].sqrt(),
        ),
        (
            "autoencoder.5",
            lambda seen, p, flip: torch.sigmoid(
                p.logit() + (2 * seen - 1) * math.log(1 / flip - 1)
            ),
        ),
        (
            "autoencoder.6",
            lambda y, data, tau: (
                Independent(Normal(data, tau), 1).log_prob(y[:, None]).softmax(1) @ data
            ),
        ),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


def densities_in_place_of_logs(y, data, tau):
    w = stats.norm.pdf(y.numpy()[:, None], data.numpy(), tau).prod(-1)
    with np.errstate(invalid="ignore"):
        return torch.from_numpy(w / w.sum(1, keepdims=True)) @ data


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        ("autoencoder.1", lambda e, k: e.topk(k).values.sum(), "what is kept"),
        ("autoencoder.1", lambda e, k: sum(e[k:]), "in any order"),
        (
            "autoencoder.1",
            lambda e, k: linear_vae.best_var(e.sort(descending=True)[0], k),
            "noise of chapter 8",
        ),
        ("autoencoder.2", lambda u, x: u.T @ torch.linalg.inv(u @ u.T), "white"),
        ("autoencoder.2", lambda u, x: torch.linalg.lstsq(x, x @ u.T)[0], "U transp"),
        (
            "autoencoder.2",
            lambda u, x: torch.linalg.lstsq(x @ u.T, x).solution,
            "V is (D, L)",
        ),
        (
            "autoencoder.3",
            lambda a, b: cosine_similarity(a, b, 0).abs().acos(),
            "has lost its digits",
        ),
        ("autoencoder.3", lambda a, b: cosine_similarity(a, b, 0).acos(), "no arrow"),
        ("autoencoder.4", lambda w, s: s**2 / (s**2 + w @ w), "the variance"),
        ("autoencoder.4", lambda w, s: s / torch.sqrt(w @ w), "prior counts"),
        (
            "autoencoder.5",
            lambda seen, p, flip: seen * (1 - flip) + (1 - seen) * flip,
            "prior p is not used",
        ),
        (
            "autoencoder.5",
            lambda seen, p, flip: p * (seen * (1 - flip) + (1 - seen) * flip),
            "This is joint",
        ),
        (
            "autoencoder.6",
            lambda y, x, tau: x[(y[:, None] - x).norm(dim=2).min(1).indices],
            "nearest row",
        ),
        (
            "autoencoder.6",
            lambda y, x, tau: (-(torch.cdist(y, x) ** 2) / tau**2).softmax(1) @ x,
            "2 tau^2",
        ),
        ("autoencoder.6", densities_in_place_of_logs, "0 / 0"),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    assert_recognised(said(name, answer), advice)
