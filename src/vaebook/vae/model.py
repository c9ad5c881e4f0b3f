r"""The variational autoencoder, assembled from the book's own parts (chapter 10)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vaebook.autoencoder import Decoder, Encoder, initialise
from vaebook.em import GaussianMixture, InverseWishart, fit_em, sample_mixture
from vaebook.likelihood import bernoulli_log_prob, gaussian_log_prob
from vaebook.map_estimation import gaussian_log_prior
from vaebook.monte_carlo import LogEvidence, iw_log_evidence, log_mean_exp
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
    data_dim, latent_dim : int
        Pixels D, latents L.
    hidden : sequence of int
        Hidden widths of the encoder; the decoder mirrors them.
    num_given : int
        C numbers told about each image, say its label as one-hot, seen by both nets:
        the last columns of every x (N, D + C) and of a z given to ``mean_image``.
    rng : torch.Generator
        Draws the initial weights: the same seed gives the same model.

    Equation: eq-vae-joint (Kingma & Welling 2014)
    """

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int],
        latent_dim: int,
        num_given: int = 0,
        *,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        self.data_dim = data_dim
        self.latent_dim = latent_dim
        with torch.random.fork_rng(devices=[]):  # torch's own draws: replaced below
            self.encoder = Encoder(data_dim + num_given, hidden, latent_dim)
            mirrored = tuple(hidden)[::-1]
            self.decoder = Decoder(latent_dim + num_given, mirrored, data_dim)
        initialise(self, rng=rng)

    def posterior(self, x: Tensor) -> Posterior:
        """q(z|x) of each image, (N, D) to two (N, L)."""
        return Posterior(*self.encoder(x))

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z), summed over pixels: (N,) or (S, N) nats."""
        given = x[..., self.data_dim :]
        z = torch.cat([z, given.expand(*z.shape[:-1], -1)], -1)
        return self._pixel_log_prob(x[..., : self.data_dim], self.decoder(z))

    def _pixel_log_prob(self, pixels: Tensor, output: Tensor) -> Tensor:
        return bernoulli_log_prob(pixels, output)

    def mean_image(self, z: Tensor) -> Tensor:
        """E[x|z], (..., D): for binary pixels the probability that each is lit."""
        return torch.sigmoid(self.decoder(z))

    def elbo_terms(
        self, x: Tensor, num_samples: int | None = None, *, rng: torch.Generator
    ) -> ElboTerms:
        r"""The two terms of the ELBO: one drawn, one in closed form.

        .. math:: \tfrac1S\sum_s \log p(x|z_s) \;-\; KL(q(z|x) \| p(z)),
                  \qquad z_s = \mu + \sigma\varepsilon_s

        ``num_samples`` draws per image, one by default. Two (N,) tensors in nats,
        summed over pixels, not averaged over images.

        Equation: eq-vae-estimator
        """
        q = self.posterior(x)
        z = gaussian_rsample(*q, num_samples, rng=rng)
        log_lik = self.log_likelihood(x, z)
        log_lik = log_lik if num_samples is None else log_lik.mean(0)
        return ElboTerms(log_lik, gaussian_kl(*q))

    def log_weights(
        self,
        x: Tensor,
        num_samples: int,
        *,
        path_only: bool = False,
        rng: torch.Generator,
    ) -> Tensor:
        r"""Log importance weights log p(x|z) + log p(z) - log q(z|x), (S, N) nats.

        ``path_only`` as in :func:`vaebook.reparameterization.sampled_elbo`.

        Equation: eq-vae-weight
        """
        q = self.posterior(x)
        z = gaussian_rsample(*q, num_samples, rng=rng)
        zero = torch.zeros_like(z)
        held = Posterior(*(p.detach() for p in q)) if path_only else q
        log_p_x_z = self.log_likelihood(x, z) + gaussian_log_prob(z, zero, zero)
        return log_p_x_z - gaussian_log_prob(z, *held)

    def iw_terms(
        self,
        x: Tensor,
        num_samples: int,
        *,
        path_only: bool = False,
        rng: torch.Generator,
    ) -> ElboTerms:
        r"""The importance-weighted bound to climb, above the same KL: (N,) nats each.

        .. math:: \log \tfrac1S\sum_s w_s + KL(q(z|x) \| p(z)), \quad KL(q(z|x) \| p(z))

        Their difference is the bound; ``path_only`` is unbiased for one sample only.

        Equation: eq-vae-iw-objective (Burda et al. 2016)
        """
        log_w = self.log_weights(x, num_samples, path_only=path_only, rng=rng)
        kl = gaussian_kl(*self.posterior(x)).detach()
        return ElboTerms(log_mean_exp(log_w) + kl, kl)

    @torch.no_grad()
    def log_evidence(
        self, x: Tensor, num_samples: int = 5000, *, rng: torch.Generator
    ) -> LogEvidence:
        """Importance-weighted bound on log p(x) of each image, (N,) nats.

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
        """A mixture fitted by EM to posterior means, from a ``start`` in float64."""
        mu = self.posterior(x).mu.double().cpu()
        scale = 0.1 * torch.eye(self.latent_dim, dtype=mu.dtype)
        prior = InverseWishart(self.latent_dim + 2, scale)
        return fit_em(mu, start, prior=prior).mixture

    @torch.no_grad()
    def sample(
        self,
        num_images: int,
        codes: GaussianMixture | None = None,
        *,
        rng: torch.Generator,
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
        z = self.posterior(x).mu
        return self.mean_image(torch.cat([z, x[:, self.data_dim :]], -1))
