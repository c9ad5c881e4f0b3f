"""The long run on drawing, in seconds: what is drawn, walked, moved and held out."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot
from watched import watched_study

from vaebook.applications import nearest_labels
from vaebook.datasets import load_digits
from vaebook.generation import ink, slant
from vaebook.generation.studies import drawing as module
from vaebook.generation.studies.drawing import (
    ATTRIBUTES,
    BRIEF,
    TEMPERATURES,
    by_heart,
    class_judged,
    class_means,
    paired,
)

pytestmark = pytest.mark.usefixtures("one_thread")
WATCHED = (
    "fit",
    "precision_recall",
    "copying",
    "straight_line",
    "great_circle",
    "geodesic",
    "e_step",
    "without_fold",
    "log_p_of_draws",
)
WAYS = [
    "coins",
    "prototypes",
    "prior",
    "threshold",
    "learned",
    "training",
    "gaussian",
    "mixture",
    *(f"temperature_{t}" for t in TEMPERATURES),
    "asked",
]


@pytest.fixture(scope="module")
def watched():
    """A brief study: its numbers, and what its parts took and gave."""
    return watched_study(module, WATCHED)


def test_all_models_learn_from_the_same_digits(watched):
    grey = load_digits(binarize=False).train
    vae, learned, conditional = (given for given, _, _ in watched.fit[:3])
    assert torch.equal(vae[1], grey.x) and torch.equal(learned[1], grey.x)
    x, y = conditional[1]
    assert torch.equal(x, grey.x) and torch.equal(y.argmax(1), grey.y)
    for _, _, settings in (vae, learned, conditional):
        assert settings.epochs == BRIEF.epochs
        assert settings.to_pixels is module.binarize_noisily


def test_every_way_is_held_against_the_same_test_digits(watched):
    assert len(watched.precision_recall) == len(WAYS)
    for (real, drawn), _, found in watched.precision_recall:
        assert torch.equal(real, load_digits().test.x[: BRIEF.num_images])
        assert drawn.shape == real.shape and set(drawn.unique().tolist()) <= {0, 1}
        assert 0 <= found.precision <= 1
    for way in WAYS:
        assert f"drawn.{way}.energy.0" in watched.numbers


def test_colder_codes_are_nearer_to_their_middle(watched):
    """Of the same codes: so temperatures differ in nothing else."""
    drawn = dict(zip(WAYS, (g[1] for g, _, _ in watched.precision_recall), strict=True))
    images = [drawn[f"temperature_{t}"] for t in TEMPERATURES]
    assert len({image.sum().item() for image in images}) > 1
    assert list(TEMPERATURES) == sorted(TEMPERATURES) and TEMPERATURES[0] < 1


def test_a_class_is_judged_by_three_neighbours():
    digits = load_digits()
    found = class_judged(digits, digits.test.x)
    known = digits.train.x, digits.train.y
    assert torch.equal(found, nearest_labels(*known, digits.test.x, 3))
    assert not torch.equal(found, nearest_labels(*known, digits.test.x, 1))
    assert (found == digits.test.y).double().mean() > 0.85


def test_images_of_a_class_are_drawn_not_rounded(monkeypatch):
    drawn = []
    monkeypatch.setattr(module, "_of_draws", lambda _, x, *rest: drawn.append(x) or [])
    asked = []

    def mean_image(z, y):
        asked.append(y)
        return torch.full((len(z), 64), 0.3)

    rng = torch.Generator().manual_seed(0)
    model = SimpleNamespace(mean_image=mean_image)
    dict(module._of_classes(model, load_digits(), module.Study(), rng=rng))
    assert abs(drawn[0].mean() - 0.3) < 0.01
    assert torch.equal(asked[0].argmax(1), torch.arange(447) % 10)


def test_ways_to_draw_share_their_codes(monkeypatch):
    """What differs between temperatures, and the threshold, is nothing else."""
    rng = torch.Generator().manual_seed(0)
    models = module.trained_models(BRIEF, 0)
    calls, decode = [], models.vae.mean_image

    def watched(z):
        calls.append((z, decode(z)))
        return calls[-1][1]

    monkeypatch.setattr(models.vae, "mean_image", watched)
    ways = module.drawn_ways(models, load_digits(), BRIEF, rng=rng)
    z = calls[0][0]
    assert torch.equal(calls[1][0], z)
    assert torch.equal(ways["threshold"], (calls[1][1] >= 0.5).float())
    last = calls[-len(TEMPERATURES) :]
    for t, (given, _) in zip(TEMPERATURES, last, strict=True):
        torch.testing.assert_close(given, t * z)


def test_arithmetic_of_codes_that_are_pixels_is_that_of_pixels():
    def posterior(x):
        return SimpleNamespace(mu=x)

    same = SimpleNamespace(posterior=posterior, mean_image=lambda z: z.clamp(0, 1))
    found = dict(module._of_arithmetic(same, load_digits()))
    assert found["arithmetic.codes"] == found["arithmetic.pixels"] > 50


def test_pairs_are_of_different_classes():
    y = load_digits().test.y
    first, last = paired(y, 50, rng=torch.Generator().manual_seed(0))
    assert len(first) == len(last) == 50
    assert (y[first] != y[last]).all() and len(set(first.tolist())) == 50


def test_every_path_joins_the_same_codes(watched):
    (a, b, _), _, line = watched.straight_line[0]
    assert torch.equal(watched.great_circle[0].given[0], a)
    assert torch.equal(watched.great_circle[0].given[1], b)
    _, start, end, _ = watched.geodesic[0].given
    assert torch.equal(start, a) and torch.equal(end, b)
    middle = watched.numbers["path.straight.norm.0"]
    assert middle == pytest.approx(line[8].norm(dim=1).mean().item(), rel=1e-6)


def test_the_shortest_way_is_no_longer_than_the_others(watched):
    lengths = {
        way: watched.numbers[f"path.{way}.length.0"]
        for way in ("geodesic", "straight", "circle")
    }
    assert min(lengths.values()) == pytest.approx(lengths["geodesic"], rel=1e-4)


def test_the_middle_of_each_path_is_judged(watched):
    ways = "straight", "circle", "geodesic", "blend"
    means = [call.given[1] for call in watched.log_p_of_draws[: len(ways)]]
    vae = watched.fit[0].given[0]
    paths = [watched.straight_line[0], watched.great_circle[0], watched.geodesic[0]]
    with torch.no_grad():
        expected = [vae.mean_image(call.found[8]) for call in paths]
    for mean, image in zip(means, expected, strict=False):
        torch.testing.assert_close(mean, image)
    assert torch.equal(means[-1], watched.straight_line[1].found[8])


def test_the_blend_has_the_ends_of_the_straight_path(watched):
    blend = watched.straight_line[1].found
    decoded = watched.straight_line[1].given
    torch.testing.assert_close(blend[8], (decoded[0] + decoded[1]) / 2)


@pytest.fixture(scope="module")
def learned():
    """A model that has seen the digits for a while, and its raised test digits."""
    rng = torch.Generator().manual_seed(0)
    vae = module.VAE(64, (64,), 4, rng=rng)
    settings = module.settings_of(module.Study(epochs=30))
    module.fit(vae, load_digits(binarize=False).train.x, settings, rng=rng)
    with torch.no_grad():
        return vae, *module.raised(vae, load_digits(), ink)


def test_every_way_starts_at_the_test_digits(learned):
    vae, images, unit = learned
    digits = load_digits()
    with torch.no_grad():
        old = vae.mean_image(vae.posterior(digits.train.x).mu)
        before = vae.mean_image(vae.posterior(digits.test.x).mu)
    assert unit == pytest.approx(ink(old).std().item(), rel=1e-5)
    assert list(images) == ["across", "within", "pixels", "slope"]
    for image in images.values():
        assert image.shape == before.shape and (image - before).abs().mean() > 1e-3
        assert image.min() >= 0 and image.max() <= 1


def test_pixels_and_the_slope_get_what_was_asked(learned):
    vae, images, unit = learned
    with torch.no_grad():
        before = ink(vae.mean_image(vae.posterior(load_digits().test.x).mu))
    for way in ("pixels", "slope"):
        rises = (ink(images[way]) - before) / unit
        assert rises.mean().item() == pytest.approx(module.ASKED, abs=0.1)


def test_raised_images_move_along_a_direction(learned):
    vae, images, _ = learned
    digits = load_digits()
    with torch.no_grad():
        z = vae.posterior(digits.train.x).mu
        codes = vae.posterior(digits.test.x).mu
        amount = ink(vae.mean_image(z))
        for way, y in {"across": None, "within": digits.train.y}.items():
            v = module.direction(z, amount, y)
            found = [
                (vae.mean_image(codes + m / 20 * v) - images[way]).abs().max()
                for m in range(1, 161)
            ]
            assert min(found) < 1e-5


def test_the_rise_of_a_mean():
    old, step = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 0.5])
    rise = module.mean_rise(ink, lambda z: 2 * z, old, step, 3.0)
    assert rise == pytest.approx(2 * 3 * 1.5)
    assert module.clipped(torch.tensor([-1.0, 0.4, 3.0])).tolist() == [
        0,
        pytest.approx(0.4),
        1,
    ]


def test_attributes_are_told_by_every_way(watched):
    for name in ATTRIBUTES:
        for way in ("across", "within", "pixels", "slope"):
            for part in ("", ".error", ".kept", ".nats"):
                assert f"attribute.{name}.{way}{part}.0" in watched.numbers
    assert "attribute.before.nats.0" in watched.numbers
    for name in ATTRIBUTES:
        for way in ("pixels", "slope"):
            risen = watched.numbers[f"attribute.{name}.{way}.0"]
            assert risen == pytest.approx(module.ASKED, abs=0.2)


def test_attributes_are_ink_and_slant():
    x = load_digits(binarize=False).test.x[:20]
    torch.testing.assert_close(ATTRIBUTES["ink"](x), ink(x))
    torch.testing.assert_close(ATTRIBUTES["slant"](x), slant(x, 8))


def test_means_of_classes():
    digits = load_digits().train
    found = class_means(digits.x, digits.y)
    shares = one_hot(digits.y).double()
    expected = (shares.T @ digits.x.double()) / shares.sum(0)[:, None]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_each_digit_is_held_out_once(watched):
    grey = load_digits(binarize=False).train.x
    folds = [len(data) for (_, data, _), _, _ in watched.fit[3:]]
    assert folds == [500] * (2 * BRIEF.num_folds)
    recipes = [settings for (_, _, settings), _, _ in watched.fit[3:]]
    assert [r.epochs for r in recipes[:2]] == [BRIEF.epochs] * 2
    assert recipes[2] == recipes[3] == by_heart(BRIEF)
    assert recipes[2].epochs == 4 * BRIEF.epochs and recipes[2].to_pixels is None
    both = torch.cat([watched.fit[3].given[1], watched.fit[4].given[1]])
    assert both.sum() == pytest.approx(grey.sum().item(), rel=1e-6)


@pytest.mark.equation(
    "eq-generation-memory",
    against="a loop over the digits of two folds",
    body="1e524833",
)
def test_memory_is_what_a_digit_gains_by_being_there(watched):
    """Of two folds each digit is held out by one model and known to the other."""
    for place, name in enumerate(("vae", "by_heart")):
        folds = watched.without_fold[2 * place : 2 * place + 2]
        gained, held = [], []
        for digit in range(1000):
            log_p = {
                digit in rest.tolist(): found.log_p[digit].item()
                for (rest, *_), _, found in folds
            }
            gained.append(log_p[True] - log_p[False])
            held.append(log_p[False])
        numbers = watched.numbers
        assert numbers[f"memory.{name}.0"] == pytest.approx(np.mean(gained), rel=1e-6)
        assert numbers[f"memory.{name}.most.0"] == pytest.approx(
            np.quantile(gained, 0.95), rel=1e-6
        )
        assert numbers[f"memory.{name}.held_out.0"] == pytest.approx(np.mean(held))


def test_copies_are_sought_among_digits_of_the_same_writers(watched):
    binary = load_digits().train.x
    assert len(watched.copying) == 3 * BRIEF.num_folds
    for (rest, held, drawn), _, _ in watched.copying:
        assert len(rest) + len(held) == 1000 and len(drawn) == len(held)
        assert rest.sum() + held.sum() == binary.sum()
    assert watched.numbers["copies.copier.0"] < 0.3
