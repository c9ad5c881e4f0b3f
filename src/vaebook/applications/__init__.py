"""What a VAE is for: images restored, drawn, represented (chapter 12)."""

from vaebook.applications.measurements import (
    Measurement,
    gaussian_blur,
    keep_pixels,
    mean_pool,
)
from vaebook.applications.restoration import (
    BinaryInpainting,
    GreyRestoration,
    Restoration,
    exact_restoration,
)
from vaebook.applications.restorers import (
    Chains,
    Resampled,
    gibbs,
    hmc,
    most_probable,
    resampled,
)

__all__ = [
    "BinaryInpainting",
    "Chains",
    "GreyRestoration",
    "Measurement",
    "Resampled",
    "Restoration",
    "exact_restoration",
    "gaussian_blur",
    "gibbs",
    "hmc",
    "keep_pixels",
    "mean_pool",
    "most_probable",
    "resampled",
]
