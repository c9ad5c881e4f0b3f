r"""The gap ledger: a Gaussian q over an exact posterior, and the nats it misses."""

import torch
import traitlets as t
from torch import Tensor

from vaebook.explore.ledger.maths import (
    ADAM,
    BOUND,
    MOST_DRAWS,
    REACH,
    Case,
    Gaps,
    Q,
    make_cases,
    make_measure,
    view_of,
)
from vaebook.explore.ledger.still import Shown, ledger_still
from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.constraints import numbers, obeying, one_of, within
from vaebook.explore.parts.packing import (
    check_images,
    net_shapes,
    pack_bits,
    pack_noise,
)
from vaebook.explore.parts.quantise import twelve_bits
from vaebook.explore.parts.traits import constrained
from vaebook.explore.parts.widget import PicturedWidget
from vaebook.vae import VAE

DRAWS = tuple(2**k for k in range(MOST_DRAWS.bit_length()))


class LedgerExplorer(PicturedWidget):
    r"""Where the nats between the ELBO and log p(x) go, for one image at a time.

    .. math:: \log p(x) = \mathcal L(q) + [\mathcal L(q^*) - \mathcal L(q)]
              + [\log p(x) - \mathcal L(q^*)]

    Drag or refine q over the posterior, which a grid knows exactly; draws of q give the
    importance-weighted bound. The decoder's weights are rounded to twelve bits, and all
    numbers are those of the rounded one.

    Parameters
    ----------
    model : VAE
        Trained, with two latents; its nets alternate Linear and SiLU.
    x : Tensor (N, D)
        Binary images, square; at most 16.
    y : Tensor (N,)
        Their classes.
    rng : torch.Generator
        Draws the noise of the importance-weighted bound: 128 draws for every q.

    Attributes
    ----------
    selected : int
        Row of the image.
    mu, sigma : list of two floats
        Of q.
    draws : int
        S of the importance-weighted bound: 1, 2, 4, ..., 128.
    now : Gaps
        What the page shows of them.

    Raises
    ------
    ValueError
        If the model has not two latents, the images are not binary or not square, or a
        trait is set to something it cannot be; the message says what was received.
    """

    _esm = bundle("ledger/explorer.js")
    _css = stylesheet("parts/plot.css", "parts/sum.css", "ledger/explorer.css")

    selected = t.Int(0).tag(sync=True)
    mu = t.List(t.Float()).tag(sync=True)
    sigma = t.List(t.Float()).tag(sync=True)
    draws = t.Int(1).tag(sync=True)
    shapes = t.List().tag(sync=True)
    weights = t.Bytes().tag(sync=True)
    images = t.Bytes().tag(sync=True)
    labels = t.List(t.Int()).tag(sync=True)
    side = t.Int().tag(sync=True)
    cases = t.List().tag(sync=True)
    nodes = t.List().tag(sync=True)
    eps = t.Bytes().tag(sync=True)
    adam = t.Dict(ADAM).tag(sync=True)
    bound = t.Float(BOUND).tag(sync=True)
    reach = t.List(t.Float(), list(REACH)).tag(sync=True)
    choices = t.List(t.Int(), list(DRAWS)).tag(sync=True)

    def __init__(
        self, model: VAE, x: Tensor, y: Tensor, *, rng: torch.Generator
    ) -> None:
        side = check_images(x, y)
        obeying("model.latent_dim", model.latent_dim, one_of([2]))
        obeying("the number of images", len(x), within(1, 16))
        decoder, packed = twelve_bits(model.decoder.net)
        self.x, self.y = x.detach().cpu().double(), y.detach().cpu()
        self.measure = make_measure(rng)
        self.ledgers, self.curves = make_cases(model, decoder, self.x, self.measure)
        super().__init__(
            mu=self.ledgers[0].encoded.mu,
            sigma=self.ledgers[0].encoded.sigma,
            shapes=[net_shapes("decoder", model.decoder.net)],
            weights=packed,
            images=pack_bits(self.x),
            labels=self.y.tolist(),
            side=side,
            cases=[
                _shipped(case, curves)
                for case, curves in zip(self.ledgers, self.curves, strict=True)
            ],
            nodes=torch.column_stack(self.measure[:2]).tolist(),
            eps=pack_noise(self.measure.eps),
        )

    @property
    def q(self) -> Q:
        """The present Gaussian."""
        return Q(self.mu, self.sigma)

    @property
    def now(self) -> Gaps:
        """The gaps of the present Gaussian over the present image's posterior."""
        return self.ledgers[self.selected].gaps(self.q, self.draws, self.measure)

    def select(self, index: int) -> None:
        """Take another image, and the encoder's q of it."""
        self.selected = index
        self.mu, self.sigma = self.ledgers[index].encoded

    def refine(self) -> None:
        """Climb the ELBO from the present q, as the page's button does."""
        path = self.ledgers[self.selected].refined(self.q, self.measure)
        self.mu, self.sigma = path[-1]

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        curves = self.curves[self.selected]
        view = view_of(curves, self.ledgers[self.selected].encoded)
        shown = Shown(self.x[self.selected], curves, self.q, self.now, view)
        return ledger_still(shown, self.draws)

    def describe(self) -> str:
        """Alt text of the snapshot."""
        gaps = self.now
        return (
            f"Gap ledger, still picture: a test image of class "
            f"{self.labels[self.selected]}; its exact posterior over two latents under "
            f"the ellipses of a Gaussian q; and a bar that ends at log p(x), "
            f"{gaps.log_evidence:.2f} nats, made of the ELBO of q, {gaps.elbo:.2f}, an "
            f"amortisation gap of {gaps.amortisation:.2f} and an approximation gap of "
            f"{gaps.approximation:.2f}. With {self.draws} draws the "
            f"importance-weighted bound is {gaps.weighted:.2f}."
        ).replace(" -", " \N{MINUS SIGN}")

    held = constrained(
        {
            "selected": lambda self: within(0, len(self.y) - 1),
            "mu": numbers(2, within(-BOUND, BOUND)),
            "sigma": numbers(2, within(*REACH)),
            "draws": one_of(DRAWS),
        }
    )


def _shipped(case: Case, curves: list) -> dict:
    """What the page is sent of an image, beside its pixels."""
    return {
        "log_evidence": case.log_evidence,
        "encoded": case.encoded._asdict(),
        "best": case.best._asdict(),
        "curves": curves,
        "view": view_of(curves, case.encoded)._asdict(),
    }
