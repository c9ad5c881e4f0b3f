r"""The spectrum of the data under a noise variance: which latents stay alive."""

import traitlets as t
from torch import Tensor

from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.constraints import obeying, within
from vaebook.explore.parts.traits import constrained
from vaebook.explore.parts.widget import PicturedWidget
from vaebook.explore.spectrum.maths import (
    PICTURE,
    SCALE,
    Images,
    Noise,
    checked,
    most_latents,
    packed,
    ranges,
)
from vaebook.explore.spectrum.still import Frame, spectrum_still
from vaebook.linear_vae import best_var, spectrum


class SpectrumExplorer(PicturedWidget):
    """Eigenvalues of the training images, and a line at the noise variance.

    A latent whose eigenvalue is below the line has collapsed. The ELBO of the best
    linear encoder equals log p(x) wherever the line is.

    Parameters
    ----------
    x_train, x_test : Tensor (N, D)
        Images in [0, 1]; D is a square.
    num_latents : int
        L latents on offer, 1 to ``most``; the line starts where it is best for them.
    num_digits : int
        So many of the first test images are reconstructed, 1 to 4.

    Attributes
    ----------
    var : float
        sigma^2 of the noise, within ``frame["var"]``. Reading gives where the reader
        moved it, setting moves it; so does ``num_latents``.
    now : Noise
        The model there: evidence, ELBO terms, reconstructions.
    most : int
        20, or fewer where the data vary in fewer directions.

    Raises
    ------
    ValueError
        If images or a number cannot be shown; the message says what was received.
    """

    _esm = bundle("spectrum/explorer.js")
    _css = stylesheet("parts/plot.css", "spectrum/explorer.css")

    var = t.Float().tag(sync=True)
    num_latents = t.Int().tag(sync=True)
    most = t.Int().tag(sync=True)
    eigenvalues = t.List(t.Float()).tag(sync=True)
    test_spread = t.List(t.Float()).tag(sync=True)
    rows = t.Bytes().tag(sync=True)
    codes = t.List().tag(sync=True)
    frame = t.Dict().tag(sync=True)
    scale = t.Int(SCALE).tag(sync=True)
    picture = t.Dict(PICTURE).tag(sync=True)

    def __init__(
        self,
        x_train: Tensor,
        x_test: Tensor,
        *,
        num_latents: int = 10,
        num_digits: int = 3,
    ) -> None:
        x_train, x_test = checked(x_train, x_test, num_digits)
        components = spectrum(x_train)
        values = components.eigenvalues
        most = most_latents(values)
        obeying("num_latents", num_latents, within(1, most))

        centred = (x_test - components.mean) @ components.directions
        spread = centred.square().mean(0)
        self.images = Images(x_train, x_test, num_digits, components, spread)

        super().__init__(
            most=most,
            num_latents=num_latents,
            frame=ranges(values, most),
            var=best_var(values, num_latents).item(),
            eigenvalues=values.round(decimals=9).tolist(),
            test_spread=spread.round(decimals=9).tolist(),
            rows=packed(
                components.directions.T[:most],
                components.mean[None],
                x_test[:num_digits],
            ),
            codes=centred[:num_digits, :most].round(decimals=5).tolist(),
        )

    @property
    def now(self) -> Noise:
        """The model of the present noise and latents, in numbers."""
        return Noise(self.images, self.num_latents, self.var)

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        frame = Frame(self.most, tuple(self.frame["var"]), tuple(self.frame["nats"]))
        return spectrum_still(self.now, frame)

    def describe(self) -> str:
        """Alt text of the snapshot."""
        now = self.now
        return (
            f"Spectrum explorer, still picture: the first {self.most} eigenvalues of "
            f"the training images as bars on a log axis, and a line at the noise "
            f"variance {self.var:.4f}, above which stand {now.num_alive()} of the "
            f"{self.num_latents} latents on offer; mean log p(x) against the noise "
            f"variance, here {now.log_evidence():.2f} nats for training images, as is "
            f"the ELBO, and {now.test_log_evidence():.2f} for test images; "
            f"{len(now.digits)} test images above their reconstructions."
        )

    held = constrained(
        {
            "var": lambda self: within(*self.frame["var"]),
            "num_latents": lambda self: within(1, self.most),
        }
    )
