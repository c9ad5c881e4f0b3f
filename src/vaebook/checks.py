r"""Arguments refused in words: what must hold, and what was received (chapter 1)."""

import torch
from torch import Tensor


def same_last_axis(**tensors: Tensor) -> None:
    """Raise ValueError unless every tensor has the same last axis."""
    if len({t.shape[-1:] for t in tensors.values()}) > 1:
        shapes = ", ".join(f"{name} {tuple(t.shape)}" for name, t in tensors.items())
        raise ValueError(f"the last axes must be equal; received {shapes}")


def same_shape(**tensors: Tensor) -> None:
    """Raise ValueError unless every tensor has the same shape."""
    if len({t.shape for t in tensors.values()}) > 1:
        names = " and ".join(tensors)
        shapes = ", ".join(f"{name} {tuple(t.shape)}" for name, t in tensors.items())
        raise ValueError(f"{names} must have one shape; received {shapes}")


def has_shape(name: str, tensor: Tensor, *shape: int) -> Tensor:
    """``tensor`` itself if it is of this shape; -1 allows any length of an axis."""
    given = tuple(tensor.shape)
    fits = len(given) == len(shape)
    if not (fits and all(a in (-1, b) for a, b in zip(shape, given, strict=True))):
        wanted = ", ".join("any" if a == -1 else str(a) for a in shape)
        raise ValueError(f"{name} must be of shape ({wanted}); received {given}")
    return tensor


def finite_draws(name: str, values: Tensor) -> Tensor:
    """``values`` in float64, if they are one axis of two or more finite numbers."""
    if values.ndim != 1 or len(values) < 2:
        shape = tuple(values.shape)
        raise ValueError(
            f"{name} must be one axis of at least 2 draws; received {shape}"
        )
    return finite(name, values).double()


def finite(name: str, values: Tensor) -> Tensor:
    """``values`` themselves, if none is infinite or nan."""
    if not values.isfinite().all():
        first = values[~values.isfinite()].flatten()[0]
        raise ValueError(f"{name} must be finite; received {first}")
    return values


def at_least(name: str, value: float, least: float) -> None:
    """Raise ValueError unless ``value`` is ``least`` or more."""
    if not value >= least:
        raise ValueError(f"{name} must be at least {least}; received {value}")


def not_negative(name: str, values: Tensor | float) -> Tensor:
    """``values`` as a tensor, if none is below 0."""
    exact = None if isinstance(values, Tensor) else torch.float64
    values = torch.as_tensor(values, dtype=exact)
    if not (values >= 0).all():
        raise ValueError(f"{name} must not be negative; received {values.min():.6g}")
    return values


def positive(name: str, values: Tensor | float) -> Tensor:
    """``values`` as a tensor, if all are above 0 and finite."""
    exact = None if isinstance(values, Tensor) else torch.float64
    values = torch.as_tensor(values, dtype=exact)
    if not ((values > 0) & values.isfinite()).all():
        worst = values.min() if (values <= 0).any() else values.max()  # nan is both
        raise ValueError(f"{name} must be above 0 and finite; received {worst:.6g}")
    return values


def probabilities(name: str, values: Tensor, tol: float = 1e-6) -> Tensor:
    """``values`` themselves if they are a distribution along the last axis."""
    total = not_negative(name, values).sum(-1)
    if not ((total - 1).abs() <= tol).all():
        worst = total.flatten()[(total - 1).abs().argmax()]
        raise ValueError(f"{name} must sum to 1; received a sum of {worst:.6g}")
    return values


def cholesky(name: str, cov: Tensor) -> Tensor:
    """Lower Cholesky factor of covariances (..., D, D), if they are such."""
    if cov.ndim < 2 or cov.shape[-1] != cov.shape[-2]:
        raise ValueError(f"{name} must be square; received shape {tuple(cov.shape)}")
    if not floating(name, cov).isfinite().all():
        raise ValueError(f"{name} must be finite; received nan or infinity in it")
    sigma = cov.diagonal(dim1=-2, dim2=-1).abs().sqrt()
    uneven = (cov - cov.mT).abs()
    if (uneven > 1e-6 * sigma[..., None] * sigma[..., None, :]).any():
        worst = uneven.max()
        raise ValueError(
            f"{name} must be symmetric; received entries that differ by {worst:.6g}"
        )
    chol, faults = torch.linalg.cholesky_ex(cov)
    if faults.any():
        least = torch.linalg.eigvalsh(cov).min()
        raise ValueError(
            f"{name} must be positive definite; received a smallest eigenvalue of "
            f"{least:.6g}"
        )
    return chol


def floating(name: str, tensor: Tensor) -> Tensor:
    """``tensor`` itself if it holds numbers with a fraction."""
    if not tensor.is_floating_point():
        given = f"{tensor.dtype}: {name}.double()"
        raise ValueError(f"{name} must be of a float type; received {given}")
    return tensor


def data_matrix(x: Tensor, name: str = "x") -> Tensor:
    """``x`` itself if it is data (N, D) to fit: real, finite, not empty.

    Raises
    ------
    ValueError
        Otherwise; the message says what was received and what to do.
    """
    if x.ndim != 2 or not x.numel():
        raise ValueError(
            f"{name} must be (N, D), at least one row and column; received "
            f"{tuple(x.shape)}: one variable is {name}[:, None]"
        )
    if not floating(name, x).isfinite().all():
        row = (~x.isfinite()).any(1).nonzero()[0].item()
        advice = f"row {row} is not: leave it out or fill it"
        raise ValueError(f"{name} must be finite; {advice}")
    return x
