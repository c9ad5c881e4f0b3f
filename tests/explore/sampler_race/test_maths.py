"""The race of samplers: its estimates, its refusals, its still."""

import io

import numpy as np
import pytest
import torch
from explore.made import PROPOSALS, log_weights, make_race
from explore.sampler_race.oracle import every_start
from PIL import Image

from vaebook.explore import (
    SamplerRace,
)


def test_the_race_has_the_estimates_of_every_first_draws():
    race = make_race()
    sizes = np.array(race.sizes)
    np.testing.assert_allclose(np.log10(sizes), np.linspace(1, 4, 31), atol=0.02)
    assert {10, 100, 1000, 10_000} < {*race.sizes}
    expected = every_start(log_weights(), sizes)
    found = [torch.stack(path, -1).transpose(0, 1) for path in race.paths.of.values()]
    np.testing.assert_allclose(np.stack(found), expected, rtol=1e-9)
    race.num_samples, race.run = race.sizes[17], 3
    rows = [torch.stack(row) for row in race.estimates().values()]
    np.testing.assert_allclose(np.stack(rows), expected[:, 3, 17], rtol=1e-9)
    assert race.truth == pytest.approx(-2.2655121235, abs=1e-10)


def test_the_band_of_a_good_proposal_holds_the_truth_and_of_a_narrow_one_does_not():
    race = make_race(8)
    inside = {
        name: ((path.value - race.truth).abs() <= 2 * path.standard_error).numpy()
        for name, path in race.paths.of.items()
    }
    assert inside["wide"].mean() > 0.85 > 0.6 > inside["narrow"].mean()
    errors = race.paths.of["wide"].standard_error
    np.testing.assert_allclose(errors[-1] / errors[10], 0.1, rtol=0.25)


def test_the_race_reads_sets_and_is_observed():
    race, seen = make_race(num_samples=1000), []
    assert (race.num_samples, race.run, race.shown) == (1000, 0, list(PROPOSALS))
    assert make_race().num_samples == race.sizes[15]
    race.observe(lambda change: seen.append(change["new"]), ["num_samples", "run"])
    race.observe(lambda change: seen.append(change["new"]), "shown")
    race.num_samples, race.run, race.shown = 10, 4, ["narrow"]
    assert seen == [10, 4, ["narrow"]]


@pytest.mark.parametrize(
    ("log_w", "message"),
    [
        ({}, r"log_w must hold 1 to 4 samplers .* received \{\}"),
        (
            {"a": torch.zeros(99, 3)},
            r"100 <= S <= 1,000,000 .* received \{'a': \(99, 3\)\}",
        ),
        ({"a": torch.zeros(200)}, r"\(200,\)"),
        ({"a": torch.zeros(200, 9)}, "R <= 8"),
        ({"a": torch.zeros(200, 2), "b": torch.zeros(300, 2)}, "of one shape"),
        ({k: torch.zeros(200, 2) for k in "abcde"}, "1 to 4 samplers"),
        ({"a": torch.full((200, 2), -torch.inf)}, "finite; received -inf in a"),
    ],
)
def test_weights_that_cannot_race_are_refused(log_w, message):
    with pytest.raises(ValueError, match=message):
        SamplerRace(log_w, -1.0)


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("num_samples", 11, "sizes, 10 to 10000; received 11, nearest 10"),
        ("run", 5, "run must be 0 to 4; received 5"),
        ("run", -1, "received -1"),
        ("shown", ["wide", "b"], "among wide, narrow, the prior; received b"),
    ],
)
def test_the_race_refuses_traits(trait, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(make_race(), trait, value)


def test_a_race_to_no_finite_truth_is_refused():
    with pytest.raises(ValueError, match="truth must be finite; received nan"):
        SamplerRace(log_weights(), float("nan"))


def test_the_still_shows_the_race():
    race = make_race(num_samples=1000)
    pictures = {race.snapshot()}
    said = "run 1 of 5, with bands of two standard errors up to 1,000 draws"
    assert said in race.describe() and "narrow -2." in race.describe()
    for trait, value in {"run": 1, "num_samples": 10_000, "shown": ["wide"]}.items():
        setattr(race, trait, value)
        pictures.add(race.snapshot())
    assert "narrow" not in race.describe()
    race.shown = []
    assert "no sampler shown" in race.describe()
    assert len(pictures) == 4 and max(map(len, pictures)) <= 20_000
    assert Image.open(io.BytesIO(race.snapshot())).size == (1280, 600)


@pytest.mark.parametrize("latent_dim", [1, 8])
def test_the_picture_of_a_race_holds_the_truth_and_where_the_samplers_end(latent_dim):
    race = make_race(latent_dim)
    low, high = race.frame
    values = torch.stack([path.value for path in race.paths.of.values()])
    last = values[:, -1]
    assert low < race.truth < high and low < last.min() and last.max() < high
    assert 0.85 < ((low < values) & (values < high)).double().mean() < 0.99
    far = {"good": torch.randn(200, 2), "far": 100 * torch.rand(200, 2) - 100}
    far["far"][150:] = -1.0
    low, high = SamplerRace(far, 0.5).frame
    assert -5 < low < -1 and 0.5 < high < 3
