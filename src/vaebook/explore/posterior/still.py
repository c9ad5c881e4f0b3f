r"""Still picture of the posterior explorer, drawn with matplotlib."""

from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes

from vaebook.explore.parts.colours import ACCENT, INK, MUTED
from vaebook.explore.parts.picture import still_figure, still_picture
from vaebook.explore.posterior.maths import PICTURE, Learned, NormalMean
from vaebook.figures import KL_COLOUR
from vaebook.likelihood import Gaussian

STARTED = {"color": INK, "ls": "--", "lw": 1.1}


class Frame(NamedTuple):
    """How it is shown: the range of the mean, the data's name, nats from where."""

    mu: tuple[float, float]
    label: str
    relative: bool


def posterior_still(learned: Learned, home: NormalMean, frame: Frame) -> bytes:
    """The mean, the next value and the evidence, as WebP; ``home``: at the start."""
    figure = still_figure()
    mean, value, evidence = figure.subplots(1, 3)
    _draw_mean(mean, learned, frame)
    _draw_next(value, learned, frame)
    _draw_evidence(evidence, learned, home, frame.relative)
    for ax in (mean, value, evidence):
        ax.xaxis.label.set_size(8)
        ax.legend(
            fontsize=6, loc="lower left", bbox_to_anchor=(-0.05, 1), frameon=False
        )
    return still_picture(figure, colours=48, letters=7)


def _draw_mean(ax: Axes, learned: Learned, frame: Frame) -> None:
    """Prior, likelihood (scaled to area 1) and posterior over the mean."""
    mu = np.linspace(*frame.mu, 600)
    model = learned.model
    seen = learned.seen
    ax.plot(mu, _density(mu, model.mu0, model.tau), label="prior", **STARTED)
    if len(seen):
        width = model.sigma / len(seen) ** 0.5
        likelihood = _density(mu, seen.mean().item(), width)
        ax.plot(mu, likelihood, color=KL_COLOUR, lw=3, label="likelihood, scaled")
    _draw_density(ax, mu, learned.posterior(), "posterior")
    ax.set(xlabel=r"mean $\mu$")


def _draw_next(ax: Axes, learned: Learned, frame: Frame) -> None:
    """The predictive density over the values, dark where they have been seen."""
    x = np.linspace(*frame.mu, 600)
    values = learned.x.numpy()
    top = PICTURE["headroom"] * _density([0.0], 0.0, learned.model.sigma)[0]
    rank = np.tril(values[:, None] == values).sum(1) - 0.5
    for part, colour, label in (
        (slice(learned.num_seen), INK, "seen"),
        (slice(learned.num_seen, None), "#b3bac4", "to come"),
    ):
        feet = 0.04 * top * rank[part]
        ax.plot(values[part], feet, "|", color=colour, ms=3.5, label=label)
    _draw_density(ax, x, learned.predictive(), "predictive")
    ax.set(xlabel=frame.label, ylim=(0, top))


def _draw_evidence(
    ax: Axes, learned: Learned, home: NormalMean, relative: bool
) -> None:
    """Log evidence up to now, beside the log-likelihood of the best mean."""
    now, best = learned.model.history(learned.seen)
    at_start, _ = home.history(learned.seen)
    if relative:
        now, at_start, best = now - best, at_start - best, 0 * best
    ax.plot(best, color=MUTED, lw=0.8, label="best mean")
    ax.plot(now, color=ACCENT, label="evidence, this prior")
    ax.plot(learned.num_seen, now[-1], "o", color=ACCENT, ms=4)
    ax.plot(at_start, label="with the prior at the start", **STARTED)
    ax.set(xlabel="data seen $n$", xlim=(-0.5, len(learned.x) + 0.5))
    ax.set_ylabel("nats", size=8)


def _draw_density(ax: Axes, at: np.ndarray, gaussian: Gaussian, label: str) -> None:
    density = _density(at, gaussian.mu.item(), gaussian.var.sqrt().item())
    ax.fill_between(at, density, color=ACCENT, alpha=0.12, lw=0)
    ax.plot(at, density, color=ACCENT, label=label)
    ax.set_ylim(0)


def _density(at: np.ndarray | list[float], mu: float, sigma: float) -> np.ndarray:
    at, mu, var = (
        torch.as_tensor(v, dtype=torch.float64) for v in (at, [mu], [sigma**2])
    )
    return Gaussian(mu, var).log_prob(at[:, None]).exp().numpy()
