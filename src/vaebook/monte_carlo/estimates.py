r"""A mean of draws with its standard error (chapter 6)."""

import math
from typing import NamedTuple

from torch import Tensor

from vaebook.checks import finite_draws


class Estimate(NamedTuple):
    """A sample mean and its standard error, both in the unit of the values."""

    mean: float
    standard_error: float
    num_samples: int

    def __str__(self) -> str:
        return format(self)

    def __format__(self, form: str) -> str:
        """Mean ± error, each as ``form`` says; three decimals if it says nothing."""
        form = form or ".3f"
        return f"{self.mean:{form}} ± {self.standard_error:{form}}"


def estimate(values: Tensor) -> Estimate:
    r"""Mean of independent draws with its standard error.

    .. math:: \hat\mu = \tfrac1S\sum_s f_s, \qquad
              \mathrm{SE} = \sqrt{\tfrac{1}{S(S-1)}\sum_s (f_s-\hat\mu)^2}

    Parameters
    ----------
    values : Tensor (S,)
        At least two draws, all finite.

    Equation: eq-vae-standard-error
    """
    values = finite_draws("values", values)
    error = values.std(correction=1) / math.sqrt(len(values))
    return Estimate(values.mean().item(), error.item(), len(values))
