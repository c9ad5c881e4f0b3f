r"""Restoration: hide or blur parts of a digit, and watch the images that fit."""

import copy
import math

import torch
import traitlets as t
from torch import Tensor

from vaebook.applications import psnr, squared_error
from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.constraints import (
    Constraint,
    numbers,
    obeying,
    one_of,
    within,
)
from vaebook.explore.parts.packing import net_shapes
from vaebook.explore.parts.quantise import twelve_bits
from vaebook.explore.parts.traits import constrained
from vaebook.explore.parts.widget import PicturedWidget
from vaebook.explore.restoration.maths import (
    CHAINS,
    LEVELS,
    Answer,
    Blocks,
    answered,
    pooled,
)
from vaebook.explore.restoration.still import Shown, restoration_still
from vaebook.vae import GaussianVAE


class RestorationExplorer(PicturedWidget):
    r"""A digit of which squares of pixels were measured, and images that fit them.

    .. math:: x \sim p(x, z \mid y), \qquad y = A x

    A keeps the means of the squares that are seen. Hide some, make all of them larger,
    or paint ink of your own; eight chains of Metropolis within Gibbs start anew and
    show where images may lie. The nets' weights are rounded to twelve bits.

    Parameters
    ----------
    model : GaussianVAE
        Trained on grey images; its nets alternate Linear and SiLU.
    x : Tensor (N, D)
        Grey test images, square, ink in sixteenths; at most 32.
    y : Tensor (N,)
        Their classes.
    factor : int
        Pixels along the side of a measured square, at the start: 1, 2, 4, ....
    hidden : Tensor of bool, optional
        Which squares aren't seen at the start; the lower half if not given.
    rng : torch.Generator
        Draws the seed of the still picture's chains.

    Attributes
    ----------
    selected : int
        Row of the test image; -1 for the reader's own.
    factor : int
    seen : list of 0 and 1
        Of each square; not all 0.
    ink : list of float
        Means of the squares of the reader's own image; empty where ``selected`` is a
        row.
    blocks : Blocks
        What is measured at present.

    Raises
    ------
    ValueError
        If images aren't of this form, or a trait is set to something it cannot be.
    """

    _esm = bundle("restoration/explorer.js")
    _css = stylesheet("restoration/explorer.css")

    selected = t.Int(0).tag(sync=True)
    factor = t.Int(1).tag(sync=True)
    seen = t.List(t.Int()).tag(sync=True)
    ink = t.List(t.Float()).tag(sync=True)
    factors = t.List(t.Int()).tag(sync=True)
    shapes = t.List().tag(sync=True)
    weights = t.Bytes().tag(sync=True)
    sigma = t.List(t.Float()).tag(sync=True)
    latent_dim = t.Int().tag(sync=True)
    images = t.Bytes().tag(sync=True)
    labels = t.List(t.Int()).tag(sync=True)
    side = t.Int().tag(sync=True)
    count = t.Int(CHAINS).tag(sync=True)

    def __init__(
        self,
        model: GaussianVAE,
        x: Tensor,
        y: Tensor,
        *,
        factor: int = 1,
        hidden: Tensor | None = None,
        rng: torch.Generator,
    ) -> None:
        self.side = _side_of(x, y)
        self.factors = [2**k for k in range(10) if self.side % 2**k == 0]
        obeying("factor", factor, one_of(self.factors))
        self.x = x.detach().cpu().double()
        self._seed = int(torch.randint(2**31, (), generator=rng))
        self.model, weights = _rounded(model)
        self.labels = y.tolist()
        across = self.side // factor
        if hidden is None:
            hidden = torch.arange(across * across) >= across * ((across + 1) // 2)
        nets = {"encoder": model.encoder.net, "decoder": model.decoder.net}
        super().__init__(
            factor=factor,
            seen=(~hidden.flatten()).int().tolist(),
            shapes=[net_shapes(name, net) for name, net in nets.items()],
            weights=weights,
            sigma=(0.5 * self.model.log_var).exp().expand(x.shape[1]).tolist(),
            latent_dim=model.latent_dim,
            images=(LEVELS * self.x).round().byte().numpy().tobytes(),
        )

    @property
    def blocks(self) -> Blocks:
        """What is measured at present."""
        own = torch.tensor(self.ink, dtype=torch.float64)
        if self.selected >= 0:
            own = pooled(self.x[self.selected], self.side, self.factor)
        return Blocks(self.factor, list(self.seen), own)

    def measure(self, factor: int, hidden: Tensor | None = None) -> None:
        """See squares of ``factor`` pixels a side, but for those that are hidden."""
        obeying("factor", factor, one_of(self.factors))
        num = (self.side // factor) ** 2
        hidden = torch.zeros(num) if hidden is None else hidden.flatten()
        own = pooled(self._own(), self.side, factor).tolist() if self.ink else []
        with self.hold_trait_notifications():
            self.factor, self.seen = factor, (1 - hidden.int()).tolist()
            self.ink = own

    def restored(self) -> Answer:
        """Of the present measurement, by chains like the page's; the same each time."""
        rng = torch.Generator().manual_seed(self._seed)
        return answered(self.blocks.task(self.model), rng=rng)

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        truth = self.x[self.selected] if self.selected >= 0 else None
        return restoration_still(Shown(self.blocks, truth, self.restored()))

    def describe(self) -> str:
        """Alt text of the snapshot."""
        blocks, answer = self.blocks, self.restored()
        what, near = "an image of the reader's own", ""
        if self.selected >= 0:
            truth = self.x[self.selected]
            what = f"a test image of class {self.labels[self.selected]}"
            decibels = psnr(squared_error(answer.mean.expand(2, -1), truth)).mean
            near = f" The mean is {decibels:.1f} dB from the digit."
        return (
            f"Restoration, still picture: of {what}, {sum(blocks.seen)} of "
            f"{len(blocks.seen)} squares of {blocks.factor} by {blocks.factor} pixels "
            f"are seen; beside it the mean and the standard deviation of the images "
            f"that fit, and {len(answer.images)} of them, which differ by "
            f"{answer.apart:.2f} of ink per pixel.{near}"
        )

    def _own(self) -> Tensor:
        """The reader's own image in pixels, each square evenly inked: (D,)."""
        across = self.side // self.factor
        ink = torch.tensor(self.ink, dtype=torch.float64).view(across, across)
        factor = self.factor
        return ink.repeat_interleave(factor, 0).repeat_interleave(factor, 1).flatten()

    held = constrained(
        {
            "selected": lambda self: within(-1, len(self.labels) - 1),
            "factor": lambda self: one_of(self.factors),
            "seen": lambda self: _flags((self.side // self.factor) ** 2),
            "ink": lambda self: _none_or((self.side // self.factor) ** 2),
        }
    )


def _flags(count: int) -> Constraint:
    """So many of 0 and 1, not all 0."""
    each = numbers(count, one_of((0, 1)))
    return Constraint(
        f"{count} of 0 and 1, not all 0",
        lambda values: each.holds(values) and any(values),
    )


def _none_or(count: int) -> Constraint:
    each = numbers(count, within(0.0, 1.0))
    return Constraint(
        f"empty, or {each.rule}", lambda values: not values or each.holds(values)
    )


def _side_of(x: Tensor, y: Tensor) -> int:
    """Side of square grey images whose ink is in sixteenths, after checking them."""
    side = math.isqrt(x.shape[-1])
    if x.ndim != 2 or y.shape != x.shape[:1] or side * side != x.shape[1]:
        raise ValueError(
            f"x must be (N, D), square, and y (N,); received x {tuple(x.shape)}, y "
            f"{tuple(y.shape)}"
        )
    obeying("the number of images", len(x), within(1, 32))
    ink = LEVELS * x
    if not (((ink - ink.round()).abs() < 1e-4) & (x >= 0) & (x <= 1)).all():
        raise ValueError("x must be ink in sixteenths, 0 to 1; received other values")
    return side


def _rounded(model: GaussianVAE) -> tuple[GaussianVAE, bytes]:
    """The model that the page computes with, and its packed weights."""
    rounded = copy.deepcopy(model).cpu().double().requires_grad_(False)
    rounded.encoder.net, encoder = twelve_bits(model.encoder.net)
    rounded.decoder.net, decoder = twelve_bits(model.decoder.net)
    return rounded, encoder + decoder
