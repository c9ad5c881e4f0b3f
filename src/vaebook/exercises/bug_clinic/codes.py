"""Cases 6 to 9: the encoder's last layers, and the draw of a code."""

import torch
from torch import Tensor

from vaebook.exercises.bug_clinic import patients
from vaebook.exercises.bug_clinic.case import AS_IT_CAME, Case
from vaebook.exercises.bug_clinic.script import draw, heads
from vaebook.exercises.record import Answer, Mistake

MU = torch.tensor([[0.5, -1.0], [2.0, 0.0]]).double()
LOG_VAR = torch.tensor([[-4.0, 1.0], [-1.0, 2.0]]).double()
INPUTS = ((MU, LOG_VAR), (MU[:1], -LOG_VAR[:1]))


def seeded(seed: int = 0) -> torch.Generator:
    """A new generator; the same seed, the same numbers."""
    return torch.Generator().manual_seed(seed)


def spread(answer: Answer, mu: Tensor, log_var: Tensor) -> Tensor:
    """How wide its draws are, as a multiple of sigma, to a tenth; of each latent."""
    many = mu.expand(20_000, *mu.shape).flatten(0, 1)
    z = answer(many, log_var.expand(20_000, *mu.shape).flatten(0, 1), seeded())
    apart = (z - many).view(-1, *mu.shape).std(0) / torch.exp(0.5 * log_var)
    return apart.round(decimals=1)


def slopes_of_draw(answer: Answer, mu: Tensor, log_var: Tensor) -> Tensor:
    """How the draws change with mu, and with sigma for each unit of noise; 1 each."""
    mu, log_var = (v.clone().requires_grad_() for v in (mu, log_var))
    z = answer(mu, log_var, seeded())
    if not z.requires_grad:
        return torch.zeros(2, *mu.shape).to(mu)
    found = torch.autograd.grad(
        z.sum(), (mu, log_var), allow_unused=True, materialize_grads=True
    )
    half = 0.5 * (z - mu).detach()
    return torch.stack([found[0], found[1] / half])


def repeated(answer: Answer, mu: Tensor, log_var: Tensor) -> Tensor:
    """Which share of a second draw equals the first, and of one from the same seed."""
    rng = seeded()
    first, second = (answer(mu, log_var, rng) for _ in range(2))
    again = answer(mu, log_var, seeded())
    return torch.stack([(first == z).double().mean() for z in (second, again)])


def stacked(answer: Answer, mu: Tensor, log_var: Tensor) -> Tensor:
    """Both of what it gives, one above the other."""
    return torch.stack(tuple(answer(mu, log_var)))


def of_variance(mu: Tensor, log_var: Tensor, rng: torch.Generator) -> Tensor:
    """A non-fix: a root of the logarithm."""
    return mu + log_var.abs().sqrt() * torch.randn(mu.shape, generator=rng)


def half_attached(mu: Tensor, log_var: Tensor, rng: torch.Generator) -> Tensor:
    """A non-fix: the slope of mu is let through, that of sigma isn't."""
    z = torch.normal(mu, torch.exp(0.5 * log_var), generator=rng)
    return mu + (z - mu).detach()


def from_anywhere(mu: Tensor, log_var: Tensor, rng: torch.Generator) -> Tensor:
    """A non-fix: new noise each time, and no run can be repeated."""
    fresh = torch.Generator()
    fresh.seed()
    eps = torch.randn(mu.shape, generator=fresh)
    return mu + torch.exp(0.5 * log_var) * eps


VARIANCE_FOR_SIGMA = Case(
    name="bug_clinic.6",
    solution=draw,
    inputs=INPUTS,
    trial=spread,
    meaning="Its draws are as wide as sigma says.",
    hint="Of which quantity is log_var the logarithm?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_6),
        Mistake(
            "log_var is a logarithm: its exponential is the variance.", of_variance
        ),
        Mistake(
            "That is sigma to the power of one half: exp(log_var / 4).",
            lambda mu, log_var, rng: (
                mu + torch.exp(0.25 * log_var) * torch.randn(mu.shape, generator=rng)
            ),
        ),
    ),
    patient=patients.patient_6,
    fault="The noise is multiplied by the variance, not by its root. Where sigma is"
    " below 1 the variance is smaller still, so the codes that are drawn are more"
    " exact than those for which the KL pays.",
    caught_by="tests/reparameterization/test_pathwise.py"
    "::test_quantiles_of_the_noise_become_quantiles_of_q",
)

NO_GRADIENT = Case(
    name="bug_clinic.7",
    solution=draw,
    inputs=INPUTS,
    trial=slopes_of_draw,
    meaning="Both slopes come through the draw.",
    hint="Can a gradient pass through torch.normal?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_7),
        Mistake("The slope of mu comes through, that of sigma doesn't.", half_attached),
    ),
    patient=patients.patient_7,
    fault="torch.normal hands back a gradient of 0, and nothing warns:"
    " requires_grad is True. So the KL alone trains the encoder, which obeys it.",
    caught_by="tests/reparameterization/test_pathwise.py"
    "::test_gradients_are_one_and_half_sigma_eps",
)

SAME_NOISE = Case(
    name="bug_clinic.8",
    solution=draw,
    inputs=INPUTS,
    trial=repeated,
    meaning="New noise in each call, the same run from a seed.",
    hint="Call it twice. Where should the seed be set, and how often?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_8),
        Mistake("New noise, but no run can be repeated now: use rng.", from_anywhere),
    ),
    patient=patients.patient_8,
    fault="The generator is set back in every call, so each batch is given the same"
    " noise: fifty draws for the whole training, one for each place in a batch.",
    caught_by="tests/reparameterization/test_pathwise.py::test_same_seed_same_draw",
)

CUT_HEADS = Case(
    name="bug_clinic.9",
    solution=heads,
    inputs=INPUTS,
    trial=stacked,
    meaning="A mean and a logarithm may have any sign.",
    hint="Which values may a mean have, and which a log-variance?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_9),
        Mistake(
            "The mean is free now. May a variance be below 1?",
            lambda mu, log_var: (mu, torch.relu(log_var)),
        ),
        Mistake(
            "The log-variance is free now. May a mean be negative?",
            lambda mu, log_var: (torch.relu(mu), log_var),
        ),
    ),
    patient=patients.patient_9,
    fault="A ReLU on the last layers: no mean is negative, and no posterior narrower"
    " than the prior.",
    caught_by="tests/test_autoencoder.py::test_encoder_gives_mean_then_log_variance",
)

CASES = (VARIANCE_FOR_SIGMA, NO_GRADIENT, SAME_NOISE, CUT_HEADS)
