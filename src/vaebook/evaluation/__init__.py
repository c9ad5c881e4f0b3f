"""Evaluation: how good a model is, in nats, and how well that is known (chapter 11)."""

from vaebook.evaluation.annealing import (
    Annealed,
    AnnealedEvidence,
    Plan,
    anneal,
    anneal_back,
    annealed_log_evidence,
    follow,
    plan_annealing,
    sigmoid_temperatures,
    tempered,
)
from vaebook.evaluation.densities import (
    binarize_by_chance,
    bits_per_pixel,
    continuous_bernoulli_log_prob,
    dequantize,
)
from vaebook.evaluation.gradients import (
    Signal,
    doubly_reparameterized,
    gradient_signal,
)
from vaebook.evaluation.hmc import (
    Moved,
    Place,
    adapted,
    hmc_step,
    leapfrog,
    look,
    split_r_hat,
)
from vaebook.evaluation.latents import (
    KlParts,
    active_units,
    aggregate_log_prob,
    kl_parts,
)
from vaebook.evaluation.ledger import (
    Agreement,
    Ledger,
    agreement,
    combined,
    elbo_gain,
    gap_ledger,
    mean_of_draws,
)
from vaebook.evaluation.outliers import auroc, typicality
from vaebook.evaluation.priors import MixturePriorVAE
from vaebook.evaluation.proposals import (
    Mixture,
    PerImage,
    best_of,
    blind_starts,
    mixture_log_evidence,
    refine_from_several,
    widened,
)
from vaebook.evaluation.quadrature import (
    Grid,
    grid_log_evidence,
    grid_log_joint,
    make_grid,
)
from vaebook.evaluation.refinement import (
    Search,
    climb_by_adam,
    elbo_draws,
    refine_posterior,
)
from vaebook.evaluation.requests import by_images, images_of, with_density
from vaebook.evaluation.samples import (
    Reliability,
    TwoSample,
    energy_test,
    reliability,
)

__all__ = [
    "Agreement",
    "Annealed",
    "AnnealedEvidence",
    "Grid",
    "KlParts",
    "Ledger",
    "Mixture",
    "MixturePriorVAE",
    "Moved",
    "PerImage",
    "Place",
    "Plan",
    "Reliability",
    "Search",
    "Signal",
    "TwoSample",
    "active_units",
    "adapted",
    "aggregate_log_prob",
    "agreement",
    "anneal",
    "anneal_back",
    "annealed_log_evidence",
    "auroc",
    "best_of",
    "binarize_by_chance",
    "bits_per_pixel",
    "blind_starts",
    "by_images",
    "climb_by_adam",
    "combined",
    "continuous_bernoulli_log_prob",
    "dequantize",
    "doubly_reparameterized",
    "elbo_draws",
    "elbo_gain",
    "energy_test",
    "follow",
    "gap_ledger",
    "gradient_signal",
    "grid_log_evidence",
    "grid_log_joint",
    "hmc_step",
    "images_of",
    "kl_parts",
    "leapfrog",
    "look",
    "make_grid",
    "mean_of_draws",
    "mixture_log_evidence",
    "plan_annealing",
    "refine_from_several",
    "refine_posterior",
    "reliability",
    "sigmoid_temperatures",
    "split_r_hat",
    "tempered",
    "typicality",
    "widened",
    "with_density",
]
