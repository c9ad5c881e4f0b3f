"""The long run on codes, in seconds: what is learned, told, chosen and written."""

import numpy as np
import pytest
import torch
from watched import watched_study

from vaebook import results
from vaebook.applications.studies import representation as module
from vaebook.applications.studies.representation import (
    ALPHA,
    BRIEF,
    LATENTS,
    Codes,
    Study,
    drawn_rows,
    over_draws,
)
from vaebook.datasets import load_digits
from vaebook.training import Settings

pytestmark = pytest.mark.usefixtures("one_thread")
WATCHED = (
    "fit",
    "fit_scaling",
    "fit_probe",
    "nearest_labels",
    "retrieved",
    "fit_em_best",
    "matched",
)
NAMES = ["grey", "pixels", "pca", "ae", "dae", "vae", "both", "untrained"]


@pytest.fixture(scope="module")
def watched():
    """A brief study: its numbers, and what its parts took and gave."""
    return watched_study(module, WATCHED)


def test_codes_are_learned_from_training_digits_without_labels(watched):
    grey = load_digits(binarize=False).train.x
    for (_, data, settings), _, _ in watched.fit[:3]:
        assert torch.equal(data, grey)
        assert settings.epochs == BRIEF.epochs
        assert settings.to_pixels is module.binarize_noisily
    flips = [given[0].flip for given, _, _ in watched.fit[:2]]
    assert flips == [0.0, 0.1]
    for given, _, _ in watched.fit_scaling:
        assert len(given[0]) == 1000


def test_each_representation_has_its_features(watched):
    widths = [given[0].shape[1] for given, _, _ in watched.fit_scaling]
    eight = [LATENTS] * 4
    assert widths == [64, 64, *eight, 2 * LATENTS, LATENTS]
    assert len(watched.fit_scaling) == len(NAMES)


def test_features_are_scaled_as_training_digits_are(monkeypatch):
    digits = load_digits()
    alone = {"pixels": (lambda x: x, True)}
    monkeypatch.setattr(module, "encoders", lambda x, plan, seed: alone)
    found = module.represented(digits, BRIEF, 0)["pixels"]
    mean, spread = found.train.mean(0), found.train.var(0, correction=0)
    torch.testing.assert_close(mean, torch.zeros(64).double(), atol=1e-5, rtol=0)
    assert spread.mean().item() == pytest.approx(1, rel=1e-5)
    assert (found.test.mean(0).abs() > 0.05).any()


def test_labels_are_told_of_the_same_rows_to_all(watched):
    """Draw by draw the same digits, and of more labels the fewer are a part."""
    y = load_digits().train.y
    rows = drawn_rows(2, rng=torch.Generator().manual_seed(0))
    assert all(sorted(row) == list(range(1000)) for row in rows.tolist())
    of_ten = [given[1] for given, _, _ in watched.fit_probe if given[1].shape[1] == 10]
    assert len(of_ten) == len(NAMES) * len(module.TAUS)
    for told in of_ten:
        assert torch.equal(told, y[rows[:, :10]])
    of_thirty = next(g[1] for g, _, _ in watched.fit_probe if g[1].shape[1] == 30)
    assert torch.equal(of_thirty[:, :10], of_ten[0])


def test_what_is_chosen_is_chosen_on_validation(monkeypatch):
    """Of two priors the one that is better there is taken, though worse on test."""
    shares = {0.1: (90.0, 10.0), 0.3: (80.0, 70.0)}

    def probed(codes, digits, rows, tau):
        good = shares.get(tau, (0.0, 0.0))
        return module.Shares(*(torch.full((2,), v).double() for v in good))

    monkeypatch.setattr(module, "probed", probed)
    digits = load_digits()
    codes = {"pixels": Codes(*(part.x.double() for part in digits))}
    rows = drawn_rows(2, rng=torch.Generator().manual_seed(0))
    found = dict(module._of_labels(codes, digits, rows, 10))
    assert found["probe.pixels.10.chosen"] == 0.1
    assert found["probe.pixels.10"] == 10.0


def test_a_probe_is_judged_by_the_digits_it_has_not_seen():
    """One class at a time, codes that are the class: all are named rightly."""
    digits = load_digits()
    codes = Codes(*(torch.eye(10).double()[part.y] for part in digits))
    rows = drawn_rows(3, rng=torch.Generator().manual_seed(1))[:, :200]
    for classify, option in ((module.probed, 3.0), (module.by_neighbours, 1)):
        found = classify(codes, digits, rows, option)
        np.testing.assert_array_equal(found.test, [100.0] * 3)
        np.testing.assert_array_equal(found.validation, [100.0] * 3)
    swapped = codes._replace(test=codes.test.roll(1, 1))
    assert module.probed(swapped, digits, rows, 3.0).test.max() == 0
    assert module.by_neighbours(swapped, digits, rows, 1).validation.min() == 100


def test_mean_and_spread_are_over_draws():
    share, rival = torch.tensor([60.0, 70.0, 80.0]), torch.tensor([50.0, 65.0, 65.0])
    found = dict(over_draws("x", share, rival))
    assert found["x"] == 70 and found["x.sd"] == pytest.approx(10)
    assert found["x.won"] == pytest.approx(10)
    assert found["x.won.error"] == pytest.approx(np.std([10, 5, 15], ddof=1) / 3**0.5)
    assert dict(over_draws("x", share[:1], rival[:1])) == {"x": 60}


def test_nets_are_told_as_many_labels_as_probes(watched):
    grey, y = load_digits(binarize=False).train.x, load_digits().train.y
    rows = drawn_rows(2, rng=torch.Generator().manual_seed(0))
    runs = watched.fit[3:]
    assert len(runs) == 2 * len(BRIEF.labels) * BRIEF.num_semi
    for place, num_labels in enumerate(BRIEF.labels):
        told = rows[0, :num_labels]
        (_, (x, classes), settings), _, _ = runs[2 * place]
        where = classes.sum(1).nonzero().flatten()
        assert sorted(where.tolist()) == sorted(told.tolist())
        assert torch.equal(classes[where].argmax(1), y[where])
        assert torch.equal(x, grey)
        alpha = settings.objective.keywords["alpha"]
        assert alpha == pytest.approx(ALPHA * 1000 / num_labels)

        (_, (x, classes), settings), _, _ = runs[2 * place + 1]
        assert torch.equal(x, grey[told])
        assert torch.equal(classes.argmax(1), y[told])
        assert settings.to_pixels is module.binarize_noisily


@pytest.mark.parametrize(
    ("num_labels", "epochs"), [(10, 3000), (100, 3000), (300, 1000), (1000, 300)]
)
def test_the_classifier_alone_takes_as_many_steps(monkeypatch, num_labels, epochs):
    seen = []
    monkeypatch.setattr(module, "fit", lambda *given, rng: seen.append(given))
    told = torch.arange(num_labels)
    module.classifier_share(Study(), load_digits(), told, 0)
    assert seen[0][2].epochs == epochs
    assert seen[0][2].batch_size == min(100, num_labels)
    assert seen[0][2].learning_rate == Settings().learning_rate


def test_the_classifier_climbs_what_it_is_told():
    rng = torch.Generator().manual_seed(2)
    model = module.SemiSupervisedVAE(4, (3,), 2, 10, rng=rng)
    x = torch.rand(5, 4, generator=rng)
    y = torch.eye(10)[:5]
    found = module.classifier_objective(model, x, y, rng=rng)
    expected = model.classifier(x).log_softmax(1).diagonal()
    torch.testing.assert_close(found.elbo, expected)


def test_nets_are_held_against_the_pixels_of_the_same_draws(monkeypatch):
    shares = iter([[0.0, 80.0], [0.0, 90.0], [0.0, 60.0], [0.0, 70.0]])
    for way in ("semi_supervised_share", "classifier_share"):
        monkeypatch.setattr(module, way, lambda *given: torch.tensor(next(shares)))
    plan = Study(num_semi=2)
    draws = drawn_rows(3, rng=torch.Generator().manual_seed(3))
    pixels = torch.tensor([70.0, 75.0, 10.0])
    found = dict(module._of_nets(plan, load_digits(), draws, pixels, 30, 0))
    assert found["semi.30"] == 85 and found["semi.30.won"] == 12.5
    assert found["alone.30"] == 65 and found["alone.30.won"] == -7.5
    assert found["semi.30.won.error"] == 2.5


def test_neighbours_are_sought_among_training_digits(watched):
    digits = load_digits()
    for (_, y, _, of_new, k), _, found in watched.retrieved:
        assert torch.equal(y, digits.train.y) and torch.equal(of_new, digits.test.y)
        assert k == 10 and len(found) == 447


def test_groups_are_of_training_codes_and_judged_by_test_digits(watched):
    assert len(watched.fit_em_best) == len(NAMES) - 2
    assert len(watched.matched) == 2 * len(NAMES) - 2
    for (z, starts), _, run in watched.fit_em_best:
        assert len(z) == 1000 and len(starts) == BRIEF.num_starts
        assert len(run.mixture.weights) == 10
    for (groups, y), _, _ in watched.matched:
        assert torch.equal(y, load_digits().test.y) and len(groups) == 447


def test_means_find_groups_that_are_far_apart():
    y = torch.arange(200) % 10
    noise = torch.randn(200, 3, generator=torch.Generator().manual_seed(4)).double()
    z = 0.01 * noise + 10 * torch.stack([y % 3, y // 3, y * 0], 1)
    found = module.by_means(Codes(z, z, z[:50]), 10, rng=torch.Generator())
    assert module.matched(found, y[:50]) == 1


def test_the_record_has_every_number_for_each_seed(watched):
    stems = {name.removesuffix(".0") for name in watched.numbers}
    record = results.load("representation")
    assert record.seeds == Study().seeds
    for stem in stems:
        assert {f"{stem}.{seed}" for seed in record.seeds} <= record.numbers.keys()
    assert watched.pictures == record.pictures == {}
    for name in NAMES:
        assert f"probe.{name}.1000.0" in record.numbers


def test_one_draw_of_all_labels_is_enough():
    assert 1000 in Study().labels and Study().num_draws >= 20
