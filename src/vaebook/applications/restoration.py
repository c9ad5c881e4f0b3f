r"""Images from what was measured of them: the posterior p(x, z | y) (chapter 12)."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from vaebook.applications.measurements import Measurement, keep_pixels
from vaebook.checks import cholesky, has_shape
from vaebook.likelihood import FullGaussian, bernoulli_log_prob, gaussian_log_prob
from vaebook.monte_carlo import log_mean_exp
from vaebook.vae import VAE, GaussianVAE


class Restoration(ABC):
    """A model, and what was measured of N images: every estimator asks only this.

    Attributes
    ----------
    model : VAE
    num_images : int
    """

    model: VAE
    num_images: int

    @abstractmethod
    def log_likelihood(self, z: Tensor) -> Tensor:
        """log p(y|z) of codes (..., N, L): (..., N) nats."""

    @abstractmethod
    def mean_image(self, z: Tensor) -> Tensor:
        """E[x|z, y] of codes (..., N, L): (..., N, D)."""

    @abstractmethod
    def draw_image(self, z: Tensor, *, rng: torch.Generator) -> Tensor:
        """A draw of p(x|z, y) for each code, (..., N, L) to (..., N, D)."""

    @abstractmethod
    def log_hidden(self, x: Tensor, z: Tensor) -> Tensor:
        """log p of what y left unseen of images (N, D), given codes: (..., N) nats."""

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(y, z) of codes (..., N, L): the log-posterior, up to a constant."""
        return self.log_likelihood(z) + self.model.code_log_prob(z)


class GreyRestoration(Restoration):
    r"""Of a model of grey pixels: what is measured is Gaussian, given the code.

    .. math:: y \mid z \sim \mathcal N\bigl(A f(z),\, V\bigr), \qquad
              V = A R A^\top + \sigma^2 I

    with the decoder's mean f(z) and the diagonal matrix R of its variances. The image
    is Gaussian too, given both, with the mean

    .. math:: \mathbb E[x \mid z, y]
              = f(z) + R A^\top V^{-1} \bigl(y - A f(z)\bigr)

    Parameters
    ----------
    model : GaussianVAE
    measurement : Measurement
    y : Tensor (N, M)

    Raises
    ------
    TypeError
        For a model of binary pixels.
    ValueError
        If shapes don't fit, or two rows of A say the same and there is no noise.

    Equation: eq-applications-measured
    """

    def __init__(self, model: GaussianVAE, measurement: Measurement, y: Tensor) -> None:
        if not isinstance(model, GaussianVAE):
            raise TypeError(
                "model must have Gaussian pixels, as a GaussianVAE has; received "
                f"{type(model).__name__}: for binary pixels see BinaryInpainting"
            )
        weights = measurement.checked().weights.to(y)
        has_shape("y", y, -1, len(weights))
        num_pixels = _num_pixels(model)
        if weights.shape[1] != num_pixels:
            raise ValueError(
                f"images have {num_pixels} pixels, and so must the columns of weights "
                f"be; received {tuple(weights.shape)}"
            )
        self.model, self.num_images, self.y = model, len(y), y
        self.weights, self.sigma = weights, measurement.sigma
        self.var = model.log_var.detach().exp().to(y).expand(num_pixels)
        noise = self.sigma**2 * torch.eye(len(weights)).to(y)
        spread = weights * self.var  # A R, (M, D)
        cov = spread @ weights.T + noise
        chol = cholesky("covariance of y given z", cov)
        self.whiten = _whitening(cov)  # (M, M)
        self.gain = torch.cholesky_solve(spread, chol).T  # (D, M)
        self.unseen = unseen_directions(weights)  # (D - M, D)
        left = torch.diag(self.var) - self.gain @ spread
        self.unseen_whiten = _whitening(self.unseen @ left @ self.unseen.T)

    def log_likelihood(self, z: Tensor) -> Tensor:
        """log p(y|z) of codes (..., N, L): (..., N) nats."""
        return _whitened_log_prob(self._left(z), self.whiten)

    def mean_image(self, z: Tensor) -> Tensor:
        """E[x|z, y] of codes (..., N, L): (..., N, D).

        Equation: eq-applications-completed
        """
        return self.model.mean_image(z) + self._left(z) @ self.gain.T

    def draw_image(self, z: Tensor, *, rng: torch.Generator) -> Tensor:
        """A draw of p(x|z, y): one of p(x, y|z), moved to the y that was measured.

        Equation: eq-applications-conditional-draw (Doucet 2010)
        """
        mean = self.model.mean_image(z)
        x = mean + self.var.sqrt() * torch.empty_like(mean).normal_(generator=rng)
        y = x @ self.weights.T
        y = y + self.sigma * torch.empty_like(y).normal_(generator=rng)
        return x + (self.y - y) @ self.gain.T

    def log_hidden(self, x: Tensor, z: Tensor) -> Tensor:
        r"""log p(Bx|z, y) of images (N, D) and codes (..., N, L): (..., N) nats.

        B holds orthonormal directions that A doesn't see, AB^T = 0. Where A keeps some
        pixels, they are the others.
        """
        return _whitened_log_prob(
            (x - self.mean_image(z)) @ self.unseen.T, self.unseen_whiten
        )

    def exact(self) -> FullGaussian:
        r"""p(x|y) of a model with a linear decoder: ``mu`` (N, D), ``cov`` (D, D).

        The image is Gaussian, x ~ N(m, C); and y is linear in it.
        """
        image = self.model.linear_gaussian().marginal()
        return exact_restoration(image, Measurement(self.weights, self.sigma), self.y)

    def _left(self, z: Tensor) -> Tensor:
        """y - A f(z), (..., N, M)."""
        return self.y - self.model.mean_image(z) @ self.weights.T


class BinaryInpainting(Restoration):
    """Of a model of binary pixels: some are seen, the others are coins given the code.

    Parameters
    ----------
    model : VAE
    mask : Tensor (H, W)
        True where a pixel is seen.
    y : Tensor (N, M)
        The pixels seen, along rows: 0 or 1.
    """

    def __init__(self, model: VAE, mask: Tensor, y: Tensor) -> None:
        if isinstance(model, GaussianVAE):
            raise TypeError(
                "model must have binary pixels; received GaussianVAE: see "
                "GreyRestoration"
            )
        if mask.numel() != _num_pixels(model):
            raise ValueError(
                f"mask must have {_num_pixels(model)} pixels, as images have; received "
                f"{tuple(mask.shape)}"
            )
        self.place = keep_pixels(mask).argmax(1)
        self.rest = (~mask.flatten()).nonzero().flatten()
        has_shape("y", y, -1, len(self.place))
        self.model, self.num_images, self.y = model, len(y), y

    def log_likelihood(self, z: Tensor) -> Tensor:
        """log p(y|z) of codes (..., N, L): (..., N) nats.

        Equation: eq-applications-inpainting
        """
        return bernoulli_log_prob(self.y, self.model.decoder(z)[..., self.place])

    def mean_image(self, z: Tensor) -> Tensor:
        """E[x|z, y] of codes (..., N, L): (..., N, D); what was seen stays."""
        return self._with_seen(self.model.mean_image(z))

    def draw_image(self, z: Tensor, *, rng: torch.Generator) -> Tensor:
        """A draw of p(x|z, y) for each code, (..., N, L) to (..., N, D)."""
        return self._with_seen(torch.bernoulli(self.model.mean_image(z), generator=rng))

    def log_hidden(self, x: Tensor, z: Tensor) -> Tensor:
        """log p of the pixels not seen of images (N, D): (..., N) nats."""
        logits = self.model.decoder(z)[..., self.rest]
        return bernoulli_log_prob(x[..., self.rest], logits)

    def _with_seen(self, x: Tensor) -> Tensor:
        seen = x.clone()
        seen[..., self.place] = self.y.to(x).expand(*x.shape[:-1], -1)
        return seen


def exact_log_hidden(
    exact: FullGaussian, measurement: Measurement, x: Tensor
) -> Tensor:
    """log p of what y left unseen of images (N, D), by their Gaussian given y: (N,)."""
    unseen = unseen_directions(measurement.weights.to(x))
    whiten = _whitening(unseen @ exact.cov @ unseen.T)
    return _whitened_log_prob((x - exact.mu) @ unseen.T, whiten)


def _whitening(cov: Tensor) -> Tensor:
    """The inverse of the lower Cholesky factor of a covariance."""
    chol = torch.linalg.cholesky(cov)
    return torch.linalg.solve_triangular(chol, torch.eye(len(cov)).to(cov), upper=False)


def _whitened_log_prob(off: Tensor, whiten: Tensor) -> Tensor:
    """log N(off; 0, cov), (..., M) to (...,) nats, with the whitening of cov."""
    white = off @ whiten.T
    zero = torch.zeros_like(white)
    return gaussian_log_prob(white, zero, zero) + whiten.diagonal().log().sum()


def unseen_directions(weights: Tensor) -> Tensor:
    """Orthonormal rows (D - rank, D) that span what A (M, D) maps to 0."""
    _, values, right = torch.linalg.svd(weights.double())
    smallest = max(weights.shape) * torch.finfo(weights.dtype).eps * values[0]
    return right[(values > smallest).sum() :].to(weights)


@torch.no_grad()
def log_predictive(task: Restoration, x: Tensor, z: Tensor) -> Tensor:
    r"""log p of the unseen given the seen, by draws of the posterior: (N,) nats.

    .. math:: \log\frac1S\sum_s p(\text{unseen of } x \mid z_s, y),
              \qquad z_s \sim p(z|y)

    Like every log of an unbiased estimate it is too low on average, the less the more
    draws.

    Parameters
    ----------
    task : Restoration
    x : Tensor (N, D)
        The whole images.
    z : Tensor (S, N, L)

    Equation: eq-applications-unseen
    """
    has_shape("z", z, -1, task.num_images, task.model.latent_dim)
    return log_mean_exp(torch.stack([task.log_hidden(x, one) for one in z]).double())


@torch.no_grad()
def _num_pixels(model: VAE) -> int:
    like = next(model.parameters())
    return model.mean_image(like.new_zeros(model.latent_dim)).numel()


def exact_restoration(
    image: FullGaussian, measurement: Measurement, y: Tensor
) -> FullGaussian:
    r"""p(x|y) where images are Gaussian, x ~ N(m, C): ``mu`` (N, D), ``cov`` (D, D).

    .. math:: m + G (y - A m), \quad C - G A C, \quad
              G = C A^\top \bigl(A C A^\top + \sigma^2 I\bigr)^{-1}

    Parameters
    ----------
    image : FullGaussian
        ``mu`` (D,), ``cov`` (D, D): of a linear model, or simply fitted to images.
    measurement : Measurement
    y : Tensor (N, M)

    Equation: eq-applications-exact
    """
    weights = measurement.checked().weights.to(y)
    has_shape("y", y, -1, len(weights))
    noise = measurement.sigma**2 * torch.eye(len(weights)).to(y)
    spread = weights @ image.cov  # (M, D)
    chol = cholesky("covariance of y", spread @ weights.T + noise)
    gain = torch.cholesky_solve(spread, chol).T  # (D, M)
    mu = image.mu + (y - image.mu @ weights.T) @ gain.T
    return FullGaussian(mu, image.cov - gain @ spread)
