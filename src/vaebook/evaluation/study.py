r"""The long runs of chapter 11, over seeds: every number with a name (chapter 11)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from vaebook.datasets import binarize_noisily, load_digits
from vaebook.evaluation.annealing import annealed_log_evidence
from vaebook.evaluation.gradients import doubly_reparameterized
from vaebook.evaluation.latents import active_units, kl_parts
from vaebook.evaluation.ledger import Ledger, agreement, gap_ledger
from vaebook.evaluation.priors import MixturePriorVAE
from vaebook.evaluation.proposals import (
    PerImage,
    mixture_log_evidence,
    refine_from_several,
    widened,
)
from vaebook.evaluation.quadrature import grid_log_evidence
from vaebook.protocols import Objective
from vaebook.training import Settings, fit
from vaebook.vae import VAE, LatentModel, Posterior

HIDDEN = (128, 128)


@dataclass(frozen=True)
class Study:
    """How much is run: the whole by default, seconds of it for a test.

    Attributes
    ----------
    epochs, brief_epochs : int
        Of the chapter's models, and of those that are only compared with each other.
    seeds : tuple of int
    num_images : int
        Of the test digits.
    num_samples : int
        Draws for each estimate of the evidence.
    num_temperatures, num_chains : int
        Of annealing.
    betas : tuple of float
        Weights of the KL.
    """

    epochs: int = 600
    brief_epochs: int = 200
    seeds: tuple[int, ...] = (0, 1, 2)
    num_images: int = 447
    num_samples: int = 4000
    num_temperatures: int = 1000
    num_chains: int = 16
    betas: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)


BRIEF = Study(
    epochs=2,
    brief_epochs=1,
    seeds=(0,),
    num_images=4,
    num_samples=40,
    num_temperatures=5,
    num_chains=2,
    betas=(0.5, 1.0),
)


class Data:
    """The digits: grey ones to train on, binary ones to score."""

    def __init__(self, num_images: int) -> None:
        binary, grey = load_digits(binarize=True), load_digits(binarize=False)
        self.train, self.seen = grey.train.x, binary.train.x
        self.validation = binary.validation.x[:num_images]
        self.test = binary.test.x[:num_images]


def of_one_seed(plan: Study, seed: int) -> Iterator[tuple[str, float | str]]:
    """Numbers by name, and pictures as hexadecimal bytes.

    Scores, gaps and divergences are means over images in nats; ``error`` is a standard
    error over draws.
    """
    data = Data(plan.num_images)
    long = Settings(epochs=plan.epochs, to_pixels=binarize_noisily)
    models = {dim: _trained(VAE, data, long, seed, latent_dim=dim) for dim in (2, 8)}
    for dim, model in models.items():
        yield from _evidence(f"latents_{dim}", model, data.test, plan, seed)
    yield from _priors(models[8], data, long, seed)

    brief = replace(long, epochs=plan.brief_epochs)
    yield from _objectives(data, brief, seed)
    for beta in plan.betas:
        yield from _weighted(beta, data, brief, seed)


def _trained(
    make: Callable[..., VAE],
    data: Data,
    settings: Settings,
    seed: int,
    latent_dim: int = 8,
) -> VAE:
    rng = torch.Generator().manual_seed(seed)
    model = make(64, HIDDEN, latent_dim, rng=rng)
    fit(model, data.train, settings, rng=rng)
    return model


def _score(model: LatentModel, x: Tensor, num_samples: int = 2000) -> float:
    rng = torch.Generator().manual_seed(0)
    return -model.log_evidence(x, num_samples, rng=rng).value.mean().item()


def _evidence(
    name: str, model: LatentModel, x: Tensor, plan: Study, seed: int
) -> Iterator[tuple[str, float]]:
    """The ledger of the test images, then each evaluator against the best one."""
    rng = torch.Generator().manual_seed(seed)
    several = refine_from_several(model, x, rng=rng)
    found = [
        mixture_log_evidence(model, x, widened(several), plan.num_samples, rng=rng)
        for _ in range(2)
    ]
    best = found[0]
    if model.latent_dim == 2:
        exact = grid_log_evidence(model, x)
        best = PerImage(exact, torch.zeros_like(exact))
        yield from _off(f"{name}.mixture", found[0], best)
        found = [best, best]
    yield f"{name}.score", -best.value.mean()
    refined = Posterior(several.mu[0], several.log_var[0])
    ledger = gap_ledger(model, x, refined, tuple(found), rng=rng)
    yield from _gaps(name, ledger)
    yield from _evaluators(name, model, x, best, plan, rng=rng)


def _gaps(name: str, ledger: Ledger) -> Iterator[tuple[str, float]]:
    for part, gap in ledger._asdict().items():
        yield f"{name}.{part}", gap.value.mean()
    left = agreement(ledger.monte_carlo)
    yield f"{name}.monte_carlo.error", left.standard_error
    yield f"{name}.monte_carlo.beyond", left.beyond


def _evaluators(
    name: str,
    model: LatentModel,
    x: Tensor,
    best: PerImage,
    plan: Study,
    *,
    rng: torch.Generator,
) -> Iterator[tuple[str, float]]:
    bound = model.log_evidence(x, 5000, rng=rng)
    yield from _off(f"{name}.weighted", PerImage(*bound[:2]), best)
    sizes = plan.num_temperatures, plan.num_chains
    annealed = annealed_log_evidence(model, x, *sizes, rng=rng)
    yield from _off(f"{name}.annealed", PerImage(*annealed.bound[:2]), best)
    yield f"{name}.annealed.acceptance", annealed.acceptance.mean()


def _off(name: str, found: PerImage, best: PerImage) -> Iterator[tuple[str, float]]:
    """By how much an evaluator is above the best, on average, and how often far off."""
    error = (found.standard_error.square() + best.standard_error.square()).sqrt()
    off = agreement(PerImage(found.value - best.value, error))
    yield f"{name}.off", off.mean
    yield f"{name}.error", off.standard_error
    yield f"{name}.beyond", off.beyond


def _priors(
    plain: VAE, data: Data, settings: Settings, seed: int
) -> Iterator[tuple[str, float]]:
    """What a mixture of twenty Gaussians for a prior buys."""
    make = partial(_with_mixture, num_components=20)
    learned = _trained(make, data, settings, seed)
    for name, model in {"plain": plain, "mixture": learned}.items():
        rng = torch.Generator().manual_seed(seed)
        parts = kl_parts(model, data.seen, rng=rng)
        yield f"prior_{name}.test", _score(model, data.test)
        yield f"prior_{name}.validation", _score(model, data.validation)
        yield f"prior_{name}.information", parts.information.mean
        yield f"prior_{name}.marginal", parts.marginal.mean
        yield f"prior_{name}.active", active_units(model.posterior(data.seen)).sum()


def _with_mixture(
    data_dim: int,
    hidden: tuple[int, ...],
    latent_dim: int,
    *,
    num_components: int,
    rng: torch.Generator,
) -> MixturePriorVAE:
    return MixturePriorVAE(data_dim, hidden, latent_dim, num_components, rng=rng)


def _objectives(
    data: Data, settings: Settings, seed: int
) -> Iterator[tuple[str, float]]:
    """The same model by three gradients: validation and test scores."""

    def five_draws(model: VAE, x: Tensor, *, rng: torch.Generator):  # noqa: ANN202
        return model.iw_terms(x, 5, rng=rng)

    ways: dict[str, Objective | None] = {
        "elbo": None,
        "five_draws": five_draws,
        "five_draws_dreg": doubly_reparameterized(5),
    }
    for name, objective in ways.items():
        changed = replace(settings, objective=objective) if objective else settings
        model = _trained(VAE, data, changed, seed)
        yield f"{name}.validation", _score(model, data.validation)
        yield f"{name}.test", _score(model, data.test)


def _weighted(
    beta: float, data: Data, settings: Settings, seed: int
) -> Iterator[tuple[str, float | str]]:
    """Rate and distortion at one weight of the KL, on the validation images."""
    changed = replace(settings, kl_weight=lambda done: beta)
    model, x = _trained(VAE, data, changed, seed), data.validation
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        terms = model.elbo_terms(x, 20, rng=rng)
        q = model.posterior(data.seen)
    yield f"beta_{beta:g}.rate", terms.kl.mean()
    yield f"beta_{beta:g}.distortion", -terms.expected_log_lik.mean()
    yield f"beta_{beta:g}.validation", _score(model, x)
    yield f"beta_{beta:g}.active", active_units(q).sum()
    if seed == 0:
        shown = {"rebuilt": model.reconstruct(x[:8]), "drawn": model.sample(8, rng=rng)}
        for what, images in shown.items():
            ink = (255 * images.clamp(0, 1)).round().byte().flatten().tolist()
            yield f"beta_{beta:g}.{what}", bytes(ink).hex()
