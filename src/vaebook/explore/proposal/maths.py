r"""Importance sampling from one Gaussian to another: draws, weights, their worth."""

import math
from typing import NamedTuple

from torch import Tensor

from vaebook.likelihood import gaussian_log_prob
from vaebook.monte_carlo import FEWEST_FOR_TAIL, effective_sample_size

DRAWS = (10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000)
NARROWEST, WIDEST, FARTHEST = 0.1, 5, 4  # in standard deviations of the target
PICTURE = {
    "draws": DRAWS,
    "widths": (NARROWEST, WIDEST),
    "farthest": FARTHEST,
    "half": 6,  # of the axis of z, in standard deviations of the target
    "ends": (-0.04, 1.04),  # of the axis of ESS / S
    "fewest_for_tail": FEWEST_FOR_TAIL,
}


class Proposal(NamedTuple):
    """q = N(mean, sd^2), weighted towards p = N(0, target_sd^2).

    ``eps`` (S,) are standard normal numbers, drawn once: only mean, sd and their
    number move the draws.
    """

    mean: float
    sd: float
    target_sd: float
    eps: Tensor

    def draws(self) -> Tensor:
        """z of q, (S,)."""
        return self.mean + self.sd * self.eps

    def log_w(self) -> Tensor:
        """Their log-weights log p(z) - log q(z), (S,)."""
        z = self.draws()
        return _log_prob(z, 0.0, self.target_sd) - _log_prob(z, self.mean, self.sd)

    def ess_share(self) -> float:
        """Effective sample size of the draws over S."""
        return effective_sample_size(self.log_w()).item() / len(self.eps)

    def ess_limit(self) -> float:
        r"""Where ESS over S goes as S grows; 0 where the variance of w is infinite.

        .. math:: \frac{1}{\mathbb E_q[w^2]}
                  = \frac{\tau\sqrt{2 s^2 - \tau^2}}{s^2}\,
                    \exp\Bigl(-\frac{m^2}{2 s^2 - \tau^2}\Bigr)
                  \quad\text{if } s^2 > \tau^2/2

        for p = N(0, tau^2), q = N(m, s^2).
        """
        excess = 2 * self.sd**2 - self.target_sd**2
        if excess <= 0:
            return 0.0
        peak = self.target_sd * excess**0.5 / self.sd**2
        return peak * math.exp(-(self.mean**2) / excess)

    def of_width(self, sd: float) -> "Proposal":
        """The same draws, spread to another width."""
        return self._replace(sd=sd)


def _log_prob(z: Tensor, mean: float, sd: float) -> Tensor:
    """Log-density of N(mean, sd^2) at each z (S,), (S,) nats."""
    mu = z.new_tensor([mean])
    log_var = z.new_tensor([2 * math.log(sd)])
    return gaussian_log_prob(z[:, None], mu, log_var)
