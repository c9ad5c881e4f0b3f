r"""What training is told, and what it changes and reports."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

from vaebook.protocols import Objective, Trainable
from vaebook.variational import ElboTerms

Data = Tensor | tuple[Tensor, ...]


class ToPixels(Protocol):
    """How pixels are made of stored rows."""

    def __call__(self, rows: Tensor, *, rng: torch.Generator) -> Tensor:
        """Pixels (B, D) of ``rows``, drawn anew at each call."""


def columns(data: Data) -> tuple[Tensor, ...]:
    """Images alone, or images and what is known of each: a tuple either way."""
    return (data,) if isinstance(data, Tensor) else tuple(data)


def elbo_objective(model: Trainable, *batch: Tensor, rng: torch.Generator) -> ElboTerms:
    """The objective unless another is given: the model's own ELBO."""
    return model.elbo_terms(*batch, rng=rng)


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes
    ----------
    epochs, batch_size : int
        Passes over the data, and images in a step; a short last batch is left out.
    learning_rate, weight_decay : float
        Of AdamW; the rate falls to zero along half a cosine.
    to_pixels : callable, optional
        ``to_pixels(rows, rng=rng)`` makes each batch's pixels from stored rows; by
        default the rows are the pixels.
    objective : Objective
        ``objective(model, x, rng=rng)`` gives the bound's terms; the ELBO's by default.
        It gives a :class:`vaebook.protocols.Surrogate` where the gradient to climb is
        not the bound's. For a model that is told labels it takes ``y`` after ``x``.
    kl_weight : callable, optional
        ``kl_weight(done)`` multiplies the KL when the share ``done`` of training is
        over; 1 by default. A surrogate has its own weights and takes none.
    log_prior : callable, optional
        ``log_prior(model)`` is added to the mean bound: log p(weights) / N, in nats.
    checkpoint : Path, optional
        Written whole after each epoch; where it exists, training resumes from it.
    progress : bool
        Show a progress bar.
    threads : int
        CPU threads: with one, the weights don't depend on the number of cores.
    """

    epochs: int = 400
    batch_size: int = 100
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    to_pixels: ToPixels | None = None
    objective: Objective = elbo_objective
    kl_weight: Callable[[float], float] | None = None
    log_prior: Callable[[Trainable], Tensor] | None = None
    checkpoint: Path | None = None
    progress: bool = False
    threads: int = 1


class Epoch(NamedTuple):
    """Averages over one epoch, nats per image; ``validation_elbo`` nan if not asked."""

    expected_log_lik: float
    kl: float
    validation_elbo: float

    @property
    def elbo(self) -> float:
        """Training ELBO: higher is better."""
        return self.expected_log_lik - self.kl


class State(NamedTuple):
    """All that training changes: a checkpoint is these four."""

    model: Trainable
    optimizer: Optimizer
    rng: torch.Generator
    history: list[Epoch]
