"""The posterior of a mean, learned value by value."""

from vaebook.explore.posterior.explorer import PosteriorExplorer

__all__ = ["PosteriorExplorer"]
