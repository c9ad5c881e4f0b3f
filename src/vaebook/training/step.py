r"""One step of training: the loss of a batch, its gradient, new weights."""

import math

import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer

from vaebook.protocols import Surrogate, Trainable
from vaebook.training.records import Settings, State
from vaebook.variational import ElboTerms, elbo


class NonFiniteLossError(FloatingPointError):
    """The loss is infinite or not a number: says the step, the term, the remedy."""


def make_optimizer(model: Trainable, settings: Settings) -> AdamW:
    """AdamW in its fused form; :func:`set_learning_rate` sets the rate."""
    return AdamW(model.parameters(), weight_decay=settings.weight_decay, fused=True)


def set_learning_rate(optimizer: Optimizer, settings: Settings, done: float) -> None:
    """Half a cosine: the whole rate at ``done`` = 0, none at 1, where training ends."""
    rate = settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
    optimizer.param_groups[0]["lr"] = rate


def kl_weight_at(settings: Settings, done: float) -> float:
    """What multiplies the KL when the share ``done`` of training is over."""
    return settings.kl_weight(done) if settings.kl_weight else 1.0


def make_batch(
    data: tuple[Tensor, ...], rows: Tensor, settings: Settings, *, rng: torch.Generator
) -> tuple[Tensor, ...]:
    """Those rows of the data, the pixels among them drawn anew if settings say how."""
    x, *known = (column.index_select(0, rows) for column in data)
    if settings.to_pixels:
        x = settings.to_pixels(x, rng=rng)
    return x, *known


def train_step(
    state: State, batch: tuple[Tensor, ...], settings: Settings, kl_weight: float = 1.0
) -> tuple[float, float]:
    """Move the weights once, on one batch: pixels (B, D), and labels if there are any.

    The loss is a sum over pixels and a mean over examples. Returns the batch's mean
    E_q[log p(x|z)] and KL, in nats per image.

    Equation: eq-vae-loss
    """
    given = settings.objective(state.model, *batch, rng=state.rng)
    climbed, terms = weighed(given, kl_weight)

    loss = -climbed.mean()
    if settings.log_prior:
        loss = loss - settings.log_prior(state.model)
    if not math.isfinite(loss.item()):
        raise _non_finite(terms, batch)

    state.optimizer.zero_grad()
    loss.backward()
    state.optimizer.step()
    return terms.expected_log_lik.mean().item(), terms.kl.mean().item()


def weighed(given: ElboTerms | Surrogate, kl_weight: float) -> Surrogate:
    """What each example adds to the ascent, beside the terms to record.

    Raises
    ------
    ValueError
        If a surrogate is to be weighed: its value is no likelihood minus a KL.
    """
    if isinstance(given, ElboTerms):
        return Surrogate(elbo(given.expected_log_lik, kl_weight * given.kl), given)
    if kl_weight != 1:
        raise ValueError(f"kl_weight of a surrogate must be 1; received {kl_weight}")
    return given


def _non_finite(terms: ElboTerms, batch: tuple[Tensor, ...]) -> NonFiniteLossError:
    given = dict(zip(("the pixels", "the labels"), batch, strict=False))
    named = given | terms._asdict()
    bad = [name for name, values in named.items() if not values.isfinite().all()]
    what = " and ".join(bad) or "surrogate, kl_weight or log_prior"
    return NonFiniteLossError(
        f"{what} not finite; the weights are those before this step. Try a lower "
        "learning_rate; look for nan in the data"
    )
