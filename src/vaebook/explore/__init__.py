"""Interactive figures: anywidgets that work with a kernel and without one."""

from vaebook.explore.frames import FrameExplorer, explore
from vaebook.explore.latent import LatentExplorer
from vaebook.explore.packing import Terms, rounded

__all__ = ["FrameExplorer", "LatentExplorer", "Terms", "explore", "rounded"]
