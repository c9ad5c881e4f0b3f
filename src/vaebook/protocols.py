r"""What a model must offer to be trained or scored, and what an objective gives."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from vaebook.monte_carlo import LogEvidence
from vaebook.variational import ElboTerms


@runtime_checkable
class Trainable(Protocol):
    """A model that :func:`vaebook.training.fit` can train: a bound, and weights.

    Any ``nn.Module`` with ``elbo_terms`` is one.
    """

    @property
    def elbo_terms(self) -> Callable[..., ElboTerms]:
        """``elbo_terms(x, rng=rng)``: two (N,) tensors, nats, for images ``x`` (N, D).

        A model that is told labels takes pairs: ``elbo_terms(x, y, rng=rng)``.
        """

    def parameters(self) -> Iterator[nn.Parameter]:
        """The weights, which the optimizer moves."""

    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The same with their names, for a checkpoint."""

    def state_dict(self) -> dict[str, Tensor]:
        """All that a checkpoint holds of the model: the live tensors, no copies."""


@runtime_checkable
class Scorable(Protocol):
    """A model whose images can be scored in nats."""

    def log_evidence(
        self, x: Tensor, num_samples: int = 5000, *, rng: torch.Generator
    ) -> LogEvidence:
        """Importance-weighted bound on log p(x) of each image: three (N,) tensors."""


class Surrogate(NamedTuple):
    """A number to climb for the sake of its gradient, and the bound that it stands for.

    Attributes
    ----------
    climbed : Tensor (N,)
        Its mean over examples is ascended; its value means nothing.
    terms : ElboTerms
        Of the bound: recorded, and no gradient is taken of them.
    """

    climbed: Tensor
    terms: ElboTerms


class Objective(Protocol):
    """What training climbs: a bound, or a surrogate whose gradient is another."""

    def __call__(
        self, model: Trainable, *batch: Tensor, rng: torch.Generator
    ) -> ElboTerms | Surrogate:
        """``objective(model, x, rng=rng)``, or with labels ``(model, x, y, rng=rng)``.

        ``ElboTerms`` stand for themselves: their difference is climbed and recorded.
        """
