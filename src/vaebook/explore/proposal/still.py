r"""Still picture of the proposal explorer, drawn with matplotlib."""

import numpy as np
import torch
from matplotlib.axes import Axes

from vaebook.explore.parts.colours import ACCENT, INK
from vaebook.explore.parts.picture import still_figure, still_picture
from vaebook.explore.proposal.maths import NARROWEST, PICTURE, WIDEST, Proposal
from vaebook.figures import KL_COLOUR

ABOVE = {"loc": "lower center", "bbox_to_anchor": (0.5, 0.97), "frameon": False}


def proposal_still(proposal: Proposal) -> bytes:
    """The densities over the weighted draws, and the ESS by width, as WebP."""
    figure = still_figure()
    panels = figure.subplot_mosaic([["densities", "ess"], ["draws", "ess"]])
    _draw_densities(panels["densities"], proposal)
    _draw_stems(panels["draws"], proposal)
    _draw_ess(panels["ess"], proposal)
    for ax in panels.values():
        ax.xaxis.label.set_size(8)
        ax.yaxis.label.set_size(8)
    return still_picture(figure, colours=32, letters=7)


def _draw_densities(ax: Axes, proposal: Proposal) -> None:
    tau = proposal.target_sd
    half = PICTURE["half"] * tau
    z = np.linspace(-half, half, 400)
    for mean, sd, colour, name in (
        (0, tau, INK, "target p"),
        (proposal.mean, proposal.sd, ACCENT, "proposal q"),
    ):
        height = np.exp(-(((z - mean) / sd) ** 2) / 2) / (sd * np.sqrt(2 * np.pi))
        ax.plot(z, height, color=colour, label=name)
    ax.set(xlim=(z[0], z[-1]), ylabel="density")
    ax.set_ylim(bottom=0)
    ax.legend(fontsize=6, ncols=2, **ABOVE)


def _draw_stems(ax: Axes, proposal: Proposal) -> None:
    z = proposal.draws()
    share = 100 * torch.softmax(proposal.log_w(), 0)
    ax.vlines(z, 0, share, color=KL_COLOUR, lw=1.2)
    ax.plot(z, torch.zeros(len(z)), "|", color=INK, ms=4, mew=0.4)
    tau = proposal.target_sd
    half = PICTURE["half"] * tau
    ax.set(xlim=(-half, half), xlabel="z", ylabel="weight,\n% of the total")
    ax.set_ylim(bottom=0)


def _draw_ess(ax: Axes, proposal: Proposal) -> None:
    tau = proposal.target_sd
    widths = np.geomspace(NARROWEST * tau, WIDEST * tau, 100)
    ax.axvspan(widths[0], tau / np.sqrt(2), color=KL_COLOUR, alpha=0.12, lw=0)
    ax.text(0.12 * tau, 0.94, "infinite variance", size=7, color=INK)
    limit = [proposal.of_width(width).ess_limit() for width in widths]
    ax.plot(widths, limit, color=INK, lw=1, ls="--", label="many draws")
    share = [proposal.of_width(width).ess_share() for width in widths]
    ax.plot(widths, share, color=ACCENT, label=f"these {len(proposal.eps)}")
    ax.plot(proposal.sd, proposal.ess_share(), "o", color=ACCENT, ms=6)
    ax.set(xscale="log", xlim=(widths[0], widths[-1]), ylim=PICTURE["ends"])
    ax.set(xlabel="width $\\sigma_q$", ylabel="ESS / S")
    ax.set_xticks([tau * tick for tick in (0.1, 0.2, 0.5, 1, 2, 5)])
    ax.xaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.legend(fontsize=6, ncols=2, **ABOVE)
