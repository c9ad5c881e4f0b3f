r"""Running estimates of several samplers, as the race shows them."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaebook.monte_carlo import LogEvidence, iw_log_evidence

MOST_SAMPLERS, MOST_RUNS = 4, 8
FEWEST_DRAWS, MOST_DRAWS, A_DECADE = 10, 1_000_000, 10
FARTHEST = 3.0  # nats below the truth that the picture shows for few draws
PICTURE = {
    "lines": [  # of the samplers: a colour of the theme, dashes in pixels
        {"colour": "class-1", "dash": []},
        {"colour": "class-7", "dash": [8, 4]},
        {"colour": "class-4", "dash": [2, 3]},
        {"colour": "class-0", "dash": [10, 3, 2, 3]},
    ],
    "room": 1.15,  # a factor, from the first and last size to the frame
    "bar": 1.06,  # and to the sides of a single band
}


class Paths(NamedTuple):
    """Estimates of every sampler from its first draws, in every run.

    ``of`` holds for each name a LogEvidence of (sizes, R) tensors; ``truth`` is the
    exact log p(x), nats.
    """

    sizes: list[int]
    of: dict[str, LogEvidence]
    truth: float

    def at(self, num_samples: int, run: int) -> dict[str, LogEvidence]:
        """Each sampler's estimate from so many draws of one run, nats."""
        place = self.sizes.index(num_samples), run
        return {
            name: LogEvidence(*(column[place] for column in path))
            for name, path in self.of.items()
        }


def checked_shape(log_w: Mapping[str, Tensor]) -> tuple[int, int]:
    """Number of draws and of runs, the same for each sampler."""
    shapes = {name: tuple(one.shape) for name, one in log_w.items()}
    first = next(iter(shapes.values()), ())
    proper = len(first) == 2 and 100 <= first[0] <= MOST_DRAWS
    proper = proper and 1 <= first[1] <= MOST_RUNS
    if not (proper and len(shapes) <= MOST_SAMPLERS and {*shapes.values()} == {first}):
        raise ValueError(
            f"log_w must hold 1 to {MOST_SAMPLERS} samplers of one shape (S, R), "
            f"100 <= S <= {MOST_DRAWS:,} and R <= {MOST_RUNS}; received {shapes}"
        )
    for name, one in log_w.items():
        if not one.isfinite().all():
            bad = one[~one.isfinite()][0]
            raise ValueError(f"log_w must be finite; received {bad} in {name}")
    return first


def draw_counts(num_draws: int) -> list[int]:
    """Whole powers of ten among them, and S itself."""
    decades = math.log10(num_draws / FEWEST_DRAWS)
    exponents = np.arange(math.ceil(A_DECADE * decades)) / A_DECADE
    spaced = (FEWEST_DRAWS * 10**exponents).round().astype(int).tolist()
    return sorted({*spaced, num_draws})


def running(log_w: Tensor, sizes: list[int]) -> LogEvidence:
    """Estimate, standard error and ESS of the first s draws, each (sizes, R)."""
    rows = [iw_log_evidence(lambda count: log_w[:count], s, chunk=s) for s in sizes]
    return LogEvidence(*(torch.stack(column) for column in zip(*rows, strict=True)))


def packed(paths: Paths) -> bytes:
    """Error and standard error, float32: by sampler, run and size. ESS follows."""
    pairs = [
        (path.value - paths.truth, path.standard_error) for path in paths.of.values()
    ]
    rows = torch.stack([torch.stack(pair, -1) for pair in pairs])
    return rows.transpose(1, 2).numpy().astype("<f4").tobytes()


def nats_shown(paths: Paths) -> list[float]:
    """Least and greatest height of the picture, with every last estimate in it.

    What is far off with few draws stays outside until it comes near.
    """
    truth = paths.truth
    values = torch.stack([path.value for path in paths.of.values()]) - truth
    bands = torch.stack([2 * path.standard_error for path in paths.of.values()])
    last = values[:, -1]
    low = max(min(-values.quantile(0.05).item(), FARTHEST), -last.min().item())
    high = max((values + bands).quantile(0.9).item(), last.max().item())
    depth = max(low, high / 2, 1e-3)
    height = max(high, low / 4, 1e-3)
    return [truth - 1.1 * depth, truth + 1.1 * height]
