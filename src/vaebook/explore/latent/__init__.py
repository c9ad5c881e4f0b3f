"""The latent explorer: a trained VAE moved by hand."""

from vaebook.explore.latent.explorer import LatentExplorer

__all__ = ["LatentExplorer"]
