r"""The ELBO terms of an image under fixed noise, as the latent explorer shows them."""

from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.vae import VAE
from vaebook.variational import gaussian_kl_per_latent

PICTURE = {"fill": 0.22}  # opacity of q(z|x) within one sigma


class Terms(NamedTuple):
    """ELBO terms of images under fixed noise, nats, as the explorer shows them.

    Attributes
    ----------
    mu, log_var : Tensor (N, L)
        Of q(z|x).
    kl_per_latent : Tensor (N, L)
        Never negative; sums to ``kl``.
    expected_log_lik, kl, elbo : Tensor (N,)
        ``elbo = expected_log_lik - kl``; higher is better.
    """

    mu: Tensor
    log_var: Tensor
    kl_per_latent: Tensor
    expected_log_lik: Tensor
    kl: Tensor
    elbo: Tensor


class Shown(NamedTuple):
    """What the latent explorer shows: a point, an image, and where all images lie.

    Attributes
    ----------
    z : list of L floats
        The point decoded, and ``decoded`` (D,) its probabilities of ink.
    image : Tensor (D,), or None
        The image on show, and ``terms`` its ELBO terms.
    mu : Tensor (N, L)
        Posterior means of the test images, and ``labels`` their classes.
    bound : float
        Half-width of the pad.
    """

    z: list[float]
    decoded: Tensor
    image: Tensor | None
    terms: Terms | None
    mu: Tensor
    labels: list[int]
    bound: float


@torch.no_grad()
def fixed_noise_terms(model: VAE, x: Tensor, eps: Tensor) -> Terms:
    r"""ELBO terms of images, the expectation a mean over fixed noise.

    .. math:: \tfrac1S\sum_s\log p(x \mid \mu + \sigma\varepsilon_s)
              - KL(q(z|x) \| p(z))

    Parameters
    ----------
    model : VAE
    x : Tensor (N, D)
        Binary pixels.
    eps : Tensor (S, L)
        Standard normal draws, the same for every image.

    Returns
    -------
    Terms
        Nats, summed over pixels and latents, not averaged over images.
    """
    q = model.posterior(x)
    terms = model.terms_at_noise(x, eps[:, None])  # (S, 1, L): for every image
    return Terms(*q, gaussian_kl_per_latent(*q), *terms, terms.elbo)
