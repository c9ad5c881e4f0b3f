"""Gradients of expectations: through the draw, or around it (chapter 7)."""

from vaebook.reparameterization.pathwise import (
    GaussianGradient,
    gaussian_rsample,
    pathwise_gradient,
    reparameterize,
    sampled_elbo,
    standard_noise,
)
from vaebook.reparameterization.relaxation import (
    categorical_score,
    gumbel_argmax,
    gumbel_noise,
    gumbel_softmax,
    straight_through,
)
from vaebook.reparameterization.score_function import (
    EstimatorVariances,
    estimator_variances,
    gaussian_score,
    leave_one_out,
    optimal_baseline,
    score_gradient,
)

__all__ = [
    "EstimatorVariances",
    "GaussianGradient",
    "categorical_score",
    "estimator_variances",
    "gaussian_rsample",
    "gaussian_score",
    "gumbel_argmax",
    "gumbel_noise",
    "gumbel_softmax",
    "leave_one_out",
    "optimal_baseline",
    "pathwise_gradient",
    "reparameterize",
    "sampled_elbo",
    "score_gradient",
    "standard_noise",
    "straight_through",
]
