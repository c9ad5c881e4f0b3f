r"""The spectrum of the data under a noise variance: which latents stay alive."""

import math

import torch
import traitlets as t
from torch import Tensor

from vaebook.bayes import LinearGaussian
from vaebook.checks import data_matrix
from vaebook.explore.bundle import bundle, stylesheet
from vaebook.explore.fallback import PicturedWidget
from vaebook.explore.spectrum_still import spectrum_still
from vaebook.likelihood import FullGaussian
from vaebook.linear_vae import (
    best_var,
    mean_log_evidence,
    optimal_encoder,
    ppca,
    spectrum,
)
from vaebook.variational import ElboTerms, linear_elbo

MOST_LATENTS, MOST_DIGITS = 20, 4
SCALE = 32767


class SpectrumExplorer(PicturedWidget):
    """Eigenvalues of the training images, and a line at the noise variance.

    A latent whose eigenvalue is below the line has collapsed. The ELBO of the best
    linear encoder equals log p(x) wherever the line is.

    Parameters
    ----------
    x_train, x_test : Tensor (N, D)
        Images in [0, 1]; D is a square.
    num_latents : int
        K latents on offer, 1 to ``most``; the line starts where it is best for them.
    num_digits : int
        So many of the first test images are reconstructed, 1 to 4.

    Attributes
    ----------
    var : float
        sigma^2 of the noise, within ``frame["var"]``. Reading gives where the reader
        moved it, setting moves it; so does ``num_latents``.
    most : int
        20, or fewer where the data vary in fewer directions.

    Raises
    ------
    ValueError
        If images or a number cannot be shown; the message says what was received.
    """

    _esm = bundle("spectrum.js")
    _css = stylesheet("theme.css", "plot.css", "spectrum.css")

    var = t.Float().tag(sync=True)
    num_latents = t.Int().tag(sync=True)
    most = t.Int().tag(sync=True)
    eigenvalues = t.List(t.Float()).tag(sync=True)
    test_spread = t.List(t.Float()).tag(sync=True)
    rows = t.Bytes().tag(sync=True)
    codes = t.List().tag(sync=True)
    frame = t.Dict().tag(sync=True)

    def __init__(
        self, x_train: Tensor, x_test: Tensor, *, num_latents: int = 10, num_digits=3
    ):
        self.x_train, self.x_test = _checked(x_train, x_test, num_digits)
        self.components = spectrum(self.x_train)
        values, most = self.components.eigenvalues, _most(self.components.eigenvalues)
        _within("num_latents", num_latents, 1, most)
        centred = (self.x_test - self.components.mean) @ self.components.directions
        spread = centred.square().mean(0)
        digits, directions = self.x_test[:num_digits], self.components.directions.T
        super().__init__(
            most=most,
            num_latents=num_latents,
            frame=_frame(values, most),
            var=best_var(values, num_latents).item(),
            eigenvalues=values.round(decimals=9).tolist(),
            test_spread=spread.round(decimals=9).tolist(),
            rows=_packed(directions[:most], self.components.mean[None], digits),
            codes=centred[:num_digits, :most].round(decimals=5).tolist(),
        )

    @property
    def model(self) -> LinearGaussian:
        """Probabilistic PCA with the present noise and latents."""
        return ppca(self.components, self.num_latents, self.var)

    @property
    def digits(self) -> Tensor:
        """The test images on show, (num_digits, D)."""
        return self.x_test[: len(self.codes)]

    def num_alive(self) -> int:
        """How many of the latents on offer have an eigenvalue above the line."""
        return sum(v > self.var for v in self.eigenvalues[: self.num_latents])

    def best_var(self) -> float:
        """The noise variance of maximum likelihood for the latents on offer."""
        return best_var(self.components.eigenvalues, self.num_latents).item()

    def log_evidence(self) -> float:
        """Mean log p(x) of the training images, nats."""
        return self.model.log_evidence(self.x_train).mean().item()

    def test_log_evidence(self) -> float:
        """Mean log p(x) of the test images, nats."""
        return self.model.log_evidence(self.x_test).mean().item()

    def elbo_terms(self) -> ElboTerms:
        """Of the best linear encoder, means over the training images, nats."""
        model = self.model
        encoder = optimal_encoder(model)
        mu, log_var = (self.x_train @ encoder.weights.T + encoder.offset).chunk(2, -1)
        q = FullGaussian(mu, log_var[0].exp().diag())
        return ElboTerms(*(part.mean() for part in linear_elbo(model, self.x_train, q)))

    def reconstructions(self) -> Tensor:
        """Of the digits on show, from their posterior means, (num_digits, D)."""
        model = self.model
        codes = model.posterior(self.digits).mu
        return codes @ model.weights.T + model.offset

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        return spectrum_still(self)

    def describe(self) -> str:
        """Alt text of the snapshot."""
        return (
            f"Spectrum explorer, still picture: the first {self.most} eigenvalues of "
            f"the training images as bars on a log axis, and a line at the noise "
            f"variance {self.var:.4f}, above which stand {self.num_alive()} of the "
            f"{self.num_latents} latents on offer; mean log p(x) against the noise "
            f"variance, here {self.log_evidence():.2f} nats for training images, as is "
            f"the ELBO, and {self.test_log_evidence():.2f} for test images; "
            f"{len(self.digits)} test images above their reconstructions."
        )

    @t.validate("var")
    def _validate_var(self, proposal: dict) -> float:
        return _within("var", proposal["value"], *self.frame["var"])

    @t.validate("num_latents")
    def _validate_num_latents(self, proposal: dict) -> int:
        return _within("num_latents", proposal["value"], 1, self.most)


def _within(name: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ValueError(f"{name} must be {low:g} to {high:g}; received {value:g}")
    return value


def _packed(*rows: Tensor) -> bytes:
    """Rows (_, D) of numbers from -1 to 1, two bytes each: pixels need no more."""
    return (SCALE * torch.cat(rows)).round().numpy().astype("<i2").tobytes()


def _checked(x_train: Tensor, x_test: Tensor, num_digits: int) -> list[Tensor]:
    """Both sets in float64, if they are images of one size and there are enough."""
    sets = {"x_train": x_train, "x_test": x_test}
    for name, x in sets.items():
        if data_matrix(x, name).min() < 0 or x.max() > 1:
            raise ValueError(
                f"{name} must lie in [0, 1]; received {x.min():g} to {x.max():g}"
            )
    dim = x_train.shape[1]
    if x_test.shape[1] != dim or math.isqrt(dim) ** 2 != dim:
        raise ValueError(
            f"x_train and x_test must be (N, D), D the same square; received "
            f"{tuple(x_train.shape)} and {tuple(x_test.shape)}"
        )
    _within("num_digits", num_digits, 1, min(MOST_DIGITS, len(x_test)))
    return [x.detach().double() for x in sets.values()]


def _most(eigenvalues: Tensor) -> int:
    """How many latents can be offered so that some variance is left to the noise."""
    varied = (eigenvalues > 1e-6 * eigenvalues[0]).sum().item()
    if varied < 2:
        raise ValueError(
            f"x_train must vary in 2 directions or more; received {varied}"
        )
    return min(MOST_LATENTS, varied - 1)


def _frame(eigenvalues: Tensor, most: int) -> dict[str, list[float]]:
    """Ranges of the variance and of the mean log p(x) on the page."""
    least, high = best_var(eigenvalues, most).item(), 1.25 * eigenvalues[0].item()
    flat = mean_log_evidence(eigenvalues, 1, high).item()
    top = mean_log_evidence(eigenvalues, most, least).item()
    room = 0.1 * (top - flat)
    return {"var": [least / 2, high], "nats": [flat - room, top + room]}
