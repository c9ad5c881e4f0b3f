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


def make_pixels(rows: Tensor, settings: Settings, *, rng: torch.Generator) -> Tensor:
    """The pixels (B, D) of stored rows: drawn anew, or the rows themselves."""
    if settings.to_pixels is None:
        return rows
    return settings.to_pixels(rows, rng=rng)


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


def _non_finite(terms: ElboTerms, x: Tensor) -> NonFiniteLossError:
    named = {"the pixels": x} | terms._asdict()
    bad = [name for name, values in named.items() if not values.isfinite().all()]
    return NonFiniteLossError(
        f"{' and '.join(bad) or 'kl_weight or log_prior'} not finite; the weights are "
        "those before this step. Try a lower learning_rate; look for nan in the data"
    )
