r"""The long runs of chapter 12, over seeds: every number with a name (chapter 12)."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from vaebook.applications.baselines import (
    exact_draws,
    image_laws,
    plain_enlargements,
)
from vaebook.applications.measurements import (
    Measurement,
    gaussian_blur,
    keep_pixels,
    mean_pool,
)
from vaebook.applications.quality import psnr, squared_error
from vaebook.applications.report import (
    SHAPE,
    Answer,
    Case,
    Named,
    detail,
    energy,
    own_class,
    told_of_all,
    told_of_one,
    with_error,
)
from vaebook.applications.restoration import (
    GreyRestoration,
    exact_log_hidden,
    exact_restoration,
    log_predictive,
    unseen_directions,
)
from vaebook.applications.restorers import (
    Chains,
    gibbs,
    hmc,
    most_probable,
    resampled,
    spread_states,
)
from vaebook.datasets import Digits, Split, disturb, load_digits, relative_spread
from vaebook.evaluation import Search, split_r_hat
from vaebook.training import Settings, fit
from vaebook.vae import GaussianVAE


@dataclass(frozen=True)
class Recipe:
    """How the model of grey digits is made; chosen on validation images."""

    latent_dim: int = 64
    width: int = 256
    noise: float = 0.12
    per_pixel: bool = True
    epochs: int = 1600


RECIPES = {
    "undisturbed": Recipe(noise=0.0),
    "one_width": Recipe(per_pixel=False),
    "few_latents": Recipe(latent_dim=8),
    "brief": Recipe(epochs=400),
    "chosen": Recipe(),
}
LED = 20  # steps of pseudo-Gibbs, without which the corrected chain hardly moves


@dataclass(frozen=True)
class Study:
    """How much is run: the whole by default, seconds of it for a test.

    Attributes
    ----------
    epochs : int, optional
        In place of the recipe's.
    seeds : tuple of int
    num_images : int
        Of the test digits, and of those to choose on.
    num_chains, num_before, num_steps : int
        Of each image.
    num_draws : int
        Of those states, to look at one by one.
    num_blind : int
        Codes of the prior, to be resampled.
    num_climb : int
        Steps to the most probable code.
    """

    epochs: int | None = None
    seeds: tuple[int, ...] = (0, 1, 2)
    num_images: int = 447
    num_chains: int = 8
    num_before: int = 300
    num_steps: int = 200
    num_draws: int = 199
    num_blind: int = 20_000
    num_climb: int = 1000


BRIEF = Study(
    epochs=1,
    seeds=(0,),
    num_images=5,
    num_chains=4,
    num_before=4,
    num_steps=20,
    num_draws=19,
    num_blind=50,
    num_climb=5,
)


def measurements() -> dict[str, Measurement]:
    """What is measured of 8 by 8 images: 4 by 4 means, the upper half, a blur."""
    upper = torch.arange(8)[:, None].expand(SHAPE) < 4
    return {
        "enlarged": Measurement(mean_pool(*SHAPE, 2)),
        "completed": Measurement(keep_pixels(upper)),
        "deblurred": Measurement(gaussian_blur(*SHAPE, 1.0), 0.05),
    }


def first_of(num_images: int) -> Digits:
    """Grey digits: all to train on, so many to choose on and to test."""
    grey = load_digits(binarize=False)
    few = [Split(x[:num_images], y[:num_images]) for x, y in grey[1:]]
    return Digits(grey.train, *few)


def of_one_seed(plan: Study, seed: int) -> Named:
    """Numbers by name: ratios in dB, densities in nats; ``error`` is over images."""
    digits = first_of(plan.num_images)
    rng = torch.Generator().manual_seed(seed)
    for name, recipe in RECIPES.items():
        model = by_recipe(recipe, digits.train.x, seed, epochs=plan.epochs)
        yield from _of_recipe(name, model, digits.validation.x, plan, rng=rng)

    for name, measurement in measurements().items():
        y = measurement.observe(digits.test.x, rng=rng)
        case = Case(name, measurement, digits, y)
        gaussian = yield from _by_laws(case, plan, rng=rng)
        answer = yield from _by_model(case, model, gaussian, plan, rng=rng)
        if name == "enlarged":
            yield from _by_repetition(case)
            yield from _by_other_ways(case, model, answer.mean, plan, rng=rng)


def by_recipe(
    recipe: Recipe, x: Tensor, seed: int, *, epochs: int | None = None
) -> GaussianVAE:
    """The model of a recipe, trained on grey digits (N, 64)."""
    rng = torch.Generator().manual_seed(seed)
    hidden = recipe.width, recipe.width
    sizes = x.shape[1], hidden, recipe.latent_dim
    model = GaussianVAE(*sizes, per_pixel=recipe.per_pixel, rng=rng)
    noise = recipe.noise * relative_spread(x) if recipe.per_pixel else recipe.noise
    settings = Settings(
        epochs=epochs or recipe.epochs,
        weight_decay=0.05,
        to_pixels=partial(disturb, noise=noise),
    )
    fit(model, x, settings, rng=rng)
    return model


def _of_recipe(
    name: str, model: GaussianVAE, x: Tensor, plan: Study, *, rng: torch.Generator
) -> Named:
    """What the choice is made by: the posterior mean of enlarged validation digits."""
    pool = measurements()["enlarged"]
    task = GreyRestoration(model, pool, pool.means(x))
    fewer = replace(plan, num_chains=plan.num_chains // 2)
    answer, chains = answered(task, fewer, rng=rng)
    yield f"recipe.{name}.validation", psnr(squared_error(answer.mean, x)).mean
    yield f"recipe.{name}.r_hat", split_r_hat(chains.z).median()
    yield f"recipe.{name}.sigma", task.var.mean().sqrt()


def begun(task: GreyRestoration, plan: Study, *, rng: torch.Generator) -> Tensor:
    """Where chains begin: codes of the prior, (S, N, L)."""
    blind = task.model.prior_draws(plan.num_chains * task.num_images, rng=rng)
    return blind.unflatten(0, (plan.num_chains, task.num_images))


def walked(
    task: GreyRestoration,
    plan: Study,
    *,
    annealed: bool = True,
    rng: torch.Generator,
) -> Chains:
    """By Hamiltonian Monte Carlo, as long as the plan says."""
    z, num_before = begun(task, plan, rng=rng), plan.num_before
    return hmc(
        task, z, plan.num_steps, num_before=num_before, annealed=annealed, rng=rng
    )


@torch.no_grad()
def answered(
    task: GreyRestoration, plan: Study, *, rng: torch.Generator
) -> tuple[Answer, Chains]:
    """The posterior's mean and draws of it, and the chains behind them."""
    chains = walked(task, plan, rng=rng)
    kept = spread_states(chains, plan.num_draws)
    return Answer(mean_of(task, chains.z), task.draw_image(kept, rng=rng)), chains


@torch.no_grad()
def mean_of(task: GreyRestoration, z: Tensor) -> Tensor:
    """E[x|y] by states (T, S, N, L): (N, D)."""
    return torch.stack([task.mean_image(some).mean(0) for some in z]).mean(0)


def _by_laws(
    case: Case, plan: Study, *, rng: torch.Generator
) -> Generator[tuple[str, float], None, Answer]:
    """By Gaussian laws of images, exactly; returns the answer of the last."""
    measurement = case.measurement
    for law_name, law in image_laws(case.digits.train.x).items():
        name = f"{case.name}.{law_name}"
        exact = exact_restoration(law, measurement, case.y.double())
        answer = Answer(exact.mu, exact_draws(exact, plan.num_draws, rng=rng))
        yield from told_of_all(name, case, answer)

        if len(unseen_directions(measurement.weights)):
            log_p = exact_log_hidden(exact, measurement, case.digits.test.x.double())
            yield from with_error(f"{name}.log_hidden", log_p)
    return answer


def _by_model(
    case: Case,
    model: GaussianVAE,
    gaussian: Answer,
    plan: Study,
    *,
    rng: torch.Generator,
) -> Generator[tuple[str, float], None, Answer]:
    """By the VAE, and how much nearer its mean is than that of a Gaussian."""
    name, task = f"{case.name}.vae", GreyRestoration(model, case.measurement, case.y)
    answer, chains = answered(task, plan, rng=rng)
    yield from told_of_all(name, case, answer)
    won = case.errors(gaussian.mean) - case.errors(answer.mean)
    yield from with_error(f"{name}.won", won)
    yield from _of_chains(name, task, chains, case.digits.test.x)

    climb = Search(num_steps=plan.num_climb)
    best = most_probable(task, begun(task, plan, rng=rng), climb)
    kept = spread_states(chains, plan.num_draws)
    with torch.no_grad():
        highest, without_noise = task.mean_image(best), task.mean_image(kept)
    yield from told_of_one(f"{name}.map", case, highest)
    yield from told_of_one(f"{name}.clean", case, without_noise[0])
    yield f"{name}.draws.own_class", own_class(case.digits, without_noise)
    yield f"{name}.detail", detail(case, answer.mean, without_noise)
    return answer


def _of_chains(name: str, task: GreyRestoration, chains: Chains, x: Tensor) -> Named:
    """Whether chains agree, and what they say of what was not seen of images (N, D)."""
    yield f"{name}.acceptance", chains.accept.mean()
    r_hat = split_r_hat(chains.z)  # (N, L)
    yield f"{name}.r_hat", r_hat.median()
    yield f"{name}.mixed", (r_hat.amax(1) < 1.1).double().mean()
    yield f"{name}.unequal", unequal(task, chains)
    if len(task.unseen):
        log_p = log_predictive(task, x, chains.z.flatten(0, 1))
        yield from with_error(f"{name}.log_hidden", log_p)
        half = log_predictive(task, x, chains.z[::2].flatten(0, 1))
        yield f"{name}.log_hidden.half", half.mean()


@torch.no_grad()
def unequal(task: GreyRestoration, chains: Chains) -> Tensor:
    """By how much the chain with the highest mean of log p(y, z) is above the lowest,
    nats, a mean over images: large where some climbed a poor hill."""
    height = torch.stack([task.log_prob(z) for z in chains.z]).mean(0)  # (S, N)
    return (height.amax(0) - height.amin(0)).mean()


def _by_repetition(case: Case) -> Named:
    """Baselines without a model, and the digits themselves."""
    for name, found in plain_enlargements(case.y).items():
        yield from told_of_one(f"{case.name}.{name}.mean", case, found)
    yield "truth.own_class", own_class(case.digits, case.digits.test.x[None])
    yield "truth.energy", energy(case.digits, case.digits.test.x)


def _by_other_ways(
    case: Case, model: GaussianVAE, mean: Tensor, plan: Study, *, rng: torch.Generator
) -> Named:
    """The posterior mean, and how far it is from that of Hamiltonian Monte Carlo."""
    task, x = GreyRestoration(model, case.measurement, case.y), case.digits.test.x
    blind = resampled(task, plan.num_blind, plan.num_draws, rng=rng)
    yield from _way("resampled", x, mean_of(task, blind.z[None]), mean)
    yield "ways.resampled.ess", blind.ess.median()
    for way, corrected in {"pseudo": False, "corrected": True}.items():
        z = begun(task, plan, rng=rng)
        z = gibbs(task, z, LED, corrected=False, rng=rng).z[-1]
        run = gibbs(task, z, 2 * plan.num_steps, corrected=corrected, rng=rng)
        late = run._replace(z=run.z[plan.num_steps :])
        yield from _way_of_chains(way, task, late, x, mean)
    run = walked(task, plan, annealed=False, rng=rng)
    yield from _way_of_chains("abrupt", task, run, x, mean)


def _way_of_chains(
    name: str, task: GreyRestoration, chains: Chains, x: Tensor, mean: Tensor
) -> Named:
    yield from _way(name, x, mean_of(task, chains.z), mean)
    yield f"ways.{name}.acceptance", chains.accept.mean()
    yield f"ways.{name}.r_hat", split_r_hat(chains.z).median()
    yield f"ways.{name}.unequal", unequal(task, chains)


def _way(name: str, x: Tensor, found: Tensor, mean: Tensor) -> Named:
    yield f"ways.{name}.psnr", psnr(squared_error(found, x)).mean
    yield f"ways.{name}.apart", squared_error(found, mean).mean().sqrt()
