"""Exercises of chapter 10 against torch's distributions and scipy."""

import math

import numpy as np
import pytest
import torch
from exercises.answers import (
    assert_recognised,
    distributions_loss,
    normal_kl,
)
from scipy import optimize, special, stats
from torch.nn.functional import binary_cross_entropy_with_logits

from vaebook.monte_carlo import log_mean_exp
from vaebook.variational import gaussian_kl


def searched_sigma(x, x_hat):
    def cost(log_sigma):
        return -stats.norm.logpdf(x, x_hat, np.exp(log_sigma)).sum()

    return float(np.exp(optimize.minimize_scalar(cost, tol=1e-10).x))


ORACLES = {
    "vae.1": normal_kl,
    "vae.2": lambda: float(stats.bernoulli.logpmf(np.ones(64), 0.5).sum()),
    "vae.3": lambda w: torch.from_numpy(special.logsumexp(w, 0, b=1 / len(w))),
    "vae.4": distributions_loss,
    "vae.5": searched_sigma,
}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("vae.1", lambda m, s: np.float64(normal_kl(m, s))),
        ("vae.1", lambda m, s: torch.tensor(normal_kl(m, s), requires_grad=True)),
        ("vae.1", lambda m, s: math.log(1 / s) + s * s / 2 + m * m / 2 - 1 / 2),
        ("vae.2", -64 * math.log(2)),
        ("vae.2", np.float32(-44.36)),
        ("vae.2", torch.tensor(-44.3614)),
        ("vae.3", log_mean_exp),
        ("vae.3", lambda w: log_mean_exp(w.float())),
        ("vae.3", lambda w: w.max(0)[0] + (w - w.max(0)[0]).exp().mean(0).log()),
        (
            "vae.4",
            lambda x, logits, mu, log_var: (
                binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
                + gaussian_kl(mu, log_var).mean()
            ),
        ),
        ("vae.5", lambda x, x_hat: torch.linalg.norm(x - x_hat) / x.numel() ** 0.5),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


def kl_of_log_var(mu, sigma):
    return gaussian_kl(torch.tensor([mu]), torch.tensor([sigma]))


def naive_loss(x, logits, mu, log_var):
    p = 1 / (1 + torch.exp(-logits))
    log_lik = x * torch.log(p) + (1 - x) * torch.log(1 - p)
    return -log_lik.sum(1).mean() + gaussian_kl(mu, log_var).mean()


def loss_of_pixel_mean(x, logits, mu, log_var):
    bce = binary_cross_entropy_with_logits(logits, x)
    return bce + 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1).mean()


def loss_of_var(x, logits, mu, var):
    log_lik = (x * logits - torch.log1p(torch.exp(logits))).sum(1)
    return -(log_lik - 0.5 * (mu**2 + var - 1 - torch.log(var)).sum(1)).mean()


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        ("vae.1", lambda m, s: (m * m + s - 1) / 2 - math.log(s) / 2, "sigma^2 should"),
        ("vae.1", lambda m, s: m**2 + s**2 - 1 - 2 * math.log(s), "factor 1/2"),
        ("vae.1", lambda m, s: 0.5 - m * m / 2 - s * s / 2 + math.log(s), "minus the"),
        ("vae.1", lambda m, s: kl_of_log_var(m, s).sum(), "read as a log-variance"),
        ("vae.2", -64, "in bits"),
        ("vae.2", 44.36, "sign"),
        ("vae.2", -0.693, "one pixel's"),
        ("vae.3", lambda w: w.sum(0) / len(w), "is the ELBO"),
        ("vae.3", lambda w: torch.logaddexp(w[0], w[1:].logsumexp(0)), "by log S"),
        ("vae.3", lambda w: log_mean_exp(w, 1), "over the images"),
        ("vae.3", lambda w: torch.log(torch.exp(w).sum(0) / len(w)), "floating point"),
        ("vae.4", loss_of_pixel_mean, "averaged over pixels"),
        ("vae.4", lambda *a: sum(distributions_loss(*a) for _ in a[0]), "the images"),
        ("vae.4", lambda *a: -distributions_loss(*a), "the ELBO itself"),
        ("vae.4", loss_of_var, "exp(log_var)"),
        ("vae.4", naive_loss, "log(sigmoid)"),
        ("vae.5", lambda x, m: ((x - m) ** 2).mean(), "the variance"),
        ("vae.5", lambda x, m: ((x - m) ** 2).sum(1).mean() ** 0.5, "over pixels"),
        ("vae.5", lambda x, m: torch.std(x - m), "mean away first"),
        ("vae.5", lambda x, m: np.std((x - m).numpy(), ddof=1), "mean away first"),
        ("vae.5", lambda x, m: np.sqrt(np.var(x.numpy() - m.numpy())), 'hint("vae.5")'),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    assert_recognised(said(name, answer), advice)
