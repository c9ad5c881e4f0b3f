"""Cases 18 and 19: nats of held-out images."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from vaebook.exercises.bug_clinic import patients
from vaebook.exercises.bug_clinic.case import AS_IT_CAME, Case
from vaebook.exercises.record import Mistake

MU = torch.tensor([[0.5, -1.0], [2.0, 0.0]]).double()
LOG_VAR = torch.tensor([[-1.0, 0.5], [-2.0, 0.0]]).double()
EPS = torch.tensor(
    [[[0.3, -1.2], [0.7, 0.1]], [[-0.8, 0.4], [1.5, -0.6]], [[0.0, 0.9], [-1.1, 2.0]]]
).double()
LOG_W = torch.tensor([[-20.0, -30.0], [-22.0, -25.0], [-28.0, -25.5]]).double()


def bowl(z: Tensor) -> Tensor:
    """A log-likelihood whose mean over draws isn't that of their mean."""
    return -3 * (z - 1).square().sum(-1) - 10


def waves(z: Tensor) -> Tensor:
    """Another."""
    return -12 + torch.sin(3 * z).sum(-1)


def elbo(
    log_lik: Callable[[Tensor], Tensor],
    mu: Tensor,
    log_var: Tensor,
    eps: Tensor,
) -> Tensor:
    """The likelihood is asked for at draws: for these the KL pays."""
    z = mu + torch.exp(0.5 * log_var) * eps
    fit = log_lik(z).mean(0)
    kl = -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(1)
    return fit - kl


def log_evidence(log_w: Tensor) -> Tensor:
    """The logarithm of the mean weight, without leaving logarithms."""
    return torch.logsumexp(log_w, 0) - math.log(len(log_w))


AT_THE_MEAN = Case(
    name="bug_clinic.18",
    solution=elbo,
    inputs=((bowl, MU, LOG_VAR, EPS), (waves, MU[:1], LOG_VAR[:1], EPS[:, :1])),
    meaning="What the KL pays for is used.",
    hint="For codes of which distribution is the KL the price?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_18),
        Mistake(
            "log of a mean of likelihoods and a KL: that isn't the bound.",
            lambda log_lik, mu, log_var, eps: (
                torch.logsumexp(log_lik(mu + torch.exp(0.5 * log_var) * eps), 0)
                - math.log(len(eps))
                - -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(1)
            ),
        ),
        Mistake(
            "That leaves out the price of the code: the KL.",
            lambda log_lik, mu, log_var, eps: log_lik(
                mu + torch.exp(0.5 * log_var) * eps
            ).mean(0),
        ),
    ),
    patient=patients.patient_18,
    fault="The likelihood is that of one code, the mean; the KL pays for a wide"
    " posterior. The two don't belong together, and what comes out is no lower bound."
    " (To show what is rebuilt, the mean is fine.)",
    caught_by="tests/vae/test_model.py::test_terms_at_given_noise_are_scipys",
)

ONE_SAMPLE = Case(
    name="bug_clinic.19",
    solution=log_evidence,
    inputs=((LOG_W,), (LOG_W - 1000,), (LOG_W[:1],)),
    meaning="More draws bring it closer, from below on average.",
    hint="Of which mean is it the logarithm?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_19),
        Mistake(
            "Right until all weights round to 0: take the largest out first.",
            lambda log_w: log_w.exp().mean(0).log(),
        ),
        Mistake(
            "That is log of the sum: of the mean it is log S less.",
            lambda log_w: torch.logsumexp(log_w, 0),
        ),
        Mistake(
            "The largest weight alone is more than their mean.",
            lambda log_w: log_w.max(0).values,
        ),
    ),
    patient=patients.patient_19,
    fault="A mean of logarithms is the ELBO, however many draws: they make it less"
    " noisy, not closer to log p(x).",
    caught_by="tests/monte_carlo/test_importance.py::test_log_mean_exp_is_scipys",
)

CASES = (AT_THE_MEAN, ONE_SAMPLE)
