r"""What codes tell about classes, over draws of labels and seeds (chapter 12)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from vaebook.applications.clusters import matched, mutual_information
from vaebook.applications.representation import (
    NUM_CLASSES,
    fit_probe,
    fit_scaling,
    nearest_labels,
    retrieved,
)
from vaebook.applications.semi_supervised import (
    SemiSupervisedVAE,
    semi_supervised_objective,
)
from vaebook.autoencoder import Autoencoder
from vaebook.datasets import Digits, binarize_noisily, load_digits
from vaebook.em import (
    GaussianMixture,
    InverseWishart,
    e_step,
    fit_em_best,
    gaussian_start,
    kmeans_plus_plus,
)
from vaebook.linear_vae import spectrum
from vaebook.monte_carlo import estimate
from vaebook.training import Settings, fit
from vaebook.vae import VAE

Named = Iterator[tuple[str, float]]
Encode = Callable[[Tensor], Tensor]
LATENTS = 8
HIDDEN = 128, 128
TAUS = 0.03, 0.1, 0.3, 1.0, 3.0  # of the probe's prior, to choose from
NEIGHBOURS = 1, 3, 5, 9
ALPHA = 1.0  # of M2, shared among the told images: of .02, .1 and 1 the best


@dataclass(frozen=True)
class Study:
    """How much is run: the whole by default, seconds of it for a test.

    Attributes
    ----------
    seeds : tuple of int
    epochs, semi_epochs : int
        Of each model that is told nothing, and of each that is told labels.
    labels : tuple of int
        How many of the thousand training digits are told.
    num_draws : int
        Of which ones these are.
    num_semi : int
        Of these draws, to train a semi-supervised model on.
    num_starts : int
        Of each mixture.
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    epochs: int = 400
    semi_epochs: int = 300
    labels: tuple[int, ...] = (10, 30, 100, 300, 1000)
    num_draws: int = 20
    num_semi: int = 7
    num_starts: int = 5


BRIEF = Study(
    seeds=(0,),
    epochs=1,
    semi_epochs=1,
    labels=(10, 30),
    num_draws=2,
    num_semi=1,
    num_starts=1,
)


class Codes(NamedTuple):
    """One representation of the three parts of the digits, scaled: (N, F) each."""

    train: Tensor
    validation: Tensor
    test: Tensor


def run_study(plan: Study) -> tuple[dict[str, float], dict[str, str]]:
    """All runs of the plan: numbers by name, and no pictures.

    Names end in the seed. Shares are in per cent, ``sd`` is over draws of the labels,
    ``error`` a standard error over them.
    """
    numbers = {}
    for seed in plan.seeds:
        for name, value in _of_one_seed(plan, seed):
            numbers[f"{name}.{seed}"] = float(value)
            print(f"{name}.{seed} {float(value):.4f}", flush=True)
    return numbers, {}


def _of_one_seed(plan: Study, seed: int) -> Named:
    digits = load_digits(binarize=True)
    rng = torch.Generator().manual_seed(seed)
    codes = represented(digits, plan, seed)
    draws = drawn_rows(plan.num_draws, rng=rng)

    for num_labels in plan.labels:
        yield from _of_labels(codes, digits, draws, num_labels)
        yield from _of_semi_supervised(plan, digits, draws, num_labels, seed)
    for name, of in codes.items():
        found = retrieved(of.train, digits.train.y, of.test, digits.test.y, 10)
        yield f"retrieved.{name}", 100 * found.mean()
        yield from _of_clusters(name, of, digits, plan, rng=rng)


def drawn_rows(num_draws: int, *, rng: torch.Generator) -> Tensor:
    """Orders of the thousand rows, the first of which are told: (draws, 1000)."""
    orders = [torch.randperm(1000, generator=rng) for _ in range(num_draws)]
    return torch.stack(orders)


def represented(digits: Digits, plan: Study, seed: int) -> dict[str, Codes]:
    """Each representation, learned from the training digits without a label."""
    codes = {}
    for name, (encode, binary) in encoders(digits.train.x, plan, seed).items():
        given = digits if binary else load_digits(binarize=False)
        with torch.no_grad():
            parts = [encode(part.x) for part in given]
        scale = fit_scaling(parts[0])
        codes[name] = Codes(*(scale(part) for part in parts))
    return codes


def encoders(x: Tensor, plan: Study, seed: int) -> dict[str, tuple[Encode, bool]]:
    """By name: what maps images (N, 64) to features (N, F), and whether it takes them
    binary."""
    axes = spectrum(x.double()).directions[:, :LATENTS].to(x)
    makers = {
        "ae": partial(Autoencoder, flip=0.0),
        "dae": partial(Autoencoder, flip=0.1),
        "vae": VAE,
        "untrained": VAE,
    }
    nets = {}
    for name, make in makers.items():
        rng = torch.Generator().manual_seed(seed)
        nets[name] = make(x.shape[1], HIDDEN, LATENTS, rng=rng)
        if name != "untrained":
            grey = load_digits(binarize=False).train.x
            fit(nets[name], grey, settings_of(plan), rng=rng)

    def both(x: Tensor) -> Tensor:
        return torch.cat(nets["vae"].posterior(x), 1)

    return {
        "grey": (lambda x: x, False),
        "pixels": (lambda x: x, True),
        "pca": (lambda x: x @ axes, True),
        "ae": (nets["ae"].code, True),
        "dae": (nets["dae"].code, True),
        "vae": (lambda x: nets["vae"].posterior(x).mu, True),
        "both": (both, True),
        "untrained": (lambda x: nets["untrained"].posterior(x).mu, True),
    }


def settings_of(plan: Study) -> Settings:
    """How every model of this study is trained."""
    return Settings(epochs=plan.epochs, to_pixels=binarize_noisily)


def _of_labels(
    codes: dict[str, Codes], digits: Digits, draws: Tensor, num_labels: int
) -> Named:
    """Probes and neighbours on every representation, with the same draws of labels."""
    rows = draws[: 1 if num_labels == 1000 else len(draws), :num_labels]
    ways = {"probe": (probed, TAUS), "nearest": (by_neighbours, NEIGHBOURS)}
    for way, (classify, options) in ways.items():
        options = [o for o in options if o <= num_labels]
        shares = {}
        for name, of in codes.items():
            found = {o: classify(of, digits, rows, o) for o in options}
            best = max(options, key=lambda o: found[o].validation.mean())
            shares[name] = found[best].test
            yield f"{way}.{name}.{num_labels}.chosen", best
        for name, share in shares.items():
            stem = f"{way}.{name}.{num_labels}"
            yield from over_draws(stem, share, shares["pixels"])


class Shares(NamedTuple):
    """Per cent of the digits that are named rightly, for each draw of labels: (P,)."""

    validation: Tensor
    test: Tensor


def over_draws(name: str, share: Tensor, rival: Tensor) -> Named:
    """Mean and spread over draws (P,), and how far above the rival's."""
    yield name, share.mean()
    if len(share) > 1:
        won = estimate(share - rival)
        yield f"{name}.sd", share.std()
        yield f"{name}.won", won.mean
        yield f"{name}.won.error", won.standard_error


def probed(codes: Codes, digits: Digits, rows: Tensor, tau: float) -> Shares:
    """By linear probes on the rows told in each draw, (P, n)."""
    probe = fit_probe(codes.train[rows], digits.train.y[rows], tau)
    return Shares(
        per_cent(probe.predict(codes.validation), digits.validation.y),
        per_cent(probe.predict(codes.test), digits.test.y),
    )


def by_neighbours(codes: Codes, digits: Digits, rows: Tensor, k: int) -> Shares:
    """By the k nearest of the rows told in each draw, (P, n)."""
    named = [
        [
            nearest_labels(codes.train[told], digits.train.y[told], new, k)
            for told in rows
        ]
        for new in (codes.validation, codes.test)
    ]
    return Shares(
        per_cent(torch.stack(named[0]), digits.validation.y),
        per_cent(torch.stack(named[1]), digits.test.y),
    )


def per_cent(named: Tensor, y: Tensor) -> Tensor:
    """The share of classes (..., N) that are those of y (N,)."""
    return 100 * (named == y).double().mean(-1)


def _of_semi_supervised(
    plan: Study, digits: Digits, draws: Tensor, num_labels: int, seed: int
) -> Named:
    """A semi-supervised VAE on each of the first draws of labels, a seed for each."""
    rows = draws[: 1 if num_labels == 1000 else plan.num_semi, :num_labels]
    found = torch.stack(
        [
            semi_supervised_share(plan, digits, told, 100 * seed + place)
            for place, told in enumerate(rows)
        ]
    )
    yield f"semi.{num_labels}", found[:, 1].mean()
    yield f"semi.{num_labels}.validation", found[:, 0].mean()
    if len(found) > 1:
        yield f"semi.{num_labels}.sd", found[:, 1].std()


def semi_supervised_share(
    plan: Study, digits: Digits, told: Tensor, seed: int
) -> Tensor:
    """What its classifier names rightly, in per cent: of validation and of test."""
    rng = torch.Generator().manual_seed(seed)
    model = SemiSupervisedVAE(64, HIDDEN, LATENTS, NUM_CLASSES, rng=rng)
    x = load_digits(binarize=False).train.x
    y = torch.zeros(len(x), NUM_CLASSES)
    y[told] = one_hot(digits.train.y[told], NUM_CLASSES).to(y)
    alpha = ALPHA * len(x) / len(told)
    settings = Settings(
        epochs=plan.semi_epochs,
        to_pixels=binarize_noisily,
        objective=partial(semi_supervised_objective, alpha=alpha),
    )
    fit(model, (x, y), settings, rng=rng)
    with torch.no_grad():
        named = [model.class_log_probs(part.x).argmax(1) for part in digits[1:]]
    shares = zip(named, (digits.validation.y, digits.test.y), strict=True)
    return torch.stack([per_cent(of, y) for of, y in shares])


def _of_clusters(
    name: str, codes: Codes, digits: Digits, plan: Study, *, rng: torch.Generator
) -> Named:
    """Ten Gaussians fitted to codes, and what their groups tell of the test digits."""
    if codes.train.shape[1] > 2 * LATENTS:
        return
    mixture = fitted_mixture(codes.train, plan.num_starts, rng=rng)
    groups = e_step(mixture, codes.test).log_resp.argmax(1)
    yield f"clusters.{name}.matched", 100 * matched(groups, digits.test.y)
    yield f"clusters.{name}.nats", mutual_information(groups, digits.test.y)


def fitted_mixture(
    z: Tensor, num_starts: int, *, rng: torch.Generator
) -> GaussianMixture:
    """The best of some runs of EM for ten Gaussians."""
    dim = z.shape[1]
    prior = InverseWishart(dim + 2, 0.1 * torch.eye(dim).double())
    starts = [
        gaussian_start(z, kmeans_plus_plus(z, NUM_CLASSES, rng=rng))
        for _ in range(num_starts)
    ]
    return fit_em_best(z, starts, prior=prior).mixture
