"""The long run on strangers and holes, in seconds: what is left out, hidden, filled."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from watched import watched_study

from vaebook.datasets import load_digits
from vaebook.generation.studies import anomalies as module
from vaebook.generation.studies.anomalies import (
    BRIEF,
    MECHANISMS,
    TAU,
    Study,
    by_chance,
    by_the_hidden,
    by_the_seen,
    ways_of,
    without,
)

pytestmark = pytest.mark.usefixtures("one_thread")
WATCHED = ("fit", "scores", "auroc")
WAYS = ["nothing_missing", "complete_cases", "zeros", "filled", "bound"]


@pytest.fixture(scope="module")
def watched():
    """A brief study: its numbers, and what its parts took and gave."""
    return watched_study(module, WATCHED)


def test_a_class_is_left_out_of_all_that_is_learned(watched):
    (left_out,) = BRIEF.classes
    grey, digits = load_digits(binarize=False).train, load_digits()
    (_, data, settings), _, _ = watched.fit[0]
    assert torch.equal(data, grey.x[grey.y != left_out])
    assert settings.epochs == BRIEF.epochs
    _, ours, x, _ = watched.scores[0].given
    for part, whole in zip(ours, digits, strict=True):
        assert torch.equal(part.x, whole.x[whole.y != left_out])
    assert torch.equal(x, digits.test.x[: BRIEF.num_images])


def test_the_class_left_out_is_outside(watched):
    y = load_digits().test.y[: BRIEF.num_images]
    (left_out,) = BRIEF.classes
    names = watched.scores[0].found
    for name, ((inside, outside), _, found) in zip(
        names, watched.auroc[: len(names)], strict=True
    ):
        score = watched.scores[0].found[name]
        assert torch.equal(inside, score[y != left_out])
        assert torch.equal(outside, score[y == left_out])
        assert watched.numbers[f"left_out.{name}.{left_out}.0"] == found


def test_scores_are_high_for_strangers():
    """Noise of as many lit pixels: ink can't tell, and of two that see it as strange
    the ratio says less."""
    digits = load_digits()
    rng = torch.Generator().manual_seed(0)
    order = torch.rand(60, 64, generator=rng).argsort(1)
    shuffled = digits.test.x[:60].gather(1, order)
    x = torch.cat([digits.test.x[:60], shuffled])
    vae = module.VAE(64, (64,), 4, rng=rng)
    grey = load_digits(binarize=False).train.x
    module.fit(vae, grey, module.settings_of(Study(epochs=30)), rng=rng)
    found = module.scores(vae, digits, x, 50, rng=rng)
    for name in ("log_p", "typicality", "rebuilt", "coins", "pixels"):
        assert module.auroc(found[name][:60], found[name][60:]) > 0.9, name
    torch.testing.assert_close(found["ink"][:60], found["ink"][60:])
    assert found["ratio"].sub(found["log_p"]).add(found["coins"]).abs().max() < 1e-3


def test_each_score_is_what_its_name_says():
    digits, rng = load_digits(), torch.Generator().manual_seed(0)
    vae, x = module.VAE(64, (16,), 2, rng=rng), digits.test.x[:20]
    found = module.scores(vae, digits, x, 5, rng=torch.Generator().manual_seed(1))
    again = torch.Generator().manual_seed(1)
    with torch.no_grad():
        log_p = vae.log_evidence(x, 5, rng=again).value
        mu, log_var = vae.posterior(x)
        known = vae.posterior(digits.train.x).mu
    assert torch.equal(found["log_p"], -log_p)
    kl = 0.5 * (mu.square() + log_var.exp() - 1 - log_var).sum(1)
    np.testing.assert_allclose(found["kl"], kl, rtol=1e-4, atol=1e-6)
    assert (found["rebuilt"] > 0).all()
    for name, (ours, new) in {
        "pixels": (digits.train.x, x),
        "codes": (known, mu),
    }.items():
        apart, _ = NearestNeighbors(n_neighbors=5).fit(ours).kneighbors(new)
        np.testing.assert_allclose(found[name], apart[:, -1], rtol=1e-3)


@pytest.mark.parametrize("better", [1000, 4000])
def test_the_better_on_validation_is_taken(monkeypatch, better):
    asked = []

    def trained_on(grey, seen, num_steps, seed):
        def log_evidence(x, number, *, rng):
            asked.append(x)
            return SimpleNamespace(
                value=torch.tensor([-20.0, -18.0]) + (num_steps == better)
            )

        return SimpleNamespace(log_evidence=log_evidence, num_steps=num_steps)

    monkeypatch.setattr(module, "trained_on", trained_on)
    x = torch.zeros(3, 64)
    model, num_steps = module.best_of(x, x, Study(), 0)
    assert model.num_steps == num_steps == better
    assert len(asked) == 2
    assert all(torch.equal(one, load_digits().validation.x) for one in asked)


def test_models_of_missing_pixels_are_scored_on_whole_test_digits(monkeypatch):
    asked = []

    def log_evidence(x, number, *, rng):
        asked.append(x)
        return SimpleNamespace(value=torch.full((len(x),), -3.0))

    model = SimpleNamespace(
        log_evidence=log_evidence, sample=lambda number, *, rng: torch.ones(number, 64)
    )
    monkeypatch.setattr(module, "best_of", lambda *given: (model, 7))
    found = dict(module._of_missing(Study(), 0))
    assert found["missing.chance.bound"] == found["missing.seen.zeros"] == 3
    assert found["missing.hidden.filled.steps"] == 7
    assert found["missing.hidden.filled.ink"] == 64
    assert len(asked) == len(MECHANISMS) * len(WAYS)
    assert all(torch.equal(x, load_digits().test.x) for x in asked)


def test_altered_digits_are_held_against_real_ones(watched):
    """After the class left out: real digits first, then four kinds of others."""
    x = load_digits().test.x[: BRIEF.num_images]
    real, *others = watched.scores[1:]
    assert torch.equal(real.given[2], x)
    assert torch.equal(real.given[1].train.x, load_digits().train.x)
    whole = load_digits(binarize=False).train.x
    assert torch.equal(watched.fit[1].given[1], whole)
    kinds = module.altered(real.given[0], x)
    for kind, call in zip(kinds, others, strict=True):
        assert torch.equal(call.given[2], kinds[kind])
        for name, score in call.found.items():
            expected = module.auroc(real.found[name], score)
            assert watched.numbers[f"altered.{name}.{kind}.0"] == expected


def test_altered_digits():
    x = load_digits().test.x[:7]
    vae = module.VAE(64, (4,), 2, rng=torch.Generator().manual_seed(0))
    kinds = module.altered(vae, x)
    square, grid = x.view(-1, 8, 8).numpy(), {}
    for kind, image in kinds.items():
        grid[kind] = image.view(-1, 8, 8).numpy()
    assert (grid["half"][:, :4] == square[:, :4]).all() and not grid["half"][
        :, 4:
    ].any()
    assert (grid["mirrored"] == square[:, :, ::-1]).all()
    assert (grid["upside_down"] == square[:, ::-1]).all()
    assert set(kinds["smoothed"].unique().tolist()) <= {0, 1}


def test_doubt_is_that_of_a_classifier_of_the_classes_there_are():
    digits = load_digits()
    told = without(digits.train, 3)
    found = module.doubt(told, digits.test.x)
    theirs = LogisticRegression(C=TAU**2, tol=1e-6, max_iter=5000)
    theirs.fit(told.x.double().numpy(), told.y.numpy())
    log_probs = theirs.predict_log_proba(digits.test.x.double().numpy())
    np.testing.assert_allclose(found, -log_probs.max(1), atol=2e-3)


def test_images_without_a_class():
    digits = load_digits().train
    rest = without(digits, 4)
    assert (rest.y != 4).all() and len(rest.y) == (digits.y != 4).sum()


def test_holes_by_chance_say_nothing_of_the_image():
    x = load_digits().train.x
    seen = by_chance(x, rng=torch.Generator().manual_seed(0))
    whole = seen.all(1)
    assert abs(whole.double().mean() - 0.1) < 0.05
    some = seen[~whole]
    assert abs(some.mean() - 0.5) < 0.01
    lit = x[~whole] > 0
    assert abs(some[lit].mean() - some[~lit].mean()) < 0.02


def test_holes_by_the_seen_depend_on_the_upper_half_alone():
    x = load_digits().train.x
    seen = by_the_seen(x, rng=torch.Generator().manual_seed(0))
    assert seen[:, :32].all()
    other = torch.cat([x[:, :32], 1 - x[:, 32:]], 1)
    again = by_the_seen(other, rng=torch.Generator().manual_seed(0))
    assert torch.equal(seen, again)
    whole = seen.all(1)
    assert x[whole, :32].sum(1).max() <= x[~whole, :32].sum(1).min()


def test_holes_by_the_hidden_are_of_lit_pixels_only():
    x = load_digits().train.x
    seen = by_the_hidden(x, rng=torch.Generator().manual_seed(0))
    assert seen[x == 0].all()
    whole = seen.all(1)
    assert abs(whole.double().mean() - 0.1) < 0.05
    assert abs(seen[~whole][x[~whole] == 1].mean() - 0.5) < 0.02


def test_what_is_done_about_holes():
    noise = torch.Generator().manual_seed(1)
    grey = torch.rand(30, 4, generator=noise)
    seen = (torch.rand(30, 4, generator=noise) < 0.7).float()
    seen[:5] = 1
    found = ways_of(grey, seen)
    assert list(found) == WAYS
    whole = seen.all(1)
    assert torch.equal(found["complete_cases"][0], grey[whole])
    assert torch.equal(found["zeros"][0], grey * seen)
    assert torch.equal(found["bound"][1], seen)
    for way in ("nothing_missing", "complete_cases", "zeros", "filled"):
        assert found[way][1].all()
    filled = found["filled"][0]
    assert torch.equal(filled[seen > 0], grey[seen > 0])
    for column in range(4):
        hidden = seen[:, column] == 0
        mean = grey[~hidden, column].mean()
        torch.testing.assert_close(filled[hidden, column], mean.expand(hidden.sum()))


def test_few_digits_are_trained_for_as_many_steps(monkeypatch):
    seen = []
    monkeypatch.setattr(module, "fit", lambda *given, rng: seen.append(given))
    for number in (1000, 208, 60):
        images = torch.zeros(number, 64)
        module.trained_on(images, torch.ones_like(images), 4000, 0)
    assert [given[2].epochs for given in seen] == [400, 2000, 4000]
    assert [given[2].batch_size for given in seen] == [100, 100, 60]


def test_every_way_is_told_of_every_mechanism(watched):
    for mechanism in MECHANISMS:
        for way in WAYS:
            assert f"missing.{mechanism}.{way}.0" in watched.numbers
            assert watched.numbers[f"missing.{mechanism}.{way}.steps.0"] >= 1
            assert 0 < watched.numbers[f"missing.{mechanism}.{way}.ink.0"] < 64
        ink = load_digits().train.x.sum(1).mean().item()
        assert watched.numbers[f"missing.{mechanism}.ink.0"] == pytest.approx(ink)
