"""Mixtures: each number against scipy or numpy, and what the M-step refuses."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from vaebook.em import (
    BernoulliMixture,
    CollapsedComponentError,
    GaussianMixture,
    InverseWishart,
)
from vaebook.map_estimation import Beta

ADVICE = "Give a prior, fewer components, or another start"
SHAPES = [(1, 1), (3, 1), (2, 2), (4, 5)]


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def make_gaussians(num_components, dim, seed=0):
    noise = np.random.default_rng(seed)
    weights = noise.dirichlet(np.full(num_components, 5.0))
    mu = 3 + 2 * noise.normal(size=(num_components, dim))
    root = np.eye(dim) + 0.4 * noise.normal(size=(num_components, dim, dim))
    cov = root @ root.transpose(0, 2, 1) + 0.1 * np.eye(dim)
    return GaussianMixture(*map(torch.from_numpy, (weights, mu, cov)))


def make_bernoullis(num_components, dim, seed=0):
    noise = np.random.default_rng(seed)
    weights = noise.dirichlet(np.full(num_components, 5.0))
    probs = noise.uniform(0.05, 0.95, size=(num_components, dim))
    return BernoulliMixture(torch.from_numpy(weights), torch.from_numpy(probs))


def real_data(num_rows, dim, seed=1):
    noise = np.random.default_rng(seed)
    return torch.from_numpy(3 + 3 * noise.normal(size=(num_rows, dim)))


def binary_data(num_rows, dim, seed=1):
    return (real_data(num_rows, dim, seed) > 3).double()


def make_resp(num_rows, num_components, seed=2):
    noise = np.random.default_rng(seed)
    return torch.from_numpy(noise.dirichlet(np.ones(num_components), num_rows))


def maximised(mixture, x, resp, prior=None):
    return mixture.maximised(resp.T @ mixture.statistics(x).T, prior)


# The log-joint is linear in the statistics


@pytest.mark.equation(
    "eq-em-natural", against="scipy.stats.multivariate_normal", body="f83b8acb"
)
@pytest.mark.equation(
    "eq-em-joint", against="scipy.stats.multivariate_normal", body="7fe064cc"
)
@pytest.mark.parametrize(("num_components", "dim"), SHAPES)
def test_gaussian_log_joint_is_a_product_with_the_statistics(num_components, dim):
    mixture, x = make_gaussians(num_components, dim), real_data(20, dim)
    components = zip(*(value.numpy() for value in mixture), strict=True)
    expected = [
        np.log(weight) + stats.multivariate_normal(mu, cov).logpdf(x.numpy())
        for weight, mu, cov in components
    ]
    product = mixture.natural() @ mixture.statistics(x)
    np.testing.assert_allclose(product, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.equation("eq-em-natural", against="scipy.stats.bernoulli", body="f83b8acb")
@pytest.mark.equation(
    "eq-em-bernoulli-mixture", against="scipy.stats.bernoulli", body="4e8c1954"
)
@pytest.mark.parametrize(("num_components", "dim"), SHAPES)
def test_bernoulli_log_joint_is_a_product_with_the_statistics(num_components, dim):
    mixture, x = make_bernoullis(num_components, dim), binary_data(20, dim)
    components = zip(*(value.numpy() for value in mixture), strict=True)
    expected = [
        np.log(weight) + stats.bernoulli(probs).logpmf(x.numpy()).sum(-1)
        for weight, probs in components
    ]
    product = mixture.natural() @ mixture.statistics(x)
    np.testing.assert_allclose(product, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.equation(
    "eq-em-mixture", against="quadrature: the density sums to 1", body="778bbef7"
)
def test_gaussian_mixture_is_a_density():
    mixture = make_gaussians(3, 1)

    def density(value):
        return (mixture.natural() @ mixture.statistics(double([[value]]))).exp().sum()

    total, error = integrate.quad(density, -60, 60, points=mixture.mu[:, 0].tolist())
    assert error < 1e-8 and total == pytest.approx(1, abs=1e-8)


@pytest.mark.equation(
    "eq-em-bernoulli-mixture",
    against="the sum over all images, which is 1",
    body="4e8c1954",
)
def test_bernoulli_mixture_sums_to_one_over_all_images():
    mixture = make_bernoullis(3, 7)
    images = torch.cartesian_prod(*[double([0, 1])] * 7)
    joint = (mixture.natural() @ mixture.statistics(images)).exp()
    np.testing.assert_allclose(joint.sum(1), mixture.weights, rtol=1e-12)


def test_gaussian_statistics_are_one_and_the_products_once(rng):
    mixture, x = make_gaussians(3, 4), real_data(6, 4)
    centred = (x - mixture.weights @ mixture.mu).numpy()
    i, j = np.triu_indices(4)
    expected = np.hstack([np.ones((6, 1)), centred, centred[:, i] * centred[:, j]]).T
    np.testing.assert_allclose(mixture.statistics(x), expected, rtol=1e-12)
    out = torch.full((15, 6), torch.nan).double()
    assert torch.equal(mixture.statistics(x, out=out), mixture.statistics(x))


def test_impossible_pixels_neither_give_nan_nor_win():
    """Component 0 cannot make the image, component 1 can: 0 log 0 counts as 0."""
    mixture = BernoulliMixture(double([0.5, 0.5]), double([[0, 1], [0.5, 1]]))
    impossible, possible = mixture.natural() @ mixture.statistics(double([[1, 1]]))
    assert impossible < -1e29
    assert possible.item() == pytest.approx(np.log(0.25))
    certain, half = mixture.natural() @ mixture.statistics(double([[0, 1]]))
    assert certain.item() == pytest.approx(np.log(0.5))
    assert half.item() == pytest.approx(np.log(0.25))


# The M-step


@pytest.mark.equation(
    "eq-em-gaussian-m-step", against="numpy.average and numpy.cov", body="7ec193c9"
)
@pytest.mark.parametrize(("num_components", "dim"), [(1, 1), (2, 2), (4, 5)])
def test_gaussian_m_step_is_weighted_maximum_likelihood(num_components, dim):
    x, resp = real_data(50, dim), make_resp(50, num_components)
    after = maximised(make_gaussians(num_components, dim), x, resp)
    np.testing.assert_allclose(after.weights, resp.numpy().mean(0), rtol=1e-12)
    for k, weights in enumerate(resp.T.numpy()):
        mu = np.average(x.numpy(), axis=0, weights=weights)
        cov = np.cov(x.numpy().T, ddof=0, aweights=weights).reshape(dim, dim)
        np.testing.assert_allclose(after.mu[k], mu, rtol=1e-10)
        np.testing.assert_allclose(after.cov[k], cov, rtol=1e-9, atol=1e-12)


@pytest.mark.equation(
    "eq-em-map-m-step", against="numpy.cov and the pseudo-scatter", body="841f4138"
)
def test_gaussian_m_step_with_a_prior():
    x, resp, scale = real_data(40, 3), make_resp(40, 2), double(np.eye(3) + 0.2)
    after = maximised(make_gaussians(2, 3), x, resp, InverseWishart(5.5, scale))
    for k, weights in enumerate(resp.T.numpy()):
        scatter = weights.sum() * np.cov(x.numpy().T, ddof=0, aweights=weights)
        expected = (scatter + scale.numpy()) / (weights.sum() + 5.5 + 3 + 1)
        np.testing.assert_allclose(after.cov[k], expected, rtol=1e-10)
        mu = np.average(x.numpy(), axis=0, weights=weights)
        np.testing.assert_allclose(after.mu[k], mu, rtol=1e-10)


@pytest.mark.equation(
    "eq-em-bernoulli-m-step", against="numpy.average and counts", body="9074d092"
)
@pytest.mark.parametrize("prior", [None, Beta(2.0, 2.0), Beta(1.5, 3.0)])
def test_bernoulli_m_step_is_weighted_counting(prior):
    x, resp = binary_data(50, 6), make_resp(50, 3)
    after = maximised(make_bernoullis(3, 6), x, resp, prior)
    a, b = prior or (1, 1)
    ones, counts = resp.numpy().T @ x.numpy(), resp.numpy().sum(0)[:, None]
    expected = (ones + a - 1) / (counts + a + b - 2)
    np.testing.assert_allclose(after.probs, expected, rtol=1e-10)
    np.testing.assert_allclose(after.weights, resp.numpy().mean(0), rtol=1e-12)
    if prior is None:
        average = np.average(x.numpy(), axis=0, weights=resp[:, 1].numpy())
        np.testing.assert_allclose(after.probs[1], average, rtol=1e-10)


@given(st.integers(0, 10**6))
def test_probabilities_stay_probabilities(seed):
    """A pixel that is always lit, or never, must not leave [0, 1] by rounding."""
    x = binary_data(9, 4, seed)
    x[:, 0], x[:, 1] = 1, 0
    after = maximised(make_bernoullis(4, 4), x, make_resp(9, 4, seed))
    assert torch.equal(after.probs[:, 0], torch.ones(4).double())
    assert torch.equal(after.probs[:, 1], torch.zeros(4).double())
    assert after.natural().isfinite().all()


# Priors


@pytest.mark.equation(
    "eq-em-inverse-wishart", against="scipy.stats.invwishart", body="7de24845"
)
@pytest.mark.parametrize(("dim", "dof"), [(1, 0.7), (2, 2.3), (2, 7), (5, 9.1)])
def test_inverse_wishart_is_scipys(dim, dof):
    scale, cov = make_gaussians(1, dim, seed=3).cov[0], make_gaussians(4, dim).cov
    found = InverseWishart(dof, scale).log_prob(cov)
    law = stats.invwishart(dof, scale.numpy())
    expected = [law.logpdf(one) for one in cov.numpy()]
    np.testing.assert_allclose(found, np.reshape(expected, -1), rtol=1e-10)


def test_log_prior_of_a_mixture_sums_over_components():
    scale = double([[2, 0.5], [0.5, 1]])
    gaussians, bernoullis = make_gaussians(3, 2), make_bernoullis(3, 5)
    law = stats.invwishart(6, scale.numpy())
    expected = sum(law.logpdf(cov) for cov in gaussians.cov.numpy())
    found = gaussians.log_prior(InverseWishart(6, scale)).item()
    assert found == pytest.approx(expected, rel=1e-10)
    expected = stats.beta(2, 3).logpdf(bernoullis.probs.numpy()).sum()
    assert bernoullis.log_prior(Beta(2, 3)).item() == pytest.approx(expected, rel=1e-10)


# Draws


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_draws_have_the_moments_of_their_component(rng, assert_within):
    mixture, number = make_gaussians(3, 2), 20_000
    x = mixture.sample(torch.full((number,), 1), rng=rng)
    centred = x - mixture.mu[1]
    assert_within(x.mean(0), mixture.mu[1], x.std(0) / number**0.5)
    products = centred[:, :, None] * centred[:, None]
    assert_within(products.mean(0), mixture.cov[1], products.std(0) / number**0.5)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_drawn_pixels_are_binary_at_their_rate(rng, assert_within):
    mixture, number = make_bernoullis(3, 4), 20_000
    x = mixture.sample(torch.full((number,), 2), rng=rng)
    assert ((x == 0) | (x == 1)).all()
    probs = mixture.probs[2]
    assert_within(x.mean(0), probs, (probs * (1 - probs) / number).sqrt())


# What is refused


def test_a_start_that_is_no_covariance_is_named():
    flat = double([[[1, 0], [0, 1]], [[1, 2], [2, 1]]])
    mixture = GaussianMixture(double([0.5, 0.5]), double([[0, 0], [1, 1]]), flat)
    with pytest.raises(CollapsedComponentError, match=f"component 1: .* {ADVICE}"):
        mixture.natural()


@pytest.mark.parametrize("make", [make_gaussians, make_bernoullis])
def test_an_empty_component_is_named(make):
    mixture, resp = make(3, 2), make_resp(30, 3)
    resp[:, 2] = 0
    with pytest.raises(CollapsedComponentError, match="component 2: its weight is 0"):
        maximised(mixture, binary_data(30, 2), resp)


def test_an_empty_component_with_a_beta_prior_dies_out():
    """Its pixels go to the prior's mode, its weight to 0, and nothing to NaN."""
    x, resp = binary_data(30, 2), make_resp(30, 3)
    resp[:, 2] = 0
    resp /= resp.sum(1, keepdim=True)
    after = maximised(make_bernoullis(3, 2), x, resp, Beta(2.0, 3.0))
    assert after.weights[2] == 0
    np.testing.assert_allclose(after.probs[2], [1 / 3, 1 / 3], rtol=1e-12)
    log_joint = after.natural() @ after.statistics(x)
    assert log_joint.isfinite().all() and (log_joint[2] < -1e29).all()


def test_a_component_on_one_point_has_no_width_unless_a_prior_gives_it_some():
    x, resp = real_data(30, 2), torch.zeros(30, 2).double()
    resp[:, 0], resp[4] = 1, double([0, 1])
    with pytest.raises(
        CollapsedComponentError, match=f"component 1: its smallest variance .* {ADVICE}"
    ):
        maximised(make_gaussians(2, 2), x, resp)
    scale = double([[1, 0], [0, 2]])
    after = maximised(make_gaussians(2, 2), x, resp, InverseWishart(3, scale))
    np.testing.assert_allclose(after.cov[1], scale / (1 + 3 + 2 + 1), atol=1e-12)
    np.testing.assert_allclose(after.mu[1], x[4], rtol=1e-10)


def test_width_is_judged_relative_to_the_data():
    """The same data in another unit: neither refused nor changed."""
    x, resp = real_data(30, 2), make_resp(30, 2)
    unit = double([1e-9, 1e9])
    start = make_gaussians(2, 2)
    after = maximised(start, x, resp)
    scaled = maximised(start._replace(mu=start.mu * unit), x * unit, resp)
    cov = after.cov * unit * unit[:, None]
    np.testing.assert_allclose(scaled.mu, after.mu * unit, rtol=1e-9)
    np.testing.assert_allclose(scaled.cov, cov, rtol=1e-9)


def test_a_start_far_from_the_data_is_no_collapse():
    """A thousand standard deviations off: the centre moves, the answer does not."""
    x, resp, start = real_data(30, 2), make_resp(30, 2), make_gaussians(2, 2)
    far = maximised(start._replace(mu=start.mu + 3e5), x, resp)
    near = maximised(start, x, resp)
    np.testing.assert_allclose(far.mu, near.mu, rtol=1e-9)
    np.testing.assert_allclose(far.cov, near.cov, atol=1e-3)


def test_data_that_the_mixture_cannot_hold_is_named():
    constant, grey = real_data(30, 3), binary_data(30, 3)
    constant[:, 1] = 7
    grey[4, 2] = 0.5
    with pytest.raises(ValueError, match="column 1 of x is constant: leave it out"):
        make_gaussians(2, 3).check(constant)
    with pytest.raises(ValueError, match="x must hold zeros and ones"):
        make_bernoullis(2, 3).check(grey)
    make_gaussians(2, 3).check(grey)
    make_bernoullis(2, 3).check(binary_data(30, 3))


def test_an_unchecked_constant_column_is_refused_all_the_same():
    mixture = GaussianMixture(
        double([1]), double([[0, 0]]), torch.eye(2)[None].double()
    )
    x = double([[-1, 0], [1, 0]])
    with pytest.raises(ValueError, match="x has a constant column or is very far"):
        maximised(mixture, x, double([[1], [1]]))
