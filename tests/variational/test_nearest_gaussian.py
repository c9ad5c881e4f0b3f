"""Gaussians near a density: against dense sums, scipy's optimiser and moments."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats
from torch.distributions import MultivariateNormal

from vaebook.bayes import (
    GridPosterior,
    grid_posterior,
    standard_gaussian,
)
from vaebook.likelihood import FullGaussian
from vaebook.variational import (
    Banana,
    elbo_by_quadrature,
    forward_kl_fit,
    gauss_hermite,
    reverse_kl_fit,
)

pytestmark = pytest.mark.usefixtures("one_thread")


BANANAS = [Banana(), Banana(1.0, 0.5, 0.8)]


each_banana = pytest.mark.parametrize("banana", BANANAS)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def gaussian(mu, cov):
    return FullGaussian(double(mu), double(cov))


TILTED = gaussian([0.4, 0.9], [[0.5, -0.3], [-0.3, 0.4]])


@cache
def log_evidence(banana):
    """By quadrature over the first latent alone: given it, the model is linear."""

    def joint(z):
        mean, sigma = banana.curvature * z**2, math.sqrt(1 + banana.sigma**2)
        return stats.norm.pdf(z) * stats.norm.pdf(banana.x, mean, sigma)

    return math.log(integrate.quad(joint, -9, 9, epsabs=1e-14, limit=300)[0])


def grid_of(banana, num_points=401):
    axis = torch.linspace(-6, 6, num_points, dtype=torch.float64)
    return grid_posterior(banana.log_joint, [axis, axis])


@pytest.mark.equation(
    "eq-variational-banana", against="scipy.stats.norm", body="73812cd9"
)
@each_banana
def test_the_joint_is_scipys(banana, rng):
    z = torch.randn(4, 3, 2, generator=rng, dtype=torch.float64)
    first, second = z.numpy()[..., 0], z.numpy()[..., 1]
    mean = second + banana.curvature * first**2
    prior = stats.norm.logpdf(first) + stats.norm.logpdf(second)
    expected = prior + stats.norm.logpdf(banana.x, mean, banana.sigma)
    np.testing.assert_allclose(banana.log_joint(z), expected, rtol=1e-12)


@pytest.mark.equation(
    "eq-variational-banana",
    against="quadrature over one latent, the other summed out",
    body="73812cd9",
)
@each_banana
def test_the_joint_sums_to_the_evidence(banana):
    found = grid_of(banana).log_evidence.item()
    assert found == pytest.approx(log_evidence(banana), abs=1e-10)


def scipys_best(banana, start, diagonal):
    """Maximum of the bound over mean, log widths and slope, without its gradient."""

    def q_of(v):
        chol = double([[math.exp(v[2]), 0], [0 if diagonal else v[4], math.exp(v[3])]])
        return FullGaussian(double(v[:2]), chol @ chol.T)

    found = optimize.minimize(
        lambda v: -elbo_by_quadrature(banana.log_joint, q_of(v), 3).item(),
        [*start.mu.tolist(), -0.6, -0.6, 0.0],
        tol=1e-9,
    )
    return q_of(found.x), -found.fun


@each_banana
@pytest.mark.parametrize("diagonal", [False, True])
def test_reverse_fit_is_scipys_maximum(banana, diagonal):
    start = gaussian([1.0, 0.5], [[0.3, 0.1], [0.1, 0.3]])
    found = reverse_kl_fit(banana.log_joint, start, diagonal=diagonal)
    expected, value = scipys_best(banana, start, diagonal)
    bound = elbo_by_quadrature(banana.log_joint, found).item()
    assert bound == pytest.approx(value, abs=1e-8)
    assert bound < log_evidence(banana)
    np.testing.assert_allclose(found.mu, expected.mu, atol=1e-4)
    np.testing.assert_allclose(found.cov, expected.cov, atol=1e-4)
    assert (found.cov[0, 1] == 0) == diagonal
    assert not any(v.requires_grad for v in (*found, *start))


def test_reverse_fit_settles_on_the_side_where_it_starts():
    """Two mirror images are equally good; a moment match covers both."""
    fits = [
        reverse_kl_fit(Banana(x=4.0).log_joint, gaussian(mu, 0.3 * np.eye(2)))
        for mu in ([1.0, 0.5], [-1.0, 0.5])
    ]
    assert fits[0].mu[0] > 1 and fits[1].mu[0] < -1
    mirror = double([[-1.0, 0], [0, 1]])
    np.testing.assert_allclose(fits[1].mu, mirror @ fits[0].mu, atol=1e-6)
    np.testing.assert_allclose(fits[1].cov, mirror @ fits[0].cov @ mirror, atol=1e-6)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), dim=st.integers(1, 3))
def test_reverse_fit_finds_a_gaussian_posterior(seed, dim):
    noise = np.random.default_rng(seed)
    root = noise.normal(size=(dim, dim))
    target = gaussian(noise.normal(size=dim), root @ root.T + 0.3 * np.eye(dim))
    log_joint = MultivariateNormal(*target).log_prob
    start = standard_gaussian(dim)
    full = reverse_kl_fit(log_joint, start, num_nodes=3)
    np.testing.assert_allclose(full.mu, target.mu, atol=1e-5)
    np.testing.assert_allclose(full.cov, target.cov, atol=1e-5)
    flat = reverse_kl_fit(log_joint, start, diagonal=True, num_nodes=3)
    np.testing.assert_allclose(flat.mu, target.mu, atol=1e-5)
    expected = np.diag(1 / np.linalg.inv(target.cov).diagonal())
    np.testing.assert_allclose(flat.cov, expected, atol=1e-5)


@pytest.mark.parametrize("diagonal", [False, True])
def test_reverse_fit_starts_from_the_covariance_or_its_diagonal(diagonal):
    seen = []

    def log_joint(z):
        seen.append(z.detach())
        return -z.square().sum(-1)

    reverse_kl_fit(log_joint, TILTED, diagonal=diagonal, num_nodes=3)
    _, weights = gauss_hermite(TILTED, 3)
    centred = seen[0] - TILTED.mu
    cov = TILTED.cov.diagonal().diag() if diagonal else TILTED.cov
    found = (weights[:, None] * centred).T @ centred
    np.testing.assert_allclose(found, cov, rtol=1e-10, atol=1e-12)


@pytest.mark.equation(
    "eq-variational-moment-matching",
    against="quadrature over one latent; given it the other is Gaussian",
    body="af543668",
)
@each_banana
def test_forward_fit_has_the_moments_of_the_posterior(banana):
    noise_var = 1 + banana.sigma**2
    z = np.linspace(-9, 9, 4001)
    w = stats.norm.pdf(z)
    w *= stats.norm.pdf(banana.x, banana.curvature * z**2, noise_var**0.5)
    w /= w.sum()
    second = (banana.x - banana.curvature * z**2) / noise_var  # E[z2 | z1, x]
    mean = w @ second
    var = banana.sigma**2 / noise_var + w @ (second - mean) ** 2
    found = forward_kl_fit(grid_of(banana))
    np.testing.assert_allclose(found.mu, [0, mean], atol=1e-8)
    np.testing.assert_allclose(found.cov, [[w @ z**2, 0], [0, var]], atol=1e-8)


@pytest.mark.equation(
    "eq-variational-moment-matching",
    against="the gradient of E_p log q by torch.distributions, which vanishes",
    body="af543668",
)
@pytest.mark.parametrize("diagonal", [False, True])
def test_no_neighbour_of_the_forward_fit_is_nearer(diagonal):
    def lopsided(z):
        return Banana(1.0, 0.7).log_joint(z) + 0.8 * z[..., 0] + 0.5 * z.prod(-1)

    axis = torch.linspace(-6, 6, 301, dtype=torch.float64)
    grid = grid_posterior(lopsided, [axis, axis])
    found = forward_kl_fit(grid, diagonal=diagonal)
    assert (found.cov[0, 1] == 0) == diagonal
    parameters = [found.mu, torch.linalg.cholesky(found.cov)]
    mu, chol = (p.clone().requires_grad_() for p in parameters)
    q = MultivariateNormal(mu, scale_tril=chol.tril())
    cross = (grid.log_prob.exp() * grid.cell) @ q.log_prob(grid.points)
    slopes = torch.autograd.grad(cross, [mu, chol])
    slopes = [slopes[0], slopes[1].diagonal()] if diagonal else slopes
    for slope in slopes:
        np.testing.assert_allclose(slope, 0 * slope, atol=1e-9)


def test_forward_fit_covers_what_reverse_fit_leaves_out():
    """Between the arms of the banana one is wide, the other sits on an arm."""
    banana = Banana(x=4.0)
    forward = forward_kl_fit(grid_of(banana))
    reverse = reverse_kl_fit(banana.log_joint, gaussian([1.0, 0.5], 0.3 * np.eye(2)))
    assert forward.cov[0, 0] > 10 * reverse.cov[0, 0]
    assert abs(forward.mu[0]) < 1e-8


UNIT = standard_gaussian(2)


SKEW = gaussian([0.0, 0], [[1, 0.5], [0.4, 1]])


GRID = GridPosterior(torch.zeros(3, 2), torch.zeros(3), 1.0, torch.zeros(()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Banana(sigma=0.0).log_joint(torch.zeros(2)), "sigma .* received 0"),
        (lambda: Banana(sigma=-1.0).log_joint(torch.zeros(2)), "sigma .* received -1"),
        (lambda: Banana().log_joint(torch.zeros(5, 3)), r"z .*2\); received \(5, 3\)"),
        (lambda: Banana().log_joint(torch.zeros(())), r"z .*2\); received \(\)"),
        (lambda: gauss_hermite(UNIT, 0), "num_nodes .* 1 to 300; received 0"),
        (lambda: gauss_hermite(UNIT, 301), "num_nodes .* 1 to 300; received 301"),
        (lambda: gauss_hermite(SKEW, 3), "q.cov must be symmetric; .* 0.1"),
        (
            lambda: gauss_hermite(UNIT._replace(mu=torch.zeros(3).double()), 3),
            r"q.cov must be of shape \(3, 3\); received \(2, 2\)",
        ),
        (
            lambda: gauss_hermite(UNIT._replace(mu=torch.zeros(4, 2).double()), 3),
            r"q.mu must be of shape \(any\); received \(4, 2\)",
        ),
        (
            lambda: elbo_by_quadrature(lambda z: z, UNIT, 3),
            r"log_joint\(points\) must be of shape \(9\); received \(9, 2\)",
        ),
        (
            lambda: reverse_kl_fit(Banana().log_joint, UNIT, num_nodes=0),
            "num_nodes .* received 0",
        ),
        (
            lambda: reverse_kl_fit(Banana().log_joint, SKEW),
            "start.cov must be symmetric",
        ),
        (
            lambda: reverse_kl_fit(Banana().log_joint, gaussian([0.0], np.eye(2))),
            r"start.cov must be of shape \(1, 1\)",
        ),
        (lambda: forward_kl_fit(GRID), "posterior must sum to 1; .* 3"),
    ],
)
def test_what_cannot_be_fitted_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
