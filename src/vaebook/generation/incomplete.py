r"""A VAE trained on images of which pixels are missing (chapter 13)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vaebook.autoencoder import Decoder, Encoder, initialise
from vaebook.checks import same_shape
from vaebook.likelihood import bernoulli_log_prob
from vaebook.reparameterization import gaussian_rsample
from vaebook.vae import VAE, Posterior
from vaebook.variational import ElboTerms


class IncompleteVAE(VAE):
    r"""A VAE whose bound asks only for the pixels that are there.

    .. math:: \log p(x_{\text{seen}}) \ge \mathbb E_{q(z \mid x_{\text{seen}}, m)}
              \Bigl[\sum_d m_d \log p(x_d \mid z)\Bigr] - KL(q \,\|\, p(z))

    The encoder reads the seen pixels, zeros in place of the others, and beside them
    the mask m. The decoder, the prior and the score of whole images are the VAE's.

    Parameters
    ----------
    data_dim, hidden, latent_dim, rng
        As for :class:`vaebook.vae.VAE`.

    Equation: eq-generation-incomplete (Nazabal et al. 2020)
    """

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int],
        latent_dim: int,
        *,
        rng: torch.Generator,
    ) -> None:
        sizes = data_dim, hidden, latent_dim
        super().__init__(*sizes, make_nets=nets_with_mask, rng=rng)

    def posterior(self, x: Tensor, seen: Tensor | None = None) -> Posterior:
        """q(z|seen pixels) of each image, (N, D) and (N, D) to two (N, L).

        ``seen`` is 1 where a pixel is there and 0 where not, by default 1 throughout;
        what ``x`` holds elsewhere has no part in it.
        """
        seen = torch.ones_like(x) if seen is None else seen
        same_shape(x=x, seen=seen)
        return Posterior(*self.encoder(torch.cat([x * seen, seen], -1)))

    def elbo_terms(
        self, x: Tensor, seen: Tensor | None = None, *, rng: torch.Generator
    ) -> ElboTerms:
        """The bound on log p of the seen pixels of each image: (N,) nats each."""
        seen = torch.ones_like(x) if seen is None else seen
        q = self.posterior(x, seen)
        z = gaussian_rsample(*q, rng=rng)
        logits = self.decoder(z)
        of_each = bernoulli_log_prob(x[..., None], logits[..., None])  # (N, D)
        return ElboTerms((seen * of_each).sum(-1), self.code_kl(q, z))


def nets_with_mask(
    data_dim: int, hidden: Sequence[int], latent_dim: int, *, rng: torch.Generator
) -> tuple[Encoder, Decoder]:
    """An encoder that reads pixels and their mask, and a decoder, ready to train."""
    with torch.random.fork_rng(devices=[]):  # torch's own draws: replaced below
        encoder = Encoder(2 * data_dim, hidden, latent_dim)
        decoder = Decoder(latent_dim, tuple(hidden)[::-1], data_dim)
    for net in (encoder, decoder):
        initialise(net, rng=rng)
    return encoder, decoder
