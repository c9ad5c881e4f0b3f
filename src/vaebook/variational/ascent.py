r"""The climb to the nearest maximum of a smooth objective, by L-BFGS (chapter 5)."""

from collections.abc import Callable

import torch
from torch import Tensor

PRECISE = {
    "line_search_fn": "strong_wolfe",
    "tolerance_grad": 1e-12,
    "tolerance_change": 1e-15,
}


def ascend(
    objective: Callable[..., Tensor], start: list[Tensor], *, max_steps: int = 3000
) -> list[Tensor]:
    """The parameters of the next local maximum, by L-BFGS until it stops gaining.

    ``objective(*parameters)`` gives a number (); ``start`` are float64 tensors.
    """
    parameters = [p.detach().clone().requires_grad_() for p in start]
    optimizer = torch.optim.LBFGS(parameters, max_iter=max_steps, **PRECISE)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = -objective(*parameters)
        loss.backward()
        return loss

    optimizer.step(closure)
    return [p.detach() for p in parameters]
