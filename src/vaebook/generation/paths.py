r"""Ways from one code to another, and how long they are in images (chapter 13)."""

from collections.abc import Callable

import torch
from torch import Tensor

from vaebook.checks import at_least, not_negative, positive, same_shape

Decode = Callable[[Tensor], Tensor]


def straight_line(start: Tensor, end: Tensor, num_points: int) -> Tensor:
    """Codes evenly from ``start`` to ``end`` (N, L), both among them: (T, N, L)."""
    same_shape(start=start, end=end)
    at_least("num_points", num_points, 2)
    t = torch.linspace(0, 1, num_points, dtype=start.dtype)[:, None, None]
    return start + t * (end - start)


def great_circle(start: Tensor, end: Tensor, num_points: int) -> Tensor:
    r"""Codes along the arc about the origin from ``start`` to ``end``: (T, N, L).

    .. math:: \frac{\sin((1-t)\,\omega)}{\sin\omega}\, z_0
              + \frac{\sin(t\,\omega)}{\sin\omega}\, z_1

    The length of the code goes from one end's to the other's along the same weights:
    where both are equal it stays. For codes in one direction it is the straight line.

    Parameters
    ----------
    start, end : Tensor (N, L)
        Not opposite to each other: there is no one arc then.

    Equation: eq-generation-great-circle (Shoemake 1985)
    """
    same_shape(start=start, end=end)
    at_least("num_points", num_points, 2)
    lengths = start.norm(dim=-1) * end.norm(dim=-1)
    cosine = (start * end).sum(-1) / positive("the codes' lengths", lengths)
    omega = cosine.clamp(-1, 1).acos()[:, None]  # (N, 1)
    if (omega > torch.pi - 1e-3).any():
        raise ValueError("start and end are opposite: no one arc joins them")
    t = torch.linspace(0, 1, num_points, dtype=start.dtype)[:, None, None]
    small = omega < 1e-3
    sine = torch.where(small, 1, omega.sin())
    a = torch.where(small, 1 - t, ((1 - t) * omega).sin() / sine)
    b = torch.where(small, t, (t * omega).sin() / sine)
    return a * start + b * end


def coin_angles(probs: Tensor) -> Tensor:
    r"""Angles of coins: their differences are distances in the Fisher information.

    .. math:: \vartheta = 2 \arcsin \sqrt{\pi} , \qquad
              KL(\pi \,\|\, \pi + d\pi) \approx \tfrac12\, d\vartheta^2

    ``probs`` and angles (..., D).

    Equation: eq-generation-coin-angle
    """
    not_negative("probs", probs)
    not_negative("1 - probs", 1 - probs)
    return 2 * torch.atan2(probs.sqrt(), (1 - probs).sqrt())


def path_length(seen: Tensor) -> Tensor:
    r"""How far a path goes in what is seen along it, (T, N, D) to (N,).

    .. math:: \sum_t \lVert f_{t+1} - f_t \rVert
    """
    return seen.diff(dim=0).norm(dim=-1).sum(0)


def path_energy(seen: Tensor) -> Tensor:
    r"""Half the number of steps times their squared lengths, (T, N, D) to (N,).

    .. math:: \frac{T-1}{2} \sum_t \lVert f_{t+1} - f_t \rVert^2

    At least half of the squared length, and that only if all steps are equal: of all
    paths that of least energy is the shortest, walked evenly.

    Equation: eq-generation-energy
    """
    steps = seen.diff(dim=0)
    return 0.5 * len(steps) * steps.square().sum((0, 2))


def geodesic(
    decode: Decode,
    start: Tensor,
    end: Tensor,
    num_points: int = 17,
    max_iter: int = 300,
) -> Tensor:
    r"""The path of least energy in images, from that along the straight line.

    .. math:: \min_{z_2, \dots, z_{T-1}} \frac{T-1}{2} \sum_t
              \lVert f(z_{t+1}) - f(z_t) \rVert^2

    Parameters
    ----------
    decode : callable
        Codes (..., L) to what is to be close (..., D); differentiable.
    start, end : Tensor (N, L)
        The ends, which stay.
    max_iter : int
        Of L-BFGS.

    Returns
    -------
    Tensor (T, N, L)
        A path of no more energy than the straight line's: a local minimum.

    Equation: eq-generation-energy
    """
    line = straight_line(start, end, num_points).detach()
    first, last = line[:1], line[-1:]
    inner = line[1:-1].clone().requires_grad_()
    climb = torch.optim.LBFGS(
        [inner], max_iter=max_iter, history_size=20, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        climb.zero_grad()
        value = path_energy(decode(torch.cat([first, inner, last]))).sum()
        value.backward()
        return value

    climb.step(loss)
    return torch.cat([first, inner.detach(), last])
