"""How restored images are judged, against scikit-image, scipy and counting."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from skimage import metrics

from vaebook.applications import (
    GreyRestoration,
    Measurement,
    coverage,
    diversity,
    log_predictive,
    mean_pool,
    misfit,
    psnr,
    spread_against_error,
    squared_error,
    ssim,
)


def images(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).uniform(size=shape))


# Nearness


@pytest.mark.equation(
    "eq-applications-psnr",
    against="scikit-image",
    body="0ee34a28",
)
def test_ratio_of_one_set_of_images_is_scikit_images_of_all_their_pixels():
    found, truth = images(7, 30), images(7, 30, seed=1)
    theirs = metrics.peak_signal_noise_ratio(
        truth.numpy(), found.numpy(), data_range=1.0
    )
    assert psnr(squared_error(found, truth)).mean == pytest.approx(theirs, rel=1e-12)
    wider = psnr(squared_error(found, truth), peak=4.0).mean
    assert wider == pytest.approx(theirs + 20 * np.log10(4), rel=1e-12)


def test_images_without_error_are_infinitely_near():
    assert psnr(torch.zeros(3))[:2] == (np.inf, 0)


def test_error_of_the_ratio_is_what_many_sets_of_images_show():
    errors = images(400, 50, seed=2) ** 3
    found = [psnr(row) for row in errors]
    spread = np.std([one.mean for one in found], ddof=1)
    said = np.mean([one.standard_error for one in found])
    assert said == pytest.approx(spread, rel=5 / np.sqrt(2 * len(found)))


def test_similarity_is_scikit_images_with_a_square_window():
    found, truth = images(3, 48), images(3, 48, seed=1)
    theirs = [
        metrics.structural_similarity(
            f.reshape(6, 8), t.reshape(6, 8), win_size=5, data_range=1.0
        )
        for f, t in zip(found.numpy(), truth.numpy(), strict=True)
    ]
    np.testing.assert_allclose(ssim(found, truth, (6, 8)), theirs, rtol=1e-12)


def test_similarity_by_hand():
    """Means, variances and covariance of the only window, by numpy."""
    a, b = images(1, 9), images(1, 9, seed=1)
    cov = np.cov(a[0], b[0])
    c1, c2 = 0.01**2, 0.03**2
    truth = (2 * a.mean() * b.mean() + c1) * (2 * cov[0, 1] + c2)
    truth /= (a.mean() ** 2 + b.mean() ** 2 + c1) * (cov[0, 0] + cov[1, 1] + c2)
    assert ssim(a, b, (3, 3), 3).item() == pytest.approx(truth.item(), rel=1e-12)
    assert ssim(a, a, (3, 3), 3).item() == pytest.approx(1.0)


def test_misfit_is_the_distance_from_what_was_measured():
    pool, x = Measurement(mean_pool(2, 4, 2).double()), images(3, 8)
    y = images(3, 2, seed=1)
    means = x.numpy().reshape(3, 2, 2, 2).mean((1, 3))
    truth = np.sqrt(((means - y.numpy()) ** 2).mean(1))
    np.testing.assert_allclose(misfit(pool, x, y), truth)


# Draws


def test_diversity_is_the_mean_over_pairs():
    draws = images(5, 2, 4)
    pairs = [
        np.mean(
            [
                (draws[s, n] - draws[t, n]).square().mean()
                for s in range(5)
                for t in range(5)
                if s != t
            ]
        )
        for n in range(2)
    ]
    np.testing.assert_allclose(diversity(draws), np.sqrt(pairs))


@given(st.integers(1, 9), st.permutations(range(21)))
def test_interval_lies_between_draws_in_order(place, values):
    """With S = 19 and a level of 1 - l/10, by sorting."""
    drawn, truth = values[:19], values[19:]
    draws = torch.tensor(drawn).view(19, 1, 1).expand(19, 2, 1)
    found = coverage(draws, torch.tensor(truth)[:, None], 1 - place / 10)
    line = sorted(drawn)
    inside = [line[place - 1] < t < line[19 - place] for t in truth]
    assert found.share == pytest.approx(np.mean(inside))


@pytest.mark.equation(
    "eq-applications-coverage",
    against="40 draws of a skewed law, one of them the truth",
    body="cb4d201b",
)
def test_truth_that_is_one_more_draw_is_covered_as_often_as_said(assert_within):
    rng = np.random.default_rng(0)
    drawn = torch.from_numpy(rng.gamma(0.4, size=(40, 4000, 5)))
    found = coverage(drawn[:39], drawn[39])
    assert_within(torch.tensor(found.share), 0.9, (0.09 / 20_000) ** 0.5)
    narrow = coverage(0.5 * drawn[:39], drawn[39])
    assert narrow.share < 0.85 and narrow.high < 0.9


def test_binomial_interval_is_scipys():
    draws, truth = images(19, 6, 5), images(6, 5, seed=1)
    found = coverage(draws, truth)
    trial = stats.binomtest(round(30 * found.share), 30)
    theirs = trial.proportion_ci(0.9, method="wilson")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_error_of_the_coverage_counts_images():
    """Pixels that are copies of each other tell no more than one of them."""
    draws, truth = images(19, 60, 1), images(60, 1, seed=1)
    one = coverage(draws, truth)
    copied = coverage(draws.expand(-1, -1, 50), truth.expand(-1, 50))
    assert copied.of_images == pytest.approx(one.of_images)
    assert copied.high - copied.low < 0.2 * (one.high - one.low)


def test_spread_is_the_error_where_the_truth_is_one_more_draw():
    rng = np.random.default_rng(0)
    sigma = np.repeat([0.1, 0.5, 2.0], 10_000).reshape(1, -1, 1)
    drawn = torch.from_numpy(sigma * rng.normal(size=(41, 30_000, 1)))
    found = spread_against_error(drawn[:40], drawn[40], 3)
    torch.testing.assert_close(found.seen, found.said, rtol=0.04, atol=0)
    assert (found.said.diff() > 0).all()


def test_spread_has_bins_of_alike_pixels():
    draws = torch.tensor([[[0.0, 0, 0, 0]], [[2.0, 4, 6, 8]]]).double()
    truth = torch.tensor([[1.0, 2, 3, 5]]).double()
    found = spread_against_error(draws, truth, 2)
    assert found.said.tolist() == pytest.approx([5**0.5, 25**0.5])
    assert found.seen.tolist() == pytest.approx([0, (0.5 / 1.5) ** 0.5])


# What was not seen


@pytest.mark.equation(
    "eq-applications-unseen",
    against="scipy, with the conditioned Gaussian of a linear model",
    body="fd4aa464",
)
def test_unseen_pixels_have_the_density_that_is_left(linear, conditioned):
    """log p(unseen | seen) of a linear model, from draws of the exact code."""
    kept = Measurement(torch.eye(5).double()[[0, 2, 3]], 0.4)
    x = images(3, 5)
    y = x[:, [0, 2, 3]] + 0.1
    task = GreyRestoration(linear, kept, y)
    mean, cov = conditioned(linear, kept, y)
    rest = [1, 4]
    truth = [
        stats.multivariate_normal(m[rest], cov[np.ix_(rest, rest)]).logpdf(v[rest])
        for m, v in zip(mean, x.numpy(), strict=True)
    ]
    nodes = torch.linspace(-7, 7, 201).double()
    z = torch.cartesian_prod(nodes, nodes)[:, None].expand(-1, 3, -1)
    with torch.no_grad():
        log_shares = torch.log_softmax(task.log_prob(z), 0)
        found = (log_shares + task.log_hidden(x, z)).logsumexp(0)
    np.testing.assert_allclose(found, truth, atol=1e-6)


def test_predictive_density_is_the_mean_over_draws(task):
    z, x = images(6, 4, 2), images(4, 5)
    found = log_predictive(task, x, z)
    with torch.no_grad():
        truth = task.log_hidden(x, z).exp().mean(0).log()
    torch.testing.assert_close(found, truth)


def test_seen_and_unseen_make_the_whole(linear):
    """log p(y|z) + log p(unseen|z, y) = log p(x|z), where y is x turned."""
    turned = torch.linalg.qr(images(5, 5)).Q
    x, z = images(3, 5), images(3, 2)
    task = GreyRestoration(linear, Measurement(turned[:3]), x @ turned[:3].T)
    with torch.no_grad():
        parts = task.log_likelihood(z) + task.log_hidden(x, z)
        torch.testing.assert_close(parts, linear.log_likelihood(x, z))


def test_of_a_measurement_that_sees_all_nothing_is_left(linear):
    task = GreyRestoration(linear, Measurement(images(5, 5), 0.1), images(3, 5))
    with torch.no_grad():
        assert (task.log_hidden(images(3, 5), images(3, 2)) == 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: squared_error(images(2, 3), images(2, 4)), "last axes must be equal"),
        (lambda: psnr(images(3), peak=0), "peak must be above 0"),
        (lambda: psnr(images(1)), "at least 2 draws"),
        (lambda: ssim(images(2, 9), images(2, 9), (3, 3)), "window must be odd"),
        (lambda: ssim(images(2, 9), images(2, 9), (3, 3), 2), "window must be odd"),
        (lambda: ssim(images(2, 9), images(3, 9), (3, 3), 3), "must have one shape"),
        (lambda: diversity(images(1, 2, 3)), "number of draws must be at least 2"),
        (lambda: coverage(images(20, 2, 3), images(2, 3)), "must be a whole number"),
        (lambda: coverage(images(19, 2, 3), images(2, 4)), "draws must be of shape"),
        (lambda: coverage(images(3, 2, 3), images(2, 3), 0.9), "a whole number"),
        (lambda: spread_against_error(images(3, 2, 3), images(3)), "must be of shape"),
    ],
)
def test_impossible_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
