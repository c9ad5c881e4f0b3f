"""The race of two gradients: noise, variances by quadrature, its verdict, its still."""

import io

import numpy as np
import pytest
from explore.gradient_race.oracle import FUNCTIONS, RACES
from explore.made import make_gradients
from PIL import Image
from scipy import integrate, stats

from vaebook.explore import GradientRace


def normal_mean(g):
    """E[g(eps)] for standard normal eps, by adaptive quadrature."""
    return integrate.quad(lambda e: g(e) * stats.norm.pdf(e), -12, 12, limit=400)[0]


def uniform_of(count, seed):
    """One number of the page's generator, in whole numbers."""
    word = 2**32
    v = (seed + count * 0x9E3779B9) % word
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        v = (v ^ (v >> shift)) * factor % word
    return ((v ^ (v >> 16)) + 0.5) / word


@pytest.mark.parametrize("seed", [0, 1, 2026, 2**31 - 1])
def test_the_noise_is_that_of_the_generator_and_normal(seed):
    eps = make_gradients(seed=seed).eps.numpy()
    places = [0, 2, 98, 100, 4_560, *range(99_900, 100_000, 2)]
    for place in places:
        u, v = (uniform_of(place + k, seed) for k in (1, 2))
        pair = (-2 * np.log(u)) ** 0.5 * np.exp(2j * np.pi * v)
        found = eps.flat[place : place + 2]
        np.testing.assert_allclose(found, [pair.real, pair.imag], rtol=1e-9)
    assert eps.shape == (1000, 100)
    assert stats.kstest(eps.ravel(), "norm").pvalue > 0.01
    assert abs(np.corrcoef(eps[:, ::2].ravel(), eps[:, 1::2].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("setting", RACES[:12])
def test_gradient_and_variances_of_the_race_equal_quadrature(setting):
    theta, _, baseline, target = setting
    f, slope = (lambda e, g=g: g(theta + e) for g in FUNCTIONS[target])
    gradient = normal_mean(slope)
    best = normal_mean(lambda e: f(e) * e**2)
    b = {"none": 0, "mean": normal_mean(f), "optimal": best}[baseline]
    path = normal_mean(lambda e: (slope(e) - gradient) ** 2)
    score = normal_mean(lambda e: ((f(e) - b) * e - gradient) ** 2)
    found = make_gradients(*setting).now.truth()
    np.testing.assert_allclose(found, [gradient, b, path, score], atol=1e-7)


def test_the_race_has_the_variances_of_the_book():
    for theta, mean in ((0, 10), (1, 18), (2, 42)):
        none = theta**4 + 14 * theta**2 + 15
        best = 8 * theta**2 + 6
        for baseline, score in (("none", none), ("mean", mean), ("optimal", best)):
            truth = make_gradients(theta, 1, baseline).now.truth()
            assert truth[2:] == pytest.approx((4, score))
    for k, target in ((1, "cos x"), (2, "cos 2x"), (4, "cos 4x")):
        e = np.exp(-2 * k**2)
        expected = k**2 * (1 - e) / 2, (1 + (1 - 4 * k**2) * e) / 2
        assert make_gradients(0, 1, "none", target).now.truth()[2:] == pytest.approx(
            expected
        )


@pytest.mark.parametrize("setting", RACES[12:24])
def test_estimates_of_the_race_are_means_over_batches(setting):
    theta, batch, _, target = setting
    race, (f, slope) = make_gradients(*setting), FUNCTIONS[target]
    eps, b = race.eps[:, :batch].numpy(), race.now.truth().b
    path, score = race.now.estimates()
    np.testing.assert_allclose(path, slope(theta + eps).mean(1), atol=1e-9)
    np.testing.assert_allclose(score, ((f(theta + eps) - b) * eps).mean(1), atol=1e-9)


@pytest.mark.usefixtures("one_thread")
def test_measured_variances_agree_with_the_exact_ones():
    for setting in RACES[:12]:
        race = make_gradients(*setting)
        race.batch = 100
        for values, exact in zip(
            race.now.estimates(), race.now.truth()[2:], strict=True
        ):
            assert 100 * values.var().item() == pytest.approx(exact, rel=0.2)


def test_the_race_of_gradients_reads_sets_and_is_observed():
    race, seen = GradientRace(), []
    names = ["theta", "batch", "baseline", "target"]
    assert [getattr(race, name) for name in names] == [1.0, 1, "none", "square"]
    race.observe(lambda change: seen.append(change["new"]), names)
    race.theta, race.batch, race.baseline, race.target = 0.3, 50, "mean", "cos 2x"
    assert seen == [0.3, 50, "mean", "cos 2x"]
    race.theta = -3
    with pytest.raises(ValueError, match="theta must be -3 to 3"):
        race.theta = 3.1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"theta": -3.1}, "theta must be -3 to 3; received -3.1"),
        ({"theta": float("nan")}, "received nan"),
        ({"batch": 3}, "batch must be one of 1, 2, 5, 10, 20, 50, 100; received 3"),
        ({"baseline": "best"}, "baseline must be one of none, mean, .*received best"),
        ({"target": "sin x"}, "target must be one of square, cos x, .*received sin x"),
        ({"seed": -1}, "seed must be 0 to 2147483647; received -1"),
    ],
)
def test_the_race_of_gradients_refuses_what_it_cannot_be(given, message):
    with pytest.raises(ValueError, match=message):
        GradientRace(**given)


def test_the_still_shows_the_race_of_gradients():
    race = GradientRace()
    pictures = {race.snapshot()}
    assert "N(1.0, 1), by batches of 1 with baseline none" in race.describe()
    assert "true 2.00: pathwise above, variance 4.00 per draw" in race.describe()
    assert "score function below, variance 30.00" in race.describe()
    assert "score function needs 7.5 times as many draws." in race.describe()
    changed = {"theta": 3.0, "batch": 100, "baseline": "mean", "target": "cos 4x"}
    for trait, value in changed.items():
        setattr(race, trait, value)
        pictures.add(race.snapshot())
    assert "mean of cos 4x" in race.describe()
    assert "pathwise gradient needs 16 times as many draws." in race.describe()
    assert len(pictures) == 5 and max(map(len, pictures)) <= 20_000
    assert Image.open(io.BytesIO(race.snapshot())).size == (1280, 600)


def test_the_verdict_of_the_race():
    said = {
        (3, "none", "square"): "the score function needs 56 times as many draws",
        (2, "none", "square"): "the score function needs 22 times as many draws",
        (1, "optimal", "square"): "the score function needs 3.5 times as many draws",
        (0, "none", "cos 4x"): "the pathwise gradient needs 16 times as many draws",
        (0.4, "none", "cos x"): "the pathwise gradient needs 1.3 times as many draws",
        (0.8, "none", "cos x"): "both need about as many draws",
    }
    for (theta, baseline, target), words in said.items():
        assert make_gradients(theta, 1, baseline, target).now.verdict() == words
