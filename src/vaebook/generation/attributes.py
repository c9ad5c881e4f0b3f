r"""Properties of a written digit, and directions of codes that change them (ch. 13)."""

from collections.abc import Callable

import torch
from torch import Tensor

from vaebook.checks import at_least, data_matrix, has_shape, positive


def ink(x: Tensor) -> Tensor:
    """How much is written: the sum of the pixels, (..., D) to (...,)."""
    return x.sum(-1)


def slant(x: Tensor, width: int) -> Tensor:
    r"""How far the writing leans to the right: pixels across for each pixel up.

    .. math:: -\frac{\sum_d x_d (i_d - \bar\imath)(j_d - \bar\jmath)}
                    {\sum_d x_d (i_d - \bar\imath)^2}

    i and j are row and column of a pixel, the bars means weighted by ink; rows count
    downwards, hence the sign. 0 where all ink is in one row.

    Parameters
    ----------
    x : Tensor (..., D)
        Images of ``width`` columns, no pixel negative, some ink in each.

    Equation: eq-generation-slant
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

    .. math:: v = \mathrm{Cov}(z, h) / \mathrm{SD}(h)

    The mean of the codes with the attribute less that without it, if it is yes or no,
    up to a factor. With classes ``y`` (N,) both are taken about the means of their
    class: what is common to ones and sevens is then not mistaken for their slant.

    Parameters
    ----------
    z, attribute : Tensor (N, L), (N,)

    Equation: eq-generation-direction
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


def multiple_for(
    rise: Callable[[float], float], asked: float, most: float = 8.0
) -> float:
    """How many times a step is taken until what it raises has risen by ``asked``.

    Multiples up to ``most`` are tried, 20 to each step: the first that is enough, or
    that of the largest rise where none is.

    Parameters
    ----------
    rise : callable
        Of the multiple.
    asked : float
        More than 0, in the units of ``rise``.
    """
    positive("asked", asked)
    positive("most", most)
    multiples = [place / 20 for place in range(1, int(20 * most) + 1)]
    rises = torch.tensor([rise(times) for times in multiples])
    enough = (rises >= asked).nonzero()
    return multiples[int(enough[0]) if len(enough) else int(rises.argmax())]


def follow_slope(
    attribute: Callable[[Tensor], Tensor],
    z: Tensor,
    amount: float,
    num_steps: int = 50,
) -> Tensor:
    r"""Codes at which an attribute is higher by ``amount``, along its slope; (N, L).

    .. math:: \frac{dz}{dt} = \frac{\nabla h(z)}{\lVert \nabla h(z) \rVert^2}
              \quad\Rightarrow\quad \frac{d\, h(z)}{dt} = 1

    Of all ways to go on this is at every place the shortest. Walked by Euler's method
    in ``num_steps`` equal parts of ``amount``; exact where the attribute is linear.

    Parameters
    ----------
    attribute : callable
        Codes (N, L) to (N,), each of its own row; differentiable.

    Equation: eq-generation-climb
    """
    at_least("num_steps", num_steps, 1)
    z = z.detach().clone()
    for _ in range(num_steps):
        with torch.enable_grad():
            at = z.requires_grad_()
            (slope,) = torch.autograd.grad(attribute(at).sum(), at)
        square = slope.square().sum(-1, keepdim=True).clamp(min=1e-12)
        z = z.detach() + amount / num_steps * slope / square
    return z
