"""The likelihood surface: its numbers, its traits, its still."""

import io

import numpy as np
import pytest
import torch
from explore.made import make_surface
from PIL import Image
from sklearn.datasets import load_iris
from torch.distributions import Normal

from vaebook.explore import (
    LikelihoodExplorer,
)


def test_mu_and_sigma_are_read_set_and_observed():
    explorer, seen = make_surface(), []
    assert (explorer.mu, explorer.sigma) == (5.5, 0.8)
    explorer.observe(lambda change: seen.append(change["new"]), ["mu", "sigma"])
    explorer.mu, explorer.sigma = 4, 1.5
    assert seen == [4, 1.5]
    gaussian = Normal(*torch.tensor([4, 1.5], dtype=torch.float64))
    expected = gaussian.log_prob(torch.tensor(explorer.x, dtype=torch.float64)).sum()
    assert explorer.now.log_likelihood() == pytest.approx(expected.item(), rel=1e-10)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.tensor([1.0, float("nan")]), "x must be finite; received nan"),
        (torch.tensor([1.0, float("inf")]), "x must be finite; received inf"),
        (torch.ones(3, 2), r"x must be \(N,\) with N >= 2; received shape \(3, 2\)"),
        (torch.ones(1), r"received shape \(1,\)"),
        (torch.full((4,), 2.5), "different values, .* received 4 times 2.5"),
    ],
)
def test_data_without_a_best_gaussian_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        LikelihoodExplorer(x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": (5, 0)}, "sigma must be positive and finite; received 0.0"),
        ({"start": (float("nan"), 1)}, "mu must be finite; received nan"),
        ({"rate": 0}, "rate must be positive .* received 0"),
        ({"num_steps": 0}, "num_steps must be at least 1; received 0"),
    ],
)
def test_a_climb_that_cannot_start_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make_surface(**options)


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (1e-3, 0), (250, -4000)])
def test_bars_are_a_density_and_the_frame_holds_data_and_start(scale, shift):
    x = scale * torch.from_numpy(load_iris().data[:, 2]) + shift
    explorer = LikelihoodExplorer(x, start=(9 * scale + shift, 0.1 * scale))
    edges, heights = map(np.array, explorer.bars.values())
    assert (heights * np.diff(edges)).sum() == pytest.approx(1)
    counts = np.histogram(x.numpy() + 1e-6 * scale, edges)[0]
    np.testing.assert_allclose(heights * np.diff(edges) * 150, counts, atol=1e-6)
    (low, high), (least, most) = explorer.frame["mu"], explorer.frame["sigma"]
    assert low < x.min() and 9 * scale + shift < high and len(heights) < 25
    assert least < 0.1 * scale and x.std() < most


def test_the_still_shows_the_surface():
    explorer = make_surface()
    picture = explorer.snapshot()
    assert len(picture) <= 20_000
    assert Image.open(io.BytesIO(picture)).size == (1280, 600)
    assert "mean 5.50" in explorer.describe() and "-822.7 nats" in explorer.describe()
    explorer.mu = 3
    assert explorer.snapshot() != picture
