r"""What a VAE must beat at restoring: repetition, splines, a Gaussian (chapter 12)."""

import torch
from scipy import ndimage
from torch import Tensor

from vaebook.checks import at_least
from vaebook.likelihood import FullGaussian, fit_full_gaussian
from vaebook.linear_vae import ppca, spectrum

RIDGE = 1e-3  # added to each pixel's variance, or a pixel that is never lit has none


def image_laws(
    x: Tensor, latent_dim: int = 20, ridge: float = RIDGE
) -> dict[str, FullGaussian]:
    """Gaussian laws of images (N, D): by probabilistic PCA, and with any covariance.

    In float64; ``ridge`` is added to each variance of the latter. Under either,
    restoration has a closed form.
    """
    fitted = fit_full_gaussian(x.double())
    own = ridge * torch.eye(x.shape[1]).double()
    return {
        "ppca": ppca(spectrum(x.double()), latent_dim).marginal(),
        "gaussian": FullGaussian(fitted.mu, fitted.cov + own),
    }


def exact_draws(law: FullGaussian, num_draws: int, *, rng: torch.Generator) -> Tensor:
    """Draws (S, N, D) of Gaussians with means (N, D) and one covariance (D, D).

    The covariance may be flat in some directions, as it is where y was seen exactly.
    """
    at_least("num_draws", num_draws, 1)
    values, directions = torch.linalg.eigh(law.cov)
    root = directions * values.clamp(min=0).sqrt()
    eps = torch.empty(num_draws, *law.mu.shape).to(law.mu).normal_(generator=rng)
    return law.mu + eps @ root.T


def plain_enlargements(y: Tensor, factor: int = 2) -> dict[str, Tensor]:
    """Square images (N, M) made larger by repeating pixels, and by a cubic spline.

    The spline is scipy's, with the edge repeated beyond itself.
    """
    side = round(y.shape[1] ** 0.5)
    small = y.unflatten(1, (side, side))
    repeated = small.repeat_interleave(factor, 1).repeat_interleave(factor, 2)
    spline = [
        ndimage.zoom(image, factor, order=3, mode="nearest", grid_mode=True)
        for image in small.double().numpy()
    ]
    found = {
        "nearest": repeated,
        "spline": torch.stack(list(map(torch.tensor, spline))),
    }
    return {name: images.flatten(1).to(y) for name, images in found.items()}
