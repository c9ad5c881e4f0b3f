r"""The two networks, and the autoencoder made of them (chapter 9)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from vaebook.checks import at_least, data_matrix, floating, has_shape, same_last_axis
from vaebook.distances import distances
from vaebook.likelihood import bernoulli_log_prob
from vaebook.variational import ElboTerms


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers of the given sizes with a SiLU between each two.

    Parameters
    ----------
    sizes : sequence of int
        Input width, hidden widths, output width; ``(64, 10)`` is one linear map.
    """
    at_least("the sizes of a net", min(sizes), 1)
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

    def __init__(self, data_dim: int, hidden: Sequence[int], latent_dim: int) -> None:
        super().__init__()
        self.net = mlp((data_dim, *hidden, 2 * latent_dim))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, D) pixels to ``mu`` and ``log_var``, each (N, L)."""
        same_last_axis(x=x, weights=self.net[0].weight)
        mu, log_var = self.net(x).chunk(2, dim=-1)
        return mu, log_var


class Decoder(nn.Module):
    """Describe the image that a code stands for: one logit per pixel.

    Parameters
    ----------
    latent_dim, hidden, data_dim
        As for :class:`Encoder`, in the order of the data's way through.
    """

    def __init__(self, latent_dim: int, hidden: Sequence[int], data_dim: int) -> None:
        super().__init__()
        self.net = mlp((latent_dim, *hidden, data_dim))

    def forward(self, z: Tensor) -> Tensor:
        """(..., L) codes to (..., D) logits, log p/(1-p) of each pixel."""
        same_last_axis(z=z, weights=self.net[0].weight)
        return self.net(z)


def mirrored_nets(
    data_dim: int,
    hidden: Sequence[int],
    latent_dim: int,
    num_beside: int = 0,
    *,
    rng: torch.Generator,
) -> tuple[Encoder, Decoder]:
    """An encoder and a decoder of the same hidden widths in reverse, ready to train.

    Parameters
    ----------
    data_dim, hidden, latent_dim
        As for :class:`Encoder`.
    num_beside : int
        Numbers that each net reads beside its own input, after it.
    rng : torch.Generator
        Draws the weights, the encoder's first; torch's global one is left alone.
    """
    with torch.random.fork_rng(devices=[]):  # torch's own draws: replaced below
        encoder = Encoder(data_dim + num_beside, hidden, latent_dim)
        decoder = Decoder(latent_dim + num_beside, tuple(hidden)[::-1], data_dim)
    for net in (encoder, decoder):
        initialise(net, rng=rng)
    return encoder, decoder


@torch.no_grad()
def initialise(model: nn.Module, *, rng: torch.Generator) -> None:
    """Draw every weight uniformly within 1/sqrt(inputs), biases zero, from ``rng``."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            layer.weight.uniform_(-bound, bound, generator=rng)
            layer.bias.zero_()


class Autoencoder(nn.Module):
    r"""Compress and rebuild: the VAE's two nets, a point for a code, and no prior.

    .. math:: \max_{\theta,\phi}\; \log p_\theta(x \mid z = \mu_\phi(\tilde x))

    The encoder's other half, the log-variance, is left unused.

    Parameters
    ----------
    data_dim, hidden, latent_dim
        As for :class:`Encoder`; the decoder mirrors it.
    flip : float
        In training each pixel is inverted with this probability before it is encoded,
        and the clean image asked back: a denoising autoencoder (Vincent et al. 2008).
    rng : torch.Generator
        Draws the initial weights.

    Equation: eq-autoencoder-objective
    """

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int],
        latent_dim: int,
        flip: float = 0.0,
        *,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        self.flip = flip
        self.encoder, self.decoder = mirrored_nets(
            data_dim, hidden, latent_dim, rng=rng
        )

    def code(self, x: Tensor) -> Tensor:
        """The code of each image, (N, D) to (N, L)."""
        return self.encoder(x)[0]

    def reconstruct(self, x: Tensor) -> Tensor:
        """Decode the code: (N, D) mean images."""
        return torch.sigmoid(self.decoder(self.code(x)))

    def elbo_terms(self, x: Tensor, *, rng: torch.Generator) -> ElboTerms:
        """What training climbs: log p(x|code) in nats, and a KL of 0; (N,) each.

        No bound on any log p(x): the true KL of a point from a Gaussian is infinite.
        """
        seen = flip_pixels(x, self.flip, rng=rng) if self.flip else x
        log_lik = bernoulli_log_prob(x, self.decoder(self.code(seen)))
        return ElboTerms(log_lik, torch.zeros_like(log_lik))


def flip_pixels(x: Tensor, flip: float, *, rng: torch.Generator) -> Tensor:
    """Binary pixels, each inverted with probability ``flip``; a tensor like ``x``."""
    if not 0 <= flip <= 1:
        raise ValueError(f"flip must be from 0 to 1; received {flip}")
    floating("x", x)
    turned = torch.rand(x.shape, generator=rng, dtype=x.dtype, device=x.device) < flip
    return torch.where(turned, 1 - x, x)


def squared_error(encoder: Tensor, decoder: Tensor, x: Tensor) -> Tensor:
    r"""Mean over images of the squared error of a linear autoencoder; ().

    .. math:: \frac1N\sum_n \lVert x_n - V U x_n\rVert^2

    ``encoder`` U (L, D), ``decoder`` V (D, L), ``x`` (N, D) centred.

    Equation: eq-autoencoder-linear
    """
    has_shape("decoder", decoder, *encoder.T.shape)
    same_last_axis(x=x, encoder=encoder)
    return (x - x @ encoder.T @ decoder.T).square().sum(-1).mean()


def principal_angles(a: Tensor, b: Tensor) -> Tensor:
    r"""Angles between the column spaces of ``a`` and ``b`` (D, L): (L,) radians.

    In descending order, by their sines, which keeps the digits of small angles.

    Equation: eq-autoencoder-angles (Bjorck & Golub 1973)
    """
    has_shape("b", data_matrix(b, "b"), *data_matrix(a, "a").shape)
    q_a, q_b = _basis("a", a), _basis("b", b)
    sines = torch.linalg.svdvals(q_b - q_a @ (q_a.T @ q_b))
    return torch.asin(sines.clamp(max=1))


def _basis(name: str, columns: Tensor) -> Tensor:
    number = columns.shape[1]
    rank = torch.linalg.matrix_rank(columns)
    if rank < number:
        needed = f"must have {number} independent columns"
        raise ValueError(f"{name} {needed}; received {rank}")
    return torch.linalg.qr(columns)[0]


def nearest_distance(z: Tensor, codes: Tensor) -> Tensor:
    """How far each point (M, L) is from the nearest of the codes (N, L); (M,).

    A code that is among the points counts as its own nearest: give the others.
    """
    same_last_axis(z=z, codes=data_matrix(codes, "codes"))
    return distances(z, codes).amin(-1)
