r"""Properties of a written digit, and directions of codes that change them (ch. 12)."""

import torch
from torch import Tensor

from vaebook.checks import data_matrix, has_shape


def ink(x: Tensor) -> Tensor:
    """How much is written: the sum of the pixels, (..., D) to (...,)."""
    return x.sum(-1)


def slant(x: Tensor, width: int) -> Tensor:
    r"""How far the writing leans to the right: pixels across for each pixel up.

    .. math:: -\frac{\sum_d x_d (r_d - \bar r)(c_d - \bar c)}
                    {\sum_d x_d (r_d - \bar r)^2}

    r and c are row and column of a pixel, the bars means weighted by ink; rows count
    downwards, hence the sign. 0 where all ink is in one row.

    Parameters
    ----------
    x : Tensor (..., D)
        Images of ``width`` columns, no pixel negative, some ink in each.
    """
    places = torch.arange(x.shape[-1]).to(x)
    rows, columns = places // width, places % width
    share = x / x.sum(-1, keepdim=True)
    down = rows - (share * rows).sum(-1, keepdim=True)
    across = columns - (share * columns).sum(-1, keepdim=True)
    upright = (share * down.square()).sum(-1)
    leaning = -(share * down * across).sum(-1)
    return torch.where(upright > 0, leaning / upright.clamp(min=1e-12), 0)


def direction(z: Tensor, attribute: Tensor, y: Tensor | None = None) -> Tensor:
    r"""Where codes go as an attribute rises by one standard deviation; (L,).

    .. math:: v = \mathrm{Cov}(z, a) / \mathrm{SD}(a)

    The mean of the codes with the attribute less that without it, if it is yes or no,
    up to a factor. With classes ``y`` (N,) both are taken about the means of their
    class: what is common to ones and sevens is then not mistaken for their slant.

    Parameters
    ----------
    z, attribute : Tensor (N, L), (N,)
    """
    has_shape("attribute", attribute, len(data_matrix(z, "z")))
    if y is None:
        y = torch.zeros(len(z), dtype=torch.long)
    z, attribute = about_class(z, y), about_class(attribute[:, None], y)
    return (z * attribute).mean(0) / attribute.square().mean().sqrt()


def about_class(values: Tensor, y: Tensor) -> Tensor:
    """Rows (N, F) less the mean of their class (N,)."""
    has_shape("y", y, len(values))
    num_classes = int(y.max()) + 1
    sums = torch.zeros(num_classes, values.shape[1]).to(values)
    sums.index_add_(0, y, values)
    counts = torch.bincount(y, minlength=num_classes).to(values)
    means = sums / counts.clamp(min=1)[:, None]
    return values - means[y]
