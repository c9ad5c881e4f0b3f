r"""What tells that a digit is none of ours, and training with holes (chapter 13)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaebook.applications.report import SHAPE, Named, with_error
from vaebook.applications.representation import fit_probe
from vaebook.datasets import Digits, Split, binarize_noisily, load_digits
from vaebook.evaluation import auroc, typicality
from vaebook.generation.anomalies import far_from, log_ratio
from vaebook.generation.incomplete import IncompleteVAE
from vaebook.likelihood import bernoulli_log_prob
from vaebook.map_estimation import Beta, fit_bernoulli_map
from vaebook.training import Settings, fit
from vaebook.vae import VAE

LATENTS = 8
HIDDEN = 128, 128
TAU = 0.3  # of the classifier's prior, as chapter 12 chose for as many labels


@dataclass(frozen=True)
class Study:
    """How much is run: the whole by default, seconds of it for a test.

    Attributes
    ----------
    seeds : tuple of int
    epochs : int
        Of each model that a class is kept from.
    num_steps : int
        Of each model of digits with missing pixels.
    classes : tuple of int
        Which are left out of training, one at a time.
    num_images : int
        Of the test digits.
    num_samples : int
        Of the bound on log p(x).
    num_drawn : int
        Images whose ink is measured.
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    epochs: int = 400
    num_steps: int = 4000
    classes: tuple[int, ...] = tuple(range(10))
    num_images: int = 447
    num_samples: int = 500
    num_drawn: int = 2000


BRIEF = Study(
    seeds=(0,),
    epochs=1,
    num_steps=10,
    classes=(3,),
    num_images=60,
    num_samples=5,
    num_drawn=10,
)


def of_one_seed(plan: Study, seed: int) -> Named:
    """Numbers by name: ``left_out`` and ``altered`` are areas under the curve,
    ``missing`` nats for a whole test digit; ``error`` is over digits."""
    for left_out in plan.classes:
        yield from _of_class(plan, left_out, seed)
    yield from _of_altered(plan, seed)
    yield from _of_missing(plan, seed)


def settings_of(plan: Study) -> Settings:
    """How every model of this study is trained."""
    return Settings(epochs=plan.epochs, to_pixels=binarize_noisily)


def without(split: Split, left_out: int) -> Split:
    """The images that are of another class."""
    rest = split.y != left_out
    return Split(split.x[rest], split.y[rest])


def trained_vae(x: Tensor, plan: Study, *, rng: torch.Generator) -> VAE:
    """A VAE of grey digits (N, D)."""
    vae = VAE(x.shape[1], HIDDEN, LATENTS, rng=rng)
    fit(vae, x, settings_of(plan), rng=rng)
    return vae


def _of_class(plan: Study, left_out: int, seed: int) -> Named:
    """A model that never saw a class: is that class told from the others?"""
    rng = torch.Generator().manual_seed(seed)
    grey = without(load_digits(binarize=False).train, left_out)
    vae = trained_vae(grey.x, plan, rng=rng)
    digits = load_digits(binarize=True)
    x, y = (part[: plan.num_images] for part in digits.test)
    ours = Digits(*(without(part, left_out) for part in digits))
    for name, score in scores(vae, ours, x, plan.num_samples, rng=rng).items():
        found = auroc(score[y != left_out], score[y == left_out])
        yield f"left_out.{name}.{left_out}", found


def _of_altered(plan: Study, seed: int) -> Named:
    """A model of all classes: are digits told from what was made of them?"""
    rng = torch.Generator().manual_seed(seed)
    vae = trained_vae(load_digits(binarize=False).train.x, plan, rng=rng)
    digits = load_digits(binarize=True)
    x = digits.test.x[: plan.num_images]
    real = scores(vae, digits, x, plan.num_samples, rng=rng)
    for kind, images in altered(vae, x).items():
        for name, score in scores(
            vae, digits, images, plan.num_samples, rng=rng
        ).items():
            yield f"altered.{name}.{kind}", auroc(real[name], score)


@torch.no_grad()
def altered(vae: VAE, x: Tensor) -> dict[str, Tensor]:
    """What chapter 11 found hard to tell from digits (N, D), by name; (N, D) each."""
    square = x.unflatten(1, SHAPE)
    half = x.shape[1] // 2
    return {
        "half": torch.cat([x[:, :half], 0 * x[:, half:]], 1),
        "mirrored": square.flip(2).flatten(1),
        "upside_down": square.flip(1).flatten(1),
        "smoothed": (vae.reconstruct(x) > 0.5).to(x),
    }


@torch.no_grad()
def scores(
    vae: VAE, ours: Digits, x: Tensor, num_samples: int, *, rng: torch.Generator
) -> dict[str, Tensor]:
    """Scores by name, higher where an image (N, D) seems to be none of ours; (N,).

    ``ours`` are digits of the classes that the model was trained on.
    """
    log_p = vae.log_evidence(x, num_samples, rng=rng).value
    usual = vae.log_evidence(ours.validation.x, num_samples, rng=rng).value
    coins = fit_bernoulli_map(ours.train.x, Beta(2.0, 2.0))
    background = bernoulli_log_prob(x, torch.logit(coins.probs))
    terms = vae.elbo_terms(x, 100, rng=rng)
    codes, new = vae.posterior(ours.train.x).mu, vae.posterior(x).mu
    return {
        "log_p": -log_p,
        "typicality": typicality(log_p, usual),
        "rebuilt": -terms.expected_log_lik,
        "kl": terms.kl,
        "ratio": log_ratio(log_p, background),
        "coins": -background,
        "ink": x.sum(1),
        "pixels": far_from(ours.train.x, x),
        "codes": far_from(codes, new),
        "doubt": doubt(ours.train, x),
    }


@torch.enable_grad()
def doubt(told: Split, x: Tensor) -> Tensor:
    """How unsure a classifier is that was told the classes: minus the log-probability
    of the one it names, (N, D) to (N,). Of Hendrycks and Gimpel (2017)."""
    known, classes = told.y.unique(return_inverse=True)
    probe = fit_probe(told.x, classes, TAU, len(known))
    return -probe.log_probs(x.double()).max(1).values


def by_chance(x: Tensor, *, rng: torch.Generator) -> Tensor:
    """Nine of ten images lose half of their pixels, whichever: 1 where seen."""
    whole = torch.rand(len(x), 1, generator=rng) < 0.1
    return (whole | (torch.rand(x.shape, generator=rng) < 0.5)).to(x)


def by_the_seen(x: Tensor, *, rng: torch.Generator) -> Tensor:
    """Images with much ink in their upper half lose the lower: 1 where seen.

    Which are whole depends on pixels, but on none that is hidden.
    """
    half = x.shape[1] // 2
    much = x[:, :half].sum(1) > x[:, :half].sum(1).quantile(0.2)
    seen = torch.ones_like(x)
    seen[much, half:] = (torch.rand(int(much.sum()), half, generator=rng) < 0.2).to(x)
    return seen


def by_the_hidden(x: Tensor, *, rng: torch.Generator) -> Tensor:
    """Nine of ten images lose half of their lit pixels, no dark one: 1 where seen."""
    whole = torch.rand(len(x), 1, generator=rng) < 0.1
    lost = torch.rand(x.shape, generator=rng) < 0.5 * x
    return (whole | ~lost).to(x)


MECHANISMS = {"chance": by_chance, "seen": by_the_seen, "hidden": by_the_hidden}


def _of_missing(plan: Study, seed: int) -> Named:
    """Train on digits with holes, score whole ones."""
    grey, digits = load_digits(binarize=False).train.x, load_digits()
    test = digits.test.x[: plan.num_images]
    for mechanism, hide in MECHANISMS.items():
        rng = torch.Generator().manual_seed(seed)
        seen = hide(digits.train.x, rng=rng)
        yield f"missing.{mechanism}.hidden", 100 * (1 - seen).mean()
        yield f"missing.{mechanism}.ink", digits.train.x.sum(1).mean()
        yield f"missing.{mechanism}.whole", seen.all(1).sum()
        for way, (data, mask) in ways_of(grey, seen).items():
            model, num_steps = best_of(data, mask, plan, seed)
            log_p = model.log_evidence(test, plan.num_samples, rng=rng).value
            yield from with_error(f"missing.{mechanism}.{way}", -log_p)
            yield f"missing.{mechanism}.{way}.steps", num_steps
            drawn = model.sample(plan.num_drawn, rng=rng)
            yield f"missing.{mechanism}.{way}.ink", drawn.sum(1).mean()


def ways_of(grey: Tensor, seen: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """What to do about holes, by name: ink, and which pixels count; (N, D) each."""
    every = torch.ones_like(grey)
    mean = (grey * seen).sum(0) / seen.sum(0).clamp(min=1)
    whole = seen.all(1)
    return {
        "nothing_missing": (grey, every),
        "complete_cases": (grey[whole], every[whole]),
        "zeros": (grey * seen, every),
        "filled": (torch.where(seen > 0, grey, mean), every),
        "bound": (grey * seen, seen),
    }


def best_of(
    grey: Tensor, seen: Tensor, plan: Study, seed: int
) -> tuple[IncompleteVAE, int]:
    """Trained for few steps or many, whichever is better on whole validation digits,
    and how many that were."""
    x, found = load_digits().validation.x, {}
    for num_steps in (plan.num_steps // 4 or 1, plan.num_steps):
        model = trained_on(grey, seen, num_steps, seed)
        rng = torch.Generator().manual_seed(seed)
        bound = model.log_evidence(x, plan.num_samples, rng=rng).value.mean()
        found[bound.item()] = model, num_steps
    return found[max(found)]


def trained_on(grey: Tensor, seen: Tensor, num_steps: int, seed: int) -> IncompleteVAE:
    """A model of images (N, D) of which ``seen`` says which pixels are there; as many
    steps however few they are."""
    rng = torch.Generator().manual_seed(seed)
    model = IncompleteVAE(grey.shape[1], HIDDEN, LATENTS, rng=rng)
    batch_size = min(100, len(grey))
    settings = Settings(
        epochs=-(-num_steps // (len(grey) // batch_size)),
        batch_size=batch_size,
        to_pixels=binarize_noisily,
    )
    fit(model, (grey, seen), settings, rng=rng)
    return model
