"""The digits: exact counts and known facts."""

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.datasets import load_digits as scikit_digits

from vaebook.datasets import (
    binarize_noisily,
    disturb,
    load_digits,
    relative_spread,
)


@pytest.mark.parametrize("binarize", [True, False])
def test_digits_are_three_parts_of_the_rows_in_order(binarize):
    scans = scikit_digits()
    ink = np.where(scans.data >= 8, 1, 0) if binarize else scans.data / 16
    digits = load_digits(binarize=binarize)
    assert [len(part.x) for part in digits] == [1000, 350, 447]
    assert {(part.x.dtype, part.y.dtype) for part in digits} == {
        (torch.float32, torch.int64)
    }
    assert np.array_equal(torch.cat([part.x for part in digits]).numpy(), ink)
    assert np.array_equal(torch.cat([part.y for part in digits]), scans.target)


def test_digits_are_fresh_tensors_each_time():
    for part in load_digits():
        part.x.zero_()
        part.y.zero_()
    assert all(part.x.sum() > 0 and part.y.sum() > 0 for part in load_digits())


@pytest.mark.parametrize(("added", "nats"), [(1.0, -24.9144), (0.5, -24.9086)])
def test_digits_give_the_published_independent_pixel_baseline(added, nats):
    train, _, test = (part.x.double() for part in load_digits())
    p = (train.sum(0) + added) / (len(train) + 2 * added)
    log_p_x = (test * p.log() + (1 - test) * (1 - p).log()).sum(-1)
    assert f"{log_p_x.mean():.4f}" == str(nats)


def test_one_test_digit_lights_a_pixel_that_never_lit_in_training():
    digits = load_digits()
    never = digits.train.x.sum(0) == 0
    assert digits.test.x[:, never].any(-1).sum() == 1


# Noisy thresholds


def test_without_noise_the_threshold_is_that_of_the_binary_digits(rng):
    grey, binary = load_digits(binarize=False), load_digits(binarize=True)
    for part, expected in zip(grey, binary, strict=True):
        assert torch.equal(binarize_noisily(part.x, 0.0, rng=rng), expected.x)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_a_pixel_is_lit_as_often_as_the_normal_law_says(rng, assert_within):
    for ink in (6, 7, 8, 10):
        grey = torch.full((20_000, 1), ink / 16)
        lit = binarize_noisily(grey, 0.125, rng=rng).mean()
        p = stats.norm.cdf((ink - 7.5) / 2)
        assert_within(lit, p, np.sqrt(p * (1 - p) / 20_000))


def test_each_batch_is_drawn_anew_from_the_given_generator(rng):
    grey = load_digits(binarize=False).train.x
    first, second = (binarize_noisily(grey, rng=rng) for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(
        first, binarize_noisily(grey, rng=torch.Generator().manual_seed(0))
    )


def test_disturbed_pixels_have_the_noise_that_each_was_given(assert_within):
    grey = torch.full((40_000, 3), 0.25, dtype=torch.float64)
    noise = torch.tensor([0.0, 0.1, 0.5]).double()
    found = disturb(grey, noise, rng=torch.Generator().manual_seed(0))
    assert torch.equal(found[:, 0], grey[:, 0])
    sd = found.std(0)
    assert_within(sd, noise, noise / (2 * len(grey)) ** 0.5 + 1e-12)
    error = noise / len(grey) ** 0.5 + 1e-12
    assert_within(found.mean(0), grey[0], error)


def test_spread_is_relative_to_the_root_mean_square_and_never_too_small():
    x = torch.tensor([[0.0, 1, 3, 0], [0, 2, 7, 0.1]]).double()
    sd = x.numpy().std(0, ddof=1)
    truth = np.maximum(sd / np.sqrt((sd**2).mean()), 0.2)
    np.testing.assert_allclose(relative_spread(x), truth)
    assert relative_spread(x, least=0.0)[0] == 0
