"""Exercises of chapter 8 against scikit-learn and the joint Gaussian."""

import math

import numpy as np
import pytest
import torch
from exercises.answers import (
    assert_recognised,
    descended_vars,
    linear,
)
from sklearn.decomposition import PCA
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from vaebook import linear_vae


def pca_noise_var(x, kept):
    """Of scikit-learn, which divides by N - 1."""
    noise = PCA(len(kept)).fit(x.numpy()).noise_variance_
    return float(noise * (len(x) - 1) / len(x))


def solved_reconstruction(x, mean, u, eigenvalues, sigma):
    """W E[z|x] from the joint Gaussian of z and x: W W^T against the marginal."""
    signal = u * (eigenvalues - sigma**2) @ u.T
    marginal = signal + sigma**2 * torch.eye(len(u)).double()
    return mean + torch.linalg.solve(marginal, (x - mean).T).T @ signal


def averaged_kl(eigenvalues, sigma):
    """Of two images a direction, +-sqrt(lambda), with torch's KL."""
    w = (eigenvalues - sigma**2).clamp(min=0).sqrt()
    gain = w / (w**2 + sigma**2)
    q = Normal(gain * eigenvalues.sqrt(), (1 - gain * w).sqrt())
    return kl_divergence(q, Normal(0.0, 1.0))


def posterior_of_codes(x, w, sigma):
    """Means and covariance, from the joint Gaussian of z and x."""
    num_pixels, num_codes = w.shape
    marginal = w @ w.T + sigma**2 * torch.eye(num_pixels).to(w)
    gain = torch.linalg.solve(marginal, w)
    return x @ gain, torch.eye(num_codes).to(w) - w.T @ gain


def gap_of_vars(w, sigma, var):
    _, cov = posterior_of_codes(w.T, w, sigma)
    q = MultivariateNormal(0 * var, var.diag())
    return kl_divergence(q, MultivariateNormal(0 * var, cov)).item()


def descended_gap(w, sigma):
    _, cov = posterior_of_codes(w.T, w, sigma)
    return gap_of_vars(w, sigma, descended_vars(cov))


def regression_on_sigma_points(x, w, sigma):
    """Least squares with 2 K codes an image, of its posterior's mean and covariance."""
    mu, cov = posterior_of_codes(x, w, sigma)
    steps = torch.linalg.cholesky(len(cov) * cov).T
    z = torch.cat([mu + sign * step for step in steps for sign in (1, -1)])
    return torch.linalg.lstsq(z, x.repeat(2 * len(cov), 1)).solution.T


ORACLES = {
    "linear.1": pca_noise_var,
    "linear.2": solved_reconstruction,
    "linear.3": averaged_kl,
    "linear.4": descended_gap,
    "linear.5": regression_on_sigma_points,
}


def reconstructed_by_the_library(x, mean, u, eigenvalues, sigma):
    model = linear(u * (eigenvalues - sigma**2).sqrt(), mean, sigma)
    return model.posterior(x).mu @ model.weights.T + mean


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        (
            "linear.1",
            lambda x, kept: (
                torch.linalg.svdvals(x - x.mean(0))[len(kept) :].square().mean()
                / len(x)
            ),
        ),
        ("linear.2", reconstructed_by_the_library),
        (
            "linear.3",
            lambda values, sigma: torch.relu(values.sqrt().log() - math.log(sigma)),
        ),
        ("linear.4", lambda w, s: linear_vae.diagonal_gap(linear(w, 0 * w[:, 0], s))),
        (
            "linear.5",
            lambda x, w, s: linear_vae.ppca_em_step(linear(w, 0 * x[0], s), x).weights,
        ),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


def regression_on_means(x, w, sigma):
    mu, _ = posterior_of_codes(x, w, sigma)
    return torch.linalg.lstsq(mu, x).solution.T


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        (
            "linear.1",
            lambda x, kept: (np.var(x.numpy(), 0).sum() - sum(kept)) / 3,
            "D - L",
        ),
        (
            "linear.1",
            lambda x, kept: (x.T.cov().trace() - sum(kept)) / (3 - len(kept)),
            "by N",
        ),
        ("linear.2", lambda x, mean, u, *_: mean + (x - mean) @ u @ u.T, "This is PCA"),
        ("linear.3", lambda v, s: (v.log() - 2 * math.log(s)) / 2, "Below sigma^2"),
        ("linear.3", lambda v, s: (v / s**2).log().clamp(min=0), "twice"),
        (
            "linear.4",
            lambda w, s: gap_of_vars(w, s, posterior_of_codes(w.T, w, s)[1].diag()),
            "own variances",
        ),
        ("linear.5", regression_on_means, "as if they were known"),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    assert_recognised(said(name, answer), advice)
