"""Two latent pads: the codes of two models, and draws decoded."""

from vaebook.explore.pads.explorer import LatentPads

__all__ = ["LatentPads"]
