"""The one training loop: the data in memory, a history in nats, checkpoints."""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from tqdm import tqdm

from vaebook.checkpoints import Epoch, State, load_checkpoint, save_checkpoint
from vaebook.variational import ElboTerms, elbo


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
    objective : callable, optional
        ``objective(model, x, rng=rng)`` gives the bound's terms; the ELBO's by default.
    kl_weight : callable, optional
        ``kl_weight(done)`` multiplies the KL when the share ``done`` of training is
        over; 1 by default.
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
    to_pixels: Callable[..., Tensor] | None = None
    objective: Callable[..., ElboTerms] | None = None
    kl_weight: Callable[[float], float] | None = None
    log_prior: Callable[[nn.Module], Tensor] | None = None
    checkpoint: Path | None = None
    progress: bool = False
    threads: int = 1


class NonFiniteLossError(FloatingPointError):
    """The loss is infinite or not a number: says the step, the term, the remedy."""


def fit(
    model: nn.Module,
    x: Tensor,
    settings: Settings,
    *,
    rng: torch.Generator,
    validation: Tensor | None = None,
) -> list[Epoch]:
    """All of :func:`run`, with a progress bar: trains in place, returns the records."""
    silent, records = not settings.progress, []
    bar = tqdm(total=settings.epochs, unit="epoch", file=sys.stdout, disable=silent)
    with bar:
        for epoch in run(model, x, settings, rng=rng, validation=validation):
            records.append(epoch)
            bar.set_postfix(elbo=f"{epoch.elbo:.2f}", refresh=False)
            bar.update(len(records) - bar.n)
    return records


def run(
    model: nn.Module,
    x: Tensor,
    settings: Settings,
    *,
    rng: torch.Generator,
    validation: Tensor | None = None,
) -> Iterator[Epoch]:
    r"""Climb the ELBO by stochastic gradient ascent, an epoch at each ``next``.

    .. math:: \mathrm{loss} = -\frac1B\sum_{n\in\text{batch}} \mathcal L(x_n)

    Yields the record of each epoch, those of a resumed checkpoint first.

    Parameters
    ----------
    model : Module
        Anything with ``elbo_terms(x, rng=rng)``; changed in place.
    x : Tensor (N, ...)
        The whole training set, on the device of the model.
    rng : torch.Generator
        Orders the batches, draws the noise: fixes every weight, bit for bit.
    validation : Tensor (M, D), optional
        Pixels whose ELBO is recorded after each epoch; never trained on.

    Raises
    ------
    NonFiniteLossError
        With the step, the term and what to try.
    CheckpointError
        If the checkpoint cannot be read or belongs to another model.
    ValueError
        If ``x`` holds fewer rows than a batch.

    Equation: eq-vae-minibatch
    """
    if len(x) < settings.batch_size:
        need, got = settings.batch_size, len(x)
        raise ValueError(f"x must hold a batch of {need} rows; received {got}")
    state = State(model, make_optimizer(model, settings), rng, [])
    if settings.checkpoint and settings.checkpoint.exists():
        load_checkpoint(settings.checkpoint, state)
    yield from state.history
    while len(state.history) < settings.epochs:
        state.history.append(_one_epoch(state, x, settings, validation))
        if settings.checkpoint:
            save_checkpoint(settings.checkpoint, state)
        yield state.history[-1]


def make_optimizer(model: nn.Module, settings: Settings) -> AdamW:
    """AdamW in its fused form; :func:`run` sets the rate before each step."""
    return AdamW(model.parameters(), weight_decay=settings.weight_decay, fused=True)


def train_step(
    state: State, x: Tensor, settings: Settings, kl_weight: float = 1.0
) -> tuple[float, float]:
    """Move the weights once, on one batch of pixels (B, D).

    The loss is a sum over pixels and a mean over examples. Returns the batch's mean
    E_q[log p(x|z)] and KL, in nats per image.
    """
    objective = settings.objective or type(state.model).elbo_terms
    terms = objective(state.model, x, rng=state.rng)
    loss = -elbo(terms.expected_log_lik, kl_weight * terms.kl).mean()
    if settings.log_prior:
        loss = loss - settings.log_prior(state.model)
    if not math.isfinite(loss.item()):
        raise _non_finite(terms, x)
    state.optimizer.zero_grad()
    loss.backward()
    state.optimizer.step()
    return terms.expected_log_lik.mean().item(), terms.kl.mean().item()


def _one_epoch(state: State, x: Tensor, settings: Settings, validation) -> Epoch:
    before = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        return Epoch(*_train_epoch(state, x, settings), _mean_elbo(state, validation))
    finally:
        torch.set_num_threads(before)


def _train_epoch(state: State, x: Tensor, settings: Settings) -> tuple[float, ...]:
    order = torch.randperm(len(x), generator=state.rng, device=x.device)
    batches = order.split(settings.batch_size)[: len(x) // settings.batch_size]
    sums = torch.zeros(2, dtype=torch.float64)
    for step, rows in enumerate(batches):
        done = (len(state.history) + step / len(batches)) / settings.epochs
        rate = settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
        state.optimizer.param_groups[0]["lr"] = rate
        try:
            pixels = x.index_select(0, rows)
            if settings.to_pixels:
                pixels = settings.to_pixels(pixels, rng=state.rng)
            weight = settings.kl_weight(done) if settings.kl_weight else 1.0
            sums += torch.tensor(train_step(state, pixels, settings, weight))
        except NonFiniteLossError as error:
            where = f"epoch {len(state.history) + 1}, step {step + 1}"
            raise NonFiniteLossError(f"{where}: {error}") from None
    return tuple((sums / len(batches)).tolist())


@torch.no_grad()
def _mean_elbo(state: State, x: Tensor | None) -> float:
    if x is None:
        return math.nan
    return state.model.elbo_terms(x, rng=state.rng).elbo.mean().item()


def _non_finite(terms: ElboTerms, x: Tensor) -> NonFiniteLossError:
    named = {"the pixels": x} | terms._asdict()
    bad = [name for name, values in named.items() if not values.isfinite().all()]
    return NonFiniteLossError(
        f"{' and '.join(bad) or 'kl_weight or log_prior'} not finite; the weights are "
        "those before this step. Try a lower learning_rate; look for nan in the data"
    )
