r"""Two latent pads: where draws of the prior land in two models, and what they give."""

import math
from collections.abc import Mapping

import torch
import traitlets as t
from torch import Tensor, nn

from vaebook.explore.bundle import bundle, stylesheet
from vaebook.explore.codes import (
    as_lists,
    decoder_shapes,
    distances,
    mean_codes,
    nearest_other,
    sources,
    square_frame,
    within,
)
from vaebook.explore.fallback import PicturedWidget
from vaebook.explore.latent import check_images
from vaebook.explore.packing import pack_noise
from vaebook.explore.pads_still import pads_still, pads_words
from vaebook.explore.quantise import twelve_bits

NUM_SETS, MOST_DRAWS = 8, 24
REACH = 0.95  # of the codes have their nearest neighbour within reach
SOURCES = {"prior": "N(0, I)", "fitted": "a Gaussian fitted to the codes"}


class LatentPads(PicturedWidget):
    r"""The codes of two models with two latents, and images decoded from draws.

    Draws come from the prior N(0, I) or from a Gaussian fitted to each model's codes,

    .. math:: z = \varepsilon \qquad\text{or}\qquad z = \hat\mu + \hat L\varepsilon,
              \qquad \hat L\hat L^\top = \hat\Sigma

    with the same noise for both models. A draw lands *where no code is* if its nearest
    code is farther away than 95% of the codes are from their own nearest neighbour: of
    draws distributed like the codes, about 5% would.

    Parameters
    ----------
    models : dict of str to nn.Module
        Exactly two, each with ``encoder``, whose first output is the mean code (N, 2),
        and ``decoder``, logits by a ``net`` that alternates Linear and SiLU. The page
        decodes with weights of twelve bits, which are the class's ``decoders``.
    x : Tensor (N, D)
        Binary test images, square: D = side * side; at most 2000.
    y : Tensor (N,)
        Their classes.
    num_draws : int
        In each of the 8 sets; at most 24.
    rng : torch.Generator
        Source of the noise.

    Attributes
    ----------
    z : list of two points
        What each model decodes, at the start the codes of the first image. Reading
        gives where the reader moved the rings, setting moves them.
    draw : int
        The set of draws on show, 0 to 7.
    source : str
        Where draws come from: "prior" or "fitted".
    codes : Tensor (2, N, 2)
        Rounded to float16.

    Raises
    ------
    ValueError
        If models or images are not of this form, or a trait is set to something it
        cannot be; the message says what was received.
    """

    _esm = bundle("pads.js")
    _css = stylesheet("theme.css", "plot.css", "pads.css")

    z = t.List(t.List(t.Float())).tag(sync=True)
    draw = t.Int(0).tag(sync=True)
    source = t.Unicode("prior").tag(sync=True)
    names = t.List(t.Unicode()).tag(sync=True)
    home = t.List().tag(sync=True)
    shapes = t.List().tag(sync=True)
    weights = t.Bytes().tag(sync=True)
    points = t.Bytes().tag(sync=True)
    labels = t.List(t.Int()).tag(sync=True)
    eps = t.Bytes().tag(sync=True)
    num_draws = t.Int().tag(sync=True)
    gaussians = t.Dict().tag(sync=True)
    reach = t.List(t.Float()).tag(sync=True)
    frames = t.List().tag(sync=True)
    side = t.Int().tag(sync=True)

    def __init__(
        self,
        models: Mapping[str, nn.Module],
        x: Tensor,
        y: Tensor,
        *,
        num_draws: int = 12,
        rng: torch.Generator,
    ):
        _check_counts(models, num_draws)
        self.names, self.side = list(models), check_images(x, y)
        weights = self._read(models, x)
        self.noise = torch.randn(NUM_SETS, num_draws, 2, generator=rng).half().double()
        super().__init__(
            z=self.codes[:, 0].tolist(),
            home=self.codes[:, 0].tolist(),
            weights=weights,
            points=pack_noise(self.codes),
            labels=y.tolist(),
            eps=pack_noise(self.noise),
            num_draws=num_draws,
            gaussians={s: [*map(as_lists, two)] for s, two in self.sources.items()},
            reach=nearest_other(self.codes).quantile(REACH, dim=1).tolist(),
            frames=[self._frame(k) for k in range(2)],
        )

    def _read(self, models: Mapping[str, nn.Module], x: Tensor) -> bytes:
        """Take decoders and codes from the models; returns the packed weights."""
        nets = [model.decoder.net for model in models.values()]
        self.shapes = [decoder_shapes(*m, x.shape[1]) for m in models.items()]
        self.decoders, packed = zip(*map(twelve_bits, nets), strict=True)
        self.codes = torch.stack([mean_codes(*m, x) for m in models.items()])
        self.sources = sources(models, self.codes)
        return b"".join(packed)

    def draws(self, source: str | None = None) -> Tensor:
        """All draws (2, 8, num_draws, 2) of the present source, or of another."""
        pair = self.sources[source or self.source]
        return torch.stack([mean + self.noise @ chol.T for mean, chol in pair])

    def where_no_code_is(self, source: str | None = None) -> Tensor:
        """Which of these draws land where no code is, (2, 8, num_draws) of bool."""
        nearest = distances(self.draws(source).flatten(1, 2), self.codes).amin(-1)
        beyond = nearest > self.codes.new_tensor(self.reach)[:, None]
        return beyond.view(2, NUM_SETS, self.num_draws)

    def codes_inside(self, source: str | None = None) -> list[int]:
        """How many of each model's codes lie within 2 sigma of the source."""
        pair = self.sources[source or self.source]
        inside = [within(*one, 2) for one in zip(self.codes, pair, strict=True)]
        return torch.stack(inside).sum(1).tolist()

    def probabilities(self, model: int, z: Tensor) -> Tensor:
        """Probabilities of ink (..., D) that the first or second model decodes."""
        z = torch.as_tensor(z, dtype=torch.float64)
        return torch.sigmoid(self.decoders[model](z))

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        return pads_still(self)

    def describe(self) -> str:
        """Alt text of the snapshot."""
        return pads_words(self, SOURCES[self.source])

    def _frame(self, model: int) -> list[list[float]]:
        """Ranges of z1 and z2 that hold a model's codes and every draw."""
        draws = [self.draws(source)[model].flatten(0, 1) for source in SOURCES]
        return square_frame(torch.cat([self.codes[model], *draws]))

    @t.validate("z")
    def _validate_z(self, proposal: dict) -> list[list[float]]:
        z = proposal["value"]
        finite = all(math.isfinite(value) for one in z for value in one)
        if [len(one) for one in z] != [2, 2] or not finite:
            raise ValueError(f"z must be two points of 2 finite numbers; received {z}")
        return z

    @t.validate("draw")
    def _validate_draw(self, proposal: dict) -> int:
        draw = proposal["value"]
        if not 0 <= draw < NUM_SETS:
            raise ValueError(f"draw must be 0 to {NUM_SETS - 1}; received {draw}")
        return draw

    @t.validate("source")
    def _validate_source(self, proposal: dict) -> str:
        source = proposal["value"]
        if source not in SOURCES:
            raise ValueError(
                f"source must be {' or '.join(SOURCES)}; received {source}"
            )
        return source


def _check_counts(models: Mapping[str, nn.Module], num_draws: int) -> None:
    if len(models) != 2:
        raise ValueError(f"models must be two; received {', '.join(models) or 'none'}")
    if not 1 <= num_draws <= MOST_DRAWS:
        raise ValueError(f"num_draws must be 1 to {MOST_DRAWS}; received {num_draws}")
