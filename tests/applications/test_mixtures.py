"""Restoration under a mixture of Gaussians, against scipy and quadrature."""

import numpy as np
import pytest
import torch
from scipy import stats

from vaebook.applications import (
    Measurement,
    class_gaussians,
    exact_log_hidden,
    exact_restoration,
    mixture_restoration,
)
from vaebook.em import GaussianMixture
from vaebook.likelihood import FullGaussian

KEPT = Measurement(torch.eye(3).double()[:1])


@pytest.fixture
def mixture():
    root = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, 3)))
    cov = root @ root.mT + 0.2 * torch.eye(3).double()
    mu = torch.tensor([[0.0, 1, 2], [1.5, -1, 0]]).double()
    return GaussianMixture(torch.tensor([0.3, 0.7]).double(), mu, cov)


def density(mixture, x):
    return sum(
        w * stats.multivariate_normal(m, c).pdf(x)
        for w, m, c in zip(*(part.numpy() for part in mixture), strict=True)
    )


def test_mean_and_density_are_those_of_a_grid(mixture):
    """Of the two pixels that were not seen, given the first."""
    axis = np.linspace(-12, 12, 401)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1)
    y = torch.tensor([[0.4], [1.9]]).double()
    answer = mixture_restoration(mixture, KEPT, y)
    x = torch.tensor([[0.4, 0.7, -0.2], [1.9, 2.0, 1.0]]).double()
    found = answer.log_hidden(KEPT, x)
    for n, seen in enumerate(y.flatten().tolist()):
        whole = np.concatenate([np.full((*grid.shape[:2], 1), seen), grid], -1)
        mass = density(mixture, whole)
        cell = (axis[1] - axis[0]) ** 2
        mean = (mass[..., None] * grid).sum((0, 1)) / mass.sum()
        np.testing.assert_allclose(answer.mean[n], [seen, *mean], atol=1e-6)
        truth = density(mixture, x[n].numpy()) / (mass.sum() * cell)
        assert found[n].item() == pytest.approx(np.log(truth), abs=1e-6)


def test_components_are_weighed_by_what_each_says_of_a_noisy_measurement(mixture):
    blur = Measurement(torch.tensor([[0.5, 0.3, 0.2]]).double(), 0.8)
    y = torch.tensor([[0.4], [1.9], [-1.0]]).double()
    joint = []
    a = blur.weights.numpy()
    for w, m, c in zip(*(part.numpy() for part in mixture), strict=True):
        law = stats.norm((a @ m).item(), np.sqrt((a @ c @ a.T).item() + 0.64))
        joint.append(w * law.pdf(y.numpy()[:, 0]))
    truth = np.array(joint).T / np.sum(joint, 0)[:, None]
    found = mixture_restoration(mixture, blur, y).log_resp.exp()
    np.testing.assert_allclose(found, truth, rtol=1e-10)


def test_one_component_is_the_gaussian(mixture):
    blur = Measurement(torch.tensor([[0.5, 0.3, 0.2]]).double(), 0.1)
    one = GaussianMixture(torch.ones(1).double(), mixture.mu[:1], mixture.cov[:1])
    y, x = torch.tensor([[0.4], [1.9]]).double(), torch.zeros(2, 3).double()
    found = mixture_restoration(one, blur, y)
    law = FullGaussian(mixture.mu[0], mixture.cov[0])
    exact = exact_restoration(law, blur, y)
    torch.testing.assert_close(found.mean, exact.mu)
    log_p = exact_log_hidden(exact, blur, x)
    torch.testing.assert_close(found.log_hidden(blur, x), log_p)


def test_classes_have_their_mean_and_a_covariance_between_their_own_and_all():
    noise = np.random.default_rng(0)
    y = torch.from_numpy(np.repeat([3, 7], [30, 70]))
    x = torch.from_numpy(
        noise.normal(size=(100, 2)) * np.repeat([1, 3], [30, 70])[:, None]
    )
    found = class_gaussians(x, y, shrink=0.25)
    parts = x[y == 3].numpy(), x[y == 7].numpy()
    covs = [np.cov(part.T, bias=True) for part in parts]
    pooled = 0.3 * covs[0] + 0.7 * covs[1]
    np.testing.assert_allclose(found.weights, [0.3, 0.7])
    np.testing.assert_allclose(found.mu, [part.mean(0) for part in parts])
    truth = [0.75 * cov + 0.25 * pooled + 1e-3 * np.eye(2) for cov in covs]
    np.testing.assert_allclose(found.cov, truth)


def test_impossible_requests_are_refused(mixture):
    with pytest.raises(ValueError, match="y must be of shape"):
        mixture_restoration(mixture, KEPT, torch.ones(2, 2).double())
    with pytest.raises(ValueError, match="y must be of shape"):
        class_gaussians(torch.ones(3, 2), torch.ones(4))
