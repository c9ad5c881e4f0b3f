"""The ELBO ellipse: a Gaussian laid over a posterior by hand."""

from vaebook.explore.ellipse.explorer import EllipseExplorer

__all__ = ["EllipseExplorer"]
