r"""The two networks: pixels to latent code, latent code to pixels (chapter 9)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers of the given sizes with a SiLU between each two.

    Parameters
    ----------
    sizes : sequence of int
        Input width, hidden widths, output width; ``(64, 10)`` is one linear map.
    """
    layers: list[nn.Module] = []
    for width_in, width_out in pairwise(sizes):
        layers += [nn.Linear(width_in, width_out), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


class Encoder(nn.Module):
    """Describe the posterior of each image: mean and log-variance of its code.

    Parameters
    ----------
    data_dim : int
        Pixels D.
    hidden : sequence of int
        Hidden widths; empty for a linear map.
    latent_dim : int
        Latents L.
    """

    def __init__(self, data_dim: int, hidden: Sequence[int], latent_dim: int):
        super().__init__()
        self.net = mlp((data_dim, *hidden, 2 * latent_dim))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, D) pixels to ``mu`` and ``log_var``, each (N, L)."""
        mu, log_var = self.net(x).chunk(2, dim=-1)
        return mu, log_var


class Decoder(nn.Module):
    """Describe the image that a code stands for: one logit per pixel.

    Parameters
    ----------
    latent_dim, hidden, data_dim
        As for :class:`Encoder`, in the order of the data's way through.
    """

    def __init__(self, latent_dim: int, hidden: Sequence[int], data_dim: int):
        super().__init__()
        self.net = mlp((latent_dim, *hidden, data_dim))

    def forward(self, z: Tensor) -> Tensor:
        """(..., L) codes to (..., D) logits, log p/(1-p) of each pixel."""
        return self.net(z)


@torch.no_grad()
def initialise(model: nn.Module, *, rng: torch.Generator) -> None:
    """Draw every weight uniformly within 1/sqrt(inputs), biases zero, from ``rng``."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            layer.weight.uniform_(-bound, bound, generator=rng)
            layer.bias.zero_()
