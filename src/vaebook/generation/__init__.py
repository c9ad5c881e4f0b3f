"""What a VAE draws, and what it makes of strangers and of holes (chapter 13)."""

from vaebook.generation.anomalies import far_from, log_ratio
from vaebook.generation.attributes import (
    about_class,
    direction,
    follow_slope,
    ink,
    multiple_for,
    slant,
)
from vaebook.generation.incomplete import IncompleteVAE
from vaebook.generation.likeness import (
    Copying,
    PrecisionRecall,
    copying,
    nearest_of,
    precision_recall,
)
from vaebook.generation.paths import (
    coin_angles,
    geodesic,
    great_circle,
    path_energy,
    path_length,
    straight_line,
)

__all__ = [
    "Copying",
    "IncompleteVAE",
    "PrecisionRecall",
    "about_class",
    "coin_angles",
    "copying",
    "direction",
    "far_from",
    "follow_slope",
    "geodesic",
    "great_circle",
    "ink",
    "log_ratio",
    "multiple_for",
    "nearest_of",
    "path_energy",
    "path_length",
    "precision_recall",
    "slant",
    "straight_line",
]
