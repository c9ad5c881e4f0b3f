"""The variational autoencoder, assembled from the book's own parts (chapter 10)."""

from vaebook.vae.conditional import ConditionalVAE
from vaebook.vae.gaussian import GaussianVAE
from vaebook.vae.model import VAE, LatentModel, Posterior

__all__ = ["VAE", "ConditionalVAE", "GaussianVAE", "LatentModel", "Posterior"]
