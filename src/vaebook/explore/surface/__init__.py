"""The likelihood surface of a Gaussian, climbed by hand."""

from vaebook.explore.surface.explorer import LikelihoodExplorer

__all__ = ["LikelihoodExplorer"]
