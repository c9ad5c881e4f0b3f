r"""Still picture of the posterior explorer, drawn with matplotlib."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from matplotlib.axes import Axes

from vaebook.explore.still import ACCENT, INK, MUTED, still_figure, still_picture
from vaebook.figures import KL_COLOUR
from vaebook.likelihood import Gaussian

if TYPE_CHECKING:
    from vaebook.explore.posterior import PosteriorExplorer

STARTED = {"color": INK, "ls": "--", "lw": 1.1}


def posterior_still(explorer: "PosteriorExplorer") -> bytes:
    """The mean, the next value and the evidence of the present state, as WebP."""
    figure = still_figure()
    mean, value, evidence = figure.subplots(1, 3)
    _draw_mean(mean, explorer)
    _draw_next(value, explorer)
    _draw_evidence(evidence, explorer)
    for ax in (mean, value, evidence):
        ax.xaxis.label.set_size(8)
        ax.legend(
            fontsize=6, loc="lower left", bbox_to_anchor=(-0.05, 1), frameon=False
        )
    return still_picture(figure, colours=48, letters=7)


def _draw_mean(ax: Axes, explorer: "PosteriorExplorer") -> None:
    """Prior, likelihood (scaled to area 1) and posterior over the mean."""
    mu, posterior = np.linspace(*explorer.frame["mu"], 600), explorer.posterior()
    ax.plot(mu, _density(mu, explorer.mu0, explorer.tau), label="prior", **STARTED)
    if explorer.num_seen:
        seen = explorer.x[: explorer.num_seen]
        width = explorer.sigma / len(seen) ** 0.5
        likelihood = _density(mu, np.mean(seen), width)
        ax.plot(mu, likelihood, color=KL_COLOUR, lw=3, label="likelihood, scaled")
    _draw_density(ax, mu, posterior, "posterior")
    ax.set(xlabel=r"mean $\mu$")


def _draw_next(ax: Axes, explorer: "PosteriorExplorer") -> None:
    """The predictive density over the values, dark where they have been seen."""
    x, values = np.linspace(*explorer.frame["mu"], 600), np.array(explorer.x)
    top = 1.25 * _density([0.0], 0.0, explorer.sigma)[0]
    rank = np.tril(values[:, None] == values).sum(1) - 0.5
    for part, colour, label in (
        (slice(explorer.num_seen), INK, "seen"),
        (slice(explorer.num_seen, None), "#b3bac4", "to come"),
    ):
        feet = 0.04 * top * rank[part]
        ax.plot(values[part], feet, "|", color=colour, ms=3.5, label=label)
    _draw_density(ax, x, explorer.predictive(), "predictive")
    ax.set(xlabel=explorer.labels[0], ylim=(0, top))


def _draw_evidence(ax: Axes, explorer: "PosteriorExplorer") -> None:
    """Log evidence up to now, beside the log-likelihood of the best mean."""
    start, model = explorer.start, explorer.model
    now, best = model.history(explorer.seen)
    home = model._replace(mu0=start["mu0"], tau=start["tau"])
    at_start, _ = home.history(explorer.seen)
    if explorer.relative:
        now, at_start, best = now - best, at_start - best, 0 * best
    ax.plot(best, color=MUTED, lw=0.8, label="best mean")
    ax.plot(now, color=ACCENT, label="evidence, this prior")
    ax.plot(explorer.num_seen, now[-1], "o", color=ACCENT, ms=4)
    ax.plot(at_start, label="with the prior at the start", **STARTED)
    ax.set(xlabel="data seen $n$", xlim=(-0.5, len(explorer.x) + 0.5))
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
