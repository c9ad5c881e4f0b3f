"""What must be beaten, against the figures of another program, numpy and scipy."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from vaebook.applications import (
    Measurement,
    exact_draws,
    exact_restoration,
    image_laws,
    keep_pixels,
    mean_pool,
    plain_enlargements,
    psnr,
    squared_error,
)
from vaebook.datasets import load_digits
from vaebook.likelihood import FullGaussian

LOWER = slice(32, 64)


@pytest.fixture(scope="module")
def digits():
    return load_digits(binarize=False)


@pytest.fixture(scope="module")
def laws(digits):
    return image_laws(digits.train.x)


def rmse(found, truth):
    return squared_error(found, truth).mean().sqrt().item()


@pytest.mark.parametrize(
    ("way", "error", "decibels"),
    [("nearest", 0.2224, 13.06), ("spline", 0.2163, 13.30)],
)
def test_plain_enlargements_are_as_good_as_they_are_known_to_be(
    digits, way, error, decibels
):
    x = digits.test.x.double()
    found = plain_enlargements(Measurement(mean_pool(8, 8, 2)).means(x))[way]
    assert rmse(found, x) == pytest.approx(error, abs=5e-5)
    assert psnr(squared_error(found, x)).mean == pytest.approx(decibels, abs=5e-3)


@pytest.mark.parametrize(
    ("name", "error", "decibels"),
    [("ppca", 0.1597, 15.93), ("gaussian", 0.1547, 16.21)],
)
def test_gaussian_laws_are_as_good_as_they_are_known_to_be(
    digits, laws, name, error, decibels
):
    x, pool = digits.test.x.double(), Measurement(mean_pool(8, 8, 2))
    found = exact_restoration(laws[name], pool, pool.means(x)).mu
    assert rmse(found, x) == pytest.approx(error, abs=5e-5)
    assert psnr(squared_error(found, x)).mean == pytest.approx(decibels, abs=5e-3)


def test_ridge_is_added_to_the_variances_of_the_gaussian_alone(digits, laws):
    wider = image_laws(digits.train.x, ridge=0.5)
    added = wider["gaussian"].cov - laws["gaussian"].cov
    torch.testing.assert_close(added, (0.5 - 1e-3) * torch.eye(64).double())
    assert torch.equal(wider["ppca"].cov, laws["ppca"].cov)


def test_lower_half_is_as_near_as_it_is_known_to_be(digits, laws):
    x = digits.test.x.double()
    upper = Measurement(keep_pixels(torch.arange(64).view(8, 8) < 32))
    found = exact_restoration(laws["ppca"], upper, upper.means(x)).mu
    assert rmse(found[:, LOWER], x[:, LOWER]) == pytest.approx(0.2463, abs=5e-5)
    mean = digits.train.x.double().mean(0).expand_as(x)
    assert rmse(mean[:, LOWER], x[:, LOWER]) == pytest.approx(0.2790, abs=5e-5)


def test_spline_takes_images_of_any_side():
    y = torch.from_numpy(np.random.default_rng(0).uniform(size=(2, 9)))
    found = plain_enlargements(y, 3)
    for image, small in zip(found["spline"], y, strict=True):
        theirs = ndimage.zoom(
            small.view(3, 3).numpy(), 3, order=3, mode="nearest", grid_mode=True
        )
        np.testing.assert_allclose(image.view(9, 9), theirs)
    assert found["nearest"][0].view(9, 9)[:3, 3:6].unique().tolist() == [y[0, 1].item()]


def test_draws_have_the_mean_and_the_covariance_also_if_it_is_flat(assert_within):
    root = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 2)))
    law = FullGaussian(torch.tensor([[0.0, 1, 2, 3], [5, 5, 5, 5]]), root @ root.T)
    law = law._replace(mu=law.mu.double())
    draws = exact_draws(law, 40_000, rng=torch.Generator().manual_seed(0))
    error = law.cov.diagonal().sqrt().expand(2, 4) / len(draws) ** 0.5
    assert_within(draws.mean(0), law.mu, error)
    seen = np.cov(draws[:, 1].T.numpy())
    spread = law.cov.diagonal()
    sd = ((law.cov**2 + spread[:, None] * spread) / len(draws)).sqrt()
    assert_within(torch.from_numpy(seen), law.cov, sd)
    flat = torch.linalg.svd(root.T).Vh[2:]
    assert ((draws - law.mu) @ flat.T).abs().max() < 1e-6


def test_impossible_requests_are_refused():
    law = FullGaussian(torch.zeros(1, 2), torch.eye(2))
    with pytest.raises(ValueError, match="num_draws must be at least 1"):
        exact_draws(law, 0, rng=torch.Generator())
