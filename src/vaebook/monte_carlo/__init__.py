"""Monte Carlo: averages in place of integrals, with their errors (chapter 6)."""

from vaebook.monte_carlo.chains import (
    Chain,
    autocorrelation,
    autocorrelation_time,
    chain_estimate,
    metropolis,
)
from vaebook.monte_carlo.estimates import Estimate, estimate
from vaebook.monte_carlo.importance import (
    FEWEST_FOR_TAIL,
    LogEvidence,
    effective_sample_size,
    importance_estimate,
    iw_log_evidence,
    log_mean_exp,
    self_normalized_estimate,
    tail_index,
)

__all__ = [
    "FEWEST_FOR_TAIL",
    "Chain",
    "Estimate",
    "LogEvidence",
    "autocorrelation",
    "autocorrelation_time",
    "chain_estimate",
    "effective_sample_size",
    "estimate",
    "importance_estimate",
    "iw_log_evidence",
    "log_mean_exp",
    "metropolis",
    "self_normalized_estimate",
    "tail_index",
]
