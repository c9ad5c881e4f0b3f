"""Cases 15 to 17: what of the data reaches whom."""

import torch
from torch import Tensor

from vaebook.exercises.bug_clinic import patients
from vaebook.exercises.bug_clinic.case import AS_IT_CAME, Case
from vaebook.exercises.bug_clinic.script import Pair
from vaebook.exercises.record import Answer, Mistake

TABLE = torch.arange(2 * 75).view(2, 75).double()
TRAIN = torch.tensor([[0.0, 1.0], [1.0, 0.5], [0.4, 0.9]]).double()
TEST = torch.tensor([[3.0, -1.0], [2.0, 0.0]]).double()


def pixels_of(table: Tensor) -> Tensor:
    """64 columns after the index, and no more."""
    return table[:, 1:65]


def scaled(train: Tensor, test: Tensor) -> Pair:
    """Scaling is learned, too: from training images."""
    mean, sigma = train.mean(0), train.std(0) + 0.01
    return (train - mean) / sigma, (test - mean) / sigma


def split(num_digits: int, copies: int, rng: torch.Generator) -> Pair:
    """Digits are divided, and each takes all of its copies with it."""
    digits = torch.randperm(num_digits, generator=rng)
    cut = 9 * num_digits // 10
    rows = digits[:, None] * copies + torch.arange(copies)
    return rows[:cut].flatten(), rows[cut:].flatten()


def both(answer: Answer, train: Tensor, test: Tensor) -> Tensor:
    """What it gives, one below the other."""
    return torch.cat(tuple(answer(train, test)))


def shares(answer: Answer, num_digits: int, copies: int) -> Tensor:
    """Held-out rows whose digit is trained on; rows in use; rows held out: shares."""
    rng = torch.Generator().manual_seed(0)
    train, held_out = answer(num_digits, copies, rng)
    known = torch.isin(held_out // copies, train // copies)
    rows = torch.cat([train, held_out])
    number = num_digits * copies
    used = len(rows.unique()) / number
    return torch.tensor([known.double().mean(), used, len(held_out) / number])


def by_copy(num_digits: int, copies: int, rng: torch.Generator) -> Pair:
    """A non-fix: of each digit a tenth of the copies is held out."""
    rows = torch.arange(num_digits * copies)
    held = rows % copies < copies // 10
    return rows[~held], rows[held]


def thinned(num_digits: int, copies: int, rng: torch.Generator) -> Pair:
    """A non-fix: one copy of each digit, so that none has another."""
    digits = torch.randperm(num_digits, generator=rng) * copies
    cut = 9 * num_digits // 10
    return digits[:cut], digits[cut:]


LEAKED = Case(
    name="bug_clinic.15",
    solution=pixels_of,
    inputs=((TABLE,), (-TABLE[:1],)),
    meaning="Pixels, all of them, and nothing else.",
    hint="How many columns come out? Which should?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_15),
        Mistake("The index is no pixel: 65 columns.", lambda table: table[:, :-10]),
        Mistake(
            "Shifted by one: the last pixel is missing, the index is there.",
            lambda table: table[:, :64],
        ),
    ),
    patient=patients.patient_15,
    fault="Only the last column of the class was cut off. Nine others are still"
    " there, in the test table too, and the code learns the class from them.",
    caught_by="tests/datasets/test_bundled.py"
    "::test_digits_are_three_parts_of_the_rows_in_order",
)

TEST_IN_SCALING = Case(
    name="bug_clinic.16",
    solution=scaled,
    inputs=((TRAIN, TEST), (TRAIN[:2], TEST)),
    trial=both,
    meaning="Test images had no part in how they are scaled.",
    hint="Whose mean and deviation may be known before the test?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_16),
        Mistake(
            "Scaled by their own mean test images meet the model at other pixels.",
            lambda train, test: (
                scaled(train, train)[0],
                (test - test.mean(0)) / (test.std(0) + 0.01),
            ),
        ),
        Mistake(
            "That learns from the test images alone.",
            lambda train, test: (
                (train - test.mean(0)) / (test.std(0) + 0.01),
                (test - test.mean(0)) / (test.std(0) + 0.01),
            ),
        ),
    ),
    patient=patients.patient_16,
    fault="Mean and deviation are those of training and test images together: the"
    " model has seen the test.",
    caught_by="tests/applications/studies/test_representation.py"
    "::test_features_are_scaled_as_training_digits_are",
)

COPIES_APART = Case(
    name="bug_clinic.17",
    solution=split,
    inputs=((50, 10), (20, 3)),
    trial=shares,
    meaning="No digit is on both sides, no row is lost.",
    hint="Held-out copies of a digit: what of it has the model seen?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_17),
        Mistake("Every held-out copy still has its twins in training.", by_copy),
        Mistake("No digit is on both sides, but most rows are lost.", thinned),
    ),
    patient=patients.patient_17,
    fault="Rows are divided, and copies of one digit come to lie on both sides: what"
    " is held out has been seen.",
    caught_by="tests/datasets/test_bundled.py"
    "::test_digits_are_three_parts_of_the_rows_in_order",
)

CASES = (LEAKED, TEST_IN_SCALING, COPIES_APART)
