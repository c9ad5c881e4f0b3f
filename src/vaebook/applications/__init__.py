"""What a VAE is for: images restored, and represented (chapter 12)."""

from vaebook.applications.baselines import (
    exact_draws,
    image_laws,
    plain_enlargements,
)
from vaebook.applications.clusters import contingency, matched, mutual_information
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
    "Coverage",
    "GreyRestoration",
    "Measurement",
    "MixtureAnswer",
    "Probe",
    "Resampled",
    "Restoration",
    "Scaling",
    "SemiSupervisedVAE",
    "Spread",
    "class_gaussians",
    "contingency",
    "coverage",
    "diversity",
    "exact_draws",
    "exact_log_hidden",
    "exact_restoration",
    "fit_probe",
    "fit_scaling",
    "gaussian_blur",
    "gibbs",
    "hmc",
    "image_laws",
    "keep_pixels",
    "log_predictive",
    "matched",
    "mean_pool",
    "misfit",
    "mixture_restoration",
    "most_probable",
    "mutual_information",
    "nearest_labels",
    "plain_enlargements",
    "probe_log_posterior",
    "psnr",
    "resampled",
    "retrieved",
    "semi_supervised_objective",
    "spread_against_error",
    "spread_states",
    "squared_error",
    "ssim",
    "unseen_directions",
]
