r"""The variational autoencoder, assembled from the book's own parts (chapter 10)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vaebook.autoencoder import Decoder, Encoder, initialise
from vaebook.bayes import LinearGaussian, standard_gaussian
from vaebook.em import fit_em, sample_mixture
from vaebook.likelihood import bernoulli_log_prob, gaussian_log_prob
from vaebook.map_estimation import gaussian_log_prior
from vaebook.mixtures import GaussianMixture, InverseWishart
from vaebook.monte_carlo import LogEvidence, iw_log_evidence
from vaebook.reparameterization import gaussian_rsample
from vaebook.variational import ElboTerms, gaussian_kl


class Posterior(NamedTuple):
    """q(z|x) of each image: a diagonal Gaussian, ``mu`` and ``log_var`` (N, L)."""

    mu: Tensor
    log_var: Tensor


class VAE(nn.Module):
    r"""A Gaussian code, a decoder to binary pixels, an encoder that guesses the code.

    .. math:: z \sim \mathcal N(0, I),\qquad
              x_d \mid z \sim \mathrm{Bernoulli}(\pi_d(z)),\qquad
              \pi(z) = \mathrm{sigmoid}(\mathrm{decoder}(z))

    Parameters
    ----------
    data_dim : int
        Pixels D.
    hidden : sequence of int
        Hidden widths of the encoder; the decoder mirrors them.
    latent_dim : int
        Latents L.
    rng : torch.Generator
        Draws the initial weights: the same seed gives the same model.

    Equation: eq-vae-joint (Kingma & Welling 2014)
    """

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int],
        latent_dim: int,
        *,
        rng: torch.Generator,
    ):
        super().__init__()
        self.latent_dim = latent_dim
        with torch.random.fork_rng(devices=[]):  # torch's own draws: replaced below
            self.encoder = Encoder(data_dim, hidden, latent_dim)
            self.decoder = Decoder(latent_dim, tuple(hidden)[::-1], data_dim)
        initialise(self, rng=rng)

    def posterior(self, x: Tensor) -> Posterior:
        """q(z|x) of each image, (N, D) to two (N, L)."""
        return Posterior(*self.encoder(x))

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z), summed over pixels: (N,) or (S, N) nats."""
        return bernoulli_log_prob(x, self.decoder(z))

    def mean_image(self, z: Tensor) -> Tensor:
        """E[x|z], (..., D): for binary pixels the probability that each is lit."""
        return torch.sigmoid(self.decoder(z))

    def elbo_terms(
        self, x: Tensor, num_samples: int | None = None, *, rng: torch.Generator
    ) -> ElboTerms:
        r"""The two terms of the ELBO: one drawn, one in closed form.

        .. math:: \tfrac1S\sum_s \log p(x|z_s) \;-\; KL(q(z|x) \| p(z)),
                  \qquad z_s = \mu + \sigma\varepsilon_s

        Parameters
        ----------
        x : Tensor (N, D)
            Binary pixels.
        num_samples : int, optional
            Draws per image for the first term; one by default.
        rng : torch.Generator

        Returns
        -------
        ElboTerms
            Two (N,) tensors in nats, summed over pixels, not averaged over images.

        Equation: eq-vae-estimator
        """
        q = self.posterior(x)
        z = gaussian_rsample(*q, num_samples, rng=rng)
        log_lik = self.log_likelihood(x, z)
        log_lik = log_lik if num_samples is None else log_lik.mean(0)
        return ElboTerms(log_lik, gaussian_kl(*q))

    def log_weights(
        self, x: Tensor, num_samples: int, *, rng: torch.Generator
    ) -> Tensor:
        r"""Log importance weights log p(x|z) + log p(z) - log q(z|x), (S, N) nats.

        Equation: eq-vae-weight
        """
        q = self.posterior(x)
        z = gaussian_rsample(*q, num_samples, rng=rng)
        zero = torch.zeros_like(z)
        log_p_x_given_z = self.log_likelihood(x, z)
        log_p_z = gaussian_log_prob(z, zero, zero)
        return log_p_x_given_z + log_p_z - gaussian_log_prob(z, *q)

    @torch.no_grad()
    def log_evidence(
        self, x: Tensor, num_samples: int = 5000, *, rng: torch.Generator
    ) -> LogEvidence:
        """Importance-weighted bound on log p(x) of each image, (N,) nats.

        Errors as in :func:`vaebook.monte_carlo.iw_log_evidence`.

        Equation: eq-vae-iw-bound
        """
        return iw_log_evidence(lambda s: self.log_weights(x, s, rng=rng), num_samples)

    def log_prior(self, tau: float) -> Tensor:
        """log p(theta) of all weights, each N(0, tau^2); () nats.

        Equation: eq-map-estimation-gaussian-prior
        """
        return gaussian_log_prior(self.parameters(), tau)

    @torch.no_grad()
    def fit_codes(self, x: Tensor, start: GaussianMixture) -> GaussianMixture:
        """A mixture fitted by EM to the posterior means of x: where codes really lie.

        ``start`` is float64; a weak prior keeps components from collapsing.
        """
        mu = self.posterior(x).mu.double().cpu()
        scale = 0.1 * torch.eye(self.latent_dim, dtype=mu.dtype)
        prior = InverseWishart(self.latent_dim + 2, scale)
        return fit_em(mu, start, prior=prior).mixture

    @torch.no_grad()
    def sample(
        self, num_images: int, codes: GaussianMixture | None = None, *, rng
    ) -> Tensor:
        """Decode codes drawn from the prior, or from ``codes``: (N, D) mean images."""
        like = next(self.parameters())
        if codes:
            z = sample_mixture(codes, num_images, rng=rng)[0].to(like)
        else:
            z = torch.empty(num_images, self.latent_dim).to(like)
            z.normal_(generator=rng)
        return self.mean_image(z)

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """Decode the posterior mean: (N, D) mean images."""
        return self.mean_image(self.posterior(x).mu)


class GaussianVAE(VAE):
    r"""The same model for grey pixels: Gaussian, with one learned variance.

    .. math:: x_d \mid z \sim \mathcal N(\mathrm{decoder}(z)_d, \sigma^2)

    ``log_var`` is log sigma^2, a parameter like any weight; it starts at 0. Fixing it
    instead chooses how many nats a squared grey level is worth.

    Equation: eq-vae-gaussian-decoder
    """

    def __init__(self, data_dim, hidden, latent_dim, *, rng: torch.Generator):
        super().__init__(data_dim, hidden, latent_dim, rng=rng)
        self.log_var = nn.Parameter(torch.zeros(()))

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        mu = self.decoder(z)
        return gaussian_log_prob(x, mu, self.log_var.expand_as(mu))

    def mean_image(self, z: Tensor) -> Tensor:
        return self.decoder(z)

    def linear_gaussian(self) -> LinearGaussian:
        """The same model with exact posterior and evidence, if the decoder is linear.

        Equation: eq-bayes-linear-gaussian
        """
        if len(self.decoder.net) != 1:
            given = len(self.decoder.net)
            raise ValueError(f"the decoder must be one layer; received {given}")
        parameters = (*self.decoder.parameters(), self.log_var.exp())
        weights, offset, var = (p.detach().double() for p in parameters)
        prior = standard_gaussian(self.latent_dim)
        return LinearGaussian(prior, weights, offset, var.expand_as(offset))
