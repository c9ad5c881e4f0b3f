r"""What is drawn, between, copied and changed, measured over seeds (chapter 13)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from vaebook.applications.report import Named, with_error
from vaebook.applications.representation import NUM_CLASSES, nearest_labels
from vaebook.autoencoder import flip_pixels
from vaebook.datasets import Digits, binarize_noisily, load_digits
from vaebook.em import (
    BernoulliMixture,
    GaussianMixture,
    bernoulli_start,
    e_step,
    fit_em,
    gaussian_start,
    kmeans_plus_plus,
    sample_mixture,
)
from vaebook.evaluation import MixturePriorVAE, energy_test
from vaebook.generation.attributes import (
    direction,
    follow_slope,
    ink,
    multiple_for,
    slant,
)
from vaebook.generation.likeness import (
    Copying,
    copying,
    nearest_of,
    precision_recall,
)
from vaebook.generation.paths import (
    coin_angles,
    geodesic,
    great_circle,
    path_length,
    straight_line,
)
from vaebook.map_estimation import Beta
from vaebook.training import Settings, fit
from vaebook.vae import VAE, ConditionalVAE

LATENTS = 8
HIDDEN = 128, 128
WIDTH = 8
TEMPERATURES = 0.5, 0.75, 1.25
BLUNT = 0.02  # share of pixels that the copier inverts


@dataclass(frozen=True)
class Study:
    """How much is run: the whole by default, seconds of it for a test.

    Attributes
    ----------
    seeds : tuple of int
    epochs : int
        Of each model.
    num_images : int
        Drawn, and of the test digits they are held against.
    num_pairs : int
        Of test digits, to go from one to the other.
    num_folds : int
        Of the training digits, each held out once.
    num_samples : int
        Of the bound on log p(x).
    num_components, num_prototypes : int
        Of the mixtures of codes, and of that of images.
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    epochs: int = 400
    num_images: int = 447
    num_pairs: int = 100
    num_folds: int = 5
    num_samples: int = 500
    num_components: int = 10
    num_prototypes: int = 50


BRIEF = Study(
    seeds=(0,),
    epochs=5,
    num_images=20,
    num_pairs=3,
    num_folds=2,
    num_samples=5,
    num_components=2,
    num_prototypes=3,
)


class Models(NamedTuple):
    """What is trained on all training digits, and the prototypes that judge."""

    vae: VAE
    learned: MixturePriorVAE
    conditional: ConditionalVAE
    prototypes: BernoulliMixture


def of_one_seed(plan: Study, seed: int) -> Named:
    """Numbers by name: shares in per cent, log p in nats; ``error`` is over images."""
    digits = load_digits(binarize=True)
    rng = torch.Generator().manual_seed(seed)
    models = trained_models(plan, seed)
    for name, drawn in drawn_ways(models, digits, plan, rng=rng).items():
        yield from _of_draws(name, drawn, digits, plan)
    yield from _of_classes(models.conditional, digits, plan, rng=rng)
    yield from _of_paths(models, digits, plan, rng=rng)
    yield from _of_attributes(models, digits, rng=rng)
    yield from _of_arithmetic(models.vae, digits)
    yield from _of_copies(plan, seed, rng=rng)


def trained_models(plan: Study, seed: int) -> Models:
    """All models of one seed."""
    grey = load_digits(binarize=False).train
    classes = one_hot(grey.y, NUM_CLASSES).to(grey.x)
    sizes = grey.x.shape[1], HIDDEN, LATENTS
    rng = torch.Generator().manual_seed(seed)
    vae = VAE(*sizes, rng=rng)
    fit(vae, grey.x, settings_of(plan), rng=rng)

    learned = MixturePriorVAE(*sizes, 2 * plan.num_components, rng=rng)
    fit(learned, grey.x, settings_of(plan), rng=rng)

    conditional = ConditionalVAE(*sizes, NUM_CLASSES, rng=rng)
    fit(conditional, (grey.x, classes), settings_of(plan), rng=rng)
    return Models(vae, learned, conditional, fitted_prototypes(grey.x, plan, rng=rng))


def settings_of(plan: Study) -> Settings:
    """How every model of this study is trained."""
    return Settings(epochs=plan.epochs, to_pixels=binarize_noisily)


def fitted_prototypes(
    grey: Tensor, plan: Study, *, rng: torch.Generator
) -> BernoulliMixture:
    """A mixture of prototypes, on ten noisy copies of each digit."""
    x = torch.cat([binarize_noisily(grey, rng=rng) for _ in range(10)]).double()
    start = bernoulli_start(kmeans_plus_plus(x, plan.num_prototypes, rng=rng))
    return fit_em(x, start, prior=Beta(2.0, 2.0)).mixture


@torch.no_grad()
def drawn_ways(
    models: Models, digits: Digits, plan: Study, *, rng: torch.Generator
) -> dict[str, Tensor]:
    """Binary images by name of the way they are drawn, (M, 64) each."""
    number = plan.num_images
    vae = models.vae
    coin = partial(torch.bernoulli, generator=rng)
    numbers = {"gaussian": 1, "mixture": plan.num_components}
    mixtures = {
        name: fitted_codes(vae, digits.train.x, k, rng=rng)
        for name, k in numbers.items()
    }
    lit = digits.train.x.mean(0).expand(number, -1)
    z = vae.prior_draws(number, rng=rng)
    ways = {
        "coins": coin(lit),
        "prototypes": sample_mixture(models.prototypes, number, rng=rng)[0].float(),
        "prior": coin(vae.mean_image(z)),
        "threshold": (vae.mean_image(z) >= 0.5).float(),
        "learned": coin(models.learned.sample(number, rng=rng)),
        "training": digits.train.x[torch.randperm(1000, generator=rng)[:number]],
    }
    for name, codes in mixtures.items():
        ways[name] = coin(vae.sample(number, codes, rng=rng))
    for t in TEMPERATURES:
        ways[f"temperature_{t}"] = coin(vae.mean_image(t * z))
    return ways


def fitted_codes(
    vae: VAE, x: Tensor, num_components: int, *, rng: torch.Generator
) -> GaussianMixture:
    """A mixture of Gaussians on the codes of images."""
    mu = vae.posterior(x).mu.double()
    start = gaussian_start(mu, kmeans_plus_plus(mu, num_components, rng=rng))
    return vae.fit_codes(x, start)


def _of_draws(name: str, drawn: Tensor, digits: Digits, plan: Study) -> Named:
    real = digits.test.x[: plan.num_images]
    unused = torch.Generator()  # no p-value is asked for
    yield f"drawn.{name}.energy", energy_test(real, drawn, 1, rng=unused).statistic
    precision, recall = precision_recall(real, drawn)
    yield f"drawn.{name}.precision", 100 * precision
    yield f"drawn.{name}.recall", 100 * recall
    yield f"drawn.{name}.nearest", nearest_of(drawn, digits.train.x)[0].mean()


def class_judged(digits: Digits, x: Tensor) -> Tensor:
    """The class of each image (N, D) by its three nearest training digits; (N,)."""
    return nearest_labels(digits.train.x, digits.train.y, x, 3)


@torch.no_grad()
def _of_classes(
    model: ConditionalVAE, digits: Digits, plan: Study, *, rng: torch.Generator
) -> Named:
    """Images drawn of a class that is asked for: is it the one that is seen?"""
    y = torch.arange(plan.num_images) % NUM_CLASSES
    z = torch.randn(plan.num_images, LATENTS, generator=rng)
    mean = model.mean_image(z, one_hot(y, NUM_CLASSES).to(z))
    drawn = torch.bernoulli(mean, generator=rng)
    yield "asked.judged", 100 * (class_judged(digits, drawn) == y).double().mean()
    seen = class_judged(digits, digits.test.x)
    yield "asked.truth", 100 * (seen == digits.test.y).double().mean()
    yield from _of_draws("asked", drawn, digits, plan)


def _of_paths(
    models: Models, digits: Digits, plan: Study, *, rng: torch.Generator
) -> Named:
    """Halfway between two test digits of different classes, by each way."""
    x, y = digits.test
    first, last = paired(y, plan.num_pairs, rng=rng)
    decode = models.vae.mean_image
    with torch.no_grad():
        mu = models.vae.posterior(x).mu
    ends = mu[first], mu[last]
    ways = {
        "straight": straight_line(*ends, 17),
        "circle": great_circle(*ends, 17),
        "geodesic": geodesic(lambda z: coin_angles(decode(z)), *ends, 17),
    }
    for name, z in ways.items():
        with torch.no_grad():
            seen = decode(z)
        yield f"path.{name}.norm", z[8].norm(dim=1).mean()
        yield from _of_images(name, seen, models, digits, rng=rng)
    blend = straight_line(seen[0], seen[-1], 17)
    yield from _of_images("blend", blend, models, digits, rng=rng)


def paired(y: Tensor, num_pairs: int, *, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rows of different classes (N,), as pairs: two (P,)."""
    first = torch.randperm(len(y), generator=rng)
    last = first.roll(1)
    other = y[first] != y[last]
    return first[other][:num_pairs], last[other][:num_pairs]


def _of_images(
    name: str, seen: Tensor, models: Models, digits: Digits, *, rng: torch.Generator
) -> Named:
    """Along a path of mean images (T, N, D): its length, and how its middle looks."""
    length = path_length(coin_angles(seen))
    yield f"path.{name}.length", length.mean()
    middle = seen[len(seen) // 2]
    log_p = log_p_of_draws(models, middle, rng=rng)
    yield from with_error(f"path.{name}.middle", log_p)


def log_p_of_draws(models: Models, mean: Tensor, *, rng: torch.Generator) -> Tensor:
    """What the prototypes say of one draw of each mean image, (N, D) to (N,) nats."""
    drawn = torch.bernoulli(mean, generator=rng)
    return e_step(models.prototypes, drawn.double()).log_evidence


Attribute = Callable[[Tensor], Tensor]  # of images (N, D): (N,)
ATTRIBUTES = {"ink": ink, "slant": partial(slant, width=WIDTH)}
ASKED = 1.0  # deviations among training digits that an attribute is to rise by


@torch.no_grad()
def _of_attributes(models: Models, digits: Digits, *, rng: torch.Generator) -> Named:
    """Raise an attribute of test digits by a deviation: how much comes, is the class
    kept, and is it still a digit?"""
    before = models.vae.mean_image(models.vae.posterior(digits.test.x).mu)
    kept = class_judged(digits, before)
    for name, attribute in ATTRIBUTES.items():
        images, unit = raised(models.vae, digits, attribute)
        for way, image in images.items():
            gained = (attribute(image) - attribute(before)) / unit
            yield from with_error(f"attribute.{name}.{way}", gained)
            same = class_judged(digits, image) == kept
            yield f"attribute.{name}.{way}.kept", 100 * same.double().mean()
            log_p = log_p_of_draws(models, image, rng=rng)
            yield from with_error(f"attribute.{name}.{way}.nats", log_p)
    yield "attribute.before.nats", log_p_of_draws(models, before, rng=rng).mean()


def raised(vae: VAE, digits: Digits, attribute: Attribute) -> tuple[dict, Tensor]:
    """Mean images of test digits with more of an attribute, (N, D) by name of the way,
    and the deviation by which it was to rise.

    How far to go along a direction is found on training digits.
    """
    z, codes = (vae.posterior(part.x).mu for part in (digits.train, digits.test))
    old, images = vae.mean_image(z), vae.mean_image(codes)
    amount, y = attribute(old), digits.train.y
    unit = amount.std()
    asked = ASKED * unit.item()
    steps = {
        "across": (direction(z, amount), z, codes, vae.mean_image),
        "within": (direction(z, amount, y), z, codes, vae.mean_image),
        "pixels": (direction(old, amount, y), old, images, clipped),
    }
    found = {}
    for way, (step, known, start, moved) in steps.items():
        rise = partial(mean_rise, attribute, moved, known, step)
        found[way] = moved(start + multiple_for(rise, asked) * step)
    higher = follow_slope(lambda at: attribute(vae.mean_image(at)), codes, asked)
    return found | {"slope": vae.mean_image(higher)}, unit


def clipped(image: Tensor) -> Tensor:
    """Ink from 0 to 1."""
    return image.clamp(0, 1)


def mean_rise(
    attribute: Attribute,
    moved: Callable[[Tensor], Tensor],
    old: Tensor,
    step: Tensor,
    times: float,
) -> float:
    """By how much the attribute rises in the mean, ``times`` steps from ``old``."""
    return (attribute(moved(old + times * step)) - attribute(moved(old))).mean().item()


@torch.no_grad()
def _of_arithmetic(vae: VAE, digits: Digits) -> Named:
    """Class a, less the mean of a, plus the mean of b: is it a b? For codes and for
    images, over all pairs of classes."""
    z, x = vae.posterior(digits.train.x).mu, digits.train.x
    codes = vae.posterior(digits.test.x).mu
    of_codes, of_images = class_means(z, digits.train.y), class_means(x, digits.train.y)
    became = {"codes": [], "pixels": []}
    for a in range(NUM_CLASSES):
        own = digits.test.y == a
        for b in range(NUM_CLASSES):
            if a == b:
                continue
            step = of_codes[b] - of_codes[a]
            by_codes = vae.mean_image(codes[own] + step)
            shifted = digits.test.x[own] + of_images[b] - of_images[a]
            for way, image in {
                "codes": by_codes,
                "pixels": shifted.clamp(0, 1),
            }.items():
                became[way].append((class_judged(digits, image) == b).double().mean())
    for way, shares in became.items():
        yield f"arithmetic.{way}", 100 * torch.stack(shares).mean()


def class_means(rows: Tensor, y: Tensor) -> Tensor:
    """Mean of the rows (N, F) of each class (N,); (C, F)."""
    return torch.stack([rows[y == c].mean(0) for c in range(NUM_CLASSES)])


def _of_copies(plan: Study, seed: int, *, rng: torch.Generator) -> Named:
    """Of random folds of the training digits, so that held-out hands are the same."""
    binary = load_digits(binarize=True).train.x
    folds = torch.randperm(len(binary), generator=rng).chunk(plan.num_folds)
    for name, settings in {
        "vae": settings_of(plan),
        "by_heart": by_heart(plan),
    }.items():
        inside, outside = (torch.zeros(len(binary)).double() for _ in range(2))
        tests = []
        for place, held in enumerate(folds):
            rest = torch.cat([f for other, f in enumerate(folds) if other != place])
            fold = without_fold(rest, settings, plan, 100 * seed + place)
            inside[rest] += fold.log_p[rest] / (plan.num_folds - 1)
            outside[held] = fold.log_p[held]
            drawn = torch.bernoulli(fold.vae.sample(len(held), rng=rng), generator=rng)
            tests.append(copying(binary[rest], binary[held], drawn))
        yield from _of_copying(name, tests)
        yield from with_error(f"memory.{name}", inside - outside)
        yield f"memory.{name}.most", (inside - outside).quantile(0.95)
        yield f"memory.{name}.held_out", outside.mean()
    yield from _of_copying("copier", [of_copier(binary, f, rng=rng) for f in folds])


class Fold(NamedTuple):
    """A model that some digits were kept from, and what it says of all: (1000,)."""

    vae: VAE
    log_p: Tensor


def without_fold(rest: Tensor, settings: Settings, plan: Study, seed: int) -> Fold:
    """Trained on the training digits of those rows."""
    rng = torch.Generator().manual_seed(seed)
    x = load_digits(binarize=settings.to_pixels is None).train.x
    vae = VAE(x.shape[1], HIDDEN, LATENTS, rng=rng)
    fit(vae, x[rest], settings, rng=rng)
    binary = load_digits(binarize=True).train.x
    return Fold(vae, vae.log_evidence(binary, plan.num_samples, rng=rng).value)


def by_heart(plan: Study) -> Settings:
    """Four times as long, and always the same pixels."""
    return Settings(epochs=4 * plan.epochs)


def of_copier(binary: Tensor, held: Tensor, *, rng: torch.Generator) -> Copying:
    """The test for copies of what does copy: training digits with a few pixels
    inverted."""
    others = torch.ones(len(binary), dtype=torch.bool)
    others[held] = False
    rest = binary[others]
    rows = torch.randint(len(rest), (len(held),), generator=rng)
    return copying(rest, binary[held], flip_pixels(rest[rows], BLUNT, rng=rng))


def _of_copying(name: str, tests: list[Copying]) -> Named:
    """Mean over folds of the chance, and z of all folds together."""
    yield f"copies.{name}", sum(t.farther for t in tests) / len(tests)
    yield f"copies.{name}.z", sum(t.z for t in tests) / len(tests) ** 0.5
