r"""The ELBO ellipse: a Gaussian q laid over a posterior by hand."""

import traitlets as t

from vaebook.explore.ellipse.maths import (
    DIRECTIONS,
    PICTURE,
    Ellipse,
    banana_target,
    linear_target,
    picture_bound,
    prepared,
)
from vaebook.explore.ellipse.still import ellipse_still
from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.constraints import (
    FINITE,
    POSITIVE,
    numbers,
    obeying,
    one_of,
    within,
)
from vaebook.explore.parts.traits import constrained
from vaebook.explore.parts.widget import PicturedWidget
from vaebook.variational import Banana

SHORTEST, LONGEST = 0.1, 2.0  # standard deviations along an axis, within reach
NAMED = {"gaussian": "correlated Gaussian", "banana": "banana"}
START = ((0.3, 1.0), (0.7, 0.35), 15.0)


class EllipseExplorer(PicturedWidget):
    """A Gaussian q over the posterior of one observation, in two dimensions.

    Drag its ellipse: log p(x) stays, and the ELBO and KL(q || p) always add up to it.

    Parameters
    ----------
    target : str
        ``"gaussian"``: two numbers, standard normal, whose sum plus noise was seen;
        ``"banana"``: the smallest curved decoder.
    direction : str
        The divergence to make small: ``"reverse"``, KL(q || p), or ``"forward"``.
    seen : (x, sigma)
        Of the Gaussian target: the noisy sum, and the noise.
    banana : Banana
        The other target.
    start : (mean, lengths, angle)
        Where q starts; as the attributes.

    Attributes
    ----------
    target, direction : str
        As above; set them to switch.
    mu, lengths : two floats
        Mean of q, and its standard deviations along the two axes of its ellipse.
    angle : float
        Degrees from z1 to the first axis; the second is perpendicular.
    now : Ellipse
        The Gaussian ``q`` of these, where the reader moved it, with its ELBO and both
        divergences.

    Raises
    ------
    ValueError
        If a number is out of its range; the message says what was received.
    """

    _esm = bundle("ellipse/explorer.js")
    _css = stylesheet("parts/plot.css", "parts/sum.css", "ellipse/explorer.css")

    target = t.Unicode("gaussian").tag(sync=True)
    direction = t.Unicode("reverse").tag(sync=True)
    mu = t.List(t.Float()).tag(sync=True)
    lengths = t.List(t.Float()).tag(sync=True)
    angle = t.Float().tag(sync=True)
    start = t.List().tag(sync=True)
    targets = t.Dict().tag(sync=True)
    directions = t.Dict(DIRECTIONS).tag(sync=True)
    picture = t.Dict(PICTURE).tag(sync=True)
    bound = t.Float().tag(sync=True)
    reach = t.List(t.Float()).tag(sync=True)

    def __init__(
        self,
        target: str = "gaussian",
        *,
        direction: str = "reverse",
        seen: tuple[float, float] = (1.9, 1 / 3),
        banana: Banana | None = None,
        start: tuple[tuple, tuple, float] = START,
    ) -> None:
        banana = banana or Banana()
        _check_seen("seen", *seen)
        _check_banana(banana)
        made = {
            "gaussian": prepared(linear_target, *map(float, seen)),
            "banana": prepared(banana_target, Banana(*map(float, banana))),
        }
        self.posteriors = {name: target for name, (target, _) in made.items()}
        super().__init__(
            target=target,
            direction=direction,
            targets={name: sent for name, (_, sent) in made.items()},
            bound=picture_bound(self.posteriors.values()),
            reach=[SHORTEST, LONGEST],
            **_placed(*start),
        )

    @property
    def now(self) -> Ellipse:
        """The present Gaussian over the present target."""
        target = self.posteriors[self.target]
        return Ellipse(target, self.mu, self.lengths, self.angle)

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        return ellipse_still(self.now, self.bound)

    def describe(self) -> str:
        """Alt text of the snapshot."""
        whole, elbo, kl = self.now.summands()
        return (
            f"ELBO ellipse, still picture: contours of a posterior ("
            f"{NAMED[self.target]}) under the ellipses of a Gaussian q with "
            f"mean ({self.mu[0]:.2f}, {self.mu[1]:.2f}) and standard deviations "
            f"{self.lengths[0]:.2f} and {self.lengths[1]:.2f} along its axes; beside "
            f"it a bar in which the ELBO, {elbo} nats, and the gap KL(q \u2016 p), "
            f"{kl} nats, add up to log p(x), {whole} nats."
        )

    held = constrained(
        {
            "target": one_of(NAMED),
            "direction": one_of(DIRECTIONS),
            "mu": numbers(2),
            "lengths": numbers(2, POSITIVE),
            "angle": FINITE,
        }
    )


def _placed(mu: tuple, lengths: tuple, angle: float) -> dict:
    """The traits of where q starts."""
    mu, lengths = list(mu), list(lengths)
    start = [mu, lengths, angle]
    return {"mu": mu, "lengths": lengths, "angle": angle, "start": start}


def _check_seen(name: str, x: float, sigma: float) -> None:
    obeying(f"{name}.x", x, within(-5, 5))
    obeying(f"{name}.sigma", sigma, within(0.2, 5))


def _check_banana(banana: Banana) -> None:
    _check_seen("banana", banana.x, banana.sigma)
    obeying("banana.curvature", banana.curvature, within(-2, 2))
