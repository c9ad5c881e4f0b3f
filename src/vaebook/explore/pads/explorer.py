r"""Two latent pads: where draws of the prior land in two models, and what they give."""

from collections.abc import Mapping

import torch
import traitlets as t
from torch import Tensor, nn

from vaebook.explore.pads.maths import (
    PICTURE,
    REACH,
    WORDS,
    Pads,
    as_lists,
    decoder_shapes,
    mean_codes,
    nearest_other,
    sources,
)
from vaebook.explore.pads.still import Shown, pads_still
from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.constraints import obeying, one_of, points, within
from vaebook.explore.parts.packing import check_images, pack_noise
from vaebook.explore.parts.quantise import twelve_bits
from vaebook.explore.parts.traits import constrained
from vaebook.explore.parts.widget import PicturedWidget

NUM_SETS, MOST_DRAWS = 8, 24
TWO_POINTS = points(2)  # made here, as the class has a trait of that name


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
        decodes with weights of twelve bits, which are those of ``now``.
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
    now : Pads
        The codes, rounded to float16, the draws, and what is decoded.

    Raises
    ------
    ValueError
        If models or images are not of this form, or a trait is set to something it
        cannot be; the message says what was received.
    """

    _esm = bundle("pads/explorer.js")
    _css = stylesheet("parts/plot.css", "pads/explorer.css")

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
    picture = t.Dict(PICTURE).tag(sync=True)
    words = t.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        models: Mapping[str, nn.Module],
        x: Tensor,
        y: Tensor,
        *,
        num_draws: int = 12,
        rng: torch.Generator,
    ) -> None:
        _check_counts(models, num_draws)
        self.names = list(models)
        self.side = check_images(x, y)
        noise = torch.randn(NUM_SETS, num_draws, 2, generator=rng).half().double()
        self._pads, weights = self._read(models, x, noise)
        home = self._pads.codes[:, 0].tolist()
        super().__init__(
            z=home,
            home=home,
            weights=weights,
            points=pack_noise(self._pads.codes),
            labels=y.tolist(),
            eps=pack_noise(noise),
            num_draws=num_draws,
            gaussians={
                name: [as_lists(gaussian) for gaussian in pair]
                for name, pair in self._pads.sources.items()
            },
            reach=self._pads.reach.tolist(),
            frames=[self._pads.frame(k) for k in range(2)],
        )

    def _read(
        self, models: Mapping[str, nn.Module], x: Tensor, noise: Tensor
    ) -> tuple[Pads, bytes]:
        """Codes, draws and decoders of the models, and the packed weights."""
        nets = [model.decoder.net for model in models.values()]
        self.shapes = [decoder_shapes(*m, x.shape[1]) for m in models.items()]
        decoders, packed = zip(*map(twelve_bits, nets), strict=True)
        codes = torch.stack([mean_codes(*m, x) for m in models.items()])
        reach = nearest_other(codes).quantile(REACH, dim=1)
        pads = Pads(codes, noise, sources(models, codes), decoders, reach, "prior")
        return pads, b"".join(packed)

    @property
    def now(self) -> Pads:
        """Codes, and draws of the present source."""
        return self._pads._replace(source=self.source)

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        return pads_still(self.now, self._shown())

    def describe(self) -> str:
        """Alt text of the snapshot."""
        said = WORDS[self.source]["name"]
        lost = self.now.where_no_code_is()
        inside = self.now.codes_inside()
        words = "; ".join(
            f"{name}: {inside[k]} codes within 2 sigma of it, {lost[k].sum()} of its "
            f"{lost[k].numel()} draws where no code is"
            for k, name in enumerate(self.names)
        )
        return (
            f"Two latent pads, still picture: the codes of {len(self.labels)} test "
            f"images in two models, {self.num_draws} draws of {said} as crosses, and "
            f"the images decoded from them. {words}."
        )

    def _shown(self) -> Shown:
        return Shown(self.names, self.labels, self.frames, self.draw)

    held = constrained(
        {
            "z": TWO_POINTS,
            "draw": within(0, NUM_SETS - 1),
            "source": one_of(WORDS),
        }
    )


def _check_counts(models: Mapping[str, nn.Module], num_draws: int) -> None:
    if len(models) != 2:
        raise ValueError(f"models must be two; received {', '.join(models) or 'none'}")
    obeying("num_draws", num_draws, within(1, MOST_DRAWS))
