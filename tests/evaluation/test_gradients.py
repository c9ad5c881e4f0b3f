"""Gradients of the importance-weighted bound: by hand, by quadrature, in the mean.

The model of most tests has one latent and one pixel, all of it linear and Gaussian, and
numbers of its own for each row: so that every row has its own gradient.
"""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats
from torch import nn

from vaebook.evaluation import (
    MixturePriorVAE,
    Signal,
    doubly_reparameterized,
    gradient_signal,
)
from vaebook.monte_carlo import effective_sample_size, estimate, log_mean_exp
from vaebook.protocols import Surrogate
from vaebook.reparameterization import sampled_elbo
from vaebook.training import Settings, fit
from vaebook.vae import VAE, GaussianVAE

pytestmark = pytest.mark.usefixtures("one_thread")

SEEDS = st.integers(0, 2**32 - 1)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
WEIGHTS = WEIGHTS / WEIGHTS.sum()

# z ~ N(0, 1), x | z ~ N(SLOPE z, NOISE), x = X; q = N(MU, SIGMA^2), a little off
X, SLOPE, NOISE = 1.4, 0.9, 0.5
MU, SIGMA = 0.75, 0.8
LOG_VAR = 2 * math.log(SIGMA)
POSTERIOR = stats.norm(
    SLOPE * X / (SLOPE**2 + NOISE), math.sqrt(NOISE / (SLOPE**2 + NOISE))
)
Q = stats.norm(MU, SIGMA)
LOG_EVIDENCE = stats.norm.logpdf(X, 0, math.sqrt(SLOPE**2 + NOISE))


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def scalar(num_rows, mu=MU):
    """The model, its images, and mu, log sigma^2 and slope (N, 1), one per row."""
    mu, log_var, slope = (
        torch.full((num_rows, 1), value, dtype=torch.float64, requires_grad=True)
        for value in (mu, LOG_VAR, SLOPE)
    )

    def nets(*sizes, rng):
        return lambda x: (mu, log_var), lambda z: slope * z

    model = GaussianVAE(1, (), 1, make_nets=nets, rng=None).double()
    with torch.no_grad():
        model.log_var.fill_(math.log(NOISE))
    x = torch.full((num_rows, 1), X, dtype=torch.float64)
    return model, x, [mu, log_var, slope]


def log_weight(z, mu=MU, log_var=LOG_VAR, slope=SLOPE):
    """log p(x, z) - log q(z) by numpy alone, of complex numbers too."""
    log_joint = -(z**2) / 2 - (X - slope * z) ** 2 / (2 * NOISE)
    log_q = -log_var / 2 - (z - mu) ** 2 / (2 * np.exp(log_var))
    return log_joint - log_q - np.log(2 * np.pi * NOISE) / 2


@pytest.fixture
def grid(monkeypatch):
    """``grid(S)``: each row's draws are nodes of quadrature, for 40^S rows.

    Gives the weight of each row: a weighted sum is then an expectation, exactly.
    """

    def place(num_samples):
        eps = np.stack(np.meshgrid(*[NODES] * num_samples)).reshape(num_samples, -1, 1)

        def draw(mu, log_var, asked, *, rng):
            assert asked == num_samples
            return mu + torch.exp(log_var / 2) * torch.from_numpy(eps)

        for place in ("vae.model", "evaluation.gradients"):
            monkeypatch.setattr(f"vaebook.{place}.gaussian_rsample", draw)
        weights = np.stack(np.meshgrid(*[WEIGHTS] * num_samples)).prod(0).ravel()
        return eps[..., 0], torch.from_numpy(weights)

    return place


def exact_bound(num_samples, mu=MU, log_var=LOG_VAR, slope=SLOPE):
    """E[log mean of S weights] by the same nodes and numpy."""
    w = np.exp(log_weight(mu + np.exp(log_var / 2) * NODES, mu, log_var, slope))
    every = np.array(list(itertools.product(w, repeat=num_samples)))
    weights = np.array(list(itertools.product(WEIGHTS, repeat=num_samples)))
    return weights.prod(1) @ np.log(every.mean(1))


def exact_slopes(num_samples):
    """Derivatives by mu, log sigma^2 and slope: complex steps, nothing is rounded."""
    at = np.array([MU, LOG_VAR, SLOPE])
    steps = 1e-30j * np.eye(3)
    return [np.imag(exact_bound(num_samples, *(at + h))) / 1e-30 for h in steps]


def mean_slopes(climbed, weights, at):
    slopes = torch.autograd.grad(weights @ climbed, at)
    return [slope.sum().item() for slope in slopes]


# Twice reparameterized: exactly, at given noise


def noise_of(seed, num_samples, shape):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(num_samples, *shape, generator=rng, dtype=torch.float64)


def seeded(objective, model, x, seed=1):
    return objective(model, x, rng=torch.Generator().manual_seed(seed))


@pytest.mark.equation(
    "eq-evaluation-dreg",
    against="the slopes of a linear Gaussian model, by numpy",
    body="939b5730",
)
@pytest.mark.parametrize("num_samples", [1, 2, 7])
def test_gradient_is_the_one_derived_by_hand(num_samples):
    model, x, at = scalar(5)
    climbed = seeded(doubly_reparameterized(num_samples), model, x).climbed
    assert climbed.shape == (5,)
    found = torch.autograd.grad(climbed.sum(), [*at, model.log_var])

    eps = noise_of(1, num_samples, (5, 1)).numpy()
    z = MU + SIGMA * eps
    shares = special.softmax(log_weight(z), 0)
    miss = X - SLOPE * z
    slope = SLOPE * miss / NOISE - z + (z - MU) / SIGMA**2  # of log w, by z
    expected = [
        (shares**2 * slope).sum(0),
        (shares**2 * slope * SIGMA * eps / 2).sum(0),
        (shares * z * miss / NOISE).sum(0),
        (shares * (miss**2 / NOISE - 1) / 2).sum(),
    ]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


def deep_model(seed=0):
    """Two latents and a hidden layer, six pixels of four images."""
    rng = torch.Generator().manual_seed(seed)
    model = VAE(6, (5,), 2, rng=rng).double()
    return model, torch.bernoulli(torch.full((4, 6), 0.5).double(), generator=rng)


@pytest.mark.equation(
    "eq-evaluation-dreg",
    against="autograd at each draw, weighed by hand",
    body="939b5730",
)
@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, num_samples=st.integers(1, 5))
def test_gradient_of_deep_nets_is_weighed_draw_by_draw(seed, num_samples):
    model, x = deep_model(seed)
    climbed = seeded(doubly_reparameterized(num_samples), model, x, seed).climbed
    found = torch.autograd.grad(climbed.sum(), list(model.parameters()))

    q = torch.cat(model.posterior(x), -1)
    mu, log_var = q.chunk(2, -1)
    z = mu + torch.exp(log_var / 2) * noise_of(seed, num_samples, (4, 2))
    at = z.detach().requires_grad_()
    log_joint = model.log_likelihood(x, at) - at.square().sum(-1) / 2
    sigma = torch.exp(log_var.detach() / 2)
    normal = torch.distributions.Normal(mu.detach(), sigma)
    log_w = log_joint - normal.log_prob(at).sum(-1)
    shares = torch.softmax(log_w.detach(), 0)
    (slopes,) = torch.autograd.grad(log_w.sum(), at, retain_graph=True)
    weighed = shares[..., None] ** 2 * slopes
    encoder, decoder = (
        list(net.parameters()) for net in (model.encoder, model.decoder)
    )
    expected = [
        *torch.autograd.grad(z, encoder, weighed),
        *torch.autograd.grad((shares * log_joint).sum(), decoder),
    ]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-12)


@pytest.mark.equation(
    "eq-evaluation-dreg",
    against="the path's gradient of the sampled ELBO, S = 1",
    body="939b5730",
)
def test_one_draw_gives_the_paths_gradient_of_the_elbo():
    model, x = deep_model()
    weights = list(model.parameters())
    climbed = seeded(doubly_reparameterized(1), model, x).climbed
    found = torch.autograd.grad(climbed.sum(), weights)
    rng = torch.Generator().manual_seed(1)
    path = model.iw_terms(x, 1, path_only=True, rng=rng).elbo
    eps = noise_of(1, 1, (4, 2))
    mu, log_var = model.posterior(x)
    by_chapter_7 = sum(
        sampled_elbo(
            lambda z, row=row: model.log_joint(x[row], z),
            mu[row],
            log_var[row],
            eps[:, row],
            path_only=True,
        ).sum()
        for row in range(4)
    )
    for expected in (path.sum(), by_chapter_7):
        slopes = torch.autograd.grad(expected, weights, retain_graph=True)
        for one, other in zip(found, slopes, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


@pytest.mark.equation(
    "eq-evaluation-dreg",
    against="the bound of chapter 10 at the same draws",
    body="939b5730",
)
@pytest.mark.parametrize("num_samples", [1, 5])
def test_recorded_is_the_bound_at_the_same_draws(num_samples):
    model, x = deep_model()
    found = seeded(doubly_reparameterized(num_samples), model, x)
    assert isinstance(found, Surrogate)
    rng = torch.Generator().manual_seed(1)
    expected = model.iw_terms(x, num_samples, rng=rng)
    for one, other in zip(found.terms, expected, strict=True):
        assert one.shape == (4,) and not one.requires_grad
        np.testing.assert_allclose(one, other.detach(), rtol=1e-10)
    np.testing.assert_allclose(found.terms.elbo, expected.elbo.detach(), rtol=1e-10)


def test_decoder_gradient_is_the_plain_bounds():
    """Only the encoder's is weighed again."""
    model, x = deep_model()
    decoder = list(model.decoder.parameters())
    rng = torch.Generator().manual_seed(1)
    plain = torch.autograd.grad(model.iw_terms(x, 4, rng=rng).elbo.sum(), decoder)
    climbed = seeded(doubly_reparameterized(4), model, x).climbed
    found = torch.autograd.grad(climbed.sum(), decoder)
    for one, other in zip(found, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-13)


def test_gradient_vanishes_where_q_is_the_posterior():
    """Draw by draw, on the encoder; that of the plain bound does not."""
    model, x, at = scalar(50)
    with torch.no_grad():
        at[0].fill_(POSTERIOR.mean())
        at[1].fill_(2 * math.log(POSTERIOR.std()))
    climbed = seeded(doubly_reparameterized(3), model, x).climbed
    found = torch.autograd.grad(climbed.sum(), at[:2])
    assert max(slope.abs().max() for slope in found) < 1e-12
    rng = torch.Generator().manual_seed(1)
    plain = torch.autograd.grad(model.iw_terms(x, 3, rng=rng).elbo.sum(), at[:2])
    assert min(slope.abs().min() for slope in plain) > 1e-4


def test_an_encoder_that_is_held_lets_the_decoder_learn():
    model, x = deep_model()
    model.encoder.requires_grad_(False)
    climbed = seeded(doubly_reparameterized(3), model, x).climbed
    climbed.mean().backward()
    assert all(w.grad is None for w in model.encoder.parameters())
    assert all(w.grad.abs().max() > 0 for w in model.decoder.parameters())


def test_a_learned_prior_learns_with_the_rest(rng):
    model = MixturePriorVAE(6, (5,), 2, 3, rng=rng).double()
    x = torch.bernoulli(torch.full((40, 6), 0.5).double(), generator=rng)
    before = [w.detach().clone() for w in model.parameters()]
    how = Settings(epochs=1, batch_size=20, objective=doubly_reparameterized(4))
    (epoch,) = fit(model, x, how, rng=rng)
    assert math.isfinite(epoch.elbo)
    moved = zip(model.parameters(), before, strict=True)
    assert not any(torch.equal(now, then) for now, then in moved)


def test_same_seed_same_surrogate_and_another_seed_another():
    model, x = deep_model()
    found = [seeded(doubly_reparameterized(3), model, x, seed) for seed in (0, 0, 1)]
    assert torch.equal(found[0].climbed, found[1].climbed)
    assert not torch.equal(found[0].climbed, found[2].climbed)


# In the mean, by quadrature


@pytest.mark.equation(
    "eq-evaluation-dreg",
    against="complex-step derivatives of the bound by quadrature",
    body="939b5730",
)
@pytest.mark.parametrize("num_samples", [1, 2])
def test_mean_gradient_is_the_bounds(grid, num_samples):
    _, weights = grid(num_samples)
    model, x, at = scalar(len(weights))
    given = doubly_reparameterized(num_samples)(model, x, rng=None)
    bound = (weights @ given.terms.elbo).item()
    assert bound == pytest.approx(exact_bound(num_samples), rel=1e-10)
    expected = exact_slopes(num_samples)
    assert np.abs(expected).min() > 0.01
    found = mean_slopes(given.climbed, weights, at)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.equation(
    "eq-evaluation-path-only-bias",
    against="numpy's mean of the weighed slopes, and the bound's by complex steps",
    body="09084819",
)
@pytest.mark.parametrize(("num_samples", "biased"), [(1, False), (2, True)])
def test_path_alone_weighs_each_slope_once(grid, num_samples, biased):
    """Its mean is that of w-bar times the slope; the bound's has w-bar squared."""
    eps, weights = grid(num_samples)
    model, x, at = scalar(len(weights))
    path = model.iw_terms(x, num_samples, path_only=True, rng=None).elbo
    found = mean_slopes(path, weights, at[:2])

    z = MU + SIGMA * eps
    shares = special.softmax(log_weight(z), 0)
    slope = SLOPE * (X - SLOPE * z) / NOISE - z + (z - MU) / SIGMA**2
    for power in (1, 2):
        weighed = shares**power * slope
        means = [
            weights.numpy() @ (weighed * way).sum(0) for way in (1, SIGMA * eps / 2)
        ]
        if power == 1:
            np.testing.assert_allclose(found, means, rtol=1e-10)
    np.testing.assert_allclose(means, exact_slopes(num_samples)[:2], rtol=1e-6)
    off = np.abs(np.array(found) / means - 1)
    assert (off > 0.1).all() if biased else (off < 1e-9).all()


def rows_of_slopes(climb, num_rows=40_000, mu=MU):
    """Gradients (N,) by mu, log sigma^2 and slope, a draw of the bound in each row."""
    model, x, at = scalar(num_rows, mu)
    return [slope[:, 0] for slope in torch.autograd.grad(climb(model, x).sum(), at)]


@pytest.mark.equation(
    "eq-evaluation-dreg",
    against="complex-step derivatives of the bound by quadrature",
    body="939b5730",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_drawn_gradients_are_unbiased_for_the_bound(rng, assert_within):
    objective = doubly_reparameterized(2)
    plain = rows_of_slopes(lambda model, x: model.iw_terms(x, 2, rng=rng).elbo)
    twice = rows_of_slopes(lambda model, x: objective(model, x, rng=rng).climbed)
    for slopes in (plain, twice):
        found = [estimate(slope) for slope in slopes]
        errors = [one.standard_error for one in found]
        assert_within([one.mean for one in found], exact_slopes(2), errors)
    for calm, loud in zip(twice[:2], plain[:2], strict=True):
        assert calm.std() < loud.std()


@pytest.mark.equation(
    "eq-evaluation-path-only-bias",
    against="complex-step derivatives of the bound by quadrature, many errors away",
    body="09084819",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_path_alone_is_many_errors_from_the_bounds_gradient(rng, assert_within):
    slopes = rows_of_slopes(
        lambda model, x: model.iw_terms(x, 5, path_only=True, rng=rng).elbo
    )
    twice = rows_of_slopes(
        lambda model, x: doubly_reparameterized(5)(model, x, rng=rng).climbed
    )
    for path, unbiased in zip(slopes[:2], twice[:2], strict=True):
        one, other = estimate(path), estimate(unbiased)
        error = math.hypot(one.standard_error, other.standard_error)
        assert abs(one.mean - other.mean) > 10 * error
    decoder = [estimate(found[2]) for found in (slopes, twice)]
    error = math.hypot(*(one.standard_error for one in decoder))
    assert_within(decoder[0].mean, decoder[1].mean, error)


# Signal and noise


def test_signal_of_numbers_by_hand():
    """(9 + 16 - 4/8) over 4."""
    signal = Signal(double([3.0, -4.0]), double([math.sqrt(3), 1.0]), 8)
    assert signal.signal_to_noise == pytest.approx(math.sqrt(24.5 / 4), rel=1e-12)


@pytest.mark.equation(
    "eq-evaluation-signal", against="numpy on stored gradients", body="f5203f29"
)
@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, num_draws=st.integers(2, 20), scale=st.floats(0.1, 10))
def test_signal_is_numpys_on_the_gradients(seed, num_draws, scale):
    noise = np.random.default_rng(seed)
    net = nn.Linear(3, 2).double()
    stored = noise.normal(size=(num_draws, 8)) + 2
    rows = iter(torch.from_numpy(stored))

    def climb():
        row = next(rows)
        value = (row[:6] * net.weight.flatten()).sum() + (row[6:] * net.bias).sum()
        return scale * value

    found = gradient_signal(climb, net, num_draws)
    assert next(rows, None) is None
    assert found.num_draws == num_draws
    np.testing.assert_allclose(found.mean, scale * stored.mean(0), rtol=1e-10)
    np.testing.assert_allclose(
        found.std, scale * stored.std(0, ddof=1), rtol=1e-7, atol=1e-9
    )
    mean, var = stored.mean(0), stored.var(0, ddof=1)
    kept = max((mean**2).sum() - var.sum() / num_draws, 0)
    expected = math.sqrt(kept / var.sum())
    assert found.signal_to_noise == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("factor", [-3.0, 1e-6, 1e6])
def test_signal_has_no_unit(rng, factor):
    mean, std = torch.rand(2, 9, generator=rng, dtype=torch.float64)
    plain = Signal(mean, std, 12).signal_to_noise
    scaled = Signal(factor * mean, abs(factor) * std, 12).signal_to_noise
    assert plain > 0 and scaled == pytest.approx(plain, rel=1e-12)


def test_signal_below_its_own_noise_is_none():
    assert Signal(double([0.1]), double([1.0]), 50).signal_to_noise == 0


def noisy(net, mean, spread, rng):
    """A climb whose gradient is ``mean`` plus ``spread`` times noise."""

    def climb():
        eps = torch.randn(mean.shape, generator=rng, dtype=torch.float64)
        return ((mean + spread * eps) * net.weight).sum()

    return climb


@pytest.mark.equation(
    "eq-evaluation-signal", against="|m| / |s|, known beforehand", body="f5203f29"
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_signal_of_known_gradients(rng, assert_within):
    """The error of the squared ratio is that of the mean's square, nearly."""
    net = nn.Linear(4, 1, bias=False).double()
    mean, spread = double([[1.0, -2.0, 0.5, 0.0]]), double([[3.0, 1.0, 2.0, 2.0]])
    found = gradient_signal(noisy(net, mean, spread, rng), net, 2000)
    errors = spread / 2000**0.5
    assert_within(found.mean, mean.flatten(), errors.flatten())
    assert_within(found.std, spread.flatten(), errors.flatten() / 2**0.5)
    squared = (mean.square().sum() / spread.square().sum()).item()
    error = 2 * (mean * errors).norm() / spread.square().sum()
    assert_within(found.signal_to_noise**2, squared, 1.5 * error)


@pytest.mark.equation(
    "eq-evaluation-signal",
    against="no signal, of which the noise in the mean is none",
    body="f5203f29",
)
def test_the_means_own_noise_is_no_signal(rng):
    """300 parameters without a slope: not taken off, it would be 0.5, of 4 draws."""
    net = nn.Linear(300, 1, bias=False).double()
    climb = noisy(net, torch.zeros(1, 300).double(), torch.ones(1, 300).double(), rng)
    found = [gradient_signal(climb, net, 4) for _ in range(30)]
    plain = [(one.mean.norm() / one.std.norm()).item() for one in found]
    assert np.mean(plain) == pytest.approx(0.5, rel=0.05)
    assert np.mean([one.signal_to_noise for one in found]) < 0.15


def test_gradients_of_float32_weights_are_added_up_in_float64():
    net = nn.Linear(1, 1, bias=False)
    rows = iter([1000.0, 1000.001, 1000.002])
    found = gradient_signal(lambda: net.weight.sum() * next(rows), net, 3)
    assert found.mean.dtype == found.std.dtype == torch.float64
    assert found.std.item() == pytest.approx(0.001, rel=0.1)


@pytest.mark.parametrize(("slope", "num_draws"), [(0.1, 3), (0.7, 7), (0.3, 7)])
def test_a_gradient_without_noise_has_no_spread(slope, num_draws):
    net = nn.Linear(1, 1, bias=False).double()
    found = gradient_signal(lambda: slope * net.weight.sum(), net, num_draws)
    assert found.mean.item() == pytest.approx(slope)
    assert found.std.item() == pytest.approx(0.0, abs=1e-7)


def test_weights_that_the_climb_does_not_reach_have_no_signal():
    net = nn.ModuleList([nn.Linear(2, 1, bias=False), nn.Linear(3, 1)]).double()
    found = gradient_signal(lambda: net[0].weight.sum(), net, 3)
    assert found.mean.tolist() == [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert found.std.tolist() == [0.0] * 6


def test_signal_of_an_encoder_is_of_all_its_weights(rng):
    model, x = deep_model()
    objective = doubly_reparameterized(3)

    def climb():
        return objective(model, x, rng=rng).climbed.mean()

    found = gradient_signal(climb, model.encoder, 10)
    number = sum(w.numel() for w in model.encoder.parameters())
    assert found.mean.shape == found.std.shape == (number,)
    assert found.signal_to_noise > 0
    assert all(w.grad is None for w in model.parameters())


# How they change with the number of draws


NUMBERS = (4, 16, 64, 256)


def plain_slopes(num_samples, num_rows, rng):
    def climb(model, x):
        return model.iw_terms(x, num_samples, rng=rng).elbo

    return torch.stack(rows_of_slopes(climb, num_rows, mu=0.4))


def twice_slopes(num_samples, num_rows, rng):
    def climb(model, x):
        return doubly_reparameterized(num_samples)(model, x, rng=rng).climbed

    return torch.stack(rows_of_slopes(climb, num_rows, mu=0.4))


def signals(slopes):
    """Of the encoder's two numbers and of the decoder's one; gradients are (3, N)."""
    mean, std = slopes.mean(1), slopes.std(1)
    number = slopes.shape[1]
    parts = (Signal(mean[i], std[i], number) for i in (slice(2), slice(2, 3)))
    return [part.signal_to_noise for part in parts]


def exponents(found, numbers):
    """Of K, by least squares on log-log axes."""
    return np.polyfit(np.log(numbers), np.log(found), 1)[0]


@pytest.mark.equation(
    "eq-evaluation-signal-rate",
    against="the exponents -1/2 and 1/2 (Rainforth 2018)",
    body="5fed52c9",
)
@pytest.mark.parametrize("rng", range(2), indirect=True)
def test_more_draws_drown_the_encoders_signal_and_raise_the_decoders(rng):
    found = [signals(plain_slopes(k, 25_000, rng)) for k in NUMBERS[:3]]
    encoder, decoder = exponents(found, NUMBERS[:3])
    assert encoder == pytest.approx(-0.5, abs=0.12)
    assert decoder == pytest.approx(0.5, abs=0.05)


@pytest.mark.equation(
    "eq-evaluation-signal-rate",
    against="the exponent -1/2, the mean of both gradients being one",
    body="5fed52c9",
)
def test_the_encoders_signal_falls_like_the_root_of_the_draws(rng):
    """The mean from the calm gradient, which has the same: its noise is too small."""
    found = []
    for number in NUMBERS:
        mean = twice_slopes(number, 4000, rng)[:2].mean(1)
        var = plain_slopes(number, 4000, rng)[:2].var(1)
        found.append(mean.norm() / var.sum().sqrt())
    assert exponents(found, NUMBERS) == pytest.approx(-0.5, abs=0.05)


@pytest.mark.equation(
    "eq-evaluation-signal-rate",
    against="the exponent 1/2 (Tucker et al. 2019)",
    body="5fed52c9",
)
@pytest.mark.parametrize("rng", range(2), indirect=True)
def test_twice_reparameterized_more_draws_raise_both_signals(rng):
    found = [signals(twice_slopes(k, 4000, rng)) for k in NUMBERS]
    assert (np.diff(found, axis=0) > 0).all()
    np.testing.assert_allclose(exponents(found, NUMBERS), [0.5, 0.5], atol=0.06)


def quad(integrand):
    options = {"epsabs": 1e-13, "epsrel": 1e-12, "limit": 200}
    return integrate.quad(integrand, MU - 9, MU + 9, **options)[0]


def chi_square():
    """chi^2(posterior || q) by scipy's densities and quad."""
    return quad(lambda z: (POSTERIOR.pdf(z) - Q.pdf(z)) ** 2 / Q.pdf(z))


def drawn_log_weights(num_samples, num_rows, rng):
    model, x, _ = scalar(num_rows)
    return model.log_weights(x, num_samples, rng=rng).detach()


@pytest.mark.equation(
    "eq-evaluation-chi-square",
    against="scipy's quad of both sides, and its densities",
    body="95c527a1",
)
def test_mean_square_of_the_weights_is_one_and_chi_square():
    """w from the model itself, at a code that stands for each of the draws."""
    model, x, _ = scalar(1)

    def square(z):
        at = double([[z]])
        return np.exp(2 * model.log_joint(x, at).item() - Q.logpdf(z))

    left = quad(square) / np.exp(2 * LOG_EVIDENCE)
    assert left == pytest.approx(1 + chi_square(), rel=1e-9)
    middle = quad(lambda z: np.exp(2 * POSTERIOR.logpdf(z) - Q.logpdf(z)))
    assert middle == pytest.approx(left, rel=1e-9)
    divergence = quad(lambda z: POSTERIOR.pdf(z) * (POSTERIOR.logpdf(z) - Q.logpdf(z)))
    assert left > np.exp(divergence) > 1.05


@pytest.mark.equation(
    "eq-evaluation-chi-square",
    against="the effective size of many drawn weights",
    body="95c527a1",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_effective_size_is_the_draws_over_one_and_chi_square(rng, assert_within):
    num_samples = 20_000
    log_w = drawn_log_weights(num_samples, 30, rng)
    found = estimate(num_samples / effective_sample_size(log_w))
    assert_within(found.mean, 1 + chi_square(), found.standard_error)


def frullani_bound(num_samples):
    r"""E log mean of K weights, whatever K, by quadrature alone.

    E log W = int_0^inf (exp(-t) - E[exp(-t W)]) dt / t (Frullani), where the
    expectation for K independent weights is the K-th power of that for one.
    """
    z = np.linspace(MU - 10, MU + 10, 1601)
    w = np.exp(log_weight(z) - LOG_EVIDENCE)
    t = np.exp(np.linspace(-30, 30, 1501))
    one = np.exp(Q.logpdf(z) - t[:, None] * w / num_samples).sum(1) * 0.0125
    return LOG_EVIDENCE + ((np.exp(-t) - one**num_samples) * 0.04).sum()


@pytest.mark.equation(
    "eq-evaluation-bound-rate",
    against="quadrature of the bound and of chi^2",
    body="29a557fd",
)
def test_gap_times_the_draws_is_half_of_chi_square():
    numbers = np.array([2, 50, 500, 5000])
    gaps = [LOG_EVIDENCE - frullani_bound(k) for k in numbers]
    assert gaps[0] == pytest.approx(LOG_EVIDENCE - exact_bound(2), rel=1e-7)
    off = np.abs(numbers * gaps / (chi_square() / 2) - 1)
    assert off[2] < 0.005 and off[3] < 5e-4
    assert off[3] < off[2] / 9  # what is left over is of order 1/K


@pytest.mark.equation(
    "eq-evaluation-bound-rate",
    against="scipy's chi^2 and exact log p(x), by draws",
    body="29a557fd",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_drawn_gap_times_the_draws_is_half_of_chi_square(rng, assert_within):
    """What the mean weight is off, which is 0 on average, is taken off: it is noise."""
    num_samples, num_rows = 200, 8000
    log_w = drawn_log_weights(num_samples, num_rows, rng) - LOG_EVIDENCE
    bound = log_mean_exp(log_w)
    found = estimate(num_samples * (torch.expm1(bound) - bound))
    assert found.standard_error < 0.05 * chi_square()
    exact = num_samples * (LOG_EVIDENCE - frullani_bound(num_samples))
    assert_within(found.mean, exact, found.standard_error)
    assert_within(found.mean, chi_square() / 2, found.standard_error)


# Errors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: doubly_reparameterized(0), "num_samples .* at least 1; received 0"),
        (lambda: doubly_reparameterized(-2), "num_samples .* at least 1; received -2"),
        (
            lambda: gradient_signal(lambda: None, nn.Linear(1, 1), 1),
            "num_draws must be at least 2; received 1",
        ),
    ],
)
def test_improper_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
