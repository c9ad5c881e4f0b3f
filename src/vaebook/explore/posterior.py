r"""Bayesian inference of a mean: what is believed, expected and paid as data arrive."""

import math

import torch
import traitlets as t
from torch import Tensor

from vaebook.explore.bundle import bundle, stylesheet
from vaebook.explore.conjugate import NormalMean
from vaebook.explore.fallback import PicturedWidget
from vaebook.explore.posterior_still import posterior_still
from vaebook.likelihood import Gaussian

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
    relative : bool
        Whether the evidence is measured from the best single mean.

    Raises
    ------
    ValueError
        If ``x`` is not of this form or a number is out of its range; the message says
        what was received.
    """

    _esm = bundle("posterior.js")
    _css = stylesheet("theme.css", "plot.css", "posterior.css")

    mu0 = t.Float().tag(sync=True)
    tau = t.Float(1.0).tag(sync=True)
    sigma = t.Float(1.0).tag(sync=True)
    num_seen = t.Int().tag(sync=True)
    relative = t.Bool(True).tag(sync=True)
    start = t.Dict().tag(sync=True)
    x = t.List(t.Float()).tag(sync=True)
    labels = t.List(t.Unicode()).tag(sync=True)
    frame = t.Dict().tag(sync=True)

    def __init__(
        self,
        x: Tensor,
        *,
        sigma: float,
        prior: tuple[float, float],
        num_seen: int = 0,
        labels: tuple[str, str] = ("petal length, cm", "a flower"),
    ):
        _check_data(x)
        mu0, tau = map(float, prior)
        start = {"mu0": _check_finite(mu0), "tau": tau, "sigma": float(sigma)}
        start |= {"num_seen": num_seen, "relative": True}
        for name in ("tau", "sigma"):
            _check_width(name, start[name])
        self._size = len(x)
        super().__init__(
            **start,
            start=start,
            x=x.detach().double().tolist(),
            labels=list(labels),
            frame=_frame(x.double(), start),
        )

    @property
    def model(self) -> NormalMean:
        """The present prior and noise."""
        return NormalMean(self.mu0, self.tau, self.sigma)

    @property
    def seen(self) -> Tensor:
        """The values that have arrived, (num_seen,)."""
        return torch.tensor(self.x[: self.num_seen], dtype=torch.float64)

    def posterior(self) -> Gaussian:
        """Of the mean, given the values seen: ``mu`` (1,), ``var`` (1,)."""
        return self.model.posterior(self.seen)

    def predictive(self) -> Gaussian:
        """Of the next value, given those seen: ``mu`` (1,), ``var`` (1,)."""
        return self.model.predictive(self.seen)

    def log_predictive(self) -> float | None:
        """Of the next value before it is seen, nats; None if all have been."""
        if self.num_seen == len(self.x):
            return None
        value = torch.tensor([self.x[self.num_seen]], dtype=torch.float64)
        return self.predictive().log_prob(value).item()

    def log_evidence(self) -> float:
        """Of the values seen together, nats; 0 if there are none."""
        return self.model.log_evidence(self.seen)

    def best_log_lik(self) -> float:
        """Log-likelihood of the values seen at their own mean, nats; 0 of none."""
        return self.model.best_log_lik(self.seen)

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        return posterior_still(self)

    def describe(self) -> str:
        """Alt text of the snapshot."""
        posterior, predictive = self.posterior(), self.predictive()
        return (
            f"Posterior explorer, still picture, {self.num_seen} of {len(self.x)} "
            f"values seen ({self.labels[0]}): the prior of their mean, "
            f"{self.mu0:.2f} \u00b1 {self.tau:.2f}, and the posterior, "
            f"{posterior.mu.item():.2f} \u00b1 {posterior.var.sqrt().item():.2f}; the "
            f"predictive density of the next value, {predictive.mu.item():.2f} \u00b1 "
            f"{predictive.var.sqrt().item():.2f}, over all values; the log evidence "
            f"of those seen, {self.log_evidence():.2f} nats, beside the "
            f"log-likelihood of their best mean, {self.best_log_lik():.2f} nats."
        )

    @t.validate("mu0")
    def _validate_mu0(self, proposal: dict) -> float:
        return _check_finite(proposal["value"])

    @t.validate("tau", "sigma")
    def _validate_width(self, proposal: dict) -> float:
        return _check_width(proposal["trait"].name, proposal["value"])

    @t.validate("num_seen")
    def _validate_num_seen(self, proposal: dict) -> int:
        if not 0 <= proposal["value"] <= self._size:
            raise ValueError(
                f"num_seen must be 0 to {self._size}; received {proposal['value']}"
            )
        return proposal["value"]


def _check_finite(mu0: float) -> float:
    if not math.isfinite(mu0):
        raise ValueError(f"mu0 must be finite; received {mu0}")
    return mu0


def _check_width(name: str, value: float) -> float:
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} must be positive and finite; received {value}")
    return value


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
    step = _round_up((high - low + 2 * margin) / 10)
    low = step * math.floor((low - margin) / step + 0.5)
    high = step * math.ceil((high + margin) / step - 0.5)
    sigma, tau = start["sigma"], start["tau"]
    return {
        "mu": [low, high],
        "tau": [
            1 / _round_up(1 / min(sigma / 9, tau)),
            _round_up(max(90 * sigma, tau)),
        ],
        "sigma": [1 / _round_up(4 / sigma), _round_up(4 * sigma)],
    }


def _round_up(value: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is not below value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= 0.999 * value)
