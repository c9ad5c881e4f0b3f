"""The one training loop: the data in memory, a history in nats, checkpoints."""

import math
import sys
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from tqdm import tqdm

from vaebook.training.checkpoints import load_checkpoint, save_checkpoint
from vaebook.training.records import Epoch, Settings, State
from vaebook.training.step import (
    NonFiniteLossError,
    make_optimizer,
    make_pixels,
    set_learning_rate,
    train_step,
)


def fit(
    model: nn.Module,
    x: Tensor,
    settings: Settings,
    *,
    rng: torch.Generator,
    validation: Tensor | None = None,
) -> list[Epoch]:
    """All of :func:`run`, with a progress bar: trains in place, returns the records."""
    silent = not settings.progress
    records = []
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
        need = settings.batch_size
        got = len(x)
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


def _one_epoch(
    state: State, x: Tensor, settings: Settings, validation: Tensor | None
) -> Epoch:
    before = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        return Epoch(*_train_epoch(state, x, settings), _mean_elbo(state, validation))
    finally:
        torch.set_num_threads(before)


def _train_epoch(state: State, x: Tensor, settings: Settings) -> tuple[float, ...]:
    """One pass over the data in a new order: mean E_q[log p(x|z)] and KL, nats."""
    batches = _batches(state, x, settings.batch_size)
    sums = torch.zeros(2, dtype=torch.float64)

    for step, rows in enumerate(batches):
        done = (len(state.history) + step / len(batches)) / settings.epochs
        set_learning_rate(state.optimizer, settings, done)
        weight = settings.kl_weight(done) if settings.kl_weight else 1.0
        pixels = make_pixels(x.index_select(0, rows), settings, rng=state.rng)

        try:
            sums += torch.tensor(train_step(state, pixels, settings, weight))
        except NonFiniteLossError as error:
            where = f"epoch {len(state.history) + 1}, step {step + 1}"
            raise NonFiniteLossError(f"{where}: {error}") from None

    return tuple((sums / len(batches)).tolist())


def _batches(state: State, x: Tensor, batch_size: int) -> tuple[Tensor, ...]:
    """Row numbers of an epoch's batches, all of one size; what is left over waits."""
    order = torch.randperm(len(x), generator=state.rng, device=x.device)
    return order.split(batch_size)[: len(x) // batch_size]


@torch.no_grad()
def _mean_elbo(state: State, x: Tensor | None) -> float:
    if x is None:
        return math.nan
    return state.model.elbo_terms(x, rng=state.rng).elbo.mean().item()
