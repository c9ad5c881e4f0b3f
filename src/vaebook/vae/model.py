r"""The variational autoencoder, assembled from the book's own parts (chapter 10)."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vaebook.autoencoder import Decoder, Encoder, mirrored_nets
from vaebook.em import GaussianMixture, InverseWishart, fit_em, sample_mixture
from vaebook.likelihood import bernoulli_log_prob, gaussian_log_prob
from vaebook.map_estimation import gaussian_log_prior
from vaebook.monte_carlo import LogEvidence, iw_log_evidence, log_mean_exp
from vaebook.reparameterization import (
    gaussian_rsample,
    reparameterize,
    standard_noise,
)
from vaebook.variational import ElboTerms, gaussian_kl

MakeNets = Callable[..., tuple[Encoder, Decoder]]


class Posterior(NamedTuple):
    """q(z|x) of each image: a diagonal Gaussian, ``mu`` and ``log_var`` (N, L)."""

    mu: Tensor
    log_var: Tensor


class LatentModel(nn.Module, ABC):
    """What follows from a posterior and a likelihood, whatever the nets behind them.

    The code is ``latent_dim`` numbers, with a standard Gaussian prior. The bounds, the
    score and the images below are made of the three abstract methods.
    """

    latent_dim: int

    @abstractmethod
    def posterior(self, x: Tensor) -> Posterior:
        """q(z|x) of each image, (N, D) to two (N, L)."""

    @abstractmethod
    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z), summed over pixels: (N,) or (S, N) nats."""

    @abstractmethod
    def mean_image(self, z: Tensor) -> Tensor:
        """E[x|z], (..., D)."""

    def code_log_prob(self, z: Tensor) -> Tensor:
        """log p(z) of each code under the prior, (..., L) to (...,) nats."""
        zero = torch.zeros_like(z)
        return gaussian_log_prob(z, zero, zero)

    def code_kl(self, q: Posterior, z: Tensor) -> Tensor:
        """KL(q(z|x) || p(z)) of each image: (N,) nats, in closed form.

        A prior without a formula takes it from ``z``, draws of q, (N, L) or (S, N, L).
        """
        return gaussian_kl(*q)

    def prior_draws(self, num_draws: int, *, rng: torch.Generator) -> Tensor:
        """Codes drawn from the prior, (M, L)."""
        like = next(self.parameters())
        z = torch.empty(num_draws, self.latent_dim).to(like)
        return z.normal_(generator=rng)

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z) + log p(z): (N,) or (S, N) nats.

        Equation: eq-vae-joint
        """
        return self.log_likelihood(x, z) + self.code_log_prob(z)

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
        shape = *x.shape[:-1], self.latent_dim
        eps = standard_noise(shape, num_samples, like=x, rng=rng)
        return self.terms_at_noise(x, eps)

    def terms_at_noise(self, x: Tensor, eps: Tensor) -> ElboTerms:
        r"""The two terms of the ELBO at noise that is given: nothing is drawn.

        ``eps`` (N, L), (S, N, L), or (S, 1, L) for the same noise in each image; the
        likelihood is a mean over S. Two (N,) tensors in nats.

        Equation: eq-vae-estimator
        """
        q = self.posterior(x)
        z = reparameterize(*q, eps)
        log_lik = self.log_likelihood(x, z)  # (N,) or (S, N)
        expected = log_lik.mean(0) if z.ndim > x.ndim else log_lik
        return ElboTerms(expected, self.code_kl(q, z))

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
        return self._log_weights_at(x, q, z, path_only)

    def _log_weights_at(
        self, x: Tensor, q: Posterior, z: Tensor, path_only: bool
    ) -> Tensor:
        held = Posterior(*(p.detach() for p in q)) if path_only else q
        return self.log_joint(x, z) - gaussian_log_prob(z, *held)

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
        q = self.posterior(x)
        z = gaussian_rsample(*q, num_samples, rng=rng)
        log_w = self._log_weights_at(x, q, z, path_only)
        kl = self.code_kl(q, z).detach()
        return ElboTerms(log_mean_exp(log_w) + kl, kl)

    @torch.no_grad()
    def log_evidence(
        self, x: Tensor, num_samples: int = 5000, *, rng: torch.Generator
    ) -> LogEvidence:
        """Importance-weighted bound on log p(x) of each image, (N,) nats.

        Equation: eq-vae-iw-bound
        """
        return iw_log_evidence(lambda s: self.log_weights(x, s, rng=rng), num_samples)

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
        if codes:
            z = sample_mixture(codes, num_images, rng=rng)[0]
            z = z.to(next(self.parameters()))
        else:
            z = self.prior_draws(num_images, rng=rng)
        return self.mean_image(z)

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """Decode the posterior mean: (N, D) mean images."""
        return self.mean_image(self.posterior(x).mu)


class VAE(LatentModel):
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
    make_nets : callable
        ``make_nets(data_dim, hidden, latent_dim, rng=rng)`` gives encoder and decoder.
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
        make_nets: MakeNets = mirrored_nets,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder, self.decoder = make_nets(data_dim, hidden, latent_dim, rng=rng)

    def posterior(self, x: Tensor) -> Posterior:
        """q(z|x) of each image, (N, D) to two (N, L)."""
        return Posterior(*self.encoder(x))

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z), summed over pixels: (N,) or (S, N) nats."""
        return bernoulli_log_prob(x, self.decoder(z))

    def mean_image(self, z: Tensor) -> Tensor:
        """E[x|z], (..., D): for binary pixels the probability that each is lit."""
        return torch.sigmoid(self.decoder(z))

    def log_prior(self, tau: float) -> Tensor:
        """log p(theta) of all weights, each N(0, tau^2); () nats.

        Equation: eq-map-estimation-gaussian-prior
        """
        return gaussian_log_prior(self.parameters(), tau)
