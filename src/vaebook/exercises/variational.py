"""Exercises of chapter 5: variational inference."""

import math
from statistics import NormalDist

import torch
from torch import Tensor

from vaebook.exercises.record import Exercise, Mistake


def kl(mu_q: float, sigma_q: float, mu_p: float, sigma_p: float) -> float:
    """E_q[log q(z) - log p(z)], with E_q[(z - mu_q)^2] = sigma_q^2 in log q
    and E_q[(z - mu_p)^2] = sigma_q^2 + (mu_q - mu_p)^2 in log p."""
    squares = (sigma_q**2 + (mu_q - mu_p) ** 2) / sigma_p**2
    return math.log(sigma_p / sigma_q) + 0.5 * (squares - 1)


KL = Exercise(
    name="variational.1",
    solution=kl,
    inputs=(
        (1.0, 2.0, 0.0, 0.5),
        (0.0, 0.1, 3.0, 1.5),
        (-1.0, 0.7, -1.0, 0.7),
    ),
    meaning="It is 0 where q is p, and not symmetric.",
    hint="Average log q - log p under q: what is E_q[(z - mu_p)^2]?",
    mistakes=(
        Mistake(
            "This is KL(p || q): the average is taken under q.",
            lambda mu_q, sigma_q, mu_p, sigma_p: kl(mu_p, sigma_p, mu_q, sigma_q),
        ),
        Mistake(
            "The sign of the logarithm: a q narrower than p costs nats.",
            lambda mu_q, sigma_q, mu_p, sigma_p: (
                kl(mu_q, sigma_q, mu_p, sigma_p) + 2 * math.log(sigma_q / sigma_p)
            ),
        ),
        Mistake(
            "Sigma is read as a variance: it is a standard deviation.",
            lambda mu_q, sigma_q, mu_p, sigma_p: kl(
                mu_q, math.sqrt(sigma_q), mu_p, math.sqrt(sigma_p)
            ),
        ),
        Mistake("This is twice the divergence.", lambda *given: 2 * kl(*given)),
    ),
)


def gap(log_joint: Tensor, q: Tensor) -> Tensor:
    """log p(x) - ELBO is KL(q || p(k|x)); log_softmax gives log p(k|x)
    without underflow, and xlogy knows that 0 log 0 is 0."""
    return (torch.xlogy(q, q) - q * log_joint.log_softmax(1)).sum(1)


LOG_JOINT = torch.tensor([[-1.0, -3.0], [-2.0, -1.5], [-0.5, -4.0]]).double()
Q = torch.tensor([[0.5, 0.5], [0.1, 0.9], [1.0, 0.0]]).double()
GAP = Exercise(
    name="variational.2",
    solution=gap,
    inputs=(
        (LOG_JOINT, Q),
        (900 * LOG_JOINT, Q),
        (LOG_JOINT, LOG_JOINT.softmax(1)),
    ),
    meaning="It is 0 where q is the posterior, else above.",
    hint="It is KL(q || p(k|x)): subtract log p(x) from the log-joint first.",
    mistakes=(
        Mistake(
            "This is minus the ELBO: add log p(x), or normalise the joint.",
            lambda log_joint, q: (torch.xlogy(q, q) - q * log_joint).sum(1),
        ),
        Mistake(
            "This is KL(p(k|x) || q): the ELBO averages under q.",
            # q and the posterior have exchanged their places
            lambda log_joint, q: gap(q.log(), log_joint.softmax(1)),
        ),
        Mistake(
            "The posterior underflows to 0 before the log: use log_softmax.",
            lambda log_joint, q: gap(log_joint.softmax(1).log(), q),
        ),
        Mistake(
            "0 log 0 is nan in floating point; here it is 0.",
            lambda log_joint, q: (q * (q.log() - log_joint.log_softmax(1))).sum(1),
        ),
    ),
)


def elbo(x: float, sigma_x: float, mu: float, sigma: float) -> float:
    """E_q[log p(x|z)] has E_q[(x - z)^2] = (x - mu)^2 + sigma^2; from it is
    taken the KL from N(0, 1)."""
    squares = ((x - mu) ** 2 + sigma**2) / sigma_x**2
    log_lik = -0.5 * (math.log(2 * math.pi * sigma_x**2) + squares)
    return log_lik - 0.5 * (mu**2 + sigma**2 - 1) + math.log(sigma)


def log_normal(x: float, mu: float, sigma: float) -> float:
    """log N(x; mu, sigma^2), for the mistakes."""
    return math.log(NormalDist(mu, sigma).pdf(x))


def log_of_mean(x: float, sigma_x: float, mu: float, sigma: float) -> float:
    """A mistake: log E_q[p(x|z)], in place of E_q[log p(x|z)], less the KL."""
    return log_normal(x, mu, math.hypot(sigma_x, sigma)) - kl(mu, sigma, 0, 1)


ELBO = Exercise(
    name="variational.3",
    solution=elbo,
    inputs=(
        (2.0, 1.0, 1.0, 1.0),
        (2.0, 1.0, 1.0, 0.5**0.5),
        (-1.0, 0.5, 0.3, 0.4),
    ),
    meaning="Where q is the posterior it is log p(x), else less.",
    hint="Average log p(x|z) under q: E_q[(x - z)^2] is not (x - mu)^2.",
    mistakes=(
        Mistake(
            "You decode mu alone: z varies under q, so x - z varies too.",
            lambda x, sigma_x, mu, sigma: (
                elbo(x, sigma_x, mu, sigma) + 0.5 * (sigma / sigma_x) ** 2
            ),
        ),
        Mistake(
            "You take the log of the expected likelihood: average the log.",
            log_of_mean,
        ),
        Mistake(
            "The sign of the KL: it is subtracted.",
            lambda x, sigma_x, mu, sigma: (
                elbo(x, sigma_x, mu, sigma) + 2 * kl(mu, sigma, 0, 1)
            ),
        ),
        Mistake(
            "This is log p(x).",
            lambda x, sigma_x, mu, sigma: log_normal(x, 0, math.hypot(1, sigma_x)),
        ),
    ),
)


def mean_field_vars(cov: Tensor) -> Tensor:
    """The best factor of z_i has its variance given all other z: one over
    the diagonal of the precision matrix."""
    return 1 / cov.inverse().diagonal()


COV = torch.tensor([[2.0, 1.2, 0.4], [1.2, 1.0, 0.5], [0.4, 0.5, 3.0]]).double()
MEAN_FIELD_VARS = Exercise(
    name="variational.4",
    solution=mean_field_vars,
    inputs=(
        (COV[:2, :2],),
        (COV,),
    ),
    meaning="Correlation makes each factor too narrow.",
    hint="Maximise the ELBO, -precision[i, i] var[i] / 2 + log(var[i]) / 2, in var[i].",
    mistakes=(
        Mistake(
            "These are p's own variances, which minimise KL(p || q).",
            lambda cov: cov.diagonal(),
        ),
        Mistake("These are precisions.", lambda cov: cov.inverse().diagonal()),
        Mistake("Not their roots: variances.", lambda cov: mean_field_vars(cov).sqrt()),
        Mistake("These are along other axes than z's.", torch.linalg.eigvalsh),
    ),
)


def resp(log_lik: Tensor, concentration: Tensor) -> Tensor:
    """E_q[log weights[k]] is digamma(concentration[k]) less a number that
    is the same for every k, and so cancels in the softmax."""
    return (log_lik + concentration.digamma()).softmax(1)  # (N, K) + (K,)


CONCENTRATION = torch.tensor([0.3, 4.0]).double()
RESP = Exercise(
    name="variational.5",
    solution=resp,
    inputs=(
        (LOG_JOINT, CONCENTRATION),
        (LOG_JOINT - 2000, CONCENTRATION.flip(0)),
    ),
    meaning="A component with few examples gets fewer still.",
    hint="log q(k) is E_q[log weights[k]] + log p(x|k), up to a constant.",
    mistakes=(
        Mistake(
            "You take the log of the expected weights: q needs the expected log.",
            lambda log_lik, concentration: (log_lik + concentration.log()).softmax(1),
        ),
        Mistake(
            "The weights are left out.",
            lambda log_lik, concentration: log_lik.softmax(1),
        ),
        Mistake(
            "The components are on axis 1.",
            lambda log_lik, concentration: (log_lik + concentration.digamma()).softmax(
                0
            ),
        ),
    ),
)


def best_factor(joint: Tensor, q: Tensor) -> Tensor:
    """log q(z1) is log p(x, z1, z2) averaged over q(z2), up to a constant;
    xlogy knows that what q(z2) rules out does not count."""
    expected_log = torch.xlogy(q, joint).sum(1)  # (K2,) and (K1, K2): (K1,)
    return expected_log.softmax(0)


JOINT = torch.tensor([[0.2, 0.02, 0.0], [0.05, 0.1, 0.03], [0.0, 0.2, 0.1]]).double()
Q_OF_TWO = torch.tensor([0.3, 0.7, 0.0]).double()
Q_OF_THREE = torch.tensor([0.2, 0.5, 0.3]).double()
BEST_FACTOR = Exercise(
    name="variational.6",
    solution=best_factor,
    inputs=(
        (JOINT[:2], Q_OF_TWO),
        (JOINT[:2] + 0.01, Q_OF_THREE),
        (JOINT.T, Q_OF_THREE),
    ),
    meaning="Where p is 0, q is 0: one pair rules a value out.",
    hint="Average log p(x, z1, z2) over q(z2), then softmax; torch.xlogy helps.",
    mistakes=(
        Mistake(
            "You average the joint: average its logarithm.",
            lambda joint, q: joint @ q / (joint @ q).sum(),
        ),
        Mistake(
            "This is p(z1|x), whatever q is: it minimises KL(p || q).",
            lambda joint, q: joint.sum(1) / joint.sum(),
        ),
        Mistake(
            "0 log 0 is nan in floating point; here it is 0.",
            lambda joint, q: (joint.log() @ q).softmax(0),
        ),
        Mistake("It sums to 1.", lambda joint, q: torch.xlogy(q, joint).sum(1).exp()),
    ),
)

EXERCISES = (
    KL,
    GAP,
    ELBO,
    MEAN_FIELD_VARS,
    RESP,
    BEST_FACTOR,
)
