r"""Codes of two models with two latents: where they lie, and where draws land."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vaebook.checks import cholesky
from vaebook.distances import distances
from vaebook.explore.parts.packing import net_shapes
from vaebook.likelihood import fit_full_gaussian

Gaussian = tuple[Tensor, Tensor]  # mean (2,), lower Cholesky factor (2, 2)
PICTURE = {
    "dashes": {"prior": [], "fitted": [5, 4]},  # of the circles, in pixels
    "radius": 2,  # sigma: codes within it are counted
}
WORDS = {
    "prior": {"name": "N(0, I)", "button": "Sample the prior"},
    "fitted": {
        "name": "a Gaussian fitted to the codes",
        "button": "Sample the Gaussian",
    },
}
ROOM = 0.53  # half the width of a frame, of the width of what it holds
REACH = 0.95  # of the codes have their nearest neighbour within reach


class Pads(NamedTuple):
    """Codes of two models, draws for both from one noise, and their decoders.

    Attributes
    ----------
    codes : Tensor (2, N, 2)
    noise : Tensor (sets, num_draws, 2)
        Standard normal.
    sources : dict of str to two Gaussians
        Where each model's draws come from.
    decoders : two nets
        Codes to logits.
    reach : Tensor (2,)
        A draw farther than this from every code of its model is where no code is.
    source : str
        Where draws come from at present, one of ``sources``.
    """

    codes: Tensor
    noise: Tensor
    sources: dict[str, list[Gaussian]]
    decoders: Sequence[nn.Module]
    reach: Tensor
    source: str

    def draws(self, source: str | None = None) -> Tensor:
        """All draws of the present source, or of another, (2, sets, num_draws, 2)."""
        pair = self.sources[source or self.source]
        return torch.stack([mean + self.noise @ chol.T for mean, chol in pair])

    def where_no_code_is(self, source: str | None = None) -> Tensor:
        """Which of these draws land where no code is, (2, sets, num_draws) of bool."""
        draws = self.draws(source).flatten(1, 2)  # (2, sets num_draws, 2)
        nearest = distances(draws, self.codes).amin(-1)
        beyond = nearest > self.reach[:, None]
        return beyond.view(2, *self.noise.shape[:2])

    def codes_inside(self, source: str | None = None) -> list[int]:
        """How many of each model's codes lie within 2 sigma of the source."""
        pair = self.sources[source or self.source]
        inside = [
            inside_ellipse(codes, gaussian, PICTURE["radius"])
            for codes, gaussian in zip(self.codes, pair, strict=True)
        ]
        return torch.stack(inside).sum(1).tolist()

    def probabilities(self, model: int, z: Tensor) -> Tensor:
        """Probabilities of ink (..., D) that the first or second model decodes."""
        z = torch.as_tensor(z, dtype=torch.float64)
        return torch.sigmoid(self.decoders[model](z))

    def frame(self, model: int) -> list[list[float]]:
        """Ranges of z1 and z2 that hold a model's codes and every draw."""
        draws = [self.draws(source)[model].flatten(0, 1) for source in self.sources]
        return square_frame(torch.cat([self.codes[model], *draws]))


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


def inside_ellipse(codes: Tensor, gaussian: Gaussian, radius: float) -> Tensor:
    """Which codes (N, 2) lie in a Gaussian's ellipse of ``radius`` sigma, (N,)."""
    mean, chol = gaussian
    white = torch.linalg.solve_triangular(chol, (codes - mean).T, upper=False)
    return white.norm(dim=0) <= radius


def nearest_other(codes: Tensor) -> Tensor:
    """Distance of each code (..., N, 2) from its nearest neighbour, (..., N)."""
    return distances(codes, codes).topk(2, largest=False).values[..., 1]


def square_frame(points: Tensor) -> list[list[float]]:
    """Equally wide ranges of both axes that hold points (N, 2) and |z| <= 2."""
    corners = points.new_tensor([[-2.0, -2.0], [2.0, 2.0]])
    low, high = torch.cat([points, corners]).aminmax(dim=0)
    centre = (low + high) / 2
    half = ROOM * (high - low).max()
    return torch.stack([centre - half, centre + half], 1).tolist()
