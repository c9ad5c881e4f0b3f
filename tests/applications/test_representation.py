"""Probes, neighbours and retrieval against scikit-learn and counting by hand."""

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from vaebook.applications import (
    Probe,
    fit_probe,
    fit_scaling,
    nearest_labels,
    probe_log_posterior,
    retrieved,
)


def labelled(seed, num=40, dim=5, classes=3):
    noise = np.random.default_rng(seed)
    y = torch.from_numpy(noise.integers(0, classes, num))
    centres = torch.from_numpy(noise.normal(size=(classes, dim)))
    return centres[y] + torch.from_numpy(noise.normal(size=(num, dim))), y


@pytest.mark.equation(
    "eq-applications-probe", against="scipy, a label at a time", body="fc08d8aa"
)
def test_the_log_posterior_of_a_probe():
    z, y = labelled(0)
    noise = np.random.default_rng(1)
    w, b = noise.normal(size=(5, 3)), noise.normal(size=(1, 3))
    scores = z.numpy() @ w + b
    expected = (
        sum(
            s[c] - np.log(np.exp(s).sum())
            for s, c in zip(scores, y.numpy(), strict=True)
        )
        + stats.norm(0, 0.7).logpdf(w).sum()
    )
    found = probe_log_posterior(
        Probe(torch.from_numpy(w), torch.from_numpy(b)), z, y, 0.7
    )
    assert found.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.equation(
    "eq-applications-probe", against="sklearn.LogisticRegression", body="fc08d8aa"
)
@pytest.mark.parametrize("tau", [0.1, 1.0, 3.0])
def test_a_probe_is_the_most_probable(tau):
    z, y = labelled(2)
    oracle = LogisticRegression(C=tau**2, tol=1e-10, max_iter=10_000).fit(z, y)
    new, _ = labelled(3)
    found = fit_probe(z, y, tau, 3).log_probs(new)
    np.testing.assert_allclose(found, oracle.predict_log_proba(new), atol=1e-5)


def test_probes_beside_one_another_are_those_fitted_alone():
    z, y = (torch.stack(part) for part in zip(labelled(4), labelled(5), strict=True))
    new, _ = labelled(6)
    both = fit_probe(z, y, 0.5, 3)
    for place in range(2):
        alone = fit_probe(z[place], y[place], 0.5, 3)
        torch.testing.assert_close(
            both.log_probs(new)[place], alone.log_probs(new), atol=1e-5, rtol=0
        )
    assert both.predict(new).shape == (2, 40)


def test_a_class_without_a_label_is_never_named():
    z, y = labelled(7)
    named = fit_probe(z, y, 1.0, 10).predict(10 * z)
    assert set(named.tolist()) <= set(y.tolist())


def test_scaling_keeps_the_proportions_of_distances():
    z, _ = labelled(8)
    scaled = fit_scaling(z)(z)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-12)
    assert np.var(scaled.numpy(), axis=0).mean() == pytest.approx(1, rel=1e-12)
    ratio = torch.pdist(scaled) / torch.pdist(z)
    np.testing.assert_allclose(ratio, ratio[0].item(), rtol=1e-10)


def test_codes_that_never_vary_are_refused():
    with pytest.raises(ValueError, match=r"variance of z must be above 0 and finite"):
        fit_scaling(torch.ones(5, 2))


def by_counting(z, y, new, k):
    named = []
    for point in new.numpy():
        apart = np.linalg.norm(z.numpy() - point, axis=1)
        of = [int(y[i]) for i in np.argsort(apart, kind="stable")[:k]]
        most = max(of.count(c) for c in of)
        named.append(next(c for c in of if of.count(c) == most))
    return named


@pytest.mark.parametrize("k", [1, 2, 5, 40])
def test_the_nearest_labels_vote(k):
    (z, y), (new, _) = labelled(9), labelled(10)
    assert nearest_labels(z, y, new, k).tolist() == by_counting(z, y, new, k)


def test_one_nearest_label_is_that_of_sklearn():
    (z, y), (new, _) = labelled(11), labelled(12)
    oracle = KNeighborsClassifier(1).fit(z, y)
    np.testing.assert_array_equal(nearest_labels(z, y, new, 1), oracle.predict(new))


def test_of_equal_votes_the_nearest_wins():
    z, y = torch.tensor([[0.0], [1.0], [3.0], [4.0]]), torch.tensor([2, 1, 1, 2])
    assert nearest_labels(z, y, torch.tensor([[1.4], [-1.0]]), 4).tolist() == [1, 2]


@pytest.mark.parametrize(("k", "said"), [(0, "k must be"), (41, "number of labels")])
def test_more_neighbours_than_labels_are_refused(k, said):
    z, y = labelled(13)
    with pytest.raises(ValueError, match=said):
        nearest_labels(z, y, z, k)


def test_retrieval_counts_the_class_among_the_nearest():
    (z, y), (new, of_new) = labelled(14), labelled(15)
    for k in (1, 7):
        apart = torch.cdist(new, z).numpy()
        expected = [
            np.mean(y.numpy()[np.argsort(row)[:k]] == int(c))
            for row, c in zip(apart, of_new, strict=True)
        ]
        np.testing.assert_allclose(retrieved(z, y, new, of_new, k), expected)
