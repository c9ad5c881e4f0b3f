r"""The variational autoencoder for grey pixels (chapter 10)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vaebook import linear_vae
from vaebook.autoencoder import mirrored_nets
from vaebook.bayes import LinearGaussian, standard_gaussian
from vaebook.likelihood import gaussian_log_prob
from vaebook.vae.model import VAE, MakeNets


class GaussianVAE(VAE):
    r"""The same model for grey pixels: Gaussian, with learned variance.

    .. math:: x_d \mid z \sim \mathcal N(\mathrm{decoder}(z)_d, \sigma^2)

    ``log_var`` is log sigma^2, a parameter like any weight: one number, or one for each
    pixel.

    Parameters
    ----------
    data_dim, hidden, latent_dim, make_nets, rng
        As for :class:`VAE`.
    per_pixel : bool
        True: ``log_var`` (D,), sigma_d^2 for pixel d. False: (), the same for all.

    Equation: eq-vae-gaussian-decoder
    """

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int],
        latent_dim: int,
        *,
        make_nets: MakeNets = mirrored_nets,
        per_pixel: bool = False,
        rng: torch.Generator,
    ) -> None:
        super().__init__(data_dim, hidden, latent_dim, make_nets=make_nets, rng=rng)
        self.log_var = nn.Parameter(torch.zeros(data_dim if per_pixel else ()))

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z), summed over pixels: (N,) or (S, N) nats."""
        mean = self.decoder(z)
        return gaussian_log_prob(x, mean, self.log_var.expand_as(mean))

    def mean_image(self, z: Tensor) -> Tensor:
        """E[x|z], (..., D): what the decoder says."""
        return self.decoder(z)

    def linear_gaussian(self) -> LinearGaussian:
        """The same model with exact posterior and evidence, if the decoder is linear.

        Equation: eq-bayes-linear-gaussian
        """
        prior = standard_gaussian(self.latent_dim)
        parameters = linear_vae.linear_parameters(self.decoder.net, self.log_var)
        return LinearGaussian(prior, *parameters)

    @torch.no_grad()
    def solve(self, x: Tensor) -> None:
        """Set linear nets to their optimum for ``x`` (N, D): probabilistic PCA."""
        exact = linear_vae.ppca(linear_vae.spectrum(x.double()), self.latent_dim)
        linear_vae.set_layer(self.decoder.net, exact.weights, exact.offset)
        encoder = linear_vae.optimal_encoder(exact)
        linear_vae.set_layer(self.encoder.net, *encoder)
        self.log_var.copy_(exact.var[0].log())
