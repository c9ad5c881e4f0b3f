r"""Mean codes of models with two latents: where they lie, and how far apart."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from vaebook.checks import cholesky
from vaebook.explore.packing import net_shapes
from vaebook.likelihood import fit_full_gaussian

Gaussian = tuple[Tensor, Tensor]  # mean (2,), lower Cholesky factor (2, 2)
ROOM = 0.53  # half the width of a frame, of the width of what it holds


@torch.no_grad()
def mean_codes(name: str, model: nn.Module, x: Tensor) -> Tensor:
    """The first output (N, 2) of a model's encoder, as float16 holds it."""
    codes = model.encoder(x.to(next(model.parameters())))[0].cpu().half().double()
    if codes.shape != (len(x), 2) or not codes.isfinite().all():
        raise ValueError(
            f"{name}.encoder must give finite codes ({len(x)}, 2) first; received "
            f"shape {tuple(codes.shape)}, the largest {codes.abs().max():.3g}"
        )
    return codes


def decoder_shapes(name: str, model: nn.Module, dim: int) -> list[list[int]]:
    """``[[in, out], ...]`` of a decoder of 2 latents to ``dim`` pixels."""
    shapes = net_shapes(f"{name}.decoder", model.decoder.net)
    ends = shapes[0][0], shapes[-1][1]
    if ends != (2, dim):
        raise ValueError(
            f"{name}.decoder must take 2 latents to {dim} pixels; received "
            f"{ends[0]} to {ends[1]}"
        )
    return shapes


def sources(names: Iterable[str], codes: Tensor) -> dict[str, list[Gaussian]]:
    """N(0, I) for each model, and the likeliest Gaussian for its codes (N, 2)."""
    prior = torch.zeros(2).double(), torch.eye(2).double()
    fits = [fit_full_gaussian(one) for one in codes]
    chols = [
        cholesky(f"the covariance of {name}'s codes", fit.cov)
        for name, fit in zip(names, fits, strict=True)
    ]
    means = [fit.mu for fit in fits]
    fitted = list(zip(means, chols, strict=True))
    return {"prior": [prior] * len(fits), "fitted": fitted}


def as_lists(gaussian: Gaussian) -> dict[str, list]:
    """Mean and factor as the page reads them."""
    mean, chol = gaussian
    return {"mean": mean.tolist(), "chol": chol.tolist()}


def within(codes: Tensor, gaussian: Gaussian, radius: float) -> Tensor:
    """Which codes (N, 2) lie in a Gaussian's ellipse of ``radius`` sigma, (N,)."""
    mean, chol = gaussian
    white = torch.linalg.solve_triangular(chol, (codes - mean).T, upper=False)
    return white.norm(dim=0) <= radius


def distances(z: Tensor, codes: Tensor) -> Tensor:
    """Of each point (..., M, 2) from each code (..., N, 2): (..., M, N)."""
    return torch.cdist(z, codes, compute_mode="donot_use_mm_for_euclid_dist")


def nearest_other(codes: Tensor) -> Tensor:
    """Distance of each code (..., N, 2) from its nearest neighbour, (..., N)."""
    return distances(codes, codes).topk(2, largest=False).values[..., 1]


def square_frame(points: Tensor) -> list[list[float]]:
    """Equally wide ranges of both axes that hold points (N, 2) and |z| <= 2."""
    corners = points.new_tensor([[-2.0, -2.0], [2.0, 2.0]])
    low, high = torch.cat([points, corners]).aminmax(dim=0)
    centre, half = (low + high) / 2, ROOM * (high - low).max()
    return torch.stack([centre - half, centre + half], 1).tolist()
