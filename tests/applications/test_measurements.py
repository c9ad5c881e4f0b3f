"""What is measured of an image, against loops over its pixels and scipy's filters."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from vaebook.applications import Measurement, gaussian_blur, keep_pixels, mean_pool

SIDES = st.integers(1, 4)


def image(*shape, seed=0):
    return np.random.default_rng(seed).uniform(size=shape)


@pytest.mark.equation(
    "eq-applications-mean-pool",
    against="means of squares of an image cut up by numpy",
    body="479684c7",
)
@settings(deadline=None)
@given(height=SIDES, width=SIDES, factor=st.integers(1, 3))
def test_pooled_pixels_are_means_of_squares(height, width, factor):
    x = image(height * factor, width * factor)
    pooled = mean_pool(*x.shape, factor).double().numpy() @ x.ravel()
    squares = x.reshape(height, factor, width, factor)
    np.testing.assert_allclose(
        pooled.reshape(height, width), squares.mean((1, 3)), rtol=1e-6
    )


def test_pooled_squares_are_counted_along_rows():
    x = np.arange(24.0).reshape(4, 6)
    pooled = mean_pool(4, 6, 2).numpy() @ x.ravel()
    assert pooled.tolist() == [3.5, 5.5, 7.5, 15.5, 17.5, 19.5]


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=6, max_size=6).filter(any))
def test_kept_pixels_are_those_of_the_mask(flags):
    mask, x = np.array(flags).reshape(2, 3), image(2, 3)
    kept = keep_pixels(torch.from_numpy(mask)).double().numpy() @ x.ravel()
    assert kept.tolist() == x[mask].tolist()


@pytest.mark.parametrize("sigma", [0.3, 0.8, 1.2])
def test_blur_is_scipys_away_from_the_edge(sigma):
    x = np.zeros((21, 23))
    x[9, 12] = 1.0
    weights = gaussian_blur(*x.shape, sigma).double().numpy()
    theirs = ndimage.gaussian_filter(x, sigma, truncate=12, mode="constant")
    ours = (weights @ x.ravel()).reshape(x.shape)
    inside = slice(7, 14), slice(7, 16)
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=1e-7)


@settings(deadline=None)
@given(height=SIDES, width=SIDES, sigma=st.floats(0.1, 5))
def test_blur_leaves_an_even_image_as_it_is(height, width, sigma):
    weights = gaussian_blur(height, width, sigma)
    torch.testing.assert_close(weights.sum(1), torch.ones(height * width))


@pytest.mark.equation(
    "eq-applications-measurement",
    against="mean, spread and correlation of many draws, by numpy",
    body="8f3c2602",
)
def test_observed_images_have_the_mean_and_the_noise(blurred, assert_within):
    x = torch.from_numpy(image(1, 5)).expand(20_000, 5)
    y = blurred.observe(x, rng=torch.Generator().manual_seed(0))
    error = blurred.sigma / len(x) ** 0.5
    truth = blurred.weights.numpy() @ x[0].numpy()
    assert_within(y.mean(0), torch.from_numpy(truth), torch.full((3,), error).double())
    assert y.std(0).numpy() == pytest.approx(blurred.sigma, rel=0.03)
    assert np.abs(np.corrcoef(y.T.numpy()) - np.eye(3)).max() < 0.04


def test_without_noise_the_means_are_observed():
    pool, x = Measurement(mean_pool(4, 4, 2)), torch.from_numpy(image(3, 16)).float()
    seen = pool.observe(x, rng=torch.Generator().manual_seed(0))
    assert torch.equal(seen, pool.means(x))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_pool(8, 8, 3), "factor must divide .* received 3 for 8 by 8"),
        (lambda: mean_pool(8, 6, 4), "factor must divide .* received 4 for 8 by 6"),
        (lambda: mean_pool(8, 8, 0), "factor must be at least 1; received 0"),
        (lambda: keep_pixels(torch.zeros(2, 3) > 1), "no pixel is observed"),
        (lambda: keep_pixels(torch.ones(2, 3)), "mask must be boolean; received"),
        (lambda: keep_pixels(torch.ones(6) > 0), "mask must be of shape"),
        (lambda: gaussian_blur(3, 3, 0.0), "sigma must be above 0"),
        (lambda: Measurement(torch.eye(3), -0.1).checked(), "sigma must not be neg"),
        (lambda: Measurement(torch.eye(3), np.inf).checked(), "sigma must be finite"),
        (lambda: Measurement(torch.zeros(0, 3)).checked(), "no pixel is observed"),
        (lambda: Measurement(torch.zeros(2, 3)).checked(), "no pixel is observed"),
        (lambda: Measurement(torch.ones(3)).checked(), "weights must"),
        (lambda: Measurement(torch.eye(3)).means(torch.ones(2, 4)), "must have 3 pix"),
    ],
)
def test_impossible_measurements_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
