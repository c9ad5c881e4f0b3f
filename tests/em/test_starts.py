"""Where EM starts: rows of the data, far apart, and mixtures that can move."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from vaebook.em import (
    bernoulli_start,
    e_step,
    gaussian_start,
    kmeans_plus_plus,
    random_rows,
)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def rng_of(seed):
    return torch.Generator().manual_seed(seed)


def data(num_rows=30, dim=3, seed=0):
    return torch.randn(num_rows, dim, generator=rng_of(seed), dtype=torch.float64)


both = pytest.mark.parametrize("choose", [kmeans_plus_plus, random_rows])


def test_gaussian_start_is_wide_and_even():
    x = data()
    start = gaussian_start(x, x[:4])
    assert torch.equal(start.mu, x[:4])
    np.testing.assert_allclose(start.weights, np.full(4, 0.25))
    for cov in start.cov:
        np.testing.assert_allclose(cov, np.cov(x.numpy().T, ddof=0), rtol=1e-12)
    start.cov[0, 0, 0] += 1
    assert start.cov[1, 0, 0] != start.cov[0, 0, 0]


def test_bernoulli_start_makes_no_pixel_impossible():
    centres = double([[0, 1, 1], [1, 0, 1]])
    start = bernoulli_start(centres, softness=0.1)
    np.testing.assert_allclose(start.probs, [[0.1, 0.9, 0.9], [0.9, 0.1, 0.9]])
    np.testing.assert_allclose(start.weights, [0.5, 0.5])
    np.testing.assert_allclose(bernoulli_start(centres).probs[0], [0.25, 0.75, 0.75])
    assert e_step(start, double([[0, 0, 0]])).log_evidence.isfinite().all()


@both
@pytest.mark.parametrize("num_components", [1, 2, 30])
def test_centres_are_different_rows_of_the_data(choose, num_components):
    x = data()
    centres = choose(x, num_components, rng=rng_of(0))
    places = [(x == centre).all(1).nonzero().item() for centre in centres]
    assert len(set(places)) == num_components


@both
def test_centres_are_the_generators(choose):
    x = data()
    first, again, other = (choose(x, 5, rng=rng_of(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)


@both
@pytest.mark.parametrize("number", [0, -1, 31])
def test_impossible_numbers_of_components_are_refused(choose, number):
    with pytest.raises(ValueError, match=f"1 to the 30 rows of x; received {number}"):
        choose(data(), number, rng=rng_of(0))


@both
def test_what_is_no_data_is_refused(choose):
    with pytest.raises(ValueError, match=r"x must be \(N, D\)"):
        choose(torch.ones(5), 2, rng=rng_of(0))
    with pytest.raises(ValueError, match="row 2 is not: leave it out"):
        choose(double([[1], [2], [math.nan]]), 2, rng=rng_of(0))


def test_more_centres_than_different_rows_are_refused():
    x = double([[0, 1], [0, 1], [5, 5], [0, 1]])
    assert len(kmeans_plus_plus(x, 2, rng=rng_of(0)).unique(dim=0)) == 2
    with pytest.raises(ValueError, match="x holds only 2 different rows"):
        kmeans_plus_plus(x, 3, rng=rng_of(0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_repeated_rows_are_recognised_far_from_zero(dtype):
    """Sixty rows, thirty different: no rounding in a distance may make another."""
    x = (1e3 + data(30, 8)).to(dtype).repeat(2, 1)
    for seed in range(10):
        assert len(kmeans_plus_plus(x, 30, rng=rng_of(seed)).unique(dim=0)) == 30
        with pytest.raises(ValueError, match="x holds only 30 different rows"):
            kmeans_plus_plus(x, 31, rng=rng_of(seed))


def counts_of_second(choose, x, first, number=3000):
    """How often each row follows the row ``first``, over seeds."""
    counts = np.zeros(len(x))
    for seed in range(number):
        centres = choose(x, 2, rng=rng_of(seed))
        if torch.equal(centres[0], x[first]):
            counts[(x == centres[1]).all(1).nonzero().item()] += 1
    return counts


def test_second_centre_is_drawn_by_squared_distance():
    """Rows at 0, 1, 2 and 4: after 0 the others in proportion to 1, 4 and 16."""
    counts = counts_of_second(kmeans_plus_plus, double([[0], [1], [2], [4]]), 0)
    assert counts[0] == 0 and counts.sum() > 600
    expected = counts.sum() * np.array([1, 4, 16]) / 21
    assert stats.chisquare(counts[1:], expected).pvalue > 1e-6


def test_third_centre_is_drawn_by_distance_to_the_nearest():
    """Rows at 0, 1, 9 and 10: one at each end, and the third's chances are equal."""
    x, counts = double([[0], [1], [9], [10]]), np.zeros(2)
    for seed in range(3000):
        centres = kmeans_plus_plus(x, 3, rng=rng_of(seed))[:, 0].tolist()
        if sorted(centres[:2]) == [0, 10]:
            counts[int(centres[2] == 9)] += 1
    assert counts.sum() > 600
    assert stats.binomtest(int(counts[0]), int(counts.sum()), 0.5).pvalue > 1e-6


def test_random_rows_are_uniform():
    counts = counts_of_second(random_rows, double([[0], [1], [2], [4]]), 0)
    assert stats.chisquare(counts[1:]).pvalue > 1e-6
