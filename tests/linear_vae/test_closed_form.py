"""Probabilistic PCA against scikit-learn, scipy and numpy's singular values."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats
from sklearn.decomposition import PCA
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from vaebook.autoencoder import mlp
from vaebook.bayes import LinearGaussian, standard_gaussian
from vaebook.datasets import load_digits
from vaebook.likelihood import FullGaussian
from vaebook.linear_vae import (
    Spectrum,
    best_var,
    diagonal_gap,
    linear_parameters,
    mean_log_evidence,
    optimal_encoder,
    ppca,
    set_layer,
    spectrum,
)
from vaebook.variational import gaussian_kl_per_latent, linear_elbo

pytestmark = pytest.mark.usefixtures("one_thread")
SEEDS = st.integers(0, 2**32 - 1)
EXACT = {"rtol": 1e-10, "atol": 1e-10}
N, D = 30, 4
AXES = Spectrum(
    torch.tensor([1.0, -2.0, 0.5, 3.0]).double(),
    torch.tensor([6.0, 3.0, 1.0, 0.5]).double(),
    torch.from_numpy(stats.ortho_group(D, 0).rvs()),
)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def correlated(seed, num=N, dim=D):
    noise = np.random.default_rng(seed)
    mix, mean = noise.normal(size=(dim, dim)), 3 * noise.normal(size=dim)
    return torch.from_numpy(noise.normal(size=(num, dim)) @ mix + mean)


def data_of(components):
    """Two images a direction, whose principal components are exactly these."""
    root = (
        components.directions * (len(components.mean) * components.eigenvalues).sqrt()
    )
    return components.mean + torch.cat([root.T, -root.T])


def random_linear(noise, dim=D, latent_dim=2):
    """Any weights, none of them orthogonal."""
    return LinearGaussian(
        standard_gaussian(latent_dim),
        torch.from_numpy(noise.normal(size=(dim, latent_dim))),
        torch.from_numpy(noise.normal(size=dim)),
        torch.full((dim,), noise.uniform(0.2, 2)).double(),
    )


def by_svd(x):
    """Mean, eigenvalues and directions, without a covariance."""
    mean = x.numpy().mean(0)
    _, scale, rows = np.linalg.svd(x.numpy() - mean)
    return mean, scale**2 / len(x), rows.T


def law(model):
    """N(b, W W' + noise), by scipy."""
    w = model.weights.numpy()
    cov = w @ w.T + np.diag(model.var.numpy())
    return stats.multivariate_normal(model.offset.numpy(), cov)


def numpy_posterior(model, x):
    """From the joint Gaussian of (z, x): no matrix M."""
    w, offset = model.weights.numpy(), model.offset.numpy()
    gain = np.linalg.solve(law(model).cov, w).T
    return (x.numpy() - offset) @ gain.T, np.eye(w.shape[1]) - gain @ w


def numpy_elbo(model, x, mu, log_var):
    """Of a diagonal q for each row, from E[(x - Wz - b)^2] and torch's KL."""
    w, noise = model.weights.numpy(), model.var.numpy()
    residual = x.numpy() - mu.numpy() @ w.T - model.offset.numpy()
    square = residual**2 + np.exp(log_var.numpy()) @ (w**2).T
    log_lik = -0.5 * (np.log(2 * np.pi * noise) + square / noise).sum(-1)
    q = Normal(mu, (log_var / 2).exp())
    return log_lik - kl_divergence(q, Normal(0 * mu, 1.0)).sum(-1).numpy()


def encoded(encoder, x):
    return (x @ encoder.weights.T + encoder.offset).chunk(2, -1)


def maximum_likelihood_pca(x, latent_dim):
    """scikit-learn's, which divides by N - 1, brought to 1/N."""
    pca = PCA(latent_dim).fit(x.numpy())
    pca.explained_variance_ *= 1 - 1 / len(x)
    pca.noise_variance_ *= 1 - 1 / len(x)
    return pca


@pytest.fixture(scope="module")
def digits():
    grey = load_digits(binarize=False)
    return [part.x.double() for part in (grey.train, grey.test)]


# Principal components


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, num=st.integers(2, 12))
def test_spectrum_is_that_of_the_singular_values(seed, num):
    x = correlated(seed, num)
    found, (mean, values, directions) = spectrum(x), by_svd(x)
    values = np.pad(values, (0, D - len(values)))
    np.testing.assert_allclose(found.mean, mean, **EXACT)
    np.testing.assert_allclose(found.eigenvalues, values, **EXACT)
    assert (found.eigenvalues.diff() <= 0).all()
    cov = directions * values @ directions.T
    turned = found.directions * found.eigenvalues @ found.directions.T
    np.testing.assert_allclose(turned, cov, rtol=1e-9, atol=1e-9)
    eye = found.directions.T @ found.directions
    np.testing.assert_allclose(eye, np.eye(D), **EXACT)


def test_eigenvalues_that_are_rounding_are_zero():
    values = spectrum(correlated(0, num=3)).eigenvalues
    assert (values[:2] > 0).all() and (values[2:] == 0).all()
    assert (spectrum(torch.ones(5, 3)).eigenvalues == 0).all()


# The model


@pytest.mark.equation(
    "eq-linear-vae-model", against="scipy's normal densities", body="cad53d60"
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_model_is_linear_decoder_plus_noise(rng):
    model = ppca(AXES, 2)
    z, eps = (torch.randn(5, d, generator=rng, dtype=torch.float64) for d in (2, D))
    sigma = model.var[0].sqrt().item()
    x = z @ model.weights.T + model.offset + sigma * eps
    expected = stats.norm.logpdf(z).sum(1) + stats.norm.logpdf(eps).sum(1)
    expected -= D * math.log(sigma)
    np.testing.assert_allclose(model.log_joint(x, z), expected, **EXACT)


@pytest.mark.equation(
    "eq-linear-vae-marginal", against="moments of drawn z and eps", body="89693a1c"
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_drawn_images_have_the_marginal_covariance(rng, assert_within):
    model, num = ppca(AXES, 2), 20_000
    z, eps = (torch.randn(num, d, generator=rng, dtype=torch.float64) for d in (2, D))
    x = z @ model.weights.T + model.var.sqrt() * eps
    products = x[:, :, None] * x[:, None]
    se = products.std(0) / num**0.5
    assert_within(products.mean(0), model.marginal().cov, se)


@pytest.mark.equation(
    "eq-linear-vae-marginal", against="scipy quadrature over z", body="89693a1c"
)
def test_evidence_is_the_integral_over_the_code():
    model = ppca(AXES, 1)
    w, b = model.weights.numpy()[:, 0], model.offset.numpy()
    for x in correlated(1, 3).numpy():

        def joint(z, x=x):
            likelihood = stats.norm.pdf(x, w * z + b, model.var.numpy() ** 0.5).prod()
            return likelihood * stats.norm.pdf(z)

        integral, _ = integrate.quad(joint, -12, 12, epsabs=0, epsrel=1e-12, limit=200)
        found = model.log_evidence(torch.from_numpy(x)[None])
        assert found.item() == pytest.approx(math.log(integral), rel=1e-9)


@pytest.mark.equation(
    "eq-linear-vae-marginal", against="scipy's N(b, WW' + s^2 I)", body="89693a1c"
)
@pytest.mark.equation(
    "eq-linear-vae-posterior", against="numpy's joint of z and x", body="41e79546"
)
@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, latent_dim=st.integers(1, 3))
def test_posterior_and_evidence_of_any_weights(seed, latent_dim):
    model = random_linear(np.random.default_rng(seed), latent_dim=latent_dim)
    x = correlated(seed, 3)
    found, (mu, cov) = model.posterior(x), numpy_posterior(model, x)
    np.testing.assert_allclose(found.mu, mu, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.cov, cov, **EXACT)
    log_p = law(model).logpdf(x)
    np.testing.assert_allclose(model.log_evidence(x), log_p, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.marginal().log_prob(x), log_p, rtol=1e-9)


# Maximum likelihood


@pytest.mark.equation(
    "eq-linear-vae-ml-weights",
    against="scikit-learn's PCA.get_covariance, with 1/N",
    body="de142ed1",
)
@pytest.mark.equation(
    "eq-linear-vae-ml-var",
    against="scikit-learn's noise_variance_, with 1/N",
    body="8f6683c8",
)
@pytest.mark.parametrize("latent_dim", [1, 2, 3])
def test_ppca_is_scikit_learns(latent_dim):
    x = correlated(2)
    model, pca = ppca(spectrum(x), latent_dim), maximum_likelihood_pca(x, latent_dim)
    np.testing.assert_allclose(model.var, [pca.noise_variance_] * D, **EXACT)
    np.testing.assert_allclose(model.offset, pca.mean_, **EXACT)
    np.testing.assert_allclose(law(model).cov, pca.get_covariance(), **EXACT)
    np.testing.assert_allclose(model.log_evidence(x), pca.score_samples(x), **EXACT)
    gram = model.weights.T @ model.weights
    expected = pca.explained_variance_ - pca.noise_variance_
    np.testing.assert_allclose(gram, np.diag(expected), **EXACT)


def mean_log_p(x, weights, offset, log_var):
    """By torch's multivariate normal, differentiable."""
    cov = weights @ weights.T + log_var.exp() * torch.eye(len(offset)).double()
    return MultivariateNormal(offset, cov).log_prob(x).mean()


def climbed(x, start, var=None):
    """Mean log p(x) at the maximum that scipy reaches from random weights."""
    size = start.numel()

    def loss(flat):
        at = torch.from_numpy(flat).requires_grad_()
        log_var = at[-1] if var is None else double(var).log()
        parts = at[:size].reshape(start.shape), at[size:-1], log_var
        value = -mean_log_p(x, *parts)
        return value.item(), torch.autograd.grad(value, at)[0].numpy()

    flat = torch.cat([start.flatten(), x.mean(0) + 0.1, torch.zeros(1)]).double()
    return -optimize.minimize(loss, flat.numpy(), jac=True, tol=1e-12).fun


@pytest.mark.equation(
    "eq-linear-vae-ml-weights", against="scipy.optimize.minimize", body="de142ed1"
)
@pytest.mark.equation(
    "eq-linear-vae-ml-var", against="scipy.optimize.minimize", body="8f6683c8"
)
@pytest.mark.equation(
    "eq-linear-vae-log-evidence", against="scipy.optimize.minimize", body="1e8baf6c"
)
@pytest.mark.parametrize("var", [None, 0.3, 2.0, 4.0])
@pytest.mark.parametrize("rng", range(2), indirect=True)
def test_no_weights_are_likelier(var, rng):
    """With var = 2 one of the three latents on offer dies, with 4 two of them."""
    x, start = data_of(AXES), torch.randn(D, 3, generator=rng, dtype=torch.float64)
    model = ppca(AXES, 3, var)
    best = mean_log_evidence(AXES.eigenvalues, 3, model.var[0]).item()
    assert climbed(x, start, var) == pytest.approx(best, abs=1e-8)
    assert law(model).logpdf(x).mean() == pytest.approx(best, rel=1e-12)


def test_two_thermometers():
    """Covariance [[10, 5], [5, 10]], in square kelvins: one shared temperature."""
    along, across = (30**0.5, 30**0.5), (10**0.5, -(10**0.5))
    x = double([along, across]) / 2**0.5
    components = spectrum(torch.cat([x, -x]) + 290)
    model = ppca(components, 1)
    np.testing.assert_allclose(components.eigenvalues, [15, 5], **EXACT)
    np.testing.assert_allclose(model.var, [5, 5], **EXACT)
    np.testing.assert_allclose(model.weights.abs(), [[5**0.5]] * 2, **EXACT)
    np.testing.assert_allclose(law(model).cov, [[10, 5], [5, 10]], **EXACT)


@pytest.mark.equation(
    "eq-linear-vae-log-evidence", against="scipy's mean over the data", body="1e8baf6c"
)
@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, latent_dim=st.integers(1, D), var=st.floats(0.05, 20))
def test_mean_log_evidence_needs_the_eigenvalues_only(seed, latent_dim, var):
    x = correlated(seed)
    components = spectrum(x)
    found = mean_log_evidence(components.eigenvalues, latent_dim, var)
    expected = law(ppca(components, latent_dim, var)).logpdf(x).mean()
    assert found.item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.equation(
    "eq-linear-vae-log-evidence",
    against="scikit-learn's PCA.score_samples, with 1/N",
    body="1e8baf6c",
)
@pytest.mark.parametrize(
    ("latent_dim", "var", "train", "test"),
    [(2, 0.054262, -0.0366, -0.3374), (10, 0.021705, 18.6886, 15.5197)],
)
def test_digits_have_the_published_evidence(digits, latent_dim, var, train, test):
    components = spectrum(digits[0])
    model = ppca(components, latent_dim)
    pca = maximum_likelihood_pca(digits[0], latent_dim)
    assert model.var[0].item() == pytest.approx(var, abs=5e-7)
    for x, published in zip(digits, (train, test), strict=True):
        log_p = model.log_evidence(x)
        np.testing.assert_allclose(log_p, pca.score_samples(x.numpy()), rtol=1e-9)
        assert log_p.mean().item() == pytest.approx(published, abs=5e-5)
    found = mean_log_evidence(components.eigenvalues, latent_dim, model.var[0])
    expected = pca.score_samples(digits[0].numpy()).mean()
    assert found.item() == pytest.approx(expected, abs=1e-10)


def test_precision_follows_the_data():
    model = ppca(spectrum(correlated(3).float()), 2)
    assert {t.dtype for t in (*model.prior, *model[1:])} == {torch.float32}


def gradient_and_curvature(x, model):
    """Of the mean log p(x), by autograd; the curvature in the weights alone."""
    parts = model.weights, model.offset, model.var[0].log()
    theta = [part.clone().requires_grad_() for part in parts]
    slopes = torch.autograd.grad(mean_log_p(x, *theta), theta)

    def of_weights(w):
        return mean_log_p(x, w.reshape(model.weights.shape), *parts[1:])

    hessian = torch.autograd.functional.hessian(of_weights, parts[0].flatten())
    return torch.cat([s.flatten() for s in slopes]), torch.linalg.eigvalsh(hessian)


def rotated(model):
    """With W R^T in place of W: R a rotation of both latents; of one kept, and both."""
    angle = torch.tensor(0.7).double()
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])])
    yield model._replace(weights=model.weights @ turn.T)
    yield model._replace(weights=model.weights[:, :1] @ turn[:, :1].T)


@pytest.mark.equation(
    "eq-linear-vae-stationary",
    against="autograd's gradient and Hessian of torch's multivariate normal",
    body="5d5e9de5",
)
@pytest.mark.parametrize("kept", [*itertools.combinations(range(D), 2)])
def test_any_eigenvectors_are_stationary_and_only_the_first_a_maximum(kept):
    x, var = data_of(AXES), 0.25
    left = [i for i in range(D) if i not in kept]
    order = Spectrum(
        AXES.mean, AXES.eigenvalues[[*kept, *left]], AXES.directions[:, [*kept, *left]]
    )
    found = ppca(order, 2, var)
    slopes, curvature = gradient_and_curvature(x, found)
    assert slopes[:-1].abs().max() < 1e-12
    for turned in rotated(found):
        slopes, _ = gradient_and_curvature(x, turned)
        assert slopes[:-1].abs().max() < 1e-12
    is_maximum = curvature.max() < 1e-12
    assert is_maximum == (kept == (0, 1))
    if not is_maximum:
        assert curvature.max() > 0.01
    own_var = order.eigenvalues[2:].mean()
    if (order.eigenvalues[:2] > own_var).all():
        slopes, _ = gradient_and_curvature(x, ppca(order, 2))
        assert slopes.abs().max() < 1e-12


@pytest.mark.equation(
    "eq-linear-vae-collapse",
    against="autograd's second derivative of torch's multivariate normal",
    body="cae107b0",
)
@pytest.mark.parametrize("var", [0.3, 0.7, 2.0, 4.0])
@pytest.mark.parametrize("direction", range(D))
def test_a_column_dies_where_a_short_one_is_no_gain(var, direction):
    x, model = data_of(AXES), ppca(AXES, D, var)
    others = model.weights.clone()
    others[:, direction] = 0
    tilt = torch.zeros(D, D).double()
    tilt[:, direction] = AXES.directions[:, direction]

    def along(t):
        return mean_log_p(x, others + t * tilt, model.offset, double(var).log())

    second = torch.autograd.functional.hessian(along, double(0.0)).item()
    value = AXES.eigenvalues[direction].item()
    assert second == pytest.approx((value / var - 1) / var, rel=1e-10)
    alive = model.weights[:, direction].norm().item()
    assert (alive > 0) == (second > 0)
    assert alive == pytest.approx(max(value - var, 0) ** 0.5, abs=1e-12)


@pytest.mark.equation(
    "eq-linear-vae-rotation", against="scipy's law of W R", body="b6e92bcd"
)
@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, latent_dim=st.integers(2, 4))
def test_rotated_weights_are_as_likely(seed, latent_dim):
    x, noise = correlated(seed), np.random.default_rng(seed)
    model = ppca(spectrum(x), latent_dim, 0.1)
    turn = torch.from_numpy(stats.ortho_group(latent_dim, noise).rvs())
    turned = model._replace(weights=model.weights @ turn)
    log_p = law(model).logpdf(x)
    np.testing.assert_allclose(law(turned).logpdf(x), log_p, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(turned.log_evidence(x), log_p, rtol=1e-9, atol=1e-9)
    codes, turned_codes = model.posterior(x).mu @ turn, turned.posterior(x).mu
    np.testing.assert_allclose(turned_codes, codes, rtol=1e-9, atol=1e-9)


# Codes


@pytest.mark.equation(
    "eq-linear-vae-shrinkage",
    against="numpy's joint of z and x; singular vectors",
    body="af4d4dfc",
)
@pytest.mark.parametrize("latent_dim", [1, 2, 3])
def test_decoded_mean_shrinks_along_each_direction(latent_dim):
    x = correlated(4)
    mean, values, directions = by_svd(x)
    model = ppca(spectrum(x), latent_dim)
    u, share = directions[:, :latent_dim], 1 - model.var[0].item() / values[:latent_dim]
    expected = mean + (x.numpy() - mean) @ (u * share) @ u.T
    mu, _ = numpy_posterior(model, x)
    decoded = mu @ model.weights.numpy().T + model.offset.numpy()
    np.testing.assert_allclose(decoded, expected, **EXACT)
    decoded = model.posterior(x).mu @ model.weights.T + model.offset
    np.testing.assert_allclose(decoded, expected, **EXACT)


@pytest.mark.equation(
    "eq-linear-vae-pca", against="scikit-learn's PCA.inverse_transform", body="2a5187dc"
)
def test_without_noise_the_decoded_mean_is_the_projection_of_pca():
    x = correlated(5)
    pca = PCA(2).fit(x.numpy())
    projected = pca.inverse_transform(pca.transform(x.numpy()))
    far = []
    for var in (1e-2, 1e-4, 1e-9):
        model = ppca(spectrum(x), 2, var)
        decoded = model.posterior(x).mu @ model.weights.T + model.offset
        far.append(np.abs(decoded.numpy() - projected).max())
    assert far[1] == pytest.approx(far[0] / 100, rel=1e-6)
    assert far[2] < 1e-7


@pytest.mark.equation(
    "eq-linear-vae-information",
    against="numpy's posterior and torch's KL, averaged over the data",
    body="8b243262",
)
@pytest.mark.parametrize("var", [None, 0.7, 2.0])
def test_mean_kl_of_a_latent_is_half_the_log_of_its_signal(var):
    x, model = data_of(AXES), ppca(AXES, 3, var)
    mu, cov = numpy_posterior(model, x)
    assert np.abs(cov - np.diag(np.diag(cov))).max() < 1e-12
    q = Normal(torch.from_numpy(mu), torch.from_numpy(np.diag(cov).copy()).sqrt())
    kl = kl_divergence(q, Normal(0.0, 1.0)).mean(0)
    expected = 0.5 * (AXES.eigenvalues[:3] / model.var[0]).log().clamp(min=0)
    np.testing.assert_allclose(kl, expected, **EXACT)
    found = gaussian_kl_per_latent(*encoded(optimal_encoder(model), x)).mean(0)
    np.testing.assert_allclose(found, expected, **EXACT)


# Encoders


def root_of_elbo(model, x, mu, log_var):
    """Where the gradient of the closed ELBO in mu and log_var vanishes, one image."""
    w, noise = model.weights, model.var

    def slope(flat):
        at = torch.tensor(flat, requires_grad=True)
        m, v = at.chunk(2)
        square = (x - w @ m - model.offset).square() + (w.square() @ v.exp())
        kl = 0.5 * (m.square() + v.exp() - 1 - v).sum()
        loss = 0.5 * (square / noise).sum() + kl
        return torch.autograd.grad(loss, at)[0].numpy()

    start = torch.cat([mu, log_var]).numpy() + 0.1
    return optimize.root(slope, start, tol=1e-13).x


@pytest.mark.equation(
    "eq-linear-vae-optimal-encoder",
    against="scipy's root of the ELBO's gradient",
    body="e79be2e4",
)
@pytest.mark.parametrize("seed", range(3))
def test_encoder_is_where_the_gradient_of_the_elbo_vanishes(seed):
    noise = np.random.default_rng(seed)
    model, x = random_linear(noise, latent_dim=3), correlated(seed, 2)
    model = model._replace(var=torch.from_numpy(noise.uniform(0.2, 2, D)))
    mu, log_var = encoded(optimal_encoder(model), x)
    np.testing.assert_allclose(mu, numpy_posterior(model, x)[0], **EXACT)
    for row in zip(x, mu, log_var, strict=True):
        best = root_of_elbo(model, *row)
        np.testing.assert_allclose(torch.cat(row[1:]), best, rtol=1e-8, atol=1e-8)


def test_encoder_knows_another_prior():
    noise = np.random.default_rng(6)
    prior = FullGaussian(double([1.0, -2.0]), double([[2.0, 0.5], [0.5, 1.0]]))
    model, x = random_linear(noise)._replace(prior=prior), correlated(6, 3)
    mu, log_var = encoded(optimal_encoder(model), x)
    np.testing.assert_allclose(mu, model.posterior(x).mu, **EXACT)
    cov = model.prior.cov.inverse() + model.weights.T @ model.weights / model.var[0]
    np.testing.assert_allclose(log_var[0], -cov.diagonal().log(), **EXACT)


@pytest.mark.equation(
    "eq-linear-vae-tight",
    against="scipy's log p(x) and the ELBO by numpy and torch",
    body="d06e8c85",
)
@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, latent_dim=st.integers(1, 4), var=st.floats(0.05, 5))
def test_orthogonal_columns_leave_no_gap_at_any_image(seed, latent_dim, var):
    model, far = ppca(spectrum(correlated(seed)), latent_dim, var), correlated(seed + 1)
    elbo = numpy_elbo(model, far, *encoded(optimal_encoder(model), far))
    np.testing.assert_allclose(elbo, law(model).logpdf(far), rtol=1e-8, atol=1e-8)
    assert abs(diagonal_gap(model).item()) < 1e-12


@pytest.mark.equation(
    "eq-linear-vae-gap",
    against="scipy's log p(x) less the ELBO by numpy and torch",
    body="908ca3fc",
)
@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, latent_dim=st.integers(2, 4))
def test_gap_is_what_the_best_diagonal_encoder_loses(seed, latent_dim):
    noise, x = np.random.default_rng(seed), correlated(seed, 5)
    model = random_linear(noise, latent_dim=latent_dim)
    mu, log_var = encoded(optimal_encoder(model), x)
    lost = law(model).logpdf(x) - numpy_elbo(model, x, mu, log_var)
    gap = diagonal_gap(model).item()
    np.testing.assert_allclose(lost, gap, rtol=1e-8, atol=1e-8)
    assert gap >= 0
    for shift in 0.1 * torch.from_numpy(noise.normal(size=(4, latent_dim))):
        other = numpy_elbo(model, x, mu, log_var + shift)
        assert (law(model).logpdf(x) - other >= gap - 1e-9).all()


@pytest.mark.equation(
    "eq-linear-vae-gap", against="numpy's M and its determinant", body="908ca3fc"
)
def test_rotation_opens_a_gap():
    model = ppca(AXES, 2)
    turn = double([[0.6, -0.8], [0.8, 0.6]])
    turned = model._replace(weights=model.weights @ turn)
    m = np.eye(2) + (turned.weights.T @ turned.weights / turned.var[0]).numpy()
    expected = 0.5 * (np.log(np.diag(m)).sum() - np.linalg.slogdet(m)[1])
    assert diagonal_gap(turned).item() == pytest.approx(expected, rel=1e-10)
    assert expected > 0.05 and diagonal_gap(model).abs() < 1e-12
    x = data_of(AXES)
    mu, log_var = encoded(optimal_encoder(turned), x)
    diagonal = FullGaussian(mu, log_var[0].exp().diag())
    lost = turned.log_evidence(x) - linear_elbo(turned, x, diagonal).elbo
    np.testing.assert_allclose(lost, expected, **EXACT)


# Nets of one layer


def test_a_layer_takes_weights_and_gives_them_back():
    net, model = mlp((2, D)), ppca(AXES, 2)
    set_layer(net, model.weights, model.offset)
    z = torch.ones(3, 2)
    np.testing.assert_allclose(
        net(z).detach(), z.double() @ model.weights.T + model.offset, rtol=1e-6
    )
    weights, offset, var = linear_parameters(net, torch.tensor(-2.0))
    assert {t.dtype for t in (weights, offset, var)} == {torch.float64}
    assert not any(t.requires_grad for t in (weights, offset, var))
    np.testing.assert_allclose(weights, model.weights.float())
    np.testing.assert_allclose(offset, model.offset.float())
    np.testing.assert_allclose(var, [math.exp(-2)] * D, rtol=1e-6)


# What is refused

FLAT = double([2.0, 1.0, 0.0, 0.0])
DEEP, ONE = mlp((2, 3, D)), mlp((2, D))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ppca(AXES, 0), "latent_dim must be at least 1; received 0"),
        (lambda: ppca(AXES, 4), "latent_dim must be at most 3; received 4"),
        (lambda: ppca(AXES, 5, 0.1), "latent_dim must be at most 4; received 5"),
        (lambda: ppca(AXES, 2, 0.0), "var must be above 0 and finite; received 0"),
        (lambda: ppca(AXES, 2, -1.0), "var must be above 0 and finite; received -1"),
        (lambda: ppca(AXES, 2, math.nan), "var must be above 0 .* received nan"),
        (lambda: best_var(AXES.eigenvalues, 4), "at most 3; received 4"),
        (lambda: best_var(AXES.eigenvalues, 0), "at least 1; received 0"),
        (lambda: best_var(FLAT, 2), "eigenvalues left must be above 0 .* received 0"),
        (
            lambda: ppca(spectrum(correlated(0, num=3)), 2),
            "the mean of the eigenvalues left must be above 0 and finite; received 0",
        ),
        (lambda: mean_log_evidence(FLAT, 2, 0.0), "var must be above 0 .*received 0"),
        (lambda: mean_log_evidence(FLAT, 5, 0.1), "at most 4; received 5"),
        (lambda: mean_log_evidence(FLAT, 0, 0.1), "at least 1; received 0"),
        (lambda: spectrum(torch.ones(3)), r"x must be \(N, D\).*received \(3,\)"),
        (lambda: spectrum(torch.ones(0, 3)), r"received \(0, 3\)"),
        (lambda: spectrum(double([[1.0], [math.nan]])), "x must be finite; row 1"),
        (lambda: spectrum(torch.ones(3, 2).int()), "x must be of a float type"),
        (
            lambda: linear_parameters(DEEP, torch.zeros(())),
            "the net must be one layer; received 3",
        ),
        (
            lambda: set_layer(DEEP, torch.ones(D, 2), torch.ones(D)),
            "the net must be one layer; received 3",
        ),
        (
            lambda: set_layer(ONE, torch.ones(1, 2), torch.ones(D)),
            r"weights must be of shape \(4, 2\); received \(1, 2\)",
        ),
        (
            lambda: set_layer(ONE, torch.ones(D, 2), torch.ones(())),
            r"offset must be of shape \(4\); received \(\)",
        ),
    ],
)
def test_what_has_no_principal_components_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_refused_offset_leaves_the_layer_as_it_was():
    net = mlp((2, D))
    before = net[0].weight.clone()
    with pytest.raises(ValueError, match="offset"):
        set_layer(net, torch.ones(D, 2), torch.ones(1))
    assert torch.equal(net[0].weight, before)


@pytest.mark.parametrize("function", [optimal_encoder, diagonal_gap])
def test_a_model_without_noise_has_no_encoder(function):
    model = ppca(AXES, 2)
    with pytest.raises(ValueError, match="var must be above 0 and finite; received 0"):
        function(model._replace(var=0 * model.var))
