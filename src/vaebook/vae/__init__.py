"""The variational autoencoder, assembled from the book's own parts (chapter 10)."""

from vaebook.vae.gaussian import GaussianVAE
from vaebook.vae.model import VAE, Posterior

__all__ = ["VAE", "GaussianVAE", "Posterior"]
