r"""A VAE that is told something about each image, say its label (chapter 10)."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from vaebook.autoencoder import mirrored_nets
from vaebook.vae.model import VAE, LatentModel, Posterior
from vaebook.variational import ElboTerms


class ConditionalVAE(nn.Module):
    r"""A VAE of images about which something is known: for each ``y`` a model of ``x``.

    .. math:: \log p(x \mid y) \ge \mathbb E_{q(z|x,y)}[\log p(x \mid z, y)]
              - KL(q(z \mid x, y) \,\|\, p(z))

    Its three distributions have ``y`` behind the bar. All else, the bound, the score
    and the samples, are those of the model :meth:`given` ``y``.

    Parameters
    ----------
    data_dim, hidden, latent_dim
        As for :class:`VAE`.
    label_dim : int
        C numbers known about each image, say its class as zeros and a one.
    kind : VAE or GaussianVAE
        The class that says how pixels are spread around the decoder's output:
        coins by default; the other for grey ones.
    rng : torch.Generator
        Draws the initial weights.

    Equation: eq-vae-conditional (Sohn et al. 2015)
    """

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int],
        latent_dim: int,
        label_dim: int,
        kind: type[VAE] = VAE,
        *,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        make_nets = partial(mirrored_nets, num_beside=label_dim)
        self.vae = kind(data_dim, hidden, latent_dim, make_nets=make_nets, rng=rng)

    def posterior(self, x: Tensor, y: Tensor) -> Posterior:
        """q(z|x, y) of each image: (N, D) and (N, C) to two (N, L)."""
        return self.vae.posterior(beside(x, y))

    def log_likelihood(self, x: Tensor, z: Tensor, y: Tensor) -> Tensor:
        """log p(x|z, y), summed over pixels, not over ``y``: (N,) or (S, N) nats."""
        return self.vae.log_likelihood(x, beside(z, y))

    def mean_image(self, z: Tensor, y: Tensor) -> Tensor:
        """E[x|z, y], (..., D)."""
        return self.vae.mean_image(beside(z, y))

    def given(self, y: Tensor) -> "Given":
        """The model of images about which ``y`` (N, C) is known, with these weights."""
        return Given(self, y)

    def elbo_terms(self, x: Tensor, y: Tensor, *, rng: torch.Generator) -> ElboTerms:
        """What training climbs: the bound on log p(x|y) of each image, (N,) nats."""
        return self.given(y).elbo_terms(x, rng=rng)


class Given(LatentModel):
    """A conditional VAE where ``y`` is known: a model of ``x`` like any other.

    Parameters
    ----------
    model : ConditionalVAE
        Whose weights it shares.
    y : Tensor (N, C) or (1, C)
        What is known about each of N images, or the same about all.
    """

    def __init__(self, model: ConditionalVAE, y: Tensor) -> None:
        super().__init__()
        self.latent_dim = model.vae.latent_dim
        self.model = model
        self.y = y

    def posterior(self, x: Tensor) -> Posterior:
        """q(z|x, y) of each image, (N, D) to two (N, L)."""
        return self.model.posterior(x, self.y)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z, y), summed over pixels: (N,) or (S, N) nats."""
        return self.model.log_likelihood(x, z, self.y)

    def mean_image(self, z: Tensor) -> Tensor:
        """E[x|z, y], (..., D)."""
        return self.model.mean_image(z, self.y)


def beside(inputs: Tensor, y: Tensor) -> Tensor:
    """What a net reads: its own input, then ``y``; (..., I) and (N, C) to (..., I + C).

    Raises
    ------
    ValueError
        If ``y`` has neither one row nor as many as there are images.
    """
    fits = y.ndim == 2 <= inputs.ndim and len(y) in (1, inputs.shape[-2])
    if not fits:
        raise ValueError(
            "y must be (N, C), a row for each image, or (1, C), one for all; received "
            f"y {tuple(y.shape)} beside {tuple(inputs.shape)}"
        )
    return torch.cat([inputs, y.expand(*inputs.shape[:-1], -1)], -1)
