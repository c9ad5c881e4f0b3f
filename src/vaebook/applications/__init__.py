"""What a VAE is for: images restored, drawn, represented (chapter 12)."""

from vaebook.applications.anomalies import far_from, log_ratio
from vaebook.applications.attributes import about_class, direction, ink, slant
from vaebook.applications.baselines import (
    exact_draws,
    image_laws,
    plain_enlargements,
)
from vaebook.applications.clusters import contingency, matched, mutual_information
from vaebook.applications.incomplete import IncompleteVAE
from vaebook.applications.likeness import (
    Copying,
    PrecisionRecall,
    copying,
    nearest_of,
    precision_recall,
)
from vaebook.applications.measurements import (
    Measurement,
    gaussian_blur,
    keep_pixels,
    mean_pool,
)
from vaebook.applications.mixtures import (
    MixtureAnswer,
    class_gaussians,
    mixture_restoration,
)
from vaebook.applications.paths import (
    coin_angles,
    geodesic,
    great_circle,
    path_energy,
    path_length,
    straight_line,
)
from vaebook.applications.quality import (
    Coverage,
    Spread,
    coverage,
    diversity,
    misfit,
    psnr,
    spread_against_error,
    squared_error,
    ssim,
)
from vaebook.applications.representation import (
    Probe,
    Scaling,
    fit_probe,
    fit_scaling,
    nearest_labels,
    probe_log_posterior,
    retrieved,
)
from vaebook.applications.restoration import (
    BinaryInpainting,
    GreyRestoration,
    Restoration,
    exact_log_hidden,
    exact_restoration,
    log_predictive,
    unseen_directions,
)
from vaebook.applications.restorers import (
    Chains,
    Resampled,
    gibbs,
    hmc,
    most_probable,
    resampled,
    spread_states,
)
from vaebook.applications.semi_supervised import (
    SemiSupervisedVAE,
    semi_supervised_objective,
)

__all__ = [
    "BinaryInpainting",
    "Chains",
    "Copying",
    "Coverage",
    "GreyRestoration",
    "IncompleteVAE",
    "Measurement",
    "MixtureAnswer",
    "PrecisionRecall",
    "Probe",
    "Resampled",
    "Restoration",
    "Scaling",
    "SemiSupervisedVAE",
    "Spread",
    "about_class",
    "class_gaussians",
    "coin_angles",
    "contingency",
    "copying",
    "coverage",
    "direction",
    "diversity",
    "exact_draws",
    "exact_log_hidden",
    "exact_restoration",
    "far_from",
    "fit_probe",
    "fit_scaling",
    "gaussian_blur",
    "geodesic",
    "gibbs",
    "great_circle",
    "hmc",
    "image_laws",
    "ink",
    "keep_pixels",
    "log_predictive",
    "log_ratio",
    "matched",
    "mean_pool",
    "misfit",
    "mixture_restoration",
    "most_probable",
    "mutual_information",
    "nearest_labels",
    "nearest_of",
    "path_energy",
    "path_length",
    "plain_enlargements",
    "precision_recall",
    "probe_log_posterior",
    "psnr",
    "resampled",
    "retrieved",
    "semi_supervised_objective",
    "slant",
    "spread_against_error",
    "spread_states",
    "squared_error",
    "ssim",
    "straight_line",
    "unseen_directions",
]
