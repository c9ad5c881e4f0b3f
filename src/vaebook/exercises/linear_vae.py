"""Exercises of chapter 8: the linear VAE."""

import math

import torch
from torch import Tensor

from vaebook.exercises.record import Exercise, Mistake


def noise_var(x: Tensor, kept: Tensor) -> float:
    """The trace, the variances of all columns, is the sum of all D
    eigenvalues; what L do not keep is the mean of the D - L others."""
    total = x.var(0, correction=0).sum()
    return ((total - kept.sum()) / (x.shape[1] - len(kept))).item()


SIGNS = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]).double()
EIGENVALUES = torch.tensor([9.0, 4.0, 1.0]).double()
CENTRED = SIGNS * EIGENVALUES.sqrt()  # (N, D) with these eigenvalues, along the axes
X = CENTRED + torch.tensor([5.0, -1.0, 2.0]).double()
NOISE_VAR = Exercise(
    name="linear.1",
    solution=noise_var,
    inputs=(
        (X, EIGENVALUES[:1]),
        (X, EIGENVALUES[:2]),
        (0.5 * X, EIGENVALUES[:1] / 4),
    ),
    meaning="No eigenvalue that is left over had to be computed.",
    hint="Eigenvalues sum to the trace: how much variance do the L leave, in how many?",
    mistakes=(
        Mistake(
            "All D columns share it: only D - L directions are left over.",
            lambda x, kept: noise_var(x, kept) * (1 - len(kept) / x.shape[1]),
        ),
        Mistake(
            "This is the sum of the eigenvalues left over, not their mean.",
            lambda x, kept: noise_var(x, kept) * (x.shape[1] - len(kept)),
        ),
        Mistake(
            "Maximum likelihood divides by N, not by N - 1.",
            lambda x, kept: noise_var(x * math.sqrt(len(x) / (len(x) - 1)), kept),
        ),
        Mistake(
            "The variance is around the mean of x: subtract it.",
            # with -x beside x the mean is 0
            lambda x, kept: noise_var(torch.cat([x, -x]), kept),
        ),
    ),
)


def reconstruction(
    x: Tensor, mean: Tensor, u: Tensor, eigenvalues: Tensor, sigma: float
) -> Tensor:
    """Along u_i, W times the posterior mean keeps the signal's share of the
    variance, (lambda_i - sigma^2) / lambda_i, of what the image has."""
    share = 1 - sigma**2 / eigenvalues  # (L,)
    along = (x - mean) @ u  # (N, L)
    return mean + (along * share) @ u.T


U = torch.tensor([[0.6, 0.0], [0.8, 0.0], [0.0, 1.0]]).double()
RECONSTRUCTION = Exercise(
    name="linear.2",
    solution=reconstruction,
    inputs=(
        (X[:2], X.mean(0), U, EIGENVALUES[:2], 1.0),
        (X[1:] ** 2, X[0], U[:, 1:], EIGENVALUES[1:2], 0.5),
        (X[3:], -X[1], U[:, :1], EIGENVALUES[:1], 2.5),
    ),
    meaning="As sigma goes to 0 it becomes the projection of PCA.",
    hint="w_i is u_i times sqrt(lambda_i - sigma^2), and M_ii is lambda_i / sigma^2.",
    mistakes=(
        Mistake(
            "This is PCA: the posterior mean shrinks, towards the prior's 0.",
            lambda x, mean, u, eigenvalues, sigma: mean + (x - mean) @ u @ u.T,
        ),
        Mistake(
            "The columns are too long: the noise has its share of lambda_i.",
            lambda x, mean, u, eigenvalues, sigma: reconstruction(
                x, mean, u, eigenvalues + sigma**2, sigma
            ),
        ),
        Mistake(
            "The share is of variances: square sigma.",
            lambda x, mean, u, eigenvalues, sigma: reconstruction(
                x, mean, u, eigenvalues, math.sqrt(sigma)
            ),
        ),
        Mistake(
            "The decoder adds the mean again.",
            lambda x, mean, *rest: reconstruction(x, mean, *rest) - mean,
        ),
        Mistake(
            "The code sees x - mean, not x.",
            lambda x, mean, *rest: (
                mean + reconstruction(x, torch.zeros_like(mean), *rest)
            ),
        ),
    ),
)


def mean_kl(eigenvalues: Tensor, sigma: float) -> Tensor:
    """The posterior variance v is sigma^2 / lambda_i, and mu^2 is 1 - v in
    the mean: of (mu^2 + v - 1 - log v) / 2 only the logarithm is left."""
    return 0.5 * (eigenvalues / sigma**2).clamp(min=1).log()


MEAN_KL = Exercise(
    name="linear.3",
    solution=mean_kl,
    inputs=(
        (EIGENVALUES, math.sqrt(2)),
        (EIGENVALUES, 0.5),
        (EIGENVALUES / 9, 3.0),
    ),
    meaning="A latent that is dead tells nothing, and costs nothing.",
    hint="The posterior variance is sigma^2 / lambda_i; what is the mean of mu^2?",
    mistakes=(
        Mistake(
            "The noise's variance is sigma^2.",
            lambda eigenvalues, sigma: mean_kl(eigenvalues, math.sqrt(sigma)),
        ),
        Mistake(
            "Below sigma^2 the column is zero, and the posterior is the prior.",
            lambda eigenvalues, sigma: 0.5 * (eigenvalues / sigma**2).log(),
        ),
        Mistake(
            "lambda_i holds the noise: do not add it again.",
            lambda eigenvalues, sigma: 0.5 * (1 + eigenvalues / sigma**2).log(),
        ),
        Mistake("This is twice the KL.", lambda *given: 2 * mean_kl(*given)),
    ),
)


def diagonal_gap(w: Tensor, sigma: float) -> float:
    """KL(q || p(z|x)) at q's best variances 1 / M_ll, where the trace is L;
    M = I + W^T W / sigma^2 is the posterior's precision."""
    m = torch.eye(w.shape[1]).to(w) + w.T @ w / sigma**2
    return 0.5 * (m.diagonal().log().sum() - m.logdet()).item()


def gap_at_the_marginals(w: Tensor, sigma: float) -> float:
    """A mistake: the KL at the posterior's own variances."""
    m = torch.eye(w.shape[1]).to(w) + w.T @ w / sigma**2
    var = m.inverse().diagonal()
    trace = (m.diagonal() * var).sum() - len(m)
    return 0.5 * (trace - var.log().sum() - m.logdet()).item()


def gap_without_prior(w: Tensor, sigma: float) -> float:
    """A mistake: M without its identity, where the noise's variance cancels."""
    m = w.T @ w
    return 0.5 * (m.diagonal().log().sum() - m.logdet()).item()


W = torch.tensor([[1.0, 0.5], [0.5, 1.0], [-1.0, 0.5]]).double()
TILTED = torch.tensor([[0.8, 1.8], [0.9, -0.5], [0.2, 0.4]]).double()
DIAGONAL_GAP = Exercise(
    name="linear.4",
    solution=diagonal_gap,
    inputs=(
        (TILTED, 2.0),
        (W[:2], 0.5),
        (W, 0.7),
    ),
    meaning="It is 0 where the columns of w are orthogonal.",
    hint="The gap is KL(q || p(z|x)); at which variances of q is it least?",
    mistakes=(
        Mistake(
            "The noise's variance is sigma^2.",
            lambda w, sigma: diagonal_gap(w, math.sqrt(sigma)),
        ),
        Mistake("This is twice the gap.", lambda *given: 2 * diagonal_gap(*given)),
        Mistake(
            "q has the posterior's own variances: the best q is narrower.",
            gap_at_the_marginals,
        ),
        Mistake(
            "The prior's precision is missing: M has an identity.",
            gap_without_prior,
        ),
    ),
)


def em_weights(x: Tensor, w: Tensor, sigma: float) -> Tensor:
    """E-step: the posteriors of all codes, of one covariance. M-step: the
    regression of x on z, where E[z z^T] is the mean's square plus it."""
    cov = (torch.eye(w.shape[1]).to(w) + w.T @ w / sigma**2).inverse()
    mu = x @ w @ cov / sigma**2  # (N, L)
    squares = mu.T @ mu + len(x) * cov  # (L, L)
    return x.T @ mu @ squares.inverse()


def with_cov(x: Tensor, w: Tensor, sigma: float, times: float) -> Tensor:
    """For the mistakes: the covariance counts another number of times than N."""
    cov = (torch.eye(w.shape[1]).to(w) + w.T @ w / sigma**2).inverse()
    mu = x @ w @ cov / sigma**2  # (N, L)
    squares = mu.T @ mu + times * cov  # (L, L)
    return x.T @ mu @ squares.inverse()


FLAT = CENTRED @ TILTED  # (N, 2)
EM_WEIGHTS = Exercise(
    name="linear.5",
    solution=em_weights,
    inputs=(
        (CENTRED, W, 0.5),
        (FLAT, W[:2], 2.0),
        (CENTRED, TILTED, 1.5),
    ),
    meaning="Repeated, it finds the subspace of PCA by least squares.",
    hint="The M-step is least squares with E[z] for z and E[z z^T] for its square.",
    mistakes=(
        Mistake(
            "You regress on the codes' means as if they were known.",
            lambda *given: with_cov(*given, 0.0),
        ),
        Mistake(
            "Each of the N images has its own E[z z^T]: the covariance counts N times.",
            lambda *given: with_cov(*given, 1.0),
        ),
        Mistake(
            "The noise's variance is sigma^2.",
            lambda x, w, sigma: em_weights(x, w, math.sqrt(sigma)),
        ),
        Mistake("The weights are (D, L).", lambda *given: em_weights(*given).T),
    ),
)

EXERCISES = (
    NOISE_VAR,
    RECONSTRUCTION,
    MEAN_KL,
    DIAGONAL_GAP,
    EM_WEIGHTS,
)
