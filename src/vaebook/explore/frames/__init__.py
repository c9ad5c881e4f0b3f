"""Any drawing as a figure with sliders, its frames drawn ahead."""

from vaebook.explore.frames.explorer import FrameExplorer, explore

__all__ = ["FrameExplorer", "explore"]
