r"""Bayesian inference of a mean: what is believed, expected and paid as data arrive."""

import math

import torch
import traitlets as t
from torch import Tensor

from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.constraints import FINITE, POSITIVE, obeying, within
from vaebook.explore.parts.ranges import round_up
from vaebook.explore.parts.traits import constrained
from vaebook.explore.parts.widget import PicturedWidget
from vaebook.explore.posterior.maths import PICTURE, Learned, NormalMean
from vaebook.explore.posterior.still import Frame, posterior_still

MOST_DATA = 500


class PosteriorExplorer(PicturedWidget):
    """The mean of a Gaussian with known noise, learned from data one by one.

    Three panels: prior, likelihood and posterior of the mean; the predictive density
    of the next value; the log evidence of the values seen, beside that of the prior
    at the start and, above it by the price, the log-likelihood of the best mean.

    Parameters
    ----------
    x : Tensor (N,)
        The data in the order of their arrival; finite, N from 1 to 500.
    sigma : float
        Standard deviation of a value around the mean.
    prior : (mu0, tau)
        Mean and standard deviation of the prior of the mean.
    num_seen : int
        How many of the data have arrived.
    labels : two str
        Name and unit of the data; what one of them is called, for a button.

    Attributes
    ----------
    mu0, tau, sigma : float
        Prior and noise. Reading gives where the reader moved them, setting moves them.
    num_seen : int
        From 0 to N.
    now : Learned
        Posterior, predictive density and evidence at the present setting.
    relative : bool
        Whether the evidence is measured from the best single mean.

    Raises
    ------
    ValueError
        If ``x`` is not of this form or a number is out of its range; the message says
        what was received.
    """

    _esm = bundle("posterior/explorer.js")
    _css = stylesheet("parts/plot.css", "posterior/explorer.css")

    mu0 = t.Float().tag(sync=True)
    tau = t.Float(1.0).tag(sync=True)
    sigma = t.Float(1.0).tag(sync=True)
    num_seen = t.Int().tag(sync=True)
    relative = t.Bool(True).tag(sync=True)
    start = t.Dict().tag(sync=True)
    x = t.List(t.Float()).tag(sync=True)
    labels = t.List(t.Unicode()).tag(sync=True)
    frame = t.Dict().tag(sync=True)
    picture = t.Dict(PICTURE).tag(sync=True)

    def __init__(
        self,
        x: Tensor,
        *,
        sigma: float,
        prior: tuple[float, float],
        num_seen: int = 0,
        labels: tuple[str, str] = ("petal length, cm", "a flower"),
    ) -> None:
        _check_data(x)
        mu0, tau = map(float, prior)
        start = {
            "mu0": obeying("mu0", mu0, FINITE),
            "tau": obeying("tau", tau, POSITIVE),
            "sigma": obeying("sigma", float(sigma), POSITIVE),
            "num_seen": num_seen,
            "relative": True,
        }
        super().__init__(
            **start,
            start=start,
            x=x.detach().double().tolist(),
            labels=list(labels),
            frame=_frame(x.double(), start),
        )

    @property
    def now(self) -> Learned:
        """What is believed at the present prior, noise and data."""
        model = NormalMean(self.mu0, self.tau, self.sigma)
        x = torch.tensor(self.x, dtype=torch.float64)
        return Learned(model, x, self.num_seen)

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        home = self.now.model._replace(mu0=self.start["mu0"], tau=self.start["tau"])
        frame = Frame(tuple(self.frame["mu"]), self.labels[0], self.relative)
        return posterior_still(self.now, home, frame)

    def describe(self) -> str:
        """Alt text of the snapshot."""
        posterior, predictive = self.now.posterior(), self.now.predictive()
        return (
            f"Posterior explorer, still picture, {self.num_seen} of {len(self.x)} "
            f"values seen ({self.labels[0]}): the prior of their mean, "
            f"{self.mu0:.2f} \u00b1 {self.tau:.2f}, and the posterior, "
            f"{posterior.mu.item():.2f} \u00b1 {posterior.var.sqrt().item():.2f}; the "
            f"predictive density of the next value, {predictive.mu.item():.2f} \u00b1 "
            f"{predictive.var.sqrt().item():.2f}, over all values; the log evidence "
            f"of those seen, {self.now.log_evidence():.2f} nats, beside the "
            f"log-likelihood of their best mean, {self.now.best_log_lik():.2f} nats."
        )

    held = constrained(
        {
            "mu0": FINITE,
            "tau": POSITIVE,
            "sigma": POSITIVE,
            "num_seen": lambda self: within(0, len(self.x)),
        }
    )


def _check_data(x: Tensor) -> None:
    if x.ndim != 1 or not 1 <= len(x) <= MOST_DATA or not x.isfinite().all():
        raise ValueError(
            f"x must be finite, (N,) with N from 1 to {MOST_DATA}; received shape "
            f"{tuple(x.shape)}, {(~x.isfinite()).sum().item()} values not finite"
        )


def _frame(x: Tensor, start: dict[str, float]) -> dict[str, list[float]]:
    """Ranges of mu, tau and sigma on the page, around the data and the start."""
    low, high = min(x.min().item(), start["mu0"]), max(x.max().item(), start["mu0"])
    margin = max(0.75 * (high - low), 3 * start["sigma"])
    step = round_up((high - low + 2 * margin) / 10)
    low = step * math.floor((low - margin) / step + 0.5)
    high = step * math.ceil((high + margin) / step - 0.5)
    sigma, tau = start["sigma"], start["tau"]
    return {
        "mu": [low, high],
        "tau": [
            1 / round_up(1 / min(sigma / 9, tau)),
            round_up(max(90 * sigma, tau)),
        ],
        "sigma": [1 / round_up(4 / sigma), round_up(4 * sigma)],
    }
