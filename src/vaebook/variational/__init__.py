"""Variational inference: divergences, the ELBO, and what maximises it (chapter 5)."""

from vaebook.variational.ascent import ascend
from vaebook.variational.bayesian_mixtures import (
    BayesianBernoulliMixture,
    BayesianGaussianMixture,
    BernoulliMixturePrior,
    GaussianMixturePrior,
)
from vaebook.variational.bound import ElboTerms, elbo, linear_elbo
from vaebook.variational.conjugate_kl import (
    beta_kl,
    dirichlet_kl,
    expected_log_det,
    expected_log_weights,
    inverse_wishart_kl,
)
from vaebook.variational.divergences import (
    bernoulli_kl,
    categorical_kl,
    full_gaussian_kl,
    gaussian_entropy,
    gaussian_kl,
    gaussian_kl_between,
    gaussian_kl_per_latent,
)
from vaebook.variational.mean_field import (
    MeanAndPrecision,
    NormalGamma,
    fit_normal_gamma,
    mean_field_gaussian,
)
from vaebook.variational.nearest_gaussian import Banana, forward_kl_fit, reverse_kl_fit
from vaebook.variational.quadrature import MAX_NODES, elbo_by_quadrature, gauss_hermite

__all__ = [
    "MAX_NODES",
    "Banana",
    "BayesianBernoulliMixture",
    "BayesianGaussianMixture",
    "BernoulliMixturePrior",
    "ElboTerms",
    "GaussianMixturePrior",
    "MeanAndPrecision",
    "NormalGamma",
    "ascend",
    "bernoulli_kl",
    "beta_kl",
    "categorical_kl",
    "dirichlet_kl",
    "elbo",
    "elbo_by_quadrature",
    "expected_log_det",
    "expected_log_weights",
    "fit_normal_gamma",
    "forward_kl_fit",
    "full_gaussian_kl",
    "gauss_hermite",
    "gaussian_entropy",
    "gaussian_kl",
    "gaussian_kl_between",
    "gaussian_kl_per_latent",
    "inverse_wishart_kl",
    "linear_elbo",
    "mean_field_gaussian",
    "reverse_kl_fit",
]
