r"""The likelihood surface: a Gaussian fitted to data by hand and by gradient ascent."""

import torch
import traitlets as t
from torch import Tensor

from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.constraints import FINITE, POSITIVE, at_least, obeying
from vaebook.explore.parts.traits import constrained
from vaebook.explore.parts.widget import PicturedWidget
from vaebook.explore.surface.maths import LEAST_GAIN, PICTURE, Fit, histogram, ranges
from vaebook.explore.surface.still import Frame, surface_still


class LikelihoodExplorer(PicturedWidget):
    """Data under a Gaussian density, beside the log-likelihood of its parameters.

    Drag the ring over the contours, or climb them by gradient ascent on the mean
    log-likelihood in (mu, log sigma); the density and the numbers follow.

    Parameters
    ----------
    x : Tensor (N,)
        The data; finite, not all equal.
    start : (mu, sigma)
        Where the ring starts.
    rate : float
        Step size of gradient ascent.
    num_steps : int
        The most steps of one climb; it ends before one that gains under 1e-4 nats.
    label : str
        Name and unit of the data.

    Attributes
    ----------
    mu, sigma : float
        The parameters. Reading gives where the reader moved them, setting moves
        them, ``observe(callback, ["mu", "sigma"])`` follows them.
    now : Fit
        The log-likelihood there.

    Raises
    ------
    ValueError
        If ``x`` cannot be fitted or a number is out of its range; the message says
        what was received.
    """

    _esm = bundle("surface/explorer.js")
    _css = stylesheet("parts/plot.css", "surface/explorer.css")

    mu = t.Float().tag(sync=True)
    sigma = t.Float(1.0).tag(sync=True)
    start = t.List(t.Float()).tag(sync=True)
    x = t.List(t.Float()).tag(sync=True)
    rate = t.Float().tag(sync=True)
    num_steps = t.Int().tag(sync=True)
    least_gain = t.Float(LEAST_GAIN).tag(sync=True)
    picture = t.Dict(PICTURE).tag(sync=True)
    label = t.Unicode().tag(sync=True)
    bars = t.Dict().tag(sync=True)
    frame = t.Dict().tag(sync=True)

    def __init__(
        self,
        x: Tensor,
        *,
        start: tuple[float, float] = (5.5, 0.8),
        rate: float = 0.1,
        num_steps: int = 300,
        label: str = "petal length, cm",
    ) -> None:
        _check_data(x)
        obeying("rate", rate, POSITIVE)
        obeying("num_steps", num_steps, at_least(1))
        x, (mu, sigma) = x.detach().double(), map(float, start)
        bars = histogram(x)
        super().__init__(
            mu=mu,
            sigma=sigma,
            start=[mu, sigma],
            x=x.tolist(),
            rate=rate,
            num_steps=num_steps,
            label=label,
            bars=bars,
            frame=ranges(x, mu, sigma) | {"density": 1.5 * max(bars["heights"])},
        )

    @property
    def now(self) -> Fit:
        """The data under the present Gaussian."""
        return Fit(torch.tensor(self.x, dtype=torch.float64), self.mu, self.sigma)

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        return surface_still(self.now, Frame(self.bars, self.frame, self.label))

    def describe(self) -> str:
        """Alt text of the snapshot."""
        return (
            f"Likelihood surface, still picture: a histogram of {len(self.x)} values "
            f"({self.label}) under the Gaussian density with mean {self.mu:.2f} and "
            f"standard deviation {self.sigma:.2f}; beside it contours of the "
            f"log-likelihood over both parameters, a ring where it is "
            f"{self.now.log_likelihood():.1f} nats."
        )

    held = constrained({"mu": FINITE, "sigma": POSITIVE})


def _check_data(x: Tensor) -> None:
    if x.ndim != 1 or len(x) < 2:
        raise ValueError(f"x must be (N,) with N >= 2; received shape {tuple(x.shape)}")
    if not x.isfinite().all():
        raise ValueError(
            f"x must be finite; received {x[~x.isfinite()][0]} among its values"
        )
    if (x == x[0]).all():
        raise ValueError(
            f"x must hold different values, or no sigma is best; received "
            f"{len(x)} times {x[0]:g}"
        )
