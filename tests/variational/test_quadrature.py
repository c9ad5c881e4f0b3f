"""Gauss-Hermite quadrature, and the ELBO by it, against dense sums."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from variational.test_nearest_gaussian import TILTED

from vaebook.bayes import (
    LinearGaussian,
    grid_posterior,
    standard_gaussian,
)
from vaebook.likelihood import FullGaussian
from vaebook.variational import (
    MAX_NODES,
    Banana,
    elbo_by_quadrature,
    gauss_hermite,
    linear_elbo,
)

BANANAS = [Banana(), Banana(1.0, 0.5, 0.8)]


each_banana = pytest.mark.parametrize("banana", BANANAS)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def gaussian(mu, cov):
    return FullGaussian(double(mu), double(cov))


@cache
def log_evidence(banana):
    """By quadrature over the first latent alone: given it, the model is linear."""

    def joint(z):
        mean, sigma = banana.curvature * z**2, math.sqrt(1 + banana.sigma**2)
        return stats.norm.pdf(z) * stats.norm.pdf(banana.x, mean, sigma)

    return math.log(integrate.quad(joint, -9, 9, epsabs=1e-14, limit=300)[0])


@pytest.mark.equation(
    "eq-variational-gauss-hermite", against="scipy's moments", body="8549426d"
)
@pytest.mark.parametrize("num_nodes", [1, 2, 5, 20])
def test_quadrature_is_exact_up_to_its_degree(num_nodes):
    mu, var = 0.7, 2.3
    points, weights = gauss_hermite(gaussian([mu], [[var]]), num_nodes)
    assert points.shape == (num_nodes, 1) and weights.shape == (num_nodes,)
    for degree in range(2 * num_nodes):
        expected = stats.norm(mu, var**0.5).moment(degree) if degree else 1.0
        found = weights @ points[:, 0] ** degree
        assert found.item() == pytest.approx(expected, rel=1e-10)
    centred = ((points[:, 0] - mu) / var**0.5) ** (2 * num_nodes)
    beyond = stats.norm.moment(2 * num_nodes) - weights @ centred
    assert beyond.item() == pytest.approx(math.factorial(num_nodes), rel=1e-6)


@pytest.mark.equation(
    "eq-variational-gauss-hermite",
    against="Isserlis' theorem; scipy's moments",
    body="8549426d",
)
def test_quadrature_follows_correlations():
    points, weights = (v.numpy() for v in gauss_hermite(TILTED, 3))
    assert points.shape == (9, 2)
    mu, cov = (v.numpy() for v in TILTED)
    centred = points - mu
    np.testing.assert_allclose(weights @ points, mu, rtol=1e-12)
    np.testing.assert_allclose((weights * centred.T) @ centred, cov, rtol=1e-12)
    fourth = weights @ (centred**2).prod(1)
    expected = cov[0, 0] * cov[1, 1] + 2 * cov[0, 1] ** 2
    assert fourth == pytest.approx(expected, rel=1e-12)
    three, weights = gauss_hermite(gaussian([1.0, 2, 3], np.diag([4.0, 9, 16])), 4)
    moments = [stats.norm(m, s).moment(4) for m, s in [(1, 2), (2, 3), (3, 4)]]
    found = weights @ three.prod(1) ** 4
    assert found.item() == pytest.approx(math.prod(moments), rel=1e-10)


def test_quadrature_follows_the_type_of_q_and_the_largest_order_is_finite():
    points, weights = gauss_hermite(FullGaussian(torch.zeros(2), torch.eye(2)), 2)
    assert points.dtype == weights.dtype == torch.float32
    points, weights = gauss_hermite(standard_gaussian(1), MAX_NODES)
    assert points.isfinite().all() and weights.isfinite().all()
    assert (weights @ points**4).item() == pytest.approx(3, rel=1e-10)


def dense_elbo(banana, q):
    """E_q[log p(x, z)] by a sum over a fine grid in scipy, and scipy's entropy."""
    law = stats.multivariate_normal(q.mu.numpy(), q.cov.numpy())
    sides = [
        m + s * np.linspace(-9, 9, 241)
        for m, s in zip(q.mu.tolist(), q.cov.diagonal().sqrt().tolist(), strict=True)
    ]
    z = np.stack(np.meshgrid(*sides, indexing="ij"), -1)
    cell = math.prod(side[1] - side[0] for side in sides)
    log_joint = stats.norm.logpdf(z).sum(-1)
    mean = z[..., 1] + banana.curvature * z[..., 0] ** 2
    log_joint += stats.norm.logpdf(banana.x, mean, banana.sigma)
    return cell * (law.pdf(z) * log_joint).sum() + law.entropy()


@pytest.mark.equation(
    "eq-variational-energy-entropy",
    against="a dense sum with scipy's densities, and scipy's entropy",
    body="facd85eb",
)
@each_banana
@pytest.mark.parametrize("num_nodes", [3, 5, 20])
def test_energy_and_entropy_make_the_bound(banana, num_nodes):
    """The log-joint has degree 4: three nodes are enough."""
    found = elbo_by_quadrature(banana.log_joint, TILTED, num_nodes)
    assert found.item() == pytest.approx(dense_elbo(banana, TILTED), rel=1e-10)
    poor = elbo_by_quadrature(banana.log_joint, TILTED, 2)
    assert abs(poor - found) > 1e-3


@pytest.mark.equation(
    "eq-variational-energy-entropy",
    against="the closed form of E log p(x|z) less the KL to the prior",
    body="facd85eb",
)
def test_energy_and_entropy_are_the_two_terms_again():
    model = LinearGaussian(
        TILTED,
        double([[1.0, 2], [0, 1], [1, 1]]),
        torch.zeros(3).double(),
        double([1.0, 2, 3]),
    )
    x, q = double([[0.3, -1, 2]]), gaussian([0.1, 0.2], [[1, 0.4], [0.4, 0.6]])
    found = elbo_by_quadrature(lambda z: model.log_joint(x, z), q)
    expected = linear_elbo(model, x, q).elbo.item()
    assert found.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.equation(
    "eq-variational-jensen", against="scipy's quadrature of p(x)", body="e6be31ef"
)
@settings(deadline=None, max_examples=50)
@given(
    mu=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    sigma=st.tuples(st.floats(1e-3, 3), st.floats(1e-3, 3)),
    rho=st.floats(-0.99, 0.99),
)
def test_no_gaussian_lifts_the_bound_above_the_evidence(mu, sigma, rho):
    cross = rho * sigma[0] * sigma[1]
    q = gaussian(mu, [[sigma[0] ** 2, cross], [cross, sigma[1] ** 2]])
    bound = elbo_by_quadrature(BANANAS[0].log_joint, q)
    assert bound.isfinite() and bound < log_evidence(BANANAS[0])


@pytest.mark.equation(
    "eq-variational-identity",
    against="a fine grid's KL to a curved posterior",
    body="e5a71446",
)
@each_banana
def test_the_gap_is_the_kl_to_the_posterior(banana):
    axis = torch.linspace(-6, 6, 801, dtype=torch.float64)
    grid = grid_posterior(banana.log_joint, [axis, axis])
    log_q = stats.multivariate_normal(*(v.numpy() for v in TILTED)).logpdf(grid.points)
    q = np.exp(log_q) * grid.cell
    gap = q @ (log_q - grid.log_prob.numpy())
    bound = elbo_by_quadrature(banana.log_joint, TILTED).item()
    assert bound + gap == pytest.approx(log_evidence(banana), abs=1e-9)
