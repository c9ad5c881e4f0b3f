"""The long runs of chapter 11, in seconds: names, sums, and what beta trades."""

import numpy as np
import pytest
from scipy import optimize

from vaebook import results
from vaebook.evaluation.study import BRIEF, Study, run_study

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def brief():
    return run_study(BRIEF)


def test_the_record_has_every_number_for_each_seed(brief):
    numbers, _ = brief
    stems = {name.removesuffix(".0") for name in numbers}
    record = results.load("evaluation")
    assert record.seeds == Study().seeds
    for stem in stems:
        assert {f"{stem}.{seed}" for seed in record.seeds} <= record.numbers.keys()


@pytest.mark.parametrize("dim", [2, 8])
def test_the_gaps_add_up(brief, dim):
    numbers, _ = brief
    parts = ("approximation", "amortisation", "monte_carlo")
    total = sum(numbers[f"latents_{dim}.{part}.0"] for part in parts)
    assert total == pytest.approx(numbers[f"latents_{dim}.total.0"], abs=1e-6)


def test_pictures_are_eight_images_each(brief):
    _, pictures = brief
    assert {name.rsplit(".", 1)[1] for name in pictures} == {"rebuilt", "drawn"}
    drawn = [bytes.fromhex(p) for name, p in pictures.items() if "drawn" in name]
    assert len(drawn) == len(BRIEF.betas)
    assert all(len(ink) == 8 * 64 and len(set(ink)) > 9 for ink in drawn)


def test_the_record_s_pictures_are_of_all_weights():
    names = {f"beta_{b:g}.{w}" for b in Study().betas for w in ("rebuilt", "drawn")}
    assert results.load("evaluation").pictures.keys() == names


def rate_and_distortion(beta, var=4.0):
    """Of x ~ N(0, var), x | z ~ N(w z, 1), q = N(a x, v), each at its best for beta."""

    def terms(place):
        w, a, log_v = place
        v = np.exp(log_v)
        rate = 0.5 * (a * a * var + v - 1 - log_v)
        distortion = 0.5 * ((1 - w * a) ** 2 * var + w * w * v)
        return rate, distortion

    def loss(place):
        rate, distortion = terms(place)
        return distortion + beta * rate

    found = optimize.minimize(loss, [1.0, 0.5, -1.0], method="BFGS", tol=1e-12)
    return terms(found.x)


@pytest.mark.equation(
    "eq-evaluation-slope",
    against="differences along the best pairs of a linear model, found by scipy",
    body="7f1fdadb",
)
@pytest.mark.parametrize("beta", [0.3, 1.0, 2.0])
def test_the_slope_of_the_curve_of_best_pairs_is_minus_beta(beta):
    (rate_a, low), (rate_b, high) = (
        rate_and_distortion(beta + step) for step in (-1e-3, 1e-3)
    )
    assert rate_a > rate_b
    assert (low - high) / (rate_a - rate_b) == pytest.approx(-beta, rel=1e-4)
