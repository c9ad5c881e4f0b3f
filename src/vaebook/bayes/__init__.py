"""Bayesian inference: posterior and evidence, exact or approximated (chapter 4)."""

from vaebook.bayes.approximate import (
    GridPosterior,
    Laplace,
    LogJoint,
    grid_posterior,
    laplace,
)
from vaebook.bayes.exact import (
    LinearGaussian,
    beta_log_evidence,
    linear_regression,
    normal_posterior,
    standard_gaussian,
)

__all__ = [
    "GridPosterior",
    "Laplace",
    "LinearGaussian",
    "LogJoint",
    "beta_log_evidence",
    "grid_posterior",
    "laplace",
    "linear_regression",
    "normal_posterior",
    "standard_gaussian",
]
