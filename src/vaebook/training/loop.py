"""The one training loop: the data in memory, a history in nats, checkpoints."""

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from tqdm import tqdm

from vaebook.protocols import Trainable
from vaebook.training.checkpoints import load_checkpoint, save_checkpoint
from vaebook.training.records import Data, Epoch, Settings, State, columns
from vaebook.training.step import (
    NonFiniteLossError,
    kl_weight_at,
    make_batch,
    make_optimizer,
    set_learning_rate,
    train_step,
)


def fit(
    model: Trainable,
    data: Data,
    settings: Settings,
    *,
    rng: torch.Generator,
    validation: Data | None = None,
) -> list[Epoch]:
    """All of :func:`run`, with a progress bar: trains in place, returns the records."""
    silent = not settings.progress
    records = []
    bar = tqdm(total=settings.epochs, unit="epoch", file=sys.stdout, disable=silent)
    with bar:
        for epoch in run(model, data, settings, rng=rng, validation=validation):
            records.append(epoch)
            bar.set_postfix(elbo=f"{epoch.elbo:.2f}", refresh=False)
            bar.update(len(records) - bar.n)
    return records


def run(
    model: Trainable,
    data: Data,
    settings: Settings,
    *,
    rng: torch.Generator,
    validation: Data | None = None,
) -> Iterator[Epoch]:
    r"""Climb the ELBO by stochastic gradient ascent, an epoch at each ``next``.

    .. math:: \mathrm{loss} = -\frac1B\sum_{n\in\text{batch}} \mathcal L(x_n)

    Yields the record of each epoch, those of a resumed checkpoint first.

    Parameters
    ----------
    model : Trainable
        Any module with ``elbo_terms(x, rng=rng)``; changed in place.
    data : Tensor (N, ...), or pair of (N, ...) and (N, C)
        The whole training set, on the device of the model: images, or images and their
        labels for a model with ``elbo_terms(x, y, rng=rng)``.
    rng : torch.Generator
        Orders the batches, draws the noise: fixes every weight, bit for bit.
    validation : like ``data``, optional
        Pixels whose ELBO is recorded after each epoch; never trained on.

    Raises
    ------
    NonFiniteLossError
        With the step, the term and what to try.
    CheckpointError
        If the checkpoint cannot be read or belongs to another model.
    ValueError
        If ``data`` holds fewer rows than a batch, or not as many labels as images.

    Equation: eq-vae-minibatch
    """
    data = _enough(columns(data), settings.batch_size)
    state = State(model, make_optimizer(model, settings), rng, [])
    if settings.checkpoint and settings.checkpoint.exists():
        load_checkpoint(settings.checkpoint, state)
    yield from state.history
    while len(state.history) < settings.epochs:
        state.history.append(_one_epoch(state, data, settings, validation))
        if settings.checkpoint:
            save_checkpoint(settings.checkpoint, state)
        yield state.history[-1]


def _enough(data: tuple[Tensor, ...], batch_size: int) -> tuple[Tensor, ...]:
    """``data`` themselves, if they fill a batch and each image has its label."""
    lengths = [len(column) for column in data]
    if len(set(lengths)) > 1:
        raise ValueError(f"each image needs one label; received {lengths} rows")
    if lengths[0] < batch_size:
        raise ValueError(
            f"x must hold a batch of {batch_size} rows; received {lengths[0]}"
        )
    return data


def _one_epoch(
    state: State,
    data: tuple[Tensor, ...],
    settings: Settings,
    validation: Data | None,
) -> Epoch:
    """Train for an epoch, on the threads asked for, then look at the validation set."""
    with _threads(settings.threads):
        expected_log_lik, kl = _train_epoch(state, data, settings)
        return Epoch(expected_log_lik, kl, _mean_elbo(state, validation))


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """torch on this many threads, and afterwards on as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _train_epoch(
    state: State, data: tuple[Tensor, ...], settings: Settings
) -> tuple[float, float]:
    """One pass over the data in a new order: mean E_q[log p(x|z)] and KL, nats."""
    batches = _batches(state, data[0], settings.batch_size)
    sums = torch.zeros(2, dtype=torch.float64)

    for step, rows in enumerate(batches):
        done = _share_done(state, step / len(batches), settings)
        set_learning_rate(state.optimizer, settings, done)
        weight = kl_weight_at(settings, done)

        batch = make_batch(data, rows, settings, rng=state.rng)
        with _naming_the_step(state, step):
            sums += torch.tensor(train_step(state, batch, settings, weight))

    expected_log_lik, kl = (sums / len(batches)).tolist()
    return expected_log_lik, kl


def _batches(state: State, x: Tensor, batch_size: int) -> tuple[Tensor, ...]:
    """Row numbers of an epoch's batches, all of one size; what is left over waits."""
    order = torch.randperm(len(x), generator=state.rng, device=x.device)
    return order.split(batch_size)[: len(x) // batch_size]


def _share_done(state: State, of_this_epoch: float, settings: Settings) -> float:
    """How much of training is over, from 0 to 1: whole epochs, and part of one."""
    return (len(state.history) + of_this_epoch) / settings.epochs


@contextmanager
def _naming_the_step(state: State, step: int) -> Iterator[None]:
    """Say in front of a failure of the step where training was; both count from 1."""
    try:
        yield
    except NonFiniteLossError as error:
        where = f"epoch {len(state.history) + 1}, step {step + 1}"
        raise NonFiniteLossError(f"{where}: {error}") from None


@torch.no_grad()
def _mean_elbo(state: State, data: Data | None) -> float:
    """Mean ELBO over the rows of ``data``, nats; nan if there are none."""
    if data is None:
        return math.nan
    with _at_rest(state.model):
        terms = state.model.elbo_terms(*columns(data), rng=state.rng)
    return terms.elbo.mean().item()


@contextmanager
def _at_rest(model: nn.Module) -> Iterator[None]:
    """Layers that are different in training, dropout say, as they are after it."""
    before = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for part, training in before:
            part.training = training
