"""The long runs of chapter 12, in seconds: what is run, and what is written."""

import numpy as np
import pytest
import torch
from scipy import stats
from watched import watched_study

from vaebook import results
from vaebook.applications import image_laws
from vaebook.applications.studies import restoration as module
from vaebook.applications.studies.restoration import (
    BRIEF,
    RECIPES,
    Study,
    measurements,
)

pytestmark = pytest.mark.usefixtures("one_thread")
WATCHED = (
    "fit",
    "hmc",
    "gibbs",
    "resampled",
    "most_probable",
    "told_of_one",
    "told_of_all",
)


@pytest.fixture(scope="module")
def watched():
    """A brief study: its numbers, and what its parts took and gave."""
    return watched_study(module, WATCHED)


def test_each_model_is_trained_as_its_recipe_says(watched):
    assert len(watched.fit) == len(RECIPES)
    grey, spread = torch.full((20_000, 64), 0.5), module.load_digits(False).train.x
    spread = spread.std(0) / spread.std(0).square().mean().sqrt()
    for recipe, (given, _, _) in zip(RECIPES.values(), watched.fit, strict=True):
        model, x, settings = given
        assert model.latent_dim == recipe.latent_dim and x.shape == (1000, 64)
        assert settings.epochs == BRIEF.epochs and settings.weight_decay == 0.05
        pixels = settings.to_pixels(grey, rng=torch.Generator().manual_seed(0))
        scale = np.maximum(spread.numpy(), 0.2) if recipe.per_pixel else np.ones(64)
        found = pixels.std(0).numpy()
        np.testing.assert_allclose(found, recipe.noise * scale, rtol=0.05)
        assert model.log_var.shape == ((64,) if recipe.per_pixel else ())


def test_recipes_differ_in_one_thing_from_the_chosen_one():
    *others, last = RECIPES
    assert last == "chosen"
    for name in others:
        pairs = zip(*(vars(RECIPES[n]).values() for n in (name, last)), strict=True)
        assert sum(a != b for a, b in pairs) == 1


def test_what_is_measured():
    x = torch.from_numpy(np.random.default_rng(0).uniform(size=(1, 64))).float()
    image = x.view(8, 8)
    tasks = measurements()
    pooled = image.reshape(4, 2, 4, 2).mean((1, 3)).flatten()
    torch.testing.assert_close(tasks["enlarged"].means(x)[0], pooled)
    assert torch.equal(tasks["completed"].means(x)[0], image[:4].flatten())
    even = tasks["deblurred"].means(torch.full((1, 64), 0.3))
    torch.testing.assert_close(even, torch.full((1, 64), 0.3))
    assert tasks["deblurred"].sigma > 0
    assert tasks["enlarged"].sigma == tasks["completed"].sigma == 0


def test_every_answer_is_of_the_same_measurement(watched):
    """Of one task, the Gaussians, the chains and the most probable image see one y."""
    by_task = {}
    for (name, case, *_), _, _ in watched.told_of_all:
        by_task.setdefault(name.split(".")[0], []).append(case.y)
    assert by_task.keys() == measurements().keys()
    for ys in by_task.values():
        assert len(ys) == 3 and all(torch.equal(y, ys[0]) for y in ys)


def test_the_noise_of_a_measurement_is_drawn_once(watched):
    """The chains of the blurred digits are asked with the y that they are judged by."""
    case = next(g[1] for g, _, _ in watched.told_of_all if g[0] == "deblurred.vae")
    asked = [task.y for (task, *_), _, _ in watched.hmc]
    assert torch.equal(asked[-1], case.y)
    assert not torch.equal(case.y, case.measurement.means(case.digits.test.x))


def test_chains_are_as_long_as_the_plan_says(watched):
    widths = [z.shape[0] for (_, z, _), _, _ in watched.hmc]
    assert widths == [2] * len(RECIPES) + [BRIEF.num_chains] * 4
    for (_, _, steps), named, chains in watched.hmc:
        assert steps == chains.z.shape[0] == BRIEF.num_steps
        assert named["num_before"] == BRIEF.num_before
    abrupt = [named.get("annealed", True) for _, named, _ in watched.hmc]
    assert abrupt.count(False) == 1
    kinds = [named.get("corrected", True) for _, named, _ in watched.gibbs]
    assert kinds.count(True) == 1


def test_the_mean_of_the_pseudo_chain_and_of_the_corrected_are_their_own(watched):
    ends = {}
    for (task, _, steps), named, chains in watched.gibbs:
        if steps == 2 * BRIEF.num_steps:
            with torch.no_grad():
                late = task.mean_image(chains.z[BRIEF.num_steps :]).mean((0, 1))
            ends[named["corrected"]] = -10 * np.log10(
                (late - module.first_of(5).test.x).square().mean().item()
            )
    found = watched.numbers
    assert found["ways.corrected.psnr.0"] == pytest.approx(ends[True], abs=1e-4)
    assert found["ways.pseudo.psnr.0"] == pytest.approx(ends[False], abs=1e-4)


def test_unequal_chains_are_as_far_apart_as_their_heights(watched):
    (task, *_), _, chains = watched.hmc[len(RECIPES)]
    with torch.no_grad():
        height = task.log_prob(chains.z).mean(0).numpy()
    found = watched.numbers["enlarged.vae.unequal.0"]
    assert found == pytest.approx(np.ptp(height, 0).mean(), rel=1e-5)


def test_what_is_won_is_the_difference_of_the_squared_errors(watched):
    for task in measurements():
        found = {
            name: next(
                given[2].mean.float()
                for given, _, _ in watched.told_of_all
                if given[0] == f"{task}.{name}"
            )
            for name in ("gaussian", "vae")
        }
        case = next(g[1] for g, _, _ in watched.told_of_all if g[0] == f"{task}.vae")
        won = (case.errors(found["gaussian"]) - case.errors(found["vae"])).mean()
        number = watched.numbers[f"{task}.vae.won.0"]
        assert number == pytest.approx(won.item(), abs=1e-6)


def test_gaussians_are_exact_also_of_what_was_not_seen(watched):
    """log p(unseen|seen) = log p(all) - log p(seen), of the lower half."""
    digits = module.first_of(5)
    law = image_laws(digits.train.x)["gaussian"]
    x = digits.test.x.double().numpy()
    whole = stats.multivariate_normal(law.mu, law.cov).logpdf(x)
    half = stats.multivariate_normal(law.mu[:32], law.cov[:32, :32]).logpdf(x[:, :32])
    found = watched.numbers["completed.gaussian.log_hidden.0"]
    assert found == pytest.approx((whole - half).mean(), rel=1e-4)


def test_the_record_has_every_number_for_each_seed(watched):
    stems = {name.removesuffix(".0") for name in watched.numbers if name[-2:] == ".0"}
    record = results.load("applications")
    assert record.seeds == Study().seeds
    for stem in stems:
        assert {f"{stem}.{seed}" for seed in record.seeds} <= record.numbers.keys()
    assert watched.pictures == record.pictures == {}
