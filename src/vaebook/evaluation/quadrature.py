r"""The exact evidence of a model of one or two latents, on a grid (chapter 11)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import at_least, positive
from vaebook.evaluation.requests import images_of, with_density
from vaebook.vae import LatentModel

MOST_LATENTS = 2  # 201 nodes in each of three latents are eight million points


class Grid(NamedTuple):
    """Points equally spaced in each latent: ``points`` (G, L), and their ``spacing``.

    The spacing is the distance of neighbours, in the unit of the code.
    """

    points: Tensor
    spacing: float

    @property
    def log_cell(self) -> float:
        """Logarithm of the volume that a point stands for."""
        return self.points.shape[1] * math.log(self.spacing)

    def parts(self, chunk: int) -> list["Grid"]:
        """The same points, at most ``chunk`` at a time."""
        at_least("chunk", chunk, 1)
        return [self._replace(points=some) for some in self.points.split(chunk)]


def make_grid(latent_dim: int, half_width: float = 6.0, num_nodes: int = 201) -> Grid:
    """A square of points around the origin, in float64.

    Parameters
    ----------
    latent_dim : int
        One or two.
    half_width : float
        Of each side; the prior beyond 6 weighs 2e-9.
    num_nodes : int
        Points along a side, at least 2. A Gaussian whose sigma is the spacing is
        integrated to 1e-8 of itself, one of half that sigma to one per cent.

    Raises
    ------
    ValueError
        For more latents than two; the message says how many points there would be.
    """
    at_least("num_nodes", num_nodes, 2)
    positive("half_width", half_width)
    if not 1 <= latent_dim <= MOST_LATENTS:
        raise ValueError(
            f"a grid is for 1 to {MOST_LATENTS} latents; received {latent_dim}, which "
            f"are {num_nodes}^{latent_dim} points. Try annealed_log_evidence"
        )
    axis = torch.linspace(-half_width, half_width, num_nodes, dtype=torch.float64)
    points = torch.cartesian_prod(*[axis] * latent_dim).reshape(-1, latent_dim)
    return Grid(points, 2 * half_width / (num_nodes - 1))


@torch.no_grad()
def grid_log_joint(model: LatentModel, x: Tensor, grid: Grid) -> Tensor:
    r"""log p(x, z) at each point, plus the logarithm of its cell; (G, N) nats, float64.

    Exponentiated and summed over the points it is the evidence; normalised over them,
    the posterior probability of each cell.

    Equation: eq-evaluation-grid
    """
    z = grid.points.to(x)[:, None, :]  # (G, 1, L): the same points for every image
    return model.log_joint(x, z).double() + grid.log_cell


def grid_log_evidence(
    model: LatentModel, x: Tensor, grid: Grid | None = None, *, chunk: int = 500
) -> Tensor:
    r"""log p(x) of each image by quadrature over the code: no draws and no bound.

    .. math:: \log p(x) = \log \int p(x, z)\, dz
              \approx \log \sum_g h^L\, p(x, z_g)

    The trapezoidal rule without its ends, where the density is nothing. For what is
    smooth at the scale of the spacing h its error falls faster than any power of h.

    Parameters
    ----------
    model : LatentModel
        Of one or two latents.
    x : Tensor (N, D)
    grid : Grid, optional
        :func:`make_grid` of the model's latents unless another is given.
    chunk : int
        Points held at once.

    Returns
    -------
    Tensor (N,), float64
        Nats.

    Equation: eq-evaluation-grid (Trefethen & Weideman 2014)
    """
    with_density(model)
    grid = grid or make_grid(model.latent_dim)
    num_images = len(images_of(x))
    total = x.new_full((num_images,), -math.inf, dtype=torch.float64)
    for part in grid.parts(chunk):
        log_joint = grid_log_joint(model, x, part)
        total = torch.logaddexp(total, log_joint.logsumexp(0))
    return total
