"""The long runs of chapter 11, in seconds: what is run, names, and what beta trades."""

import numpy as np
import pytest
import torch
from scipy import optimize
from watched import watched_study

from vaebook import results
from vaebook.evaluation import MixturePriorVAE, grid_log_evidence, refine_posterior
from vaebook.evaluation import study as module
from vaebook.evaluation.study import BRIEF, Study
from vaebook.protocols import Surrogate
from vaebook.vae import VAE

pytestmark = pytest.mark.usefixtures("one_thread")
WATCHED = "fit", "gap_ledger", "annealed_log_evidence"


@pytest.fixture(scope="module")
def watched():
    """A brief study: its numbers and pictures, and what its parts took and gave."""
    return watched_study(module, WATCHED)


@pytest.fixture(scope="module")
def brief(watched):
    return watched.numbers, watched.pictures


def test_each_model_is_trained_as_its_name_says(watched):
    runs = [(model, settings) for (model, _, settings), _, _ in watched.fit]
    kinds = [(type(model), model.latent_dim, s.epochs) for model, s in runs]
    assert kinds == [
        (VAE, 2, BRIEF.epochs),
        (VAE, 8, BRIEF.epochs),
        (MixturePriorVAE, 8, BRIEF.epochs),
        *[(VAE, 8, BRIEF.brief_epochs)] * 5,
    ]
    assert runs[2][0].prior_mu.shape == (20, 8)
    weights = [s.kl_weight and s.kl_weight(0.5) for _, s in runs]
    assert weights == [None] * 6 + list(BRIEF.betas)


def test_each_objective_is_the_one_that_its_name_says(watched):
    elbo, five, dreg = (settings for (_, _, settings), _, _ in watched.fit[3:6])
    model = VAE(3, (4,), 2, rng=torch.Generator().manual_seed(0))
    x = torch.tensor([[0.0, 1.0, 1.0]])

    def climbed(settings):
        return settings.objective(model, x, rng=torch.Generator().manual_seed(1))

    def drawn(terms, **named):
        return terms(x, **named, rng=torch.Generator().manual_seed(1)).elbo

    assert torch.equal(climbed(elbo).elbo, drawn(model.elbo_terms))
    assert torch.equal(climbed(five).elbo, drawn(model.iw_terms, num_samples=5))
    assert isinstance(climbed(dreg), Surrogate)
    assert not isinstance(climbed(five), Surrogate)


@pytest.mark.parametrize("place", [0, 1])
def test_the_ledger_is_of_the_gaussian_refined_from_the_encoder_s(watched, place):
    model, x, refined, _ = watched.gap_ledger[place].given
    own = refine_posterior(model, x, rng=torch.Generator().manual_seed(0))
    assert torch.equal(refined.mu, own.mu)
    assert torch.equal(refined.log_var, own.log_var)


def test_two_latents_have_the_exact_evidence_and_eight_two_estimates(watched):
    model, x, _, pair = watched.gap_ledger[0].given
    for evidence in pair:
        assert torch.equal(evidence.value, grid_log_evidence(model, x))
        assert not evidence.standard_error.any()
    first, second = watched.gap_ledger[1].given[3]
    assert (first.value != second.value).all()
    assert first.value == pytest.approx(second.value, abs=2.0)


@pytest.mark.parametrize(("place", "dim"), [(0, 2), (1, 8)])
def test_an_evaluator_is_compared_with_the_best_evidence(watched, place, dim):
    best = watched.gap_ledger[place].given[3][0]
    bound = watched.annealed_log_evidence[place].found.bound
    off = (bound.value - best.value).numpy()
    error = np.hypot(bound.standard_error.numpy(), best.standard_error.numpy())
    found = {
        part: watched.numbers[f"latents_{dim}.annealed.{part}.0"]
        for part in ("off", "error", "beyond")
    }
    assert found["off"] == pytest.approx(off.mean())
    assert found["error"] == pytest.approx(np.sqrt((error**2).sum()) / len(off))
    assert found["beyond"] == (np.abs(off) > 2 * error).mean()


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
