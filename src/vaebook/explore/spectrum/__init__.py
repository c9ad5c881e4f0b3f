"""The spectrum of the data under a noise variance."""

from vaebook.explore.spectrum.explorer import SpectrumExplorer

__all__ = ["SpectrumExplorer"]
