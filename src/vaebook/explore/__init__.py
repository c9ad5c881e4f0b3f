"""Interactive figures: anywidgets that work with a kernel and without one."""

from vaebook.explore.frames import FrameExplorer, explore
from vaebook.explore.latent import LatentExplorer
from vaebook.explore.packing import Terms, rounded
from vaebook.explore.stepper import EmStepper
from vaebook.explore.surface import LikelihoodExplorer

__all__ = [
    "EmStepper",
    "FrameExplorer",
    "LatentExplorer",
    "LikelihoodExplorer",
    "Terms",
    "explore",
    "rounded",
]
