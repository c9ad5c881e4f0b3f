r"""A VAE as many write it, of parts that can be exchanged for a patient's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from vaebook.autoencoder import initialise
from vaebook.vae import VAE

Pair = tuple[Tensor, Tensor]
HIDDEN, LATENTS, EPOCHS = 64, 4, 60


def heads(mu: Tensor, log_var: Tensor) -> Pair:
    """What the encoder's two last layers give, as it is: of any sign."""
    return mu, log_var


def draw(mu: Tensor, log_var: Tensor, rng: torch.Generator) -> Tensor:
    """A draw of the code that can be differentiated: (B, L) each."""
    eps = torch.randn(mu.shape, generator=rng)
    return mu + torch.exp(0.5 * log_var) * eps


def loss(
    x: Tensor,
    logits: Tensor,
    mu: Tensor,
    log_var: Tensor,
    z: Tensor,
) -> Tensor:
    """Minus the bound: a sum over pixels and latents, a mean over images.

    x and logits (B, D), the others (B, L); z, the draw, isn't needed.
    """
    fit = cross_entropy(logits, x, reduction="sum") / len(x)
    kl = -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(1).mean()
    return fit + kl


def step(
    optimizer: torch.optim.Optimizer,
    loss: Callable[[], Tensor],
) -> Tensor:
    """One step of training: forget the last gradient first."""
    optimizer.zero_grad()
    value = loss()
    value.backward()
    optimizer.step()
    return value.detach()


@dataclass(frozen=True)
class Script:
    """The parts of the program; healthy, unless one is exchanged.

    Attributes
    ----------
    heads, draw, loss, step : callable
        As the functions of this module.
    """

    heads: Callable[[Tensor, Tensor], Pair] = heads
    draw: Callable[[Tensor, Tensor, torch.Generator], Tensor] = draw
    loss: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor] = loss
    step: Callable[[torch.optim.Optimizer, Callable[[], Tensor]], Tensor] = step


class PlainEncoder(nn.Module):
    """Images (N, D) to mean and log-variance of their codes, two (N, L)."""

    def __init__(self, data_dim: int, heads: Callable[[Tensor, Tensor], Pair]) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(data_dim, HIDDEN), nn.Tanh())
        self.mu = nn.Linear(HIDDEN, LATENTS)
        self.log_var = nn.Linear(HIDDEN, LATENTS)
        self.heads = heads

    def forward(self, x: Tensor) -> Pair:
        h = self.body(x)
        return self.heads(self.mu(h), self.log_var(h))


class Run(NamedTuple):
    """A trained script.

    Attributes
    ----------
    model : VAE
        Its nets in the book's model, whose bound and score don't ask the script.
    losses : Tensor (E,)
        What the script said of itself, mean of each epoch.
    """

    model: VAE
    losses: Tensor


def run(script: Script, x: Tensor, *, seed: int, epochs: int = EPOCHS) -> Run:
    """Train on binary images (N, D) in batches of 50, with Adam."""
    rng = torch.Generator().manual_seed(seed)
    noise = torch.Generator().manual_seed(seed)
    sizes = x.shape[1], (HIDDEN,), LATENTS
    model = VAE(*sizes, make_nets=partial(nets, script), rng=rng)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(epochs):
        epoch = [
            script.step(optimizer, partial(loss_of, script, model, x[rows], noise))
            for rows in torch.randperm(len(x), generator=rng).split(50)
        ]
        losses.append(torch.stack(epoch).mean())
    return Run(model, torch.stack(losses))


def nets(
    script: Script,
    data_dim: int,
    hidden: Sequence[int],
    latent_dim: int,
    *,
    rng: torch.Generator,
) -> tuple[nn.Module, nn.Module]:
    """Two hidden layers of a script, ready to train."""
    with torch.random.fork_rng(devices=[]):  # torch's own draws: replaced below
        encoder = PlainEncoder(data_dim, script.heads)
        decoder = nn.Sequential(
            nn.Linear(latent_dim, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, data_dim)
        )
    for net in (encoder, decoder):
        initialise(net, rng=rng)
    return encoder, decoder


def loss_of(script: Script, model: VAE, x: Tensor, rng: torch.Generator) -> Tensor:
    """What the script climbs down, for a batch."""
    mu, log_var = model.encoder(x)
    z = script.draw(mu, log_var, rng)
    return script.loss(x, model.decoder(z), mu, log_var, z)
