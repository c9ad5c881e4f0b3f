"""What is told of restored digits, by loops and scipy."""

import numpy as np
import pytest
import torch
from scipy import stats

from vaebook.applications import Measurement, keep_pixels, mean_pool
from vaebook.applications.report import (
    Answer,
    Case,
    detail,
    energy,
    left_open,
    own_class,
    told_of_all,
    told_of_one,
    with_error,
)
from vaebook.datasets import Digits, load_digits

POOL = Measurement(mean_pool(8, 8, 2))
UPPER = Measurement(keep_pixels(torch.arange(64).view(8, 8) < 32))


@pytest.fixture(scope="module")
def digits():
    grey = load_digits(binarize=False)
    return Digits(
        grey.train, grey.validation, type(grey.test)(*(v[:6] for v in grey.test))
    )


def case(measurement, digits):
    return Case("any", measurement, digits, measurement.means(digits.test.x))


def test_pixels_that_were_seen_are_not_left_open():
    assert left_open(UPPER).tolist() == [False] * 32 + [True] * 32
    assert left_open(POOL).all()
    assert left_open(UPPER._replace(sigma=0.1)).all()


def test_one_image_is_compared_over_what_was_left_open(digits):
    x = digits.test.x
    found = x.clone()
    found[:, :32] += 0.7
    found[:, 32:] += torch.linspace(0.1, 0.3, 6)[:, None]
    told = dict(told_of_one("a", case(UPPER, digits), found))
    mse = np.linspace(0.1, 0.3, 6) ** 2
    assert told["a.psnr"] == pytest.approx(-10 * np.log10(mse.mean()), rel=1e-5)
    relative = mse.std(ddof=1) / np.sqrt(6) / mse.mean()
    assert told["a.psnr.error"] == pytest.approx(10 / np.log(10) * relative, rel=1e-5)
    assert told["a.misfit"].item() == pytest.approx(0.7, rel=1e-5)
    perfect = dict(told_of_one("a", case(POOL, digits), x + 0.0001))
    assert perfect["a.ssim"].item() == pytest.approx(1, abs=1e-3)
    assert perfect["a.psnr"] == pytest.approx(80, abs=0.1)


def test_draws_are_judged_over_what_was_left_open(digits):
    x = digits.test.x
    rng = np.random.default_rng(0)
    noise = torch.from_numpy(rng.normal(size=(39, 6, 64))).float()
    noise[..., :32] = 0
    told = dict(told_of_all("a", case(UPPER, digits), Answer(x, x + 0.1 * noise)))
    apart = np.sqrt(2 * noise[..., 32:].numpy().var(0, ddof=1).mean(1)).mean()
    assert told["a.diversity"].item() == pytest.approx(0.1 * apart, rel=1e-4)
    assert told["a.covered"] > 0.98 and told["a.covered.low"] < told["a.covered"]
    one = -10 * np.log10(0.01 * noise[0, :, 32:].square().mean().item())
    assert told["a.one.psnr"] == pytest.approx(one, abs=1e-3)
    said = [told[f"a.spread.{k}.said"].item() for k in range(8)]
    assert np.mean(said) == pytest.approx(0.1, rel=0.1)
    assert "a.spread.7.seen" in told and "a.mean.ssim" in told


def test_energy_is_scipys_in_one_dimension(digits):
    """Of images that are zero but for a pixel."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=40), rng.normal(0.5, size=60)

    def images(values):
        x = torch.zeros(len(values), 64)
        x[:, 5] = torch.from_numpy(values)
        return x

    train = digits.train._replace(x=images(b), y=digits.train.y[:60])
    found = energy(digits._replace(train=train), images(a))
    assert found == pytest.approx(stats.energy_distance(a, b) ** 2, rel=1e-5)


def test_class_is_that_of_the_nearest_training_digit(digits):
    known = digits.train.x[:12]
    test = digits.test._replace(x=known[:6], y=digits.train.y[:6])
    moved = digits._replace(test=test)
    assert own_class(moved, known[:6][None]) == 1
    others = torch.stack([known[:6], known[6:12]]) + 0.01
    right = [(digits.train.y[6:12] == digits.train.y[:6]).double().mean().item(), 1.0]
    assert own_class(moved, others) == pytest.approx(np.mean(right))
    asked = test._replace(y=1 - digits.train.y[:6])  # of another class, all but few
    same = (asked.y == digits.train.y[:6]).double().mean().item()
    found = own_class(digits._replace(test=asked), known[:6][None])
    assert found == pytest.approx(same) and found < 1


def test_detail_is_the_correlation_of_what_is_added_with_what_is_lacking(digits):
    x = digits.test.x
    rng = np.random.default_rng(0)
    lacking, added = rng.normal(size=(6, 64)), rng.normal(size=(3, 6, 64))
    added += lacking
    mean = x - torch.from_numpy(lacking).float()
    found = detail(case(UPPER, digits), mean, mean + torch.from_numpy(added).float())
    a, b = added[..., 32:].ravel(), np.tile(lacking[:, 32:], (3, 1, 1)).ravel()
    assert found == pytest.approx(a @ b / np.sqrt((a @ a) * (b @ b)), rel=1e-4)
    assert detail(case(UPPER, digits), mean, x[None]) == pytest.approx(1, abs=1e-5)


def test_error_is_over_images():
    values = torch.tensor([1.0, 2, 4])
    told = dict(with_error("a", values))
    assert told["a"] == pytest.approx(7 / 3)
    assert told["a.error"] == pytest.approx(stats.sem(values.numpy()), rel=1e-6)
