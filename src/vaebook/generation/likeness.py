r"""Are drawn images like real ones, all kinds of them, and new? (chapter 13)."""

from typing import NamedTuple

from torch import Tensor

from vaebook.checks import at_least, data_matrix, same_last_axis
from vaebook.distances import distances
from vaebook.evaluation import auroc


class PrecisionRecall(NamedTuple):
    """How many drawn images lie among real ones, and how many real among drawn.

    Attributes
    ----------
    precision, recall : float
        Shares, from 0 to 1.
    """

    precision: float
    recall: float


def precision_recall(real: Tensor, drawn: Tensor, k: int = 3) -> PrecisionRecall:
    r"""Each set's share that is within a ball of the other.

    .. math:: \frac1M \sum_m \Bigl[\min_n \bigl(\lVert b_m - a_n\rVert
              - r_k(a_n)\bigr) \le 0\Bigr]

    A ball around each image reaches its k-th nearest of the same set: r_k. Precision
    asks whether each drawn image lies in a ball of a real one, recall the reverse.

    Parameters
    ----------
    real, drawn : Tensor (N, D), (M, D)
        As many of each, or the balls differ in size for that reason alone.

    Equation: eq-generation-precision (Kynkaanniemi et al. 2019)
    """
    real, drawn = data_matrix(real, "real"), data_matrix(drawn, "drawn")
    same_last_axis(real=real, drawn=drawn)
    at_least("k", k, 1)
    at_least("the number of images", min(len(real), len(drawn)), k + 1)
    return PrecisionRecall(_held(real, drawn, k), _held(drawn, real, k))


def _held(around: Tensor, points: Tensor, k: int) -> float:
    """The share of points that lie in a ball of those around."""
    reach = distances(around, around).kthvalue(k + 1).values  # the first is itself
    inside = distances(points, around) <= reach
    return inside.any(1).double().mean().item()


def nearest_of(new: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """How far each new image (M, D) is from the nearest row of x (N, D), and which row
    that is: (M,) each."""
    found = distances(new, data_matrix(x, "x")).min(1)
    return found.values, found.indices


class Copying(NamedTuple):
    """Are drawn images nearer to those of training than new real ones are?

    Attributes
    ----------
    farther : float
        Chance that a drawn image is farther from training than a held-out one: 1/2 for
        equal laws, below if training images are copied.
    z : float
        Its distance from 1/2 in standard errors under equal laws.
    """

    farther: float
    z: float


def copying(train: Tensor, held_out: Tensor, drawn: Tensor) -> Copying:
    r"""The three-sample test for copies: nearest distances, by ranks.

    .. math:: P\bigl(d(\text{drawn}) > d(\text{held out})\bigr)
              + \tfrac12 P(\text{equal}) ,\qquad d(x) = \min_n \lVert x - x_n \rVert

    The error is that of Mann and Whitney's statistic without ties; with ties it is
    smaller, and z too small. Held-out images must be of the same kind as those of
    training: with other writers they are farther for that reason.

    Parameters
    ----------
    train, held_out, drawn : Tensor (N, D), (M, D), (S, D)

    Equation: eq-generation-copying (Meehan et al. 2020)
    """
    ours, _ = nearest_of(held_out, train)
    theirs, _ = nearest_of(drawn, train)
    farther = auroc(ours, theirs)
    m, s = len(ours), len(theirs)
    error = ((m + s + 1) / (12 * m * s)) ** 0.5
    return Copying(farther, (farther - 0.5) / error)
