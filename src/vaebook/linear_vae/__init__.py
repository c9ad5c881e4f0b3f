"""The VAE that can be solved exactly: probabilistic PCA (chapter 8)."""

from vaebook.linear_vae.closed_form import (
    LinearEncoder,
    Spectrum,
    best_var,
    diagonal_gap,
    linear_parameters,
    mean_log_evidence,
    optimal_encoder,
    ppca,
    set_layer,
    spectrum,
)
from vaebook.linear_vae.solvers import exact_q_elbo, ppca_em_step

__all__ = [
    "LinearEncoder",
    "Spectrum",
    "best_var",
    "diagonal_gap",
    "exact_q_elbo",
    "linear_parameters",
    "mean_log_evidence",
    "optimal_encoder",
    "ppca",
    "ppca_em_step",
    "set_layer",
    "spectrum",
]
