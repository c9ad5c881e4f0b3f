"""Cases 1 to 5: the loss of a batch."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from vaebook.exercises.bug_clinic import patients
from vaebook.exercises.bug_clinic.case import AS_IT_CAME, Case
from vaebook.exercises.bug_clinic.script import loss
from vaebook.exercises.record import Mistake

X = torch.tensor([[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 0.0]]).double()
LOGITS = torch.tensor([[0.6, -0.8, -0.4, 0.1], [-1.5, 0.7, 0.6, -2.3]]).double()
MU = torch.tensor([[-0.2, 0.4], [0.5, -1.3]]).double()
LOG_VAR = torch.tensor([[0.3, -0.8], [-1.6, 0.2]]).double()
Z = torch.tensor([[-1.8, -0.4], [-0.2, 0.1]]).double()
SURE = X[:1], 300 * LOGITS[:1], MU[:1], LOG_VAR[:1] - 9, MU[:1]  # and sometimes wrong
INPUTS = ((X, LOGITS, MU, LOG_VAR, Z), SURE)


def fit_of(x: Tensor, logits: Tensor) -> Tensor:
    """The first term as it should be."""
    return cross_entropy(logits, x, reduction="sum") / len(x)


def kl_of(mu: Tensor, log_var: Tensor) -> Tensor:
    """The KL of each image as it should be."""
    return -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(1)


MEAN_FOR_SUM = Case(
    name="bug_clinic.1",
    solution=loss,
    inputs=INPUTS,
    meaning="Both terms are nats of an image.",
    hint="Over how many numbers is each of the two terms averaged?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_1),
        Mistake(
            "Now it is summed over the batch too: the KL is an image's, this isn't.",
            lambda x, logits, mu, log_var, z: (
                cross_entropy(logits, x, reduction="sum") + kl_of(mu, log_var).mean()
            ),
        ),
        Mistake(
            "A lighter KL has the right optimum, but the loss is nats of a pixel.",
            lambda x, logits, mu, log_var, z: (
                loss(x, logits, mu, log_var, z) / x.shape[1]
            ),
        ),
    ),
    patient=patients.patient_1,
    fault="The cross-entropy is a mean over pixels, the KL a sum over latents: it"
    " weighs 64 times too much, and the posteriors fall onto the prior.",
    caught_by="tests/test_likelihood.py::test_bernoulli_log_prob_is_scipys",
)

AVERAGED_KL = Case(
    name="bug_clinic.2",
    solution=loss,
    inputs=INPUTS,
    meaning="A sum over latents, as over pixels.",
    hint="Over which axes is the KL averaged?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_2),
        Mistake(
            "That sums over the batch, too.",
            lambda x, logits, mu, log_var, z: (
                fit_of(x, logits) + kl_of(mu, log_var).sum()
            ),
        ),
        Mistake(
            "Both terms averaged over their axes: an image has more pixels than"
            " latents, so they weigh differently again.",
            lambda x, logits, mu, log_var, z: (
                cross_entropy(logits, x) + kl_of(mu, log_var).mean() / mu.shape[1]
            ),
        ),
    ),
    patient=patients.patient_2,
    fault="The KL is averaged over latents where the likelihood is summed over"
    " pixels: with four latents a weight of 1/4 that nobody chose.",
    caught_by="tests/variational/test_divergences.py"
    "::test_gaussian_kl_is_torchs_and_sums_over_latents",
)

SIGMOID_TWICE = Case(
    name="bug_clinic.3",
    solution=loss,
    inputs=INPUTS,
    meaning="The function that takes logits is given logits.",
    hint="What does binary_cross_entropy_with_logits take, and what does it get?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_3),
        Mistake(
            "Right until a probability rounds to 0 or 1: hand on the logits.",
            lambda x, logits, mu, log_var, z: (
                binary_cross_entropy(logits.sigmoid(), x, reduction="sum") / len(x)
                + kl_of(mu, log_var).mean()
            ),
        ),
        Mistake(
            "A clamp changes what very sure pixels cost: hand on the logits.",
            lambda x, logits, mu, log_var, z: (
                fit_of(x, logits.sigmoid().clamp(1e-6, 1 - 1e-6).logit())
                + kl_of(mu, log_var).mean()
            ),
        ),
    ),
    patient=patients.patient_3,
    fault="Probabilities are taken for logits, so the sigmoid is applied twice: no"
    " probability of a pixel can be below one half, or above 0.73.",
    caught_by="tests/vae/test_model.py::test_log_weights_are_the_ratio",
)

WRONG_SIGN = Case(
    name="bug_clinic.4",
    solution=loss,
    inputs=INPUTS,
    meaning="The KL is never negative, and 0 at the prior.",
    hint="What is this KL at mu = 0 and log_var = 0, and just beside it?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_4),
        Mistake(
            "The sign of the whole was turned: now it is least where the KL is"
            " largest.",
            lambda x, logits, mu, log_var, z: (
                fit_of(x, logits) - kl_of(mu, log_var).mean()
            ),
        ),
        Mistake(
            "An absolute value hides the fault: one sign inside is wrong.",
            lambda x, logits, mu, log_var, z: (
                fit_of(x, logits)
                + (-0.5 * (1 - log_var - mu**2 - log_var.exp()).sum(1)).abs().mean()
            ),
        ),
    ),
    patient=patients.patient_4,
    fault="The log-variance has the wrong sign in the KL, which then falls without"
    " end as the variance shrinks.",
    caught_by="tests/variational/test_divergences.py"
    "::test_kl_is_never_negative_and_finite",
)


def drawn_kl(mu: Tensor, log_var: Tensor, z: Tensor) -> Tensor:
    """The estimate of each image's KL from its one draw."""
    log_q = -0.5 * ((z - mu) ** 2 / log_var.exp() + log_var)
    log_p = -0.5 * z**2
    return (log_q - log_p).sum(1)


def drawn_loss(
    x: Tensor, logits: Tensor, mu: Tensor, log_var: Tensor, z: Tensor
) -> Tensor:
    """Nothing is cut off: what is negative counts."""
    fit = cross_entropy(logits, x, reduction="sum") / len(x)
    log_q = -0.5 * ((z - mu) ** 2 / log_var.exp() + log_var)
    log_p = -0.5 * z**2
    return fit + (log_q - log_p).sum(1).mean()


CLAMPED = Case(
    name="bug_clinic.5",
    solution=drawn_loss,
    inputs=INPUTS,
    meaning="An estimate of a KL may be negative; its mean is not.",
    hint="Is the estimate from one draw never negative? What does a clamp do to its"
    " mean?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_5),
        Mistake(
            "Clamped later it is still clamped: what is negative must count.",
            lambda x, logits, mu, log_var, z: (
                fit_of(x, logits) + drawn_kl(mu, log_var, z).mean().clamp(min=0)
            ),
        ),
    ),
    patient=patients.patient_5,
    fault="One draw's log q - log p is negative now and then, rightly. To cut these"
    " off makes the mean too large, most in proportion where the KL is small.",
    caught_by="tests/evaluation/test_priors.py::test_drawn_kl_may_be_negative",
)

CASES = (MEAN_FOR_SUM, AVERAGED_KL, SIGMOID_TWICE, WRONG_SIGN, CLAMPED)
