"""The nets against numpy, the linear case against PCA, damage against Bayes' rule."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, linalg, special, stats
from sklearn.decomposition import PCA
from torch.distributions import Categorical, MixtureSameFamily, Normal, kl_divergence

from vaebook.autoencoder import (
    Autoencoder,
    Decoder,
    Encoder,
    flip_pixels,
    initialise,
    mlp,
    nearest_distance,
    principal_angles,
    squared_error,
)
from vaebook.datasets import load_digits
from vaebook.likelihood import bernoulli_log_prob
from vaebook.linear_vae import spectrum
from vaebook.training import Settings, fit
from vaebook.variational import ascend, gaussian_kl
from vaebook.variational.ascent import PRECISE

pytestmark = pytest.mark.usefixtures("one_thread")
SEEDS = st.integers(0, 2**32 - 1)


def silu(a):
    return a / (1 + np.exp(-a))


def test_mlp_is_matrix_products_and_silus(rng):
    net = mlp((3, 4, 5, 2)).double()
    x = torch.randn(6, 3, generator=rng, dtype=torch.float64)
    a = x.numpy()
    layers = [m for m in net if isinstance(m, torch.nn.Linear)]
    for number, layer in enumerate(layers):
        a = a @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        a = silu(a) if number < len(layers) - 1 else a
    np.testing.assert_allclose(net(x).detach(), a, rtol=1e-10)


def test_encoder_gives_mean_then_log_variance(rng):
    encoder = Encoder(5, (4,), 3)
    x = torch.randn(7, 5, generator=rng)
    mu, log_var = encoder(x)
    assert mu.shape == log_var.shape == (7, 3)
    torch.testing.assert_close(torch.cat([mu, log_var], -1), encoder.net(x))


def test_decoder_takes_a_sample_axis(rng):
    decoder = Decoder(3, (4, 6), 5)
    z = torch.randn(2, 7, 3, generator=rng)
    logits = decoder(z)
    assert logits.shape == (2, 7, 5)
    torch.testing.assert_close(logits[1], decoder(z[1]))


@pytest.mark.parametrize("hidden", [(), (4,), (4, 6)])
def test_number_of_layers(hidden):
    linear = [
        m for m in Decoder(2, hidden, 5).modules() if isinstance(m, torch.nn.Linear)
    ]
    assert [m.out_features for m in linear] == [*hidden, 5]


def test_no_hidden_layer_is_a_linear_map(rng):
    decoder = Decoder(2, (), 5).double()
    a, b = torch.randn(2, 4, 2, generator=rng, dtype=torch.float64)
    origin = decoder(torch.zeros(2).double())
    torch.testing.assert_close(decoder(a + b), decoder(a) + decoder(b) - origin)


def test_initial_weights_are_uniform_with_the_stated_bound(rng):
    layer = torch.nn.Linear(100, 200)
    initialise(layer, rng=rng)
    assert layer.weight.abs().max() <= 0.1
    assert layer.weight.std().item() == pytest.approx(0.1 / np.sqrt(3), rel=0.02)
    assert not layer.bias.any()


def test_initialise_draws_every_layer_in_turn_from_its_generator():
    """Again from the same seed; another layer has another bound."""
    nets = [mlp((9, 4, 25, 2)) for _ in range(3)]
    for net, seed in zip(nets, (0, 0, 1), strict=True):
        initialise(net, rng=torch.Generator().manual_seed(seed))
    one, again, other = (list(net.parameters()) for net in nets)
    assert all(map(torch.equal, one, again))
    assert not any(map(torch.equal, one[::2], other[::2]))
    assert all(w.requires_grad and w.grad is None for w in one)
    for weight in one[::2]:
        bound = weight.shape[1] ** -0.5
        assert 0.8 * bound < weight.abs().max() <= bound
        assert weight.min() < 0 < weight.max()


def test_initialise_leaves_the_global_generator_alone(rng):
    net, before = mlp((3, 2)), torch.get_rng_state()
    initialise(net, rng=rng)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: mlp((3, 0, 2)), "sizes of a net must be at least 1; received 0"),
        (
            lambda: Encoder(5, (4,), 3)(torch.zeros(7, 6)),
            r"last axes must be equal; received x \(7, 6\), weights \(4, 5\)",
        ),
        (
            lambda: Decoder(3, (4,), 5)(torch.zeros(2, 7, 4)),
            r"last axes must be equal; received z \(2, 7, 4\), weights \(4, 3\)",
        ),
    ],
)
def test_impossible_nets_and_widths_are_refused(act, message):
    with pytest.raises(ValueError, match=message):
        act()


# The autoencoder


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def layers_by_numpy(net, a):
    linear = [m for m in net if isinstance(m, torch.nn.Linear)]
    for number, layer in enumerate(linear):
        a = a @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        a = silu(a) if number < len(linear) - 1 else a
    return a


def make(flip=0.0, seed=3):
    """Four pixels, two codes, float64, weights large enough to matter."""
    rng = torch.Generator().manual_seed(seed)
    model = Autoencoder(4, (6,), 2, flip, rng=rng).double()
    with torch.no_grad():
        for weight in model.parameters():
            weight *= 3
            weight += 0.1
    return model


IMAGES = double(list(itertools.product([0.0, 1.0], repeat=4)))


@pytest.mark.equation(
    "eq-autoencoder-objective",
    against="numpy's layers and scipy's log_expit",
    body="7e0a9d35",
)
def test_objective_is_the_log_likelihood_at_the_code(rng):
    model = make()
    mu = layers_by_numpy(model.encoder.net, IMAGES.numpy())[:, :2]
    logits = layers_by_numpy(model.decoder.net, mu)
    np.testing.assert_allclose(model.code(IMAGES).detach(), mu, rtol=1e-10)
    terms = model.elbo_terms(IMAGES, rng=rng)
    expected = special.log_expit((2 * IMAGES.numpy() - 1) * logits).sum(1)
    np.testing.assert_allclose(terms.expected_log_lik.detach(), expected, rtol=1e-10)
    assert torch.equal(terms.kl, torch.zeros(16).double())
    rebuilt = model.reconstruct(IMAGES).detach()
    np.testing.assert_allclose(rebuilt, special.expit(logits), rtol=1e-10)


def test_without_damage_nothing_is_drawn(rng):
    before = rng.get_state()
    make().elbo_terms(IMAGES, rng=rng)
    assert torch.equal(before, rng.get_state())


def test_damage_is_encoded_and_the_clean_image_asked_back():
    model = make(flip=0.3)
    terms = model.elbo_terms(IMAGES, rng=torch.Generator().manual_seed(1))
    seen = flip_pixels(IMAGES, 0.3, rng=torch.Generator().manual_seed(1))
    assert not torch.equal(seen, IMAGES)
    logits = layers_by_numpy(model.decoder.net, model.code(seen).detach().numpy())
    expected = stats.bernoulli.logpmf(IMAGES.numpy(), special.expit(logits)).sum(1)
    np.testing.assert_allclose(terms.expected_log_lik.detach(), expected, rtol=1e-9)
    clean = make().reconstruct(IMAGES)
    assert torch.equal(model.reconstruct(IMAGES), clean)


def test_half_of_the_encoder_is_unused(rng):
    model = make()
    model.elbo_terms(IMAGES, rng=rng).elbo.sum().backward()
    last = model.encoder.net[-1].weight.grad
    assert last[:2].abs().min() > 0
    assert not last[2:].any()


def test_autoencoder_mirrors_its_encoder_and_is_drawn_from_its_seed(rng):
    before = torch.get_rng_state()
    one, again, other = (
        Autoencoder(9, (4, 6), 2, rng=torch.Generator().manual_seed(s))
        for s in (0, 0, 1)
    )
    assert torch.equal(before, torch.get_rng_state())
    widths = [
        [m.out_features for m in part.net if isinstance(m, torch.nn.Linear)]
        for part in (one.encoder, one.decoder)
    ]
    assert widths == [[4, 6, 4], [6, 4, 9]]
    assert all(map(torch.equal, one.parameters(), again.parameters()))
    assert not torch.equal(one.encoder.net[0].weight, other.encoder.net[0].weight)


def test_autoencoder_is_trained_by_the_same_loop():
    rng = torch.Generator().manual_seed(0)
    model = Autoencoder(64, (16,), 3, rng=rng)
    x = load_digits().train.x
    history = fit(model, x, Settings(epochs=8, batch_size=50), rng=rng)
    assert history[-1].elbo > history[0].elbo + 5
    assert {epoch.kl for epoch in history} == {0.0}


# The linear one


def random_data(seed, shape=(30, 5)):
    noise = np.random.default_rng(seed)
    x = noise.normal(size=shape) @ noise.normal(size=(shape[1], shape[1]))
    return torch.from_numpy(x - x.mean(0))


def random_pair(noise, k, dim):
    return (torch.from_numpy(noise.normal(size=s)) for s in ((k, dim), (dim, k)))


@pytest.mark.equation(
    "eq-autoencoder-linear",
    against="numpy, image by image and pixel by pixel",
    body="933f0718",
)
def test_squared_error_is_summed_over_pixels_and_averaged_over_images():
    noise, x = np.random.default_rng(1), random_data(1, (7, 3))
    u, v = random_pair(noise, 2, 3)
    errors = [sum((row - v.numpy() @ (u.numpy() @ row)) ** 2) for row in x.numpy()]
    assert squared_error(u, v, x).item() == pytest.approx(np.mean(errors), rel=1e-12)


@pytest.mark.equation(
    "eq-autoencoder-best-linear",
    against="scikit-learn's PCA, numpy's eigenvalues, and random other pairs",
    body="c75cef07",
)
@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, k=st.integers(1, 4), scale=st.sampled_from([1e-3, 0.1, 1.0]))
def test_no_linear_autoencoder_beats_the_principal_components(seed, k, scale):
    noise, x = np.random.default_rng(seed), random_data(seed)
    best = spectrum(x).directions[:, :k]
    least = squared_error(best.T, best, x).item()
    eigenvalues = np.linalg.eigvalsh(np.cov(x.numpy().T, bias=True))
    assert least == pytest.approx(eigenvalues[: 5 - k].sum(), rel=1e-10)
    pca = PCA(k).fit(x.numpy())
    rebuilt = pca.inverse_transform(pca.transform(x.numpy()))
    error = ((x.numpy() - rebuilt) ** 2).sum(1).mean()
    assert least == pytest.approx(error, rel=1e-10)
    u, v = random_pair(noise, k, 5)
    assert squared_error(u, v, x) > least
    assert squared_error(best.T + scale * u, best + scale * v, x) > least


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS)
def test_any_change_of_codes_that_the_decoder_undoes_leaves_the_error(seed):
    noise, x = np.random.default_rng(seed), random_data(seed)
    u, v = random_pair(noise, 2, 5)
    turn = torch.from_numpy(noise.normal(size=(2, 2)) + 3 * np.eye(2))
    again = squared_error(turn @ u, v @ turn.inverse(), x)
    torch.testing.assert_close(again, squared_error(u, v, x))


@pytest.mark.equation(
    "eq-autoencoder-best-linear",
    against="gradient ascent from random weights, and scikit-learn's PCA",
    body="c75cef07",
)
@pytest.mark.parametrize("k", [2, 10])
def test_fitted_linear_autoencoder_spans_the_principal_subspace(k, rng, monkeypatch):
    """On the grey digits, as 64 rows that have the same covariance, for the time."""
    enough = PRECISE | {"tolerance_change": 1e-9}
    monkeypatch.setattr("vaebook.variational.ascent.PRECISE", enough)
    x = load_digits(binarize=False).train.x.double()
    found = spectrum(x)
    rows = 8 * found.eigenvalues.sqrt()[:, None] * found.directions.T
    start = [torch.randn(s, generator=rng).double() / 8 for s in ((k, 64), (64, k))]
    u, v = ascend(lambda u, v: -squared_error(u, v, rows), start)
    components = PCA(k).fit(x.numpy()).components_
    assert principal_angles(v, torch.from_numpy(components.T)).max() < 1e-3
    centred = x - x.mean(0)
    least = found.eigenvalues[k:].sum().item()
    assert squared_error(u, v, centred).item() == pytest.approx(least, rel=1e-5)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 5), (2, 5), (9, 5)), r"decoder must be of shape \(5, 2\); received \(2"),
        (((2, 5), (5, 3), (9, 5)), r"decoder must be of shape \(5, 2\); received \(5"),
        (((2, 5), (5, 2), (9, 4)), r"received x \(9, 4\), encoder \(2, 5\)"),
    ],
)
def test_squared_error_of_shapes_that_do_not_fit_is_refused(shapes, message):
    with pytest.raises(ValueError, match=message):
        squared_error(*(torch.zeros(s) for s in shapes))


# Angles between subspaces


@pytest.mark.equation(
    "eq-autoencoder-angles", against="scipy.linalg.subspace_angles", body="92a294f4"
)
@settings(deadline=None, max_examples=50)
@given(seed=SEEDS, dim=st.integers(1, 7), k=st.integers(1, 7))
def test_angles_are_scipys(seed, dim, k):
    noise = np.random.default_rng(seed)
    a, b = noise.normal(size=(2, dim, min(k, dim)))
    found = principal_angles(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    expected = linalg.subspace_angles(a, b)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    digits = (expected > 0.05) & (expected < 1.5)  # both have theirs here
    np.testing.assert_allclose(found[digits], expected[digits], rtol=1e-10)
    shared = max(2 * a.shape[1] - dim, 0)  # of two such spaces, surely
    assert (found[len(found) - shared :] < 1e-13).all()


@pytest.mark.equation(
    "eq-autoencoder-angles",
    against="planes turned by known angles, 1e-9 to pi/2",
    body="92a294f4",
)
@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-5, 0.3, 1.2, math.pi / 2])
def test_angles_are_those_by_which_a_plane_was_turned(angle):
    """One direction turns by the angle, the other by half of it; columns mixed."""
    plane, turned = np.eye(5)[:, :2], np.zeros((5, 2))
    turned[[0, 2], 0] = np.cos(angle), np.sin(angle)
    turned[[1, 3], 1] = np.cos(angle / 2), np.sin(angle / 2)
    mix = np.array([[2.0, 1.0], [-1.0, 3.0]])
    spin = stats.ortho_group(5, seed=1).rvs()
    found = principal_angles(
        *map(torch.from_numpy, (spin @ plane, spin @ turned @ mix))
    )
    atol = 1e-7 if angle > 1.5 else 1e-14
    np.testing.assert_allclose(found, [angle, angle / 2], rtol=1e-5, atol=atol)
    np.testing.assert_allclose(
        found, linalg.subspace_angles(plane, turned), rtol=1e-5, atol=atol
    )


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (torch.ones(4, 2), torch.ones(4, 3), r"b must be of shape \(4, 2\); received"),
        (torch.ones(4), torch.ones(4, 1), r"a must be \(N, D\)"),
        (
            torch.ones(4, 2),
            torch.eye(4)[:, :2],
            "a must have 2 independent columns; re",
        ),
        (torch.eye(4)[:, :2], torch.ones(4, 2), "b must have 2 .* received 1"),
        (torch.eye(2, 3), torch.eye(2, 3), "a must have 3 .* received 2"),
        (torch.eye(2), torch.full((2, 2), math.nan), "b must be finite; row 0"),
    ],
)
def test_columns_that_span_no_such_space_are_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        principal_angles(a, b)


# The code as a posterior of no width


@pytest.mark.equation(
    "eq-autoencoder-degenerate",
    against="the formula by numpy, and torch.distributions' limit of slope -L log s",
    body="b268e56b",
)
@settings(deadline=None, max_examples=50)
@given(seed=SEEDS, log_s=st.floats(-25, 1), dim=st.integers(1, 5))
def test_kl_of_a_narrow_posterior_grows_without_bound(seed, log_s, dim):
    mu = np.random.default_rng(seed).normal(size=dim)

    def kl(log_s):
        return gaussian_kl(torch.from_numpy(mu), double([2 * log_s] * dim))

    s2 = np.exp(2 * log_s)
    expected = 0.5 * (mu @ mu + dim * (s2 - 1 - 2 * log_s))
    assert kl(log_s).item() == pytest.approx(expected, rel=1e-10, abs=1e-12)
    q = Normal(torch.from_numpy(mu), math.exp(log_s))
    theirs = kl_divergence(q, Normal(double(0.0), double(1.0))).sum().item()
    assert kl(log_s).item() == pytest.approx(theirs, rel=1e-9, abs=1e-9)
    rise = kl(log_s - 30) - kl(log_s - 20)
    assert rise.item() == pytest.approx(10 * dim, rel=1e-9)


@pytest.mark.equation(
    "eq-autoencoder-degenerate",
    against="Gauss-Hermite quadrature over the code",
    body="b268e56b",
)
def test_likelihood_of_a_narrow_posterior_tends_to_the_autoencoders(rng):
    """The distance falls as s^2: a hundredth for a tenth of s."""
    model, x = make(), IMAGES
    nodes, w = np.polynomial.hermite_e.hermegauss(24)
    eps = torch.from_numpy(np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 1, 2))
    weights = torch.from_numpy(np.outer(w, w).ravel() / w.sum() ** 2)
    point = model.elbo_terms(x, rng=rng).expected_log_lik.detach()

    def distance(s):
        logits = model.decoder(model.code(x) + s * eps).detach()
        return weights @ bernoulli_log_prob(x, logits) - point

    for s in (0.03, 0.003):
        ratio = distance(s / 10) / distance(s)
        np.testing.assert_allclose(ratio, 0.01, rtol=0.05)
    assert distance(1e-5).abs().max() < 1e-8


# Damaged images


def damaged_model(flip):
    """All images of three pixels: p(x), and p(damaged | x) as (8, 8)."""
    images = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
    prior = np.random.default_rng(0).dirichlet(np.ones(8))
    apart = (images[:, None] != images).sum(-1)
    return images, prior, flip**apart * (1 - flip) ** (3 - apart)


@pytest.mark.equation(
    "eq-autoencoder-denoise",
    against="enumeration of 64 pairs of images, least squares by numpy, random others",
    body="31b0b3db",
)
@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, flip=st.floats(0.05, 0.45), size=st.floats(1e-3, 1))
def test_no_function_of_the_damaged_image_beats_the_mean(seed, flip, size):
    images, prior, damage = damaged_model(flip)
    joint = prior[:, None] * damage
    mean = (joint / joint.sum(0)).T @ images

    def error(answer):
        squared = ((images[:, None] - answer) ** 2).sum(-1)
        return (joint * squared).sum()

    one_hot = np.tile(np.eye(8), (8, 1)) * np.sqrt(joint).reshape(-1, 1)
    asked = np.repeat(images, 8, 0) * np.sqrt(joint).reshape(-1, 1)
    np.testing.assert_allclose(np.linalg.lstsq(one_hot, asked)[0], mean, atol=1e-9)
    noise = np.random.default_rng(seed).normal(size=mean.shape)
    assert error(mean) < error(mean + size * noise)
    assert error(mean) < error(images)
    assert error(mean) < error(images[(joint / joint.sum(0)).argmax(0)])


@pytest.mark.equation(
    "eq-autoencoder-denoise",
    against="the optimum of the likelihood, by enumeration",
    body="31b0b3db",
)
def test_denoising_likelihood_is_best_at_the_same_mean():
    """The gradient in the answer's logits of the expected log p(x | answer) is zero."""
    images, prior, damage = damaged_model(0.2)
    joint = prior[:, None] * damage
    mean = torch.from_numpy((joint / joint.sum(0)).T @ images)
    logits = mean.logit().requires_grad_()
    log_lik = bernoulli_log_prob(torch.from_numpy(images)[:, None], logits)
    (torch.from_numpy(joint) * log_lik).sum().backward()
    assert logits.grad.abs().max() < 1e-14


@pytest.mark.equation(
    "eq-autoencoder-denoise",
    against="averages of clean images, grouped by damage",
    body="31b0b3db",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_mean_of_the_clean_images_behind_one_damaged_image(rng, assert_within):
    images, prior, damage = damaged_model(0.2)
    rows = torch.multinomial(torch.from_numpy(prior), 40_000, True, generator=rng)
    clean = torch.from_numpy(images)[rows]
    seen = flip_pixels(clean, 0.2, rng=rng) @ double([4.0, 2.0, 1.0])
    joint = prior[:, None] * damage
    mean = (joint / joint.sum(0)).T @ images
    for number in range(8):
        group = clean[seen == number].numpy()
        assert_within(group.mean(0), mean[number], stats.sem(group))


MIXTURE = stats.norm([-2.0, 0.5, 1.5], [0.3, 0.6, 0.2]), np.array([0.5, 0.3, 0.2])


def clean_density(x):
    law, weights = MIXTURE
    return weights @ law.pdf(x)


def over_clean(f, y, tau):
    """The integral of f(x) p(x) p(y|x) over x."""

    def integrand(x):
        return f(x) * clean_density(x) * stats.norm.pdf(y, x, tau)

    tight = {"epsabs": 1e-14, "epsrel": 1e-12, "limit": 200}
    return integrate.quad(integrand, -8, 8, points=[-2, 0.5, 1.5, y], **tight)[0]


@pytest.mark.equation(
    "eq-autoencoder-tweedie",
    against="scipy quadrature of E[x|y], with the score of log p(y) by autograd",
    body="7cbbbff3",
)
@pytest.mark.parametrize("tau", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("y", [-2.4, -0.7, 0.0, 1.3, 3.0])
def test_best_denoised_value_is_a_step_along_the_score(y, tau):
    """y = x + tau eps is a mixture too, each component wider by tau^2."""
    law, weights = MIXTURE
    mu, sigma = map(double, law.args)
    components = Normal(mu, (sigma**2 + tau**2).sqrt())
    noisy = MixtureSameFamily(Categorical(torch.from_numpy(weights)), components)
    at = double(y).requires_grad_()
    log_p_y = noisy.log_prob(at)
    evidence = over_clean(lambda x: 1.0, y, tau)
    assert log_p_y.item() == pytest.approx(np.log(evidence), abs=1e-9)
    score = torch.autograd.grad(log_p_y, at)[0].item()
    mean = over_clean(lambda x: x, y, tau) / evidence
    assert y + tau**2 * score == pytest.approx(mean, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("rng", range(3), indirect=True)
@pytest.mark.parametrize("flip", [0.1, 0.5, 0.9])
def test_each_pixel_is_flipped_with_the_probability(flip, rng, assert_within):
    """Lit and dark alike, and each for itself: pairs of pixels are independent."""
    x = (torch.rand(2, 20_000, generator=rng) < 0.3).float()
    turned = (flip_pixels(x, flip, rng=rng) != x).double().numpy()
    for value in (0, 1):
        group = turned[x.numpy() == value]
        assert_within(group.mean(), flip, stats.sem(group))
    both = turned[0] * turned[1]
    assert_within(both.mean(), flip**2, stats.sem(both))


def test_flipped_pixels_are_like_the_given_ones(rng):
    x = IMAGES.clone()
    assert torch.equal(flip_pixels(x, 0.0, rng=rng), x)
    assert torch.equal(flip_pixels(x, 1.0, rng=rng), 1 - x)
    seen = flip_pixels(x, 0.5, rng=rng)
    assert seen.dtype == torch.float64
    assert set(seen.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(x, IMAGES)
    assert not torch.equal(seen, flip_pixels(x, 0.5, rng=rng))


@pytest.mark.parametrize("flip", [-0.1, 1.1, math.nan])
def test_flip_that_is_no_probability_is_refused(flip, rng):
    with pytest.raises(ValueError, match=f"flip must be from 0 to 1; received {flip}"):
        flip_pixels(IMAGES, flip, rng=rng)
    with pytest.raises(ValueError, match="flip must be from 0 to 1"):
        make(flip).elbo_terms(IMAGES, rng=rng)


def test_pixels_that_are_integers_are_not_flipped(rng):
    with pytest.raises(ValueError, match=r"x must be of a float type; .*x.double\(\)"):
        flip_pixels(IMAGES.long(), 0.1, rng=rng)


# Distances between codes


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS)
def test_nearest_distance_is_the_least_of_all(seed):
    noise = np.random.default_rng(seed)
    z, codes = noise.normal(size=(4, 3)), noise.normal(size=(30, 3))
    found = nearest_distance(torch.from_numpy(z), torch.from_numpy(codes))
    expected = [min(math.dist(a, b) for b in codes) for a in z]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_a_code_among_many_is_at_no_distance_from_itself(rng):
    """In float32, where a distance from inner products would be 0.008 here."""
    codes = 3 * torch.randn(1000, 10, generator=rng)
    assert not nearest_distance(codes, codes).any()
    moved = codes + torch.tensor([1e-3] + [0.0] * 9)
    distance = nearest_distance(moved, codes)
    torch.testing.assert_close(distance, torch.full((1000,), 1e-3), rtol=1e-3, atol=0)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((4, 3), (9, 2)), r"received z \(4, 3\), codes \(9, 2\)"),
        (((4, 3), (0, 3)), r"codes must be \(N, D\), at least one row"),
    ],
)
def test_codes_of_another_width_or_none_are_refused(shapes, message):
    with pytest.raises(ValueError, match=message):
        nearest_distance(*(torch.zeros(s) for s in shapes))
