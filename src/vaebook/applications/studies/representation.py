r"""What codes tell about classes, over draws of labels and seeds (chapter 12)."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from sklearn.cluster import KMeans
from torch import Tensor
from torch.nn.functional import one_hot

from vaebook.applications.clusters import matched, mutual_information
from vaebook.applications.report import Named
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
from vaebook.variational import ElboTerms

Encode = Callable[[Tensor], Tensor]
LATENTS = 8
HIDDEN = 128, 128
TAUS = 0.1, 0.3, 1.0, 3.0, 10.0, 30.0  # of the probe's prior, to choose from
NEIGHBOURS = 1, 3, 5, 9, 15
ALPHA = 1.0  # of M2, shared among the told images: of .02, .1, 1, 10 the best


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
        Of these draws, to train a semi-supervised model on, and a classifier alone.
    num_starts : int
        Of each mixture, and of the means that it is compared with.
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    epochs: int = 400
    semi_epochs: int = 300
    labels: tuple[int, ...] = (10, 30, 100, 300, 1000)
    num_draws: int = 20
    num_semi: int = 7
    num_starts: int = 10


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


def of_one_seed(plan: Study, seed: int) -> Named:
    """Numbers by name: shares in per cent, information in nats; ``sd`` is over draws of
    the labels, ``error`` a standard error over them."""
    digits = load_digits(binarize=True)
    rng = torch.Generator().manual_seed(seed)
    codes = represented(digits, plan, seed)
    draws = drawn_rows(plan.num_draws, rng=rng)

    for num_labels in plan.labels:
        pixels = yield from _of_labels(codes, digits, draws, num_labels)
        yield from _of_nets(plan, digits, draws, pixels, num_labels, seed)
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
) -> Generator[tuple[str, float], None, Tensor]:
    """Probes and neighbours on every representation, with the same draws of labels.

    Returns the shares of the probe on binary pixels, (P,).
    """
    rows = draws[: 1 if num_labels == 1000 else len(draws), :num_labels]
    ways = {"nearest": (by_neighbours, NEIGHBOURS), "probe": (probed, TAUS)}
    for way, (classify, options) in ways.items():
        options = [o for o in options if o <= num_labels or way == "probe"]
        shares = {}
        for name, of in codes.items():
            found = {o: classify(of, digits, rows, o) for o in options}
            best = max(options, key=lambda o: found[o].validation.mean())
            shares[name] = found[best].test
            yield f"{way}.{name}.{num_labels}.chosen", best
        for name, share in shares.items():
            stem = f"{way}.{name}.{num_labels}"
            yield from over_draws(stem, share, shares["pixels"])
    return shares["pixels"]


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


def _of_nets(
    plan: Study,
    digits: Digits,
    draws: Tensor,
    pixels: Tensor,
    num_labels: int,
    seed: int,
) -> Named:
    """Nets that are told labels, on each of the first draws, a seed for each: the
    semi-supervised VAE, and its classifier without the images that have no label.

    They are held against the probe on the pixels of the same draws, (P,).
    """
    rows = draws[: 1 if num_labels == 1000 else plan.num_semi, :num_labels]
    ways = {"semi": semi_supervised_share, "alone": classifier_share}
    for name, share_of in ways.items():
        found = [
            share_of(plan, digits, told, 100 * seed + place)
            for place, told in enumerate(rows)
        ]
        validation, test = torch.stack(found).T
        yield f"{name}.{num_labels}.validation", validation.mean()
        yield from over_draws(f"{name}.{num_labels}", test, pixels[: len(rows)])


def told_classes(digits: Digits, told: Tensor) -> Tensor:
    """A one at the class of the told training digits, zeros elsewhere: (1000, C)."""
    y = torch.zeros(len(digits.train.y), NUM_CLASSES)
    y[told] = one_hot(digits.train.y[told], NUM_CLASSES).to(y)
    return y


def semi_supervised_share(
    plan: Study, digits: Digits, told: Tensor, seed: int
) -> Tensor:
    """What M2's classifier names rightly, in per cent: of validation and of test."""
    rng = torch.Generator().manual_seed(seed)
    model = SemiSupervisedVAE(64, HIDDEN, LATENTS, NUM_CLASSES, rng=rng)
    x, y = load_digits(binarize=False).train.x, told_classes(digits, told)
    alpha = ALPHA * len(x) / len(told)
    settings = Settings(
        epochs=plan.semi_epochs,
        to_pixels=binarize_noisily,
        objective=partial(semi_supervised_objective, alpha=alpha),
    )
    fit(model, (x, y), settings, rng=rng)
    return named_rightly(model, digits)


def classifier_share(plan: Study, digits: Digits, told: Tensor, seed: int) -> Tensor:
    """The same of the classifier trained by itself on told digits, in as many steps."""
    rng = torch.Generator().manual_seed(seed)
    model = SemiSupervisedVAE(64, HIDDEN, LATENTS, NUM_CLASSES, rng=rng)
    x, y = load_digits(binarize=False).train.x, told_classes(digits, told)
    whole = Settings()
    batch_size = min(whole.batch_size, len(told))
    steps = plan.semi_epochs * (len(x) // whole.batch_size)
    settings = Settings(
        epochs=steps // (len(told) // batch_size),
        batch_size=batch_size,
        to_pixels=binarize_noisily,
        objective=classifier_objective,
    )
    fit(model, (x[told], y[told]), settings, rng=rng)
    return named_rightly(model, digits)


def classifier_objective(
    model: SemiSupervisedVAE, x: Tensor, y: Tensor, *, rng: torch.Generator
) -> ElboTerms:
    """The classifier's log-probability of told classes, and no bound."""
    told = (y * model.class_log_probs(x)).sum(1)
    return ElboTerms(told, torch.zeros_like(told))


@torch.no_grad()
def named_rightly(model: SemiSupervisedVAE, digits: Digits) -> Tensor:
    """Per cent of the validation and of the test digits, (2,)."""
    shares = [
        per_cent(model.class_log_probs(part.x).argmax(1), part.y) for part in digits[1:]
    ]
    return torch.stack(shares)


def _of_clusters(
    name: str, codes: Codes, digits: Digits, plan: Study, *, rng: torch.Generator
) -> Named:
    """Ten groups of training codes, by two ways, and what they tell of test digits."""
    groups = {"means": by_means(codes, plan.num_starts, rng=rng)}
    if codes.train.shape[1] <= 2 * LATENTS:  # a covariance of pixels is singular
        mixture = fitted_mixture(codes.train, plan.num_starts, rng=rng)
        groups["gaussians"] = e_step(mixture, codes.test).log_resp.argmax(1)
    for way, of_test in groups.items():
        yield f"{way}.{name}.matched", 100 * matched(of_test, digits.test.y)
        yield f"{way}.{name}.nats", mutual_information(of_test, digits.test.y)
        yield f"{way}.{name}.used", len(of_test.unique())


def by_means(codes: Codes, num_starts: int, *, rng: torch.Generator) -> Tensor:
    """Which of ten means of training codes each test code is nearest to, (N,)."""
    seed = int(torch.randint(2**31, (), generator=rng))
    means = KMeans(NUM_CLASSES, n_init=num_starts, random_state=seed)
    means.fit(codes.train.numpy())
    return torch.from_numpy(means.predict(codes.test.numpy())).long()


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
