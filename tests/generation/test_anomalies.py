"""Scores of anomalies: by hand, and where what cancels must cancel."""

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.neighbors import NearestNeighbors

from vaebook.evaluation import auroc
from vaebook.generation import far_from, log_ratio


@pytest.mark.equation("eq-generation-log-ratio", against="scipy.stats", body="c33fb548")
def test_what_both_models_pay_for_cancels():
    """Two features: the first is alike in both models, whatever it is."""
    x = np.random.default_rng(0).normal(size=(20, 2))
    ours = stats.norm(0, 3).logpdf(x[:, 0]) + stats.norm(0, 0.5).logpdf(x[:, 1])
    plain = stats.norm(0, 3).logpdf(x[:, 0]) + stats.norm(0, 2).logpdf(x[:, 1])
    found = log_ratio(torch.from_numpy(ours), torch.from_numpy(plain))
    expected = x[:, 1] ** 2 * (1 / 0.5**2 - 1 / 2**2) / 2 - np.log(2 / 0.5)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_the_ratio_finds_what_the_likelihood_misses():
    """Outliers that are plain in a feature of no interest, and off in the other."""
    noise = np.random.default_rng(1)
    inside = np.stack([3 * noise.normal(size=500), 0.5 * noise.normal(size=500)], 1)
    outside = np.stack([0.1 * noise.normal(size=500), 2 * noise.normal(size=500)], 1)

    def log_p(x, width):
        both = stats.norm(0, 3).logpdf(x[:, 0]) + stats.norm(0, width).logpdf(x[:, 1])
        return torch.from_numpy(both)

    ratio = [log_ratio(log_p(x, 0.5), log_p(x, 2)) for x in (inside, outside)]
    alone = [-log_p(x, 0.5) for x in (inside, outside)]
    assert auroc(*ratio) > auroc(*alone)


@pytest.mark.parametrize("k", [1, 4])
def test_the_distance_of_the_kth_neighbour_is_that_of_sklearn(k):
    noise = np.random.default_rng(2)
    x, new = noise.normal(size=(30, 3)), noise.normal(size=(8, 3))
    apart, _ = NearestNeighbors(n_neighbors=k).fit(x).kneighbors(new)
    found = far_from(torch.from_numpy(x), torch.from_numpy(new), k)
    np.testing.assert_allclose(found, apart[:, -1], rtol=1e-12)


def test_more_neighbours_than_rows_are_refused():
    with pytest.raises(ValueError, match="number of rows must be at least 4"):
        far_from(torch.zeros(3, 2), torch.zeros(1, 2), 4)


def test_scores_of_other_images_are_refused():
    with pytest.raises(ValueError, match="log_p and log_background"):
        log_ratio(torch.zeros(3), torch.zeros(2))
