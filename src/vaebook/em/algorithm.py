r"""Expectation-maximisation: maximum likelihood with a hidden cause (chapter 3)."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import data_matrix, probabilities
from vaebook.em.mixtures import (
    IMPOSSIBLE,
    BernoulliMixture,
    GaussianMixture,
    InverseWishart,
)
from vaebook.map_estimation import Beta

Mixture = GaussianMixture | BernoulliMixture
Prior = InverseWishart | Beta
CHUNK = 1 << 19  # numbers that a thread holds in a pass over the data: cache size


class EStep(NamedTuple):
    """What the E-step gives for each example.

    Attributes
    ----------
    log_resp : Tensor (N, K)
        Log of the responsibilities p(k|x).
    log_evidence : Tensor (N,)
        log p(x), nats.
    """

    log_resp: Tensor
    log_evidence: Tensor


class EmRun(NamedTuple):
    """One run of EM, step by step.

    Attributes
    ----------
    path : list of mixtures
        The start first; the last is the answer.
    objective : list of float
        Mean log p(x) of each, plus log-prior / N if there is a prior; nats.
    converged : bool
        Whether the last step gained less than ``tol``.
    """

    path: list[Mixture]
    objective: list[float]
    converged: bool

    @property
    def mixture(self) -> Mixture:
        """The last of the path."""
        return self.path[-1]


def log_joint(mixture: Mixture, x: Tensor) -> Tensor:
    r"""log p(k) + log p(x|k), (N, K) nats.

    Equation: eq-em-joint
    """
    return (mixture.natural() @ mixture.statistics(x)).T


def e_step(mixture: Mixture, x: Tensor) -> EStep:
    r"""Responsibilities and evidence of each example, by log-sum-exp.

    .. math:: \log r_{nk} = \log\pi_k + \log p(x_n|k) - \log p(x_n)

    Equation: eq-em-responsibilities
    """
    log_p_x_k = log_joint(mixture, x)
    log_evidence = torch.logsumexp(log_p_x_k, -1)
    log_resp = log_p_x_k - log_evidence[:, None]
    possible = log_evidence > IMPOSSIBLE / 2
    return EStep(log_resp, log_evidence.where(possible, -torch.inf))


def m_step(
    mixture: Mixture, x: Tensor, log_resp: Tensor, prior: Prior | None = None
) -> Mixture:
    """The mixture of the same kind that maximises the bound; ``log_resp`` (N, K).

    With a prior it maximises the bound plus the log-prior. Errors:
    :class:`vaebook.mixtures.CollapsedComponentError`.

    Equation: eq-em-m-step
    """
    return mixture.maximised(log_resp.exp().T @ mixture.statistics(x).T, prior)


def lower_bound(mixture: Mixture, x: Tensor, log_resp: Tensor) -> Tensor:
    r"""The bound on log p(x) of each example, for any responsibilities; (N,) nats.

    .. math:: \mathcal L(q,\theta) = \sum_k q_k[\log p(x,k) - \log q_k]

    Equation: eq-em-bound
    """
    resp = log_resp.exp()
    terms = resp * (log_joint(mixture, x) - log_resp)
    return terms.where(resp > 0, 0.0).sum(-1)  # 0 log 0 = 0


def em_step(
    mixture: Mixture, x: Tensor, prior: Prior | None = None
) -> tuple[Mixture, float]:
    """E-step then M-step in one pass over the data, in memory independent of N.

    Returns the next mixture, and mean log p(x) (plus log-prior / N) of the *given* one.
    """
    natural = mixture.natural()
    moments = torch.zeros_like(natural)
    total = 0.0
    size = max(CHUNK * torch.get_num_threads() // natural.shape[1], 16)
    buffer = x.new_empty(natural.shape[1], min(size, len(x)))
    for chunk in x.split(size):
        statistics = mixture.statistics(chunk, out=buffer[:, : len(chunk)])
        log_p_x_k = natural @ statistics  # (K, n)
        largest = log_p_x_k.amax(0)
        resp = log_p_x_k.sub_(largest).exp_()
        evidence = resp.sum(0)
        total += (largest + evidence.log()).sum().item()
        moments += resp.div_(evidence) @ statistics.T
    if prior:
        total += mixture.log_prior(prior).item()
    return mixture.maximised(moments, prior), total / len(x)


def fit_em(
    x: Tensor,
    start: Mixture,
    *,
    prior: Prior | None = None,
    tol: float = 1e-9,
    max_steps: int = 1000,
) -> EmRun:
    """Repeat :func:`em_step` until a step gains less than ``tol`` nats per example.

    Parameters
    ----------
    x : Tensor (N, D)
        Real for a Gaussian mixture, binary for a Bernoulli one.
    start : GaussianMixture or BernoulliMixture
    prior : InverseWishart or Beta, optional
        On each covariance, or on each probability: the run then climbs to the MAP.

    Raises
    ------
    CollapsedComponentError
        If a component empties or loses its width.
    ValueError
        If ``x`` is not finite data of the start's width, or holds an impossible row.

    Equation: eq-em-monotone (Dempster, Laird & Rubin 1977)
    """
    _check(x, start)
    path = [start]
    objective = []
    while len(path) <= max_steps + 1:
        following, value = em_step(path[-1], x, prior)
        objective.append(value)
        if not value * len(x) > IMPOSSIBLE / 2:
            raise ValueError("a row of x is impossible under every component")
        if len(objective) > 1 and objective[-1] - objective[-2] < tol:
            return EmRun(path, objective, True)
        path.append(following)
    return EmRun(path[:-1], objective, False)


def fit_em_best(x: Tensor, starts: Iterable[Mixture], **options: object) -> EmRun:
    """The best of several runs, by objective; options as in :func:`fit_em`."""
    return max(
        (fit_em(x, s, **options) for s in starts), key=lambda run: run.objective[-1]
    )


def sample_mixture(
    mixture: Mixture, num_samples: int, *, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw a component, then an example from it: x (S, D) and k (S,).

    Equation: eq-em-mixture
    """
    k = torch.multinomial(mixture.weights, num_samples, True, generator=rng)
    return mixture.sample(k, rng=rng), k


def _check(x: Tensor, start: Mixture) -> None:
    dim = start[1].shape[1]
    if data_matrix(x).shape[1] != dim:
        raise ValueError(
            f"x must have the {dim} columns of start; received {tuple(x.shape)}"
        )
    if x.dtype != start.weights.dtype:
        given = f"x {x.dtype}, start {start.weights.dtype}"
        raise ValueError(f"x and start must be of one type; received {given}")
    probabilities("start.weights", start.weights)
    start.check(x)
