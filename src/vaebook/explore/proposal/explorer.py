r"""Importance sampling by hand: a Gaussian proposal moved and widened over a target."""

import torch
import traitlets as t

from vaebook.checks import positive
from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.constraints import Constraint, within
from vaebook.explore.parts.traits import constrained
from vaebook.explore.parts.widget import PicturedWidget
from vaebook.explore.proposal.maths import (
    DRAWS,
    FARTHEST,
    NARROWEST,
    PICTURE,
    WIDEST,
    Proposal,
)
from vaebook.explore.proposal.still import proposal_still


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
    now : Proposal
        Draws and weights at the present setting.

    Raises
    ------
    ValueError
        If a number is out of the range of its slider; the message gives it.
    """

    _esm = bundle("proposal/explorer.js")
    _css = stylesheet("parts/plot.css", "proposal/explorer.css")

    mean = t.Float().tag(sync=True)
    sd = t.Float(1.0).tag(sync=True)
    num_samples = t.Int(DRAWS[0]).tag(sync=True)
    target_sd = t.Float(1.0).tag(sync=True)
    eps = t.Bytes().tag(sync=True)
    picture = t.Dict(PICTURE).tag(sync=True)

    def __init__(
        self,
        mean: float = 0.0,
        sd: float = 1.5,
        *,
        target_sd: float = 1.0,
        num_samples: int = 500,
        rng: torch.Generator,
    ) -> None:
        target_sd = positive("target_sd", float(target_sd)).item()
        eps = torch.randn(DRAWS[-1], generator=rng)
        self.noise = eps.double()
        super().__init__(target_sd=target_sd, eps=eps.numpy().astype("<f4").tobytes())
        self.mean = float(mean)
        self.sd = float(sd)
        self.num_samples = num_samples

    @property
    def now(self) -> Proposal:
        """The present proposal, its draws and their weights."""
        eps = self.noise[: self.num_samples]
        return Proposal(self.mean, self.sd, self.target_sd, eps)

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        return proposal_still(self.now)

    def describe(self) -> str:
        """Alt text of the snapshot."""
        now = self.now
        share = 100 * torch.softmax(now.log_w(), 0).max().item()
        return (
            f"Proposal explorer, still picture: the target N(0, {self.target_sd:g}²) "
            f"and the proposal N({self.mean:.2f}, {self.sd:.2f}²); below, "
            f"{self.num_samples} draws as stems as high as their weights, the largest "
            f"{share:.1f}% of the total; beside, the effective sample size as a share "
            f"of the draws against the width of the proposal, {now.ess_share():.3f} "
            f"at present."
        )

    held = constrained(
        {
            "mean": lambda self: of_target(self, -FARTHEST, FARTHEST),
            "sd": lambda self: of_target(self, NARROWEST, WIDEST),
            "num_samples": within(DRAWS[0], DRAWS[-1]),
        }
    )


def of_target(explorer: ProposalExplorer, low: float, high: float) -> Constraint:
    """Bounds in standard deviations of the target."""
    return within(low * explorer.target_sd, high * explorer.target_sd)
