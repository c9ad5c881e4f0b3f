"""Symptoms on real digits: each is there, and gone where the function is mended."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import decomposition

from vaebook.datasets import load_digits
from vaebook.exercises.bug_clinic import Script, patients, pixels, run, steps, tables
from vaebook.exercises.bug_clinic import symptoms as module

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def numbers():
    """All that the long run finds, for one of its seeds."""
    return dict(module.of_one_seed(module.Study(), 0))


def test_a_brief_run_finds_the_same_things_in_few_epochs(numbers, monkeypatch):
    epochs = []

    def watched(*arguments, **given):
        epochs.append(given["epochs"])
        return run(*arguments, **given)

    monkeypatch.setattr(module, "run", watched)
    brief = dict(module.of_one_seed(module.BRIEF, 0))
    assert list(brief) == list(numbers)
    assert sorted(set(epochs)) == [1, 2]


def test_losses_that_are_no_nats(numbers):
    assert numbers["1.loss"] < 1
    assert numbers["4.loss"] < 0
    assert "4.log_p" not in numbers  # not finite
    assert numbers["4.kl"] > 100  # which the script takes for a gain
    assert numbers["2.loss"] < numbers["0.loss"] - 2


@pytest.mark.parametrize("number", [1, 7])
def test_collapsed_posteriors(numbers, number):
    assert abs(numbers[f"{number}.kl"]) < 0.05
    assert numbers[f"{number}.log_p"] < numbers["0.log_p"] - 3


@pytest.mark.parametrize("number", [1, 2, 3, 6, 7, 9])
def test_patients_have_a_worse_bound_than_the_healthy(numbers, number):
    assert numbers[f"{number}.elbo"] < numbers["0.elbo"] - 0.2


def test_noise_that_is_known_flatters_the_loss(numbers):
    """From what it says to minus the bound it loses more than the healthy script."""
    lost = [-numbers[f"{n}.elbo"] - numbers[f"{n}.loss"] for n in (0, 8)]
    assert lost[1] > lost[0] + 0.2


def test_gradients_that_pile_up(numbers):
    assert not numbers["14.loss"] < 50


def test_what_a_script_says_is_beside_what_the_book_says():
    x, others = load_digits().train.x[:100], load_digits().validation.x[:50]
    trained = run(Script(), x, seed=0, epochs=2)
    found = module.seen_of(trained, x, others, 3)
    rng = torch.Generator().manual_seed(4)
    with torch.no_grad():
        terms = trained.model.elbo_terms(x, 500, rng=rng)
        log_p = trained.model.log_evidence(others, 500, rng=rng).value
    assert found.loss == trained.losses[-1]
    assert found.elbo == pytest.approx(terms.elbo.mean().item(), abs=0.3)
    assert found.kl == pytest.approx(terms.kl.mean().item(), rel=1e-5)
    assert found.log_p == pytest.approx(log_p.mean().item(), abs=0.2)


def test_what_is_not_finite_is_nan_and_what_is_finite_stays():
    x = load_digits().train.x[:10]
    trained = run(Script(), x, seed=0, epochs=1)
    with torch.no_grad():
        trained.model.encoder.log_var.bias -= 300  # float32 takes exp of that for 0
    found = module.seen_of(trained, x, x, 0)
    assert math.isnan(found.log_p)
    assert found.kl == pytest.approx(4 * 0.5 * 299, abs=20)
    assert math.isfinite(found.elbo)


def test_images_are_rebuilt_by_the_script_s_own_draw():
    """Row by row: what is given, its codes as the script draws them, prior draws."""
    x = load_digits().train.x[:100]
    asked = []

    def to_the_mean(mu, log_var, rng):
        asked.append((mu, log_var))
        return mu

    script = Script(draw=to_the_mean)
    trained = run(Script(), x, seed=0, epochs=1)
    found = module.images_of(script, trained, x[:7], 0)
    with torch.no_grad():
        mu, log_var = trained.model.posterior(x[:7])
        rebuilt = trained.model.mean_image(mu)
    assert list(found) == ["given", "rebuilt", "drawn"]
    assert torch.equal(found["given"], x[:7])
    torch.testing.assert_close(asked[0], (mu, log_var))
    torch.testing.assert_close(found["rebuilt"], rebuilt)
    assert len(found["drawn"].unique(dim=0)) == 7


def test_images_are_drawn_from_the_prior():
    """A decoder that lights a pixel where a code is above its mark shows the codes."""
    x = load_digits().train.x[:10].repeat(300, 1)
    trained = run(Script(), x[:10], seed=0, epochs=1)
    marks = torch.linspace(-3, 3, 64)

    class Marks(torch.nn.Module):
        def forward(self, z):
            return 1e3 * (z[:, :1] - marks)

    trained.model.decoder = Marks()
    drawn = module.images_of(Script(), trained, x, 0)["drawn"].mean(0)
    tolerance = 5 * 0.5 / len(x) ** 0.5
    np.testing.assert_allclose(drawn, stats.norm.sf(marks), atol=tolerance)


def test_a_width_without_a_floor_ends_as_nan():
    losses = module.learned_widths(patients.patient_11, 1001)
    assert losses[800].isfinite() and losses[1000].isnan()


def test_a_width_without_a_floor_buys_nats_at_the_edge():
    falling = module.learned_widths(patients.patient_11, 400)
    held = module.learned_widths(pixels.floored, 400)
    assert falling[-1] < falling[200] - 10
    assert abs(held[-1] - held[200]) < 1


def test_grey_costs_a_perfect_decoder_its_entropy():
    x = torch.tensor([[0.0, 0.25, 1.0], [0.5, 0.5, 0.9]])
    expected = np.mean([stats.bernoulli(row).entropy().sum() for row in x.numpy()])
    assert module.cost_of_grey(x) == pytest.approx(expected, rel=1e-5)
    assert module.cost_of_grey(x.round()) == 0


def test_dropout_at_the_test_costs_nats(numbers):
    assert numbers["13.patient"] > numbers["13.mended"] + 0.05
    net = module.net_with_dropout(0)
    x = load_digits().test.x[:5]
    assert torch.equal(steps.said_by(net, x), steps.said_by(net, x))
    asked = module.nats_of_classes(patients.patient_13, 3, 0)
    assert len(asked.unique()) == 3
    assert len(module.nats_of_classes(steps.said_by, 3, 0).unique()) == 1


def test_a_leaked_class_is_found_in_the_codes(numbers):
    assert numbers["15.patient"] > numbers["15.mended"] + 5
    table = module.spreadsheet(load_digits().test)
    assert torch.equal(tables.pixels_of(table), load_digits().test.x)
    assert torch.equal(table[:, 65:].argmax(1), load_digits().test.y)


def test_test_images_in_the_scaling_look_better():
    nats = [module.nats_of_scaled(way) for way in (patients.patient_16, tables.scaled)]
    assert nats[0] < nats[1] - 1


def test_nats_of_scaled_pixels_are_in_units_of_ink():
    """Another unit for all pixels changes no density of ink."""
    once = module.nats_of_scaled(lambda train, test: (train, test))
    again = module.nats_of_scaled(lambda train, test: (3 * train, 3 * test))
    never_lit = (load_digits(binarize=False).test.x.max(0).values == 0).sum().item()
    assert again == pytest.approx(once + never_lit * math.log(3), abs=1e-6)


def test_nats_of_scaled_pixels_are_those_of_eight_components():
    grey = load_digits(binarize=False)
    near, far = grey.train.x.double(), grey.test.x.double()
    scores = decomposition.PCA(n_components=8).fit(near).score_samples(far)
    found = module.nats_of_scaled(lambda train, test: (train, test))
    assert found == pytest.approx(-scores.mean(), abs=0.1)


def test_copies_on_both_sides_look_better_and_are_not(numbers):
    held = [numbers[f"17.{way}.held_out"] for way in ("patient", "mended")]
    others = [numbers[f"17.{way}.others"] for way in ("patient", "mended")]
    assert held[0] < held[1] - 0.2
    assert abs(others[0] - others[1]) < 1
    # Asked alone, as on the page, it is what the long run finds.
    alone = module.nats_of_copies(tables.split, seed=0)
    assert alone["others"] == pytest.approx(others[1], rel=1e-4)


def test_wrong_scores_lie_on_their_side(numbers):
    assert numbers["18.at_the_mean"] < numbers["18.elbo"] - 0.5
    assert numbers["18.log_p"] < numbers["18.one_sample"] - 0.3
    assert numbers["18.one_sample"] == pytest.approx(numbers["18.elbo"], abs=0.2)
