"""What can be evaluated at all: a model with a density, images, draws (chapter 11)."""

from collections.abc import Callable

import torch
from torch import Tensor

from vaebook.checks import at_least, data_matrix
from vaebook.vae import LatentModel

HELD = 50_000  # codes, with an image decoded from each: the bound on memory


def with_density(model: object) -> LatentModel:
    """``model`` itself, if it gives images a probability and codes a prior.

    Raises
    ------
    TypeError
        For a model without a density, an autoencoder say: it has no log p(x) that could
        be measured.
    ValueError
        If it has no latents.
    """
    if not isinstance(model, LatentModel):
        raise TypeError(
            "model must have a density p(x|z) p(z), as a LatentModel has; received "
            f"{type(model).__name__}, and without one there is no log p(x) to measure"
        )
    at_least("model.latent_dim", model.latent_dim, 1)
    return model


def images_of(x: Tensor) -> Tensor:
    """``x`` itself, if it holds one image or more as rows (N, D) of finite numbers."""
    return data_matrix(x)


def by_images(
    evaluate: Callable[..., tuple[Tensor, ...]], num_codes: int, *columns: Tensor
) -> list[Tensor]:
    """Call ``evaluate`` on some images at a time, and join what it gives.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(*rows)`` gives a tuple of tensors whose last axis runs over images.
    num_codes : int
        That an image needs at once: the images at a time hold 50,000 together.
    columns : Tensor (N, ...)
        Whose rows belong to the same images.
    """
    chunk = max(1, HELD // num_codes)
    parts = zip(*(column.split(chunk) for column in columns), strict=True)
    found = [evaluate(*rows) for rows in parts]
    return [torch.cat(pieces, -1) for pieces in zip(*found, strict=True)]
