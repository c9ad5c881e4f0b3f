"""Interactive figures: anywidgets that work with a kernel and without one."""

from vaebook.explore.ellipse import EllipseExplorer
from vaebook.explore.frames import FrameExplorer, explore
from vaebook.explore.latent import LatentExplorer
from vaebook.explore.packing import Terms, rounded
from vaebook.explore.posterior import PosteriorExplorer
from vaebook.explore.proposal import ProposalExplorer
from vaebook.explore.race import SamplerRace
from vaebook.explore.stepper import EmStepper
from vaebook.explore.surface import LikelihoodExplorer

__all__ = [
    "EllipseExplorer",
    "EmStepper",
    "FrameExplorer",
    "LatentExplorer",
    "LikelihoodExplorer",
    "PosteriorExplorer",
    "ProposalExplorer",
    "SamplerRace",
    "Terms",
    "explore",
    "rounded",
]
