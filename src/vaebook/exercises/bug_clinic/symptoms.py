"""What a fault does to real digits: a patient and the mended function side by side."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from vaebook.applications import nearest_labels
from vaebook.datasets import Split, binarize_noisily, load_digits
from vaebook.exercises.bug_clinic import patients, scores, steps, tables
from vaebook.exercises.bug_clinic.script import EPOCHS, LATENTS, Run, Script, run
from vaebook.linear_vae import ppca, spectrum
from vaebook.monte_carlo import log_mean_exp

Numbers = dict[str, float]
DRAWS = 500  # of the code, for log p(x)
SCRIPTS = {
    1: Script(loss=patients.patient_1),
    2: Script(loss=patients.patient_2),
    3: Script(loss=patients.patient_3),
    4: Script(loss=patients.patient_4),
    5: Script(loss=patients.patient_5),
    6: Script(draw=patients.patient_6),
    7: Script(draw=patients.patient_7),
    8: Script(draw=patients.patient_8),
    9: Script(heads=patients.patient_9),
    14: Script(step=patients.patient_14),
}


class Seen(NamedTuple):
    """What a script says of itself, and what the book says of its model, in nats.

    Attributes
    ----------
    loss : float
        Of the last epoch, training digits.
    elbo, kl : float
        Of the same digits; nan where the model's numbers are no longer finite.
    log_p : float
        Of validation digits, or nan.
    """

    loss: float
    elbo: float
    kl: float
    log_p: float


@torch.no_grad()
def seen_of(trained: Run, x: Tensor, others: Tensor, seed: int) -> Seen:
    """The bound from 20 draws an image (N, D), and log p(x) of others from more."""
    rng = torch.Generator().manual_seed(seed)
    terms = trained.model.elbo_terms(x, 20, rng=rng)
    log_w = trained.model.log_weights(others, DRAWS, rng=rng)
    finite = (log_w < math.inf).all()
    log_p = log_mean_exp(log_w) if finite else torch.tensor(math.nan)
    found = [part.mean().item() for part in (terms.elbo, terms.kl, log_p)]
    return Seen(
        trained.losses[-1].item(),
        *(value if math.isfinite(value) else math.nan for value in found),
    )


def trained_as(script: Script, seed: int, epochs: int = EPOCHS) -> tuple[Run, Seen]:
    """A script run on the binary training digits, and what is seen of it."""
    digits = load_digits()
    found = run(script, digits.train.x, seed=seed, epochs=epochs)
    return found, seen_of(found, digits.train.x, digits.validation.x, seed)


@torch.no_grad()
def images_of(script: Script, trained: Run, x: Tensor, seed: int) -> dict[str, Tensor]:
    """Images (N, D), what the script rebuilds of them, and as many drawn by it.

    As probabilities of pixels, nan where the nets give none. They are rebuilt from a
    draw of the code as the script draws it.
    """
    rng = torch.Generator().manual_seed(seed)
    model = trained.model
    prior = torch.randn(len(x), LATENTS, generator=rng)
    z = script.draw(*model.encoder(x), rng)
    rebuilt, drawn = (model.mean_image(codes) for codes in (z, prior))
    return {"given": x, "rebuilt": rebuilt, "drawn": drawn}


def learned_widths(loss: Callable[..., Tensor], num_steps: int) -> Tensor:
    """A Gaussian for each pixel of grey digits, learned by Adam: its loss by step."""
    x = load_digits(binarize=False).train.x
    mean, log_var = (torch.zeros(64, requires_grad=True) for _ in range(2))
    optimizer = torch.optim.Adam([mean, log_var], lr=0.1)

    def of_all() -> Tensor:
        return loss(x, mean.expand_as(x), log_var).mean()

    return torch.stack([steps.step(optimizer, of_all) for _ in range(num_steps)])


def cost_of_grey(x: Tensor) -> float:
    """Nats of an image (N, D) from coins that are lit as often as it has ink."""
    given = torch.special.xlogy(x, x) + torch.special.xlogy(1 - x, 1 - x)
    return -given.sum(1).mean().item()


def net_with_dropout(seed: int) -> nn.Module:
    """A classifier of the training digits, trained with dropout."""
    x, y = load_digits().train
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # layers and dropout draw from torch's own generator
        layers = nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10)
        net = nn.Sequential(*layers)
        optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
        for _ in range(200):
            steps.step(optimizer, lambda: cross_entropy(net(x), y))
    return net


def nats_of_classes(
    ask: Callable[[nn.Module, Tensor], Tensor], times: int, seed: int
) -> Tensor:
    """-log p(class) of a test digit, by :func:`net_with_dropout`: (times,) answers."""
    x, y = load_digits().test
    net = net_with_dropout(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.stack([cross_entropy(ask(net, x), y) for _ in range(times)])


def spreadsheet(part: Split) -> Tensor:
    """Index, pixels, and the class in ten columns: (N, 75)."""
    index = torch.arange(len(part.x))[:, None]
    return torch.cat([index, part.x, one_hot(part.y, 10)], 1).float()


def named_by_codes(
    columns: Callable[[Tensor], Tensor], seed: int, epochs: int = EPOCHS
) -> float:
    """Test digits, in per cent, whose nearest training code is of their class.

    The codes are of a script that was trained on what ``columns`` takes from the
    spreadsheet.
    """
    digits = load_digits()
    train, test = (columns(spreadsheet(part)) for part in (digits.train, digits.test))
    model = run(Script(), train, seed=seed, epochs=epochs).model
    with torch.no_grad():
        codes, new = (model.posterior(x).mu for x in (train, test))
    found = nearest_labels(codes, digits.train.y, new, 1)
    return 100 * (found == digits.test.y).double().mean().item()


def nats_of_scaled(scale: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> float:
    """-log density of a grey test digit after scaling, by eight principal components.

    Per ink, not per scaled unit: the logarithm of each pixel's scale is counted.
    """
    grey = load_digits(binarize=False)
    near, far = scale(grey.train.x.double(), grey.test.x.double())
    law = ppca(spectrum(near), 8).marginal()
    density = torch.distributions.MultivariateNormal(*law)
    ink, units = (v.max(0).values - v.min(0).values for v in (grey.test.x, far))
    lit = ink > 0  # elsewhere no scale can be read off
    return (ink[lit] / units[lit]).log().sum().item() - density.log_prob(
        far
    ).mean().item()


def nats_of_copies(
    divide: Callable[..., tuple[Tensor, Tensor]], seed: int, epochs: int = EPOCHS // 2
) -> Numbers:
    """-ELBO of held-out copies and of other people's digits, by a script trained on ten
    noisy copies of each training digit."""
    digits, grey = load_digits(), load_digits(binarize=False)
    rng = torch.Generator().manual_seed(seed)
    copies = binarize_noisily(grey.train.x.repeat_interleave(10, 0), rng=rng)
    rows, held = divide(len(grey.train.x), 10, rng)
    model = run(Script(), copies[rows], seed=seed, epochs=epochs).model
    with torch.no_grad():
        return {
            name: -model.elbo_terms(x, 20, rng=rng).elbo.mean().item()
            for name, x in {
                "held_out": copies[held],
                "others": digits.validation.x,
            }.items()
        }


def nats_of_test(seed: int, epochs: int = EPOCHS) -> Numbers:
    """A healthy model's bounds on test digits, right and wrong: by name."""
    x = load_digits().test.x
    model = run(Script(), load_digits().train.x, seed=seed, epochs=epochs).model
    rng = torch.Generator().manual_seed(seed)
    eps = torch.randn(100, len(x), LATENTS, generator=rng)
    with torch.no_grad():
        mu, log_var = model.posterior(x)
        log_lik = partial(model.log_likelihood, x)
        log_w = model.log_weights(x, DRAWS, rng=rng)
        found = {
            "at_the_mean": patients.patient_18(log_lik, mu, log_var, eps),
            "elbo": scores.elbo(log_lik, mu, log_var, eps),
            "one_sample": patients.patient_19(log_w),
            "log_p": scores.log_evidence(log_w),
        }
    return {name: -value.mean().item() for name, value in found.items()}


@dataclass(frozen=True)
class Study:
    """How much is run: three seeds and whole trainings by default, little for a test.

    Attributes
    ----------
    seeds : tuple of int
    epochs : int
        Of a script; the ten copies of each digit are gone through half as often.
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    epochs: int = EPOCHS


BRIEF = Study(seeds=(0,), epochs=2)
OUT_OF_REACH = {4, 14}  # their log p(x), after a whole training


def of_one_seed(plan: Study, seed: int) -> Iterator[tuple[str, float]]:
    """Numbers by name: case, then what is seen; nats, or per cent."""
    yield from _of_scripts(plan, seed)
    for name, way in {"patient": patients.patient_13, "mended": steps.said_by}.items():
        yield f"13.{name}", nats_of_classes(way, 5, seed).mean().item()
    for name, way in {
        "patient": patients.patient_15,
        "mended": tables.pixels_of,
    }.items():
        yield f"15.{name}", named_by_codes(way, seed, plan.epochs)
    for name, way in {"patient": patients.patient_17, "mended": tables.split}.items():
        for of, value in nats_of_copies(way, seed, plan.epochs // 2).items():
            yield f"17.{name}.{of}", value
    for name, value in nats_of_test(seed, plan.epochs).items():
        yield f"18.{name}", value


def _of_scripts(plan: Study, seed: int) -> Iterator[tuple[str, float]]:
    """The healthy script is number 0."""
    for number, script in {0: Script(), **SCRIPTS}.items():
        _, seen = trained_as(script, seed, plan.epochs)
        for name, value in seen._asdict().items():
            if name != "log_p" or number not in OUT_OF_REACH:
                yield f"{number}.{name}", value
