r"""Are drawn images like real ones? What can be told, and what not (chapter 11)."""

from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import (
    at_least,
    data_matrix,
    not_negative,
    same_last_axis,
    same_shape,
)
from vaebook.distances import distances

TIE = 1e-12  # of the largest distance


class Reliability(NamedTuple):
    """Said against seen, in bins of what was said; empty bins are left out.

    Attributes
    ----------
    said : Tensor (B,)
        Mean probability in each bin.
    seen : Tensor (B,)
        Share of its pixels that were lit.
    counts : Tensor (B,)
        Pixels.
    """

    said: Tensor
    seen: Tensor
    counts: Tensor

    @property
    def error(self) -> float:
        r"""Expected calibration error: the mean distance of the two, over pixels.

        Equation: eq-evaluation-calibration
        """
        off = (self.said - self.seen).abs()
        return ((self.counts * off).sum() / self.counts.sum()).item()


def reliability(probs: Tensor, x: Tensor, num_bins: int = 10) -> Reliability:
    r"""When it says 0.8, is the pixel lit eight times in ten?

    .. math:: \sum_b \frac{|b|}{N D}\,\Bigl|\frac{1}{|b|}\sum_{d\in b}\pi_d
              - \frac1{|b|}\sum_{d\in b} x_d\Bigr|

    Parameters
    ----------
    probs, x : Tensor, of one shape
        Probabilities that pixels are lit, and the pixels.
    num_bins : int
        Of equal width.

    Equation: eq-evaluation-calibration (Naeini et al. 2015)
    """
    same_shape(probs=probs, x=x)
    not_negative("probs", probs)
    not_negative("1 - probs", 1 - probs)
    at_least("num_bins", num_bins, 1)
    said, seen = probs.flatten().double(), x.flatten().double()
    bins = (said * num_bins).long().clamp(0, num_bins - 1)
    counts = torch.bincount(bins, minlength=num_bins)
    full = counts > 0
    means = [
        torch.bincount(bins, values, num_bins)[full] / counts[full]
        for values in (said, seen)
    ]
    return Reliability(*means, counts[full])


class TwoSample(NamedTuple):
    """Statistic of two samples, and how often chance alone gives one as large.

    Attributes
    ----------
    statistic : float
        Energy distance, in the unit of the rows; about 0 if they are alike.
    p_value : float
        Share of the relabelled samples, and of the one seen, at least as large.
    """

    statistic: float
    p_value: float


def energy_test(
    a: Tensor, b: Tensor, num_permutations: int = 200, *, rng: torch.Generator
) -> TwoSample:
    r"""Do two samples come from one distribution? By distances, and by relabelling.

    .. math:: 2\,\overline{\lVert a - b\rVert} - \overline{\lVert a - a'\rVert}
              - \overline{\lVert b - b'\rVert}

    The bars are means over all pairs, a row with itself among them. Under the
    hypothesis every way to deal the rows out into two samples is as likely as the one
    seen, so that the p-value is exact whatever the distribution is.

    Parameters
    ----------
    a, b : Tensor (M, D), (N, D)
    num_permutations : int
        At least 1.

    Equation: eq-evaluation-energy (Szekely & Rizzo 2004)
    """
    same_last_axis(a=data_matrix(a, "a"), b=data_matrix(b, "b"))
    at_least("num_permutations", num_permutations, 1)
    rows = torch.cat([a, b]).double()
    apart = distances(rows, rows)
    signs = torch.cat(
        [
            torch.full((len(a),), 1 / len(a), dtype=torch.float64),
            torch.full((len(b),), -1 / len(b), dtype=torch.float64),
        ]
    )

    found = -signs @ apart @ signs
    orders = [torch.randperm(len(rows), generator=rng) for _ in range(num_permutations)]
    dealt = signs[torch.stack(orders)]  # (P, M + N)
    by_chance = -(dealt @ apart * dealt).sum(1)
    ties = TIE * apart.max()  # what differs by rounding only is equal
    at_least_as_large = (by_chance >= found - ties).sum().item()
    p_value = (1 + at_least_as_large) / (1 + num_permutations)
    return TwoSample(found.item(), p_value)
