r"""How far an estimate may be off: curvature, and resampling (chapter 1)."""

from collections.abc import Callable

import torch
from torch import Tensor


def standard_errors(log_lik: Callable[[Tensor], Tensor], theta: Tensor) -> Tensor:
    r"""Large-sample standard error of each parameter, from the curvature at the top.

    .. math:: J = -\nabla^2\log p(x|\theta), \qquad \mathrm{SE}_i = \sqrt{(J^{-1})_{ii}}

    ``log_lik`` is the total log-likelihood, (P,) to (); ``theta`` (P,) its maximum.

    Raises
    ------
    ValueError
        If J is not positive definite: then theta is no maximum.

    Equation: eq-likelihood-standard-error
    """
    information = -torch.autograd.functional.hessian(log_lik, theta.detach())
    chol, fault = torch.linalg.cholesky_ex(information)
    if fault:
        raise ValueError("theta must be a maximum: the curvature there is not negative")
    return torch.cholesky_inverse(chol).diagonal().sqrt()


def bootstrap(
    x: Tensor,
    statistic: Callable[[Tensor], Tensor],
    num_samples: int,
    *,
    rng: torch.Generator,
) -> Tensor:
    """The statistic of ``num_samples`` resamples of the rows, with replacement.

    ``statistic`` maps (N, D) to (P,); the result is (num_samples, P), and its standard
    deviation estimates the statistic's standard error (Efron 1979).
    """
    rows = torch.randint(len(x), (num_samples, len(x)), generator=rng)
    return torch.stack([statistic(x[some]) for some in rows])
