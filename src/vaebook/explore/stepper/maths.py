r"""Runs of EM as the stepper shows them: their heights, and the line of each step."""

from contextlib import suppress

import numpy as np
import torch
from torch import Tensor

from vaebook.em import (
    LEAST_VARIANCE,
    LEAST_WEIGHT,
    CollapsedComponentError,
    EmRun,
    GaussianMixture,
    e_step,
    em_step,
    fit_em,
    gaussian_start,
    lower_bound,
)

MOST_COMPONENTS = 4
PICTURE = {
    "colours": ["class-0", "class-7", "class-4", "class-3"],  # of the theme
    "headroom": 0.15,  # above the highest point of the slice, of its rise
    "span": (-0.3, 1.5),  # of the line through two mixtures, which lie at 0 and 1
}
LIMITS = {"weight": LEAST_WEIGHT, "variance": LEAST_VARIANCE}  # before a collapse
LEAST_GAIN = 1e-4  # nats over all the data; a run ends at a smaller one
POSITIONS = torch.linspace(*PICTURE["span"], 91).double()


def start_from(x: Tensor, means: list[list[float]]) -> GaussianMixture:
    return gaussian_start(x, torch.tensor(means, dtype=torch.float64))


def fit_from(x: Tensor, means: list[list[float]], num_steps: int) -> EmRun:
    return fit_em(x, start_from(x, means), tol=LEAST_GAIN / len(x), max_steps=num_steps)


def until_collapse(x: Tensor, mixture: GaussianMixture) -> list[GaussianMixture]:
    path = []
    with suppress(CollapsedComponentError):
        while True:
            path.append(mixture)
            mixture = em_step(mixture, x)[0]
    return path


def heights(x: Tensor, path: list[GaussianMixture]) -> tuple[list[float], list[float]]:
    """Log-likelihood of each mixture, and the bound that its M-step reached, nats.

    The first bound is where the first E-step touches.
    """
    steps = [e_step(mixture, x) for mixture in path]
    log_lik = [step.log_evidence.sum().item() for step in steps]
    reached = zip(steps, path[1:], strict=False)
    bounds = [lower_bound(to, x, step.log_resp).sum().item() for step, to in reached]
    return log_lik, [log_lik[0], *bounds]


def shipped(x: Tensor, runs: dict[str, EmRun]) -> dict:
    """Each run as a row of float64 numbers a mixture, with its two heights."""
    rows = []
    for run in runs.values():
        for mixture, *nats in zip(run.path, *heights(x, run.path), strict=True):
            cov = mixture.cov[:, [0, 0, 1], [0, 1, 1]]
            parts = [mixture.weights, mixture.mu.ravel(), cov.ravel()]
            rows.append(np.concatenate([*parts, nats]))
    names = [
        {"name": name, "count": len(run.path), "converged": run.converged}
        for name, run in runs.items()
    ]
    return {"runs": names, "numbers": np.concatenate(rows).astype("<f8").tobytes()}


def slice_heights(
    x: Tensor, ends: list[GaussianMixture], log_resp: Tensor, s: Tensor = POSITIONS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where on the line through two mixtures a mixture lies, its log-likelihood there
    and the bound for ``log_resp``; nats over all of x."""
    mixed = [between(*ends, at) for at in s]
    rows = [
        (at, e_step(m, x).log_evidence.sum(), lower_bound(m, x, log_resp).sum())
        for at, m in zip(s, mixed, strict=True)
        if proper(m)
    ]
    return tuple(np.array(rows, dtype=float).T)


def between(a: GaussianMixture, b: GaussianMixture, s: Tensor) -> GaussianMixture:
    """(1 - s) a + s b in every parameter."""
    return GaussianMixture(*(p + s * (q - p) for p, q in zip(a, b, strict=True)))


def proper(mixture: GaussianMixture) -> bool:
    """Whether weights and covariances are those of a mixture."""
    faults = torch.linalg.cholesky_ex(mixture.cov).info
    return bool((mixture.weights > 0).all()) and not faults.any()
