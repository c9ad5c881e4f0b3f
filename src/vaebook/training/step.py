r"""One step of training: the loss of a batch, its gradient, new weights."""

import math

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from vaebook.training.records import Settings, State
from vaebook.variational import ElboTerms, elbo


class NonFiniteLossError(FloatingPointError):
    """The loss is infinite or not a number: says the step, the term, the remedy."""


def make_optimizer(model: nn.Module, settings: Settings) -> AdamW:
    """AdamW in its fused form; :func:`set_learning_rate` sets the rate."""
    return AdamW(model.parameters(), weight_decay=settings.weight_decay, fused=True)


def set_learning_rate(optimizer: AdamW, settings: Settings, done: float) -> None:
    """Half a cosine: the whole rate at ``done`` = 0, none at 1, where training ends."""
    rate = settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
    optimizer.param_groups[0]["lr"] = rate


def kl_weight(settings: Settings, done: float) -> float:
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
    """
    objective = settings.objective or type(state.model).elbo_terms
    terms = objective(state.model, *batch, rng=state.rng)
    loss = -elbo(terms.expected_log_lik, kl_weight * terms.kl).mean()
    if settings.log_prior:
        loss = loss - settings.log_prior(state.model)
    if not math.isfinite(loss.item()):
        raise _non_finite(terms, batch)
    state.optimizer.zero_grad()
    loss.backward()
    state.optimizer.step()
    return terms.expected_log_lik.mean().item(), terms.kl.mean().item()


def _non_finite(terms: ElboTerms, batch: tuple[Tensor, ...]) -> NonFiniteLossError:
    given = dict(zip(("the pixels", "the labels"), batch, strict=False))
    named = given | terms._asdict()
    bad = [name for name, values in named.items() if not values.isfinite().all()]
    return NonFiniteLossError(
        f"{' and '.join(bad) or 'kl_weight or log_prior'} not finite; the weights are "
        "those before this step. Try a lower learning_rate; look for nan in the data"
    )
