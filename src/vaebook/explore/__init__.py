"""Interactive figures: anywidgets that work with a kernel and without one."""

from vaebook.explore.ellipse.explorer import EllipseExplorer
from vaebook.explore.frames.explorer import FrameExplorer, explore
from vaebook.explore.gradient_race import GradientRace
from vaebook.explore.latent.explorer import LatentExplorer
from vaebook.explore.latent.maths import Terms
from vaebook.explore.pads.explorer import LatentPads
from vaebook.explore.parts.packing import rounded
from vaebook.explore.posterior.explorer import PosteriorExplorer
from vaebook.explore.proposal.explorer import ProposalExplorer
from vaebook.explore.sampler_race import SamplerRace
from vaebook.explore.spectrum.explorer import SpectrumExplorer
from vaebook.explore.stepper.explorer import EmStepper
from vaebook.explore.surface.explorer import LikelihoodExplorer

__all__ = [
    "EllipseExplorer",
    "EmStepper",
    "FrameExplorer",
    "GradientRace",
    "LatentExplorer",
    "LatentPads",
    "LikelihoodExplorer",
    "PosteriorExplorer",
    "ProposalExplorer",
    "SamplerRace",
    "SpectrumExplorer",
    "Terms",
    "explore",
    "rounded",
]
