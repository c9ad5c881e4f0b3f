r"""Importance sampling by hand: a Gaussian proposal moved and widened over a target."""

import math

import torch
import traitlets as t
from torch import Tensor

from vaebook.checks import positive
from vaebook.explore.bundle import bundle, stylesheet
from vaebook.explore.fallback import PicturedWidget
from vaebook.explore.proposal_still import proposal_still
from vaebook.likelihood import gaussian_log_prob
from vaebook.monte_carlo import effective_sample_size

FEWEST_DRAWS, MOST_DRAWS = 10, 2000
NARROWEST, WIDEST, FARTHEST = 0.1, 5.0, 4.0  # in standard deviations of the target


class ProposalExplorer(PicturedWidget):
    r"""Draws of q = N(mean, sd^2), weighted towards p = N(0, target_sd^2).

    .. math:: z_s = m + s\,\varepsilon_s, \qquad w_s = \frac{p(z_s)}{q(z_s)}

    The noise is drawn once, so that only mean, sd and the number of draws move them.

    Parameters
    ----------
    mean, sd : float
        Of q at the start.
    target_sd : float
        Of p.
    num_samples : int
        Draws at the start.
    rng : torch.Generator
        Source of the 2000 standard normal numbers, which stay in float32.

    Attributes
    ----------
    mean, sd, num_samples : float, float, int
        Of q. Reading gives where the reader moved them, setting moves them.
    noise : Tensor (2000,)

    Raises
    ------
    ValueError
        If a number is out of the range of its slider; the message gives it.
    """

    _esm = bundle("proposal.js")
    _css = stylesheet("theme.css", "plot.css", "proposal.css")

    mean = t.Float().tag(sync=True)
    sd = t.Float(1.0).tag(sync=True)
    num_samples = t.Int(FEWEST_DRAWS).tag(sync=True)
    target_sd = t.Float(1.0).tag(sync=True)
    eps = t.Bytes().tag(sync=True)

    def __init__(
        self,
        mean: float = 0.0,
        sd: float = 1.5,
        *,
        target_sd: float = 1.0,
        num_samples: int = 500,
        rng: torch.Generator,
    ):
        target_sd = positive("target_sd", float(target_sd)).item()
        eps = torch.randn(MOST_DRAWS, generator=rng)
        self.noise = eps.double()
        super().__init__(target_sd=target_sd, eps=eps.numpy().astype("<f4").tobytes())
        self.mean, self.sd, self.num_samples = float(mean), float(sd), num_samples

    def draws(self) -> Tensor:
        """The present draws z of q, (S,)."""
        return self.mean + self.sd * self.noise[: self.num_samples]

    def log_w(self, sd: float | None = None) -> Tensor:
        """Their log-weights log p(z) - log q(z), (S,); or those for another width."""
        sd = self.sd if sd is None else sd
        z = self.mean + sd * self.noise[: self.num_samples, None]
        return self._log_prob(z, 0.0, self.target_sd) - self._log_prob(z, self.mean, sd)

    def ess_share(self, sd: float | None = None) -> float:
        """Effective sample size over S, of the present draws or for another width."""
        return effective_sample_size(self.log_w(sd)).item() / self.num_samples

    def ess_limit(self, sd: float | None = None) -> float:
        r"""Where ESS over S goes as S grows; 0 where the variance of w is infinite.

        .. math:: \frac{1}{\mathbb E_q[w^2]}
                  = \frac{\tau\sqrt{2 s^2 - \tau^2}}{s^2}\,
                    \exp\Bigl(-\frac{m^2}{2 s^2 - \tau^2}\Bigr)
                  \quad\text{if } s^2 > \tau^2/2

        for p = N(0, tau^2), q = N(m, s^2).
        """
        sd, tau = self.sd if sd is None else sd, self.target_sd
        excess = 2 * sd**2 - tau**2
        if excess <= 0:
            return 0.0
        return tau * excess**0.5 / sd**2 * math.exp(-(self.mean**2) / excess)

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        return proposal_still(self)

    def describe(self) -> str:
        """Alt text of the snapshot."""
        share = 100 * torch.softmax(self.log_w(), 0).max().item()
        return (
            f"Proposal explorer, still picture: the target N(0, {self.target_sd:g}²) "
            f"and the proposal N({self.mean:.2f}, {self.sd:.2f}²); below, "
            f"{self.num_samples} draws as stems as high as their weights, the largest "
            f"{share:.1f}% of the total; beside, the effective sample size as a share "
            f"of the draws against the width of the proposal, {self.ess_share():.3f} "
            f"at present."
        )

    @staticmethod
    def _log_prob(z: Tensor, mean: float, sd: float) -> Tensor:
        mu, log_var = z.new_tensor([mean]), z.new_tensor([2 * math.log(sd)])
        return gaussian_log_prob(z, mu, log_var)

    @t.validate("mean")
    def _validate_mean(self, proposal: dict) -> float:
        most = FARTHEST * self.target_sd
        return _within("mean", proposal["value"], -most, most)

    @t.validate("sd")
    def _validate_sd(self, proposal: dict) -> float:
        tau = self.target_sd
        return _within("sd", proposal["value"], NARROWEST * tau, WIDEST * tau)

    @t.validate("num_samples")
    def _validate_num_samples(self, proposal: dict) -> int:
        return _within("num_samples", proposal["value"], FEWEST_DRAWS, MOST_DRAWS)


def _within(name: str, value: float, low: float, high: float) -> float:
    """``value`` itself; a slider's end may miss its bound by rounding."""
    slack = 1e-9 * (high - low)
    if not low - slack <= value <= high + slack:
        raise ValueError(f"{name} must be {low:g} to {high:g}; received {value}")
    return value
