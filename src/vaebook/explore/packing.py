r"""A trained VAE as bytes for the page, and the model those bytes stand for."""

import copy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vaebook.likelihood import bernoulli_log_prob
from vaebook.reparameterization import reparameterize
from vaebook.variational import elbo, gaussian_kl_per_latent


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


def rounded(model: nn.Module) -> nn.Module:
    """Copy of a model with every weight rounded to float16, held in float64.

    This is the model that an explorer shows, exactly.

    Parameters
    ----------
    model : nn.Module
        Left as it is.

    Raises
    ------
    ValueError
        If a weight is not finite, or too large for float16 (above 65504).
    """
    result = copy.deepcopy(model).cpu().requires_grad_(False)
    for name, weight in result.named_parameters():
        if not torch.isfinite(weight.half()).all():
            raise ValueError(
                f"every weight must be finite and at most 65504 in size; "
                f"{name} has {weight.abs().max().item():.3g}"
            )
        weight.copy_(weight.half())
    return result.double()


@torch.no_grad()
def fixed_noise_terms(model: nn.Module, x: Tensor, eps: Tensor) -> Terms:
    r"""ELBO terms of images, the expectation a mean over fixed noise.

    .. math:: \tfrac1S\sum_s\log p(x \mid \mu + \sigma\varepsilon_s)
              - KL(q(z|x) \| p(z))

    Parameters
    ----------
    model : nn.Module
        With ``encoder`` and ``decoder``.
    x : Tensor (N, D)
        Binary pixels.
    eps : Tensor (S, L)
        Standard normal draws, the same for every image.

    Returns
    -------
    Terms
        Nats, summed over pixels and latents, not averaged over images.
    """
    mu, log_var = model.encoder(x)
    z = reparameterize(mu, log_var, eps[:, None])  # (S, N, L)
    expected_log_lik = bernoulli_log_prob(x, model.decoder(z)).mean(0)
    per_latent = gaussian_kl_per_latent(mu, log_var)
    kl = per_latent.sum(-1)
    bound = elbo(expected_log_lik, kl)
    return Terms(mu, log_var, per_latent, expected_log_lik, kl, bound)


def layer_shapes(model: nn.Module) -> dict[str, list[list[int]]]:
    """``{"encoder": [[in, out], ...], "decoder": ...}`` of nets of Linear and SiLU."""
    return {part: net_shapes(part, getattr(model, part).net) for part in PARTS}


PARTS = ("encoder", "decoder")


def net_shapes(part: str, net: nn.Sequential) -> list[list[int]]:
    """``[[in, out], ...]`` of one net, if it alternates Linear and SiLU."""
    kinds = [type(layer) for layer in net]
    expected = [nn.Linear if i % 2 == 0 else nn.SiLU for i in range(len(net))]
    if kinds != expected or len(net) % 2 == 0:
        found = ", ".join(kind.__name__ for kind in kinds)
        raise ValueError(
            f"{part}.net must alternate Linear and SiLU, Linear first and last; "
            f"received {found}"
        )
    return [[layer.in_features, layer.out_features] for layer in net[::2]]


def pack_weights(model: nn.Module) -> bytes:
    """Weights and biases, layer by layer, encoder first, as little-endian float16."""
    layers = [layer for part in PARTS for layer in getattr(model, part).net[::2]]
    numbers = [w.detach().cpu().numpy().ravel() for m in layers for w in m.parameters()]
    return np.concatenate(numbers).astype("<f2").tobytes()


def pack_bits(x: Tensor) -> bytes:
    """Binary images (N, D) as bits, the first pixel in the highest bit of a byte."""
    return np.packbits(x.numpy().astype(np.uint8).ravel()).tobytes()


def pack_noise(eps: Tensor) -> bytes:
    """Noise (S, L) as little-endian float16."""
    return eps.numpy().astype("<f2").tobytes()
