"""EM and ascent, against numpy's EM, torch's densities and the closed form."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch.distributions import MultivariateNormal

from vaebook.bayes import LinearGaussian, standard_gaussian
from vaebook.datasets import load_digits
from vaebook.linear_vae import diagonal_gap, exact_q_elbo, ppca, ppca_em_step, spectrum
from vaebook.variational import ascend

pytestmark = pytest.mark.usefixtures("one_thread")


SEEDS = st.integers(0, 2**32 - 1)


EXACT = {"rtol": 1e-10, "atol": 1e-10}


N, D = 30, 4


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def correlated(seed, num=N):
    noise = np.random.default_rng(seed)
    mix, mean = noise.normal(size=(D, D)), 3 * noise.normal(size=D)
    return torch.from_numpy(noise.normal(size=(num, D)) @ mix + mean)


def random_model(seed, latent_dim=2, dim=D):
    noise = np.random.default_rng(seed)
    return LinearGaussian(
        standard_gaussian(latent_dim),
        torch.from_numpy(noise.normal(size=(dim, latent_dim))),
        torch.from_numpy(noise.normal(size=dim)),
        torch.full((dim,), noise.uniform(0.2, 2)).double(),
    )


def scipy_log_p(model, x):
    w = model.weights.numpy()
    cov = w @ w.T + np.diag(model.var.numpy())
    return stats.multivariate_normal(model.offset.numpy(), cov).logpdf(x)


def numpy_em(model, x):
    """One image at a time; then least squares with the codes' second moments."""
    w, noise, x = model.weights.numpy(), model.var.numpy(), x.numpy()
    centred, latent_dim = x - x.mean(0), w.shape[1]
    gain = np.linalg.solve(w @ w.T + np.diag(noise), w).T
    cov = np.eye(latent_dim) - gain @ w
    codes = [gain @ row for row in centred]
    second = sum(np.outer(z, z) + cov for z in codes)
    cross = sum(np.outer(row, z) for row, z in zip(centred, codes, strict=True))
    new = cross @ np.linalg.inv(second)
    squares = [
        np.square(row - new @ z).sum() + np.trace(new @ cov @ new.T)
        for row, z in zip(centred, codes, strict=True)
    ]
    return new, x.mean(0), np.mean(squares) / x.shape[1]


@pytest.mark.equation(
    "eq-linear-vae-em", against="numpy's EM, image by image", body="73c8d30d"
)
@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, latent_dim=st.integers(1, 3))
def test_ppca_em_step_is_numpys(seed, latent_dim):
    model, x = random_model(seed, latent_dim), correlated(seed)
    found, (weights, offset, var) = ppca_em_step(model, x), numpy_em(model, x)
    np.testing.assert_allclose(found.weights, weights, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.offset, offset, **EXACT)
    np.testing.assert_allclose(found.var, [var] * D, rtol=1e-9)


@pytest.mark.equation(
    "eq-linear-vae-em", against="scipy's log p(x) at every step", body="73c8d30d"
)
@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, latent_dim=st.integers(1, 3))
def test_em_never_lowers_the_likelihood(seed, latent_dim):
    model, x, heights = random_model(seed, latent_dim), correlated(seed), []
    for _ in range(10):
        heights.append(scipy_log_p(model, x).mean())
        model = ppca_em_step(model, x)
    assert (np.diff(heights) >= -1e-10).all()


@pytest.mark.equation(
    "eq-linear-vae-em", against="the closed form of ppca", body="73c8d30d"
)
@pytest.mark.parametrize("latent_dim", [1, 2, 3])
def test_maximum_likelihood_is_the_fixed_point(latent_dim):
    x = correlated(1)
    best = ppca(spectrum(x), latent_dim)
    step = ppca_em_step(best, x)
    for found, expected in zip(step[1:], best[1:], strict=True):
        np.testing.assert_allclose(found, expected, **EXACT)
    model = random_model(2, latent_dim)
    for _ in range(1000):
        model = ppca_em_step(model, x)
    expected = best.marginal().cov
    np.testing.assert_allclose(model.marginal().cov, expected, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(model.var, best.var, rtol=1e-8)


def test_a_zero_column_stays_zero():
    x = correlated(3)
    best, start = ppca(spectrum(x), 1), random_model(4)
    start.weights[:, 1] = 0
    model = start
    for _ in range(1000):
        model = ppca_em_step(model, x)
    assert (model.weights[:, 1] == 0).all()
    expected = scipy_log_p(best, x).mean()
    assert scipy_log_p(model, x).mean() == pytest.approx(expected, abs=1e-9)


def mean_log_p(weights, offset, log_var, x):
    """By torch's multivariate normal."""
    cov = weights @ weights.T + log_var.exp() * torch.eye(len(offset)).double()
    return MultivariateNormal(offset, cov).log_prob(x).mean()


@pytest.mark.equation(
    "eq-linear-vae-ascent",
    against="autograd of torch's multivariate normal",
    body="6897c347",
)
@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, latent_dim=st.integers(1, 3))
def test_exact_q_has_the_value_and_gradient_of_the_evidence(seed, latent_dim):
    model, x = random_model(seed, latent_dim), correlated(seed)
    theta = [model.weights, model.offset, model.var[0].log()]
    theta = [part.requires_grad_() for part in theta]
    bound, height = exact_q_elbo(*theta, x), mean_log_p(*theta, x)
    assert bound.shape == ()
    np.testing.assert_allclose(bound.detach(), height.detach(), rtol=1e-9)
    found, expected = (torch.autograd.grad(v, theta) for v in (bound, height))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-9)


@pytest.mark.equation(
    "eq-linear-vae-ascent", against="autograd, at one model to 1e-10", body="6897c347"
)
def test_gradient_of_the_exact_q_elbo_to_ten_digits():
    model, x = random_model(5), correlated(5)
    theta = [v.requires_grad_() for v in (model.weights, model.offset, model.var[0])]
    bound = exact_q_elbo(*theta, x)
    assert bound.item() == pytest.approx(mean_log_p(*theta, x).item(), rel=1e-10)
    grads = (torch.autograd.grad(v, theta) for v in (bound, mean_log_p(*theta, x)))
    for one, other in zip(*grads, strict=True):
        np.testing.assert_allclose(one, other, **EXACT)


@pytest.fixture(scope="module", params=[2, 10])
def digits(request):
    """Training and test images, the closed form, and a random start."""
    grey, rng = load_digits(binarize=False), torch.Generator().manual_seed(0)
    x = grey.train.x.double()
    best = ppca(spectrum(x), request.param)
    weights = torch.randn(best.weights.shape, generator=rng, dtype=torch.float64)
    start = best._replace(weights=0.1 * weights, var=0 * best.var + 0.1)
    return x, grey.test.x.double(), best, start


def assert_same_model(found, digits):
    x, test, best, _ = digits
    for images in (x, test):
        expected, log_p = scipy_log_p(best, images), scipy_log_p(found, images)
        np.testing.assert_allclose(log_p, expected, atol=1e-3)
        assert log_p.mean() == pytest.approx(expected.mean(), abs=1e-6)


@pytest.mark.equation(
    "eq-linear-vae-em", against="the closed form, image by image", body="73c8d30d"
)
def test_em_finds_the_closed_form_of_the_digits(digits):
    x, _, _, model = digits
    for _ in range(200):
        model = ppca_em_step(model, x)
    assert_same_model(model, digits)


@pytest.mark.equation(
    "eq-linear-vae-ascent", against="the closed form, image by image", body="6897c347"
)
def test_ascent_finds_the_closed_form_of_the_digits_but_for_a_rotation(digits):
    x, _, best, start = digits
    parameters = [start.weights, start.offset, start.var[0].log()]
    weights, offset, log_var = ascend(lambda *p: exact_q_elbo(*p, x), parameters)
    var = log_var.exp().expand_as(offset)
    found = best._replace(weights=weights, offset=offset, var=var)
    assert_same_model(found, digits)
    assert diagonal_gap(found) > 1e-5 > diagonal_gap(best)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": torch.zeros(3, 2)}, r"x must be of shape \(any, 4\); received \(3, 2\)"),
        ({"x": torch.zeros(4)}, r"x must be \(N, D\).*received \(4,\)"),
        ({"x": torch.full((2, 4), torch.inf).double()}, "x must be finite; row 0"),
        ({"var": torch.zeros(4)}, "var must be above 0 and finite; received 0"),
        ({"weights": torch.ones(4, 3).double()}, r"prior.mu .* \(3\); received \(2,\)"),
    ],
)
def test_em_refuses_what_does_not_fit(change, message):
    change = {"x": correlated(0)} | change
    x = change.pop("x")
    with pytest.raises(ValueError, match=message):
        ppca_em_step(random_model(0)._replace(**change), x)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": torch.zeros(3, 2)}, r"x must be of shape \(any, 4\); received \(3, 2\)"),
        ({"log_var": double(-torch.inf)}, "var must be above 0 and finite; received 0"),
        ({"weights": torch.ones(3, 2).double()}, r"offset .* \(3\); received \(4,\)"),
    ],
)
def test_bound_refuses_what_does_not_fit(change, message):
    model = random_model(0)
    given = {"weights": model.weights, "offset": model.offset, "log_var": double(0.0)}
    with pytest.raises(ValueError, match=message):
        exact_q_elbo(**given | {"x": correlated(0)} | change)
