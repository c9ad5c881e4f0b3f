r"""The three uses as pictures: digits represented, drawn and restored (chapter 13)."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from vaebook.applications import BinaryInpainting, resampled
from vaebook.datasets import binarize_noisily, load_digits
from vaebook.training import Settings, fit
from vaebook.vae import VAE

HIDDEN = 128, 128
SHOWN = 3, 20, 65, 88  # test digits to restore
REACH = 3.0  # of the map, in latents, to either side
SEEN = torch.zeros(8, 8, dtype=torch.bool)
SEEN[::2, ::2] = True


@dataclass(frozen=True)
class Study:
    """How much is run: the whole by default, seconds of it for a test.

    Attributes
    ----------
    seeds : tuple of int
    epochs : int
        Of both models.
    num_samples : int
        Of the bound on log p(x).
    num_blind : int
        Codes from the prior, to be weighed by what was seen.
    """

    seeds: tuple[int, ...] = (0,)
    epochs: int = 600
    num_samples: int = 500
    num_blind: int = 100_000


BRIEF = Study(epochs=5, num_samples=10, num_blind=100)


def of_one_seed(plan: Study, seed: int) -> Iterator[tuple[str, float | str]]:
    """``log_p`` in nats, and pictures: bytes of ink, of places or of classes."""
    digits, grey = load_digits(), load_digits(binarize=False)
    flat, deep = (model_of(grey.train.x, size, plan, seed) for size in (2, 8))
    x, y = digits.test
    rng = torch.Generator().manual_seed(seed)
    yield "log_p", deep.log_evidence(x, plan.num_samples, rng=rng).value.mean()
    with torch.no_grad():
        places = flat.posterior(x).mu
    yield "map.places", packed((places + REACH) / (2 * REACH))
    yield "map.classes", packed(y / 255)
    yield "drawn", packed(deep.sample(24, rng=rng))
    yield "true", packed(x[list(SHOWN)])
    yield "answers", packed(answers(deep, x[list(SHOWN)], plan, rng=rng))


def model_of(x: Tensor, latent_dim: int, plan: Study, seed: int) -> VAE:
    """A VAE of grey digits (N, D)."""
    rng = torch.Generator().manual_seed(seed)
    model = VAE(x.shape[1], HIDDEN, latent_dim, rng=rng)
    fit(model, x, Settings(epochs=plan.epochs, to_pixels=binarize_noisily), rng=rng)
    return model


def answers(model: VAE, x: Tensor, plan: Study, *, rng: torch.Generator) -> Tensor:
    """Four answers to each digit (N, D) of which a quarter of the pixels was seen."""
    task = BinaryInpainting(model, SEEN, x[:, SEEN.flatten()])
    found = resampled(task, plan.num_blind, 4, rng=rng)
    with torch.no_grad():
        return task.mean_image(found.z).transpose(0, 1)  # (N, 4, D)


def packed(shares: Tensor) -> str:
    """Numbers from 0 to 1 as bytes, in hexadecimal digits."""
    values = (255 * shares.clamp(0, 1)).round().byte()
    return bytes(values.flatten().tolist()).hex()
