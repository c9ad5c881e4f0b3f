r"""Data under a Gaussian: its likelihood, the bars of the data, the axes' ranges."""

import math
from typing import NamedTuple

import numpy as np
from torch import Tensor

from vaebook.explore.parts.ranges import round_step
from vaebook.likelihood import gaussian_log_prob

NUM_BARS = 12
PICTURE = {
    "levels": [2, 10, 30, 100, 300, 1000],  # of the contours, nats below the maximum
    "headroom": 1.04,  # times the density's peak: where its axis ends
}
LEAST_GAIN = 1e-4  # nats, of all the data; a climb ends before a smaller step


class Fit(NamedTuple):
    """A Gaussian laid over data ``x`` (N,) float64, by hand."""

    x: Tensor
    mu: float
    sigma: float

    def log_likelihood(self) -> float:
        """Of all the data, nats."""
        mu = self.x.new_tensor([self.mu])
        log_var = 2 * self.x.new_tensor([self.sigma]).log()
        return gaussian_log_prob(self.x[:, None], mu, log_var).sum().item()


def histogram(x: Tensor) -> dict[str, list[float]]:
    """Edges of equal bars over the data, and the density of each."""
    low, high = x.min().item(), x.max().item()
    step = round_step(high - low, NUM_BARS)
    first, last = math.floor(low / step + 1e-9), math.floor(high / step + 1e-9) + 1
    edges = step * np.arange(first, last + 1)
    heights = np.histogram(x.numpy() + 1e-9 * step, edges, density=True)[0]
    return {"edges": edges.round(9).tolist(), "heights": heights.tolist()}


def ranges(x: Tensor, mu: float, sigma: float) -> dict[str, list[float]]:
    """Ranges of mu (that of the data, widened) and sigma on the page."""
    low, high = min(x.min().item(), mu), max(x.max().item(), mu)
    step = round_step(high - low, 6)
    low = step * math.floor((low - 0.5 * step) / step)
    high = step * math.ceil((high + 0.5 * step) / step)
    best = x.std(correction=0).item()
    return {
        "mu": [low, high],
        "sigma": [min(best / 4, sigma / 2), max(4 * best, 2 * sigma)],
    }
