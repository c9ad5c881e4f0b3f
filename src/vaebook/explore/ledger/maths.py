r"""A Gaussian over the exact posterior of an image: its ELBO, and how it is refined."""

import math
from typing import NamedTuple

import torch
from contourpy import contour_generator
from torch import Tensor, nn

from vaebook.evaluation import Grid, grid_log_joint, make_grid
from vaebook.likelihood import FullGaussian, bernoulli_log_prob, gaussian_log_prob
from vaebook.monte_carlo import log_mean_exp
from vaebook.vae import VAE, Posterior
from vaebook.variational import ascend, gauss_hermite

ADAM = {"steps": 80, "rate": 0.1, "decay": [0.9, 0.999], "tiny": 1e-8}
SHARES = (0.95, 0.5)  # of the posterior's mass within a contour
NUM_NODES = 8  # of quadrature, in each latent
MOST_DRAWS = 128  # of the importance-weighted bound
REACH = (0.02, 2.0)  # of a standard deviation
BOUND = 4.0  # of a mean
LEAST_HALF = 0.8  # half the side of the picture, at least


class Q(NamedTuple):
    """A Gaussian of two latents: ``mu`` and ``sigma``, two floats each."""

    mu: list[float]
    sigma: list[float]

    @property
    def tensors(self) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation, (2,) float64 each."""
        mu, sigma = (torch.tensor(v, dtype=torch.float64) for v in self)
        return mu, sigma.log()


class Gaps(NamedTuple):
    """What the page shows of a q, nats.

    Attributes
    ----------
    log_evidence : float
        log p(x), exactly.
    elbo : float
        Of q.
    amortisation : float
        ELBO of the best Gaussian minus that of q: what refining q would win.
    approximation : float
        log p(x) minus the ELBO of the best: what no Gaussian without rotation wins.
    weighted : float
        The importance-weighted bound with the present number of draws.
    """

    log_evidence: float
    elbo: float
    amortisation: float
    approximation: float
    weighted: float


class Measure(NamedTuple):
    """What expectations under a q are taken with: the same in every q.

    Attributes
    ----------
    nodes, weights : Tensor (G, 2), (G,)
        Quadrature under N(0, I).
    eps : Tensor (S, 2)
        Draws of N(0, I).
    """

    nodes: Tensor
    weights: Tensor
    eps: Tensor


def make_measure(rng: torch.Generator) -> Measure:
    """Nodes in float64, and draws that float16 holds exactly."""
    zero, unit = torch.zeros(2).double(), torch.eye(2).double()
    nodes, weights = gauss_hermite(FullGaussian(zero, unit), NUM_NODES)
    eps = torch.randn(MOST_DRAWS, 2, generator=rng).half().double()
    return Measure(nodes, weights, eps)


class Case(NamedTuple):
    """An image with two latents behind it: its log-joint, exactly known.

    Attributes
    ----------
    x : Tensor (D,)
        Binary pixels.
    decoder : nn.Module
        Logits of codes.
    log_evidence : float
        log p(x) by quadrature on a grid, nats.
    encoded, best : Q
        The encoder's Gaussian, and the best that is found from there.
    """

    x: Tensor
    decoder: nn.Module
    log_evidence: float
    encoded: Q
    best: Q

    def log_joint(self, z: Tensor) -> Tensor:
        """log p(x, z) of codes (..., 2), (...,) nats."""
        zero = torch.zeros_like(z)
        log_lik = bernoulli_log_prob(self.x, self.decoder(z))
        return log_lik + gaussian_log_prob(z, zero, zero)

    def elbo(self, mu: Tensor, log_sigma: Tensor, measure: Measure) -> Tensor:
        r"""ELBO of N(mu, sigma^2), () nats, by quadrature.

        .. math:: \sum_g w_g \log p(x, \mu + \sigma\varepsilon_g)
                  + \sum_l \log\sigma_l + \tfrac L2\log(2\pi e)
        """
        z = mu + log_sigma.exp() * measure.nodes
        entropy = log_sigma.sum() + len(mu) * 0.5 * math.log(2 * math.pi * math.e)
        return measure.weights @ self.log_joint(z) + entropy

    def weighted_bound(self, q: Q, num_draws: int, measure: Measure) -> float:
        r"""Mean over blocks of draws of their log-mean-exp weight, nats.

        It estimates the bound with so many draws, from the same draws for every number;
        with one it is the mean log-weight, and it never falls when blocks are joined.
        """
        mu, log_sigma = q.tensors
        z = mu + log_sigma.exp() * measure.eps
        log_w = self.log_joint(z) - gaussian_log_prob(z, mu, 2 * log_sigma)
        return log_mean_exp(log_w.reshape(-1, num_draws), 1).mean().item()

    def gaps(self, q: Q, num_draws: int, measure: Measure) -> Gaps:
        """All that the page shows of a q."""
        elbo = self.elbo(*q.tensors, measure).item()
        best = self.elbo(*self.best.tensors, measure).item()
        return Gaps(
            self.log_evidence,
            elbo,
            best - elbo,
            self.log_evidence - best,
            self.weighted_bound(q, num_draws, measure),
        )

    def refined(self, q: Q, measure: Measure) -> list[Q]:
        """Each step of Adam from a q, as the page takes them; the first is q."""
        place = torch.cat(q.tensors)
        first = second = torch.zeros_like(place)
        path = [q]
        for step in range(ADAM["steps"]):
            slope = self._slope(place, measure)
            first = _running(first, slope, ADAM["decay"][0])
            second = _running(second, slope.square(), ADAM["decay"][1])
            place = place + _move(first, second, step)
            place[2:].clamp_(*(math.log(end) for end in REACH))
            path.append(Q(place[:2].tolist(), place[2:].exp().tolist()))
        return path

    def _slope(self, place: Tensor, measure: Measure) -> Tensor:
        """Gradient of the ELBO in the mean and the log standard deviations, (4,)."""
        at = place.detach().requires_grad_()
        elbo = self.elbo(*at.split(2), measure)
        return torch.autograd.grad(elbo, at)[0]


def _running(old: Tensor, new: Tensor, decay: float) -> Tensor:
    return decay * old + (1 - decay) * new


def _move(first: Tensor, second: Tensor, step: int) -> Tensor:
    """Adam's step, its rate falling along half a cosine."""
    share = step / ADAM["steps"]
    rate = ADAM["rate"] * 0.5 * (1 + math.cos(math.pi * share))
    a, b = (1 - decay ** (step + 1) for decay in ADAM["decay"])
    return rate * (first / a) / ((second / b).sqrt() + ADAM["tiny"])


def make_cases(
    model: VAE, decoder: nn.Module, x: Tensor, measure: Measure
) -> tuple[list[Case], list[list]]:
    """The images (N, D) as cases of a decoder, and the contours of their posteriors.

    ``model`` is the one that the decoder was rounded from: its encoder gives the start.
    """
    grid = make_grid(2, num_nodes=161)
    rounded = _with_decoder(model, decoder)
    log_joint = torch.cat(
        [grid_log_joint(rounded, x, part) for part in grid.parts(2000)]
    )  # (G, N)
    log_evidence = log_joint.logsumexp(0)
    with torch.no_grad():
        encoded = Posterior(*(p.double() for p in model.posterior(x.float())))

    cases = []
    for n, image in enumerate(x):
        q = Q(encoded.mu[n].tolist(), (0.5 * encoded.log_var[n]).exp().tolist())
        plain = Case(image, decoder, log_evidence[n].item(), q, q)
        cases.append(plain._replace(best=_best(plain, measure)))
    mass = (log_joint - log_evidence).exp()
    return cases, [contours(column, grid) for column in mass.T]


def _with_decoder(model: VAE, decoder: nn.Module) -> VAE:
    """The same model in float64, decoding with the rounded weights."""
    made = VAE(*_sizes(model), rng=torch.Generator()).double()
    made.decoder.net = decoder
    return made.requires_grad_(False)


def _sizes(model: VAE) -> tuple[int, tuple[int, ...], int]:
    widths = [layer.out_features for layer in model.encoder.net[::2]]
    return model.encoder.net[0].in_features, tuple(widths[:-1]), model.latent_dim


def _best(case: Case, measure: Measure) -> Q:
    """The top of the hill that the encoder's q stands on, by L-BFGS."""
    low, high = (math.log(end) for end in REACH)

    def bound(mu: Tensor, log_sigma: Tensor) -> Tensor:
        return case.elbo(mu, log_sigma.clamp(low, high), measure)

    mu, log_sigma = ascend(bound, list(case.encoded.tensors), max_steps=200)
    return Q(mu.tolist(), log_sigma.clamp(low, high).exp().tolist())


def contours(mass: Tensor, grid: Grid) -> list[list[list[float]]]:
    """Closed curves around the densest places that hold the shares of the mass.

    ``mass`` (G,) of each point of a grid of two latents. A curve is a list of points
    rounded to hundredths; the outer share comes first.
    """
    side = round(len(grid.points) ** 0.5)
    axis = grid.points[:side, 1].numpy()
    density = mass.reshape(side, side).T.numpy()  # rows along the second latent
    lines = contour_generator(axis, axis, density)
    return [
        [curve.round(2).tolist() for curve in lines.lines(_level(mass, share))]
        for share in SHARES
    ]


class View(NamedTuple):
    """The square of the plane that is shown: ``centre``, and half a side."""

    centre: list[float]
    half: float


def view_of(curves: list[list[list[float]]], q: Q) -> View:
    """It holds the outer curves and the ellipse of q two standard deviations out."""
    points = [torch.tensor(curve) for curve in curves[0]]
    mu, sigma = (torch.tensor(values) for values in q)
    around = torch.cat([*points, torch.stack([mu - 2 * sigma, mu + 2 * sigma])])
    low, high = around.amin(0), around.amax(0)
    half = max(0.55 * (high - low).max().item(), LEAST_HALF)
    return View([round(v, 2) for v in (0.5 * (low + high)).tolist()], round(half, 2))


def _level(mass: Tensor, share: float) -> float:
    """The density above which so much of the mass lies."""
    sorted_mass = mass.sort(descending=True).values
    enough = (sorted_mass.cumsum(0) < share).sum()
    return sorted_mass[min(int(enough), len(mass) - 1)].item()
