r"""The latent explorer: a trained VAE moved by hand, in the page."""

import math

import torch
import traitlets as t
from torch import Tensor, nn

from vaebook.explore.latent.maths import PICTURE, Shown, Terms, fixed_noise_terms
from vaebook.explore.latent.still import latent_still
from vaebook.explore.parts import packing
from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.constraints import Constraint, numbers, obeying
from vaebook.explore.parts.packing import check_images
from vaebook.explore.parts.traits import constrained
from vaebook.explore.parts.widget import PicturedWidget

NUM_SAMPLES = 64


class LatentExplorer(PicturedWidget):
    """A pad over a VAE's latents, its decoder, its encoder and its ELBO terms.

    Drag ``z`` and the decoded image follows; choose a test image, or draw one, to
    see its posterior and its ELBO terms. The page computes everything from the
    weights rounded to float16, so it needs no kernel.

    Parameters
    ----------
    model : VAE
        Trained; its nets alternate Linear and SiLU.
    x : Tensor (N, D)
        Binary test images, square: D = side * side; at most 2000.
    y : Tensor (N,)
        Their classes.
    rng : torch.Generator
        Draws the fixed noise behind E_q[log p(x|z)], 64 draws for every image.
    preset_z : sequence of L floats, optional
        Where z starts; the posterior mean of the first image by default.

    Attributes
    ----------
    z : list of L floats
        The point decoded. Reading gives where the reader moved it, setting moves it,
        ``observe(callback, "z")`` follows it.
    selected : int
        Row of the test image shown; -1 for none.
    drawing : list of D zeros and ones
        The reader's own image, shown when ``selected`` is -1; empty for none.

    Raises
    ------
    ValueError
        If the images are not binary or not square, sizes disagree, or a trait is set
        to something it cannot be; the message says what was received.
    """

    _esm = bundle("latent/explorer.js")
    _css = stylesheet("latent/explorer.css")

    z = t.List(t.Float()).tag(sync=True)
    selected = t.Int(0).tag(sync=True)
    drawing = t.List(t.Int()).tag(sync=True)
    home = t.Dict().tag(sync=True)
    layers = t.Dict().tag(sync=True)
    weights = t.Bytes().tag(sync=True)
    images = t.Bytes().tag(sync=True)
    labels = t.List(t.Int()).tag(sync=True)
    eps = t.Bytes().tag(sync=True)
    side = t.Int().tag(sync=True)
    bound = t.Float().tag(sync=True)
    scale = t.Float().tag(sync=True)
    picture = t.Dict(PICTURE).tag(sync=True)

    def __init__(
        self,
        model: nn.Module,
        x: Tensor,
        y: Tensor,
        *,
        rng: torch.Generator,
        preset_z: list[float] | None = None,
    ) -> None:
        side = check_images(x, y)
        self.model = packing.rounded(model)
        self.x = x.detach().cpu().double()
        self.y = y.detach().cpu()
        self.noise = _half_noise(NUM_SAMPLES, model.latent_dim, rng)
        terms = self.terms(self.x)
        start = terms.mu[0].tolist() if preset_z is None else preset_z
        z = obeying("z", list(map(float, start)), numbers(model.latent_dim))
        super().__init__(
            z=z,
            home={"z": z, "selected": 0},
            side=side,
            bound=_bound(terms.mu),
            scale=10 * math.ceil(-terms.elbo.quantile(0.02).item() / 10),
            **self._shipped(),
        )

    def _shipped(self) -> dict:
        """The networks, the images and the noise, as the page reads them."""
        return {
            "layers": packing.layer_shapes(self.model),
            "weights": packing.pack_weights(self.model),
            "images": packing.pack_bits(self.x),
            "labels": self.y.tolist(),
            "eps": packing.pack_noise(self.noise),
        }

    def select(self, index: int) -> None:
        """Show test image ``index`` and move z to its posterior mean."""
        self.selected = index
        self.z = self.terms(self.x[index]).mu[0].tolist()

    def probabilities(self, z: list[float]) -> Tensor:
        """Decode one latent point: (D,) probabilities of ink."""
        return torch.sigmoid(self.model.decoder(torch.tensor(z, dtype=torch.float64)))

    def terms(self, x: Tensor) -> Terms:
        """ELBO terms of images (N, D) or (D,), nats, with the explorer's own noise."""
        x = torch.as_tensor(x, dtype=torch.float64)
        return fixed_noise_terms(self.model, torch.atleast_2d(x), self.noise)

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        return latent_still(self._shown())

    def _shown(self) -> Shown:
        image = self._image()
        return Shown(
            z=self.z,
            decoded=self.probabilities(self.z),
            image=image,
            terms=None if image is None else self.terms(image),
            mu=self.terms(self.x).mu,
            labels=self.labels,
            bound=self.bound,
        )

    def _image(self) -> Tensor | None:
        """The image on show, (D,), or None."""
        if self.selected >= 0:
            return self.x[self.selected]
        return torch.tensor(self.drawing).double() if self.drawing else None

    def describe(self) -> str:
        """Alt text of the snapshot."""
        place = ", ".join(f"z{i + 1} {v:.2f}" for i, v in enumerate(self.z))
        return (
            f"Latent explorer, still picture: {len(self.labels)} test images placed at "
            f"their posterior means, each drawn as the digit of its class; beside them "
            f"the image decoded from {place}."
        )

    held = constrained(
        {
            "z": lambda self: numbers(self.model.latent_dim),
            "selected": lambda self: row_or_none(len(self.y)),
            "drawing": lambda self: image_or_none(self.x.shape[-1]),
        }
    )


def row_or_none(count: int) -> Constraint:
    """A row of so many, or -1."""
    return Constraint(
        f"-1 (none) or a row below {count}", lambda index: -1 <= index < count
    )


def image_or_none(dim: int) -> Constraint:
    """An image of so many pixels, or none."""
    return Constraint(
        f"empty or {dim} zeros and ones",
        lambda pixels: len(pixels) in (0, dim) and set(pixels) <= {0, 1},
        lambda pixels: f"{len(pixels)} numbers, values {sorted(set(pixels))[:5]}",
    )


def _half_noise(num_samples: int, latent_dim: int, rng: torch.Generator) -> Tensor:
    """Standard normal draws (S, L) that float16 holds exactly."""
    return torch.randn(num_samples, latent_dim, generator=rng).half().double()


def _bound(mu: Tensor) -> float:
    """Half-width of the pad: holds every posterior mean, and the prior to 3 sigma."""
    return max(3.0, math.ceil(2.1 * mu.abs().max().item()) / 2)
