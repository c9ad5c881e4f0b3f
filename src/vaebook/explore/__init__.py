"""Interactive figures: anywidgets that work with a kernel and without one."""

from vaebook.explore.ellipse import EllipseExplorer
from vaebook.explore.frames import FrameExplorer, explore
from vaebook.explore.gradient_race import GradientRace
from vaebook.explore.latent import LatentExplorer
from vaebook.explore.latent.maths import Terms
from vaebook.explore.ledger import LedgerExplorer
from vaebook.explore.pads import LatentPads
from vaebook.explore.parts.packing import rounded
from vaebook.explore.posterior import PosteriorExplorer
from vaebook.explore.proposal import ProposalExplorer
from vaebook.explore.restoration import RestorationExplorer
from vaebook.explore.sampler_race import SamplerRace
from vaebook.explore.spectrum import SpectrumExplorer
from vaebook.explore.stepper import EmStepper
from vaebook.explore.surface import LikelihoodExplorer

__all__ = [
    "EllipseExplorer",
    "EmStepper",
    "FrameExplorer",
    "GradientRace",
    "LatentExplorer",
    "LatentPads",
    "LedgerExplorer",
    "LikelihoodExplorer",
    "PosteriorExplorer",
    "ProposalExplorer",
    "RestorationExplorer",
    "SamplerRace",
    "SpectrumExplorer",
    "Terms",
    "explore",
    "rounded",
]
