r"""A VAE whose prior is a mixture of Gaussians, learned with the rest (chapter 11)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vaebook.checks import at_least
from vaebook.likelihood import gaussian_log_prob
from vaebook.reparameterization import reparameterize
from vaebook.vae import VAE, Posterior


class MixturePriorVAE(VAE):
    r"""The same model with codes drawn from K Gaussians instead of one.

    .. math:: p(z) = \sum_k \pi_k\, \mathcal N(z; m_k, \mathrm{diag}\, s_k^2)

    ``weights``, means and widths are parameters like any weight. They begin near
    N(0, I), the means a little apart.

    Parameters
    ----------
    data_dim, hidden, latent_dim
        As for :class:`vaebook.vae.VAE`.
    num_components : int
        K, at least 1.
    rng : torch.Generator
        Draws the initial weights, the nets' first.

    Equation: eq-evaluation-mixture-prior
    """

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int],
        latent_dim: int,
        num_components: int,
        *,
        rng: torch.Generator,
    ) -> None:
        super().__init__(data_dim, hidden, latent_dim, rng=rng)
        at_least("num_components", num_components, 1)
        shape = num_components, latent_dim
        self.prior_logits = nn.Parameter(torch.zeros(num_components))
        self.prior_mu = nn.Parameter(torch.randn(shape, generator=rng))
        self.prior_log_var = nn.Parameter(torch.zeros(shape))

    def code_log_prob(self, z: Tensor) -> Tensor:
        """log p(z) of each code under the mixture, (..., L) to (...,) nats."""
        each = gaussian_log_prob(z[..., None, :], self.prior_mu, self.prior_log_var)
        return torch.logsumexp(each + self.prior_logits.log_softmax(0), -1)

    def code_kl(self, q: Posterior, z: Tensor) -> Tensor:
        r"""The KL from the prior, drawn: (N,) nats, unbiased, and perhaps negative.

        No formula gives KL(q || p) for a mixture p. In its place stands the mean over
        draws of log q(z|x) - log p(z).

        Equation: eq-evaluation-mixture-prior
        """
        log_ratio = gaussian_log_prob(z, *q) - self.code_log_prob(z)
        return log_ratio.mean(0) if z.ndim > q.mu.ndim else log_ratio

    def prior_draws(self, num_draws: int, *, rng: torch.Generator) -> Tensor:
        """Codes drawn from the mixture, (M, L)."""
        at_least("num_draws", num_draws, 1)
        probs = self.prior_logits.softmax(0)
        k = torch.multinomial(probs, num_draws, replacement=True, generator=rng)
        eps = torch.randn(
            num_draws, self.latent_dim, generator=rng, dtype=self.prior_mu.dtype
        )
        return reparameterize(self.prior_mu[k], self.prior_log_var[k], eps)
