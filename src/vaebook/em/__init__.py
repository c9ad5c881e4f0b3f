"""Expectation-maximisation: a likelihood with a hidden cause (chapter 3)."""

from vaebook.em.algorithm import (
    EmRun,
    EStep,
    Mixture,
    Prior,
    e_step,
    em_step,
    fit_em,
    fit_em_best,
    log_joint,
    lower_bound,
    m_step,
    sample_mixture,
)
from vaebook.em.mixtures import (
    LEAST_VARIANCE,
    LEAST_WEIGHT,
    BernoulliMixture,
    CollapsedComponentError,
    GaussianMixture,
    InverseWishart,
    symmetric,
)
from vaebook.em.starts import (
    bernoulli_start,
    gaussian_start,
    kmeans_plus_plus,
    random_rows,
)

__all__ = [
    "LEAST_VARIANCE",
    "LEAST_WEIGHT",
    "BernoulliMixture",
    "CollapsedComponentError",
    "EStep",
    "EmRun",
    "GaussianMixture",
    "InverseWishart",
    "Mixture",
    "Prior",
    "bernoulli_start",
    "e_step",
    "em_step",
    "fit_em",
    "fit_em_best",
    "gaussian_start",
    "kmeans_plus_plus",
    "log_joint",
    "lower_bound",
    "m_step",
    "random_rows",
    "sample_mixture",
    "symmetric",
]
