"""A draw as a function: exact with fixed noise, then its gradient, then its law."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats
from torch.distributions import Normal, kl_divergence

from vaebook.exercises.reparameterization import mixture_slope
from vaebook.reparameterization import (
    gaussian_rsample,
    gaussian_score,
    pathwise_gradient,
    reparameterize,
    sampled_elbo,
    score_gradient,
    standard_noise,
)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.equation(
    "eq-vae-reparameterization",
    against="scipy.stats.norm.ppf of the noise's quantiles",
    body="a397d01c",
)
def test_quantiles_of_the_noise_become_quantiles_of_q():
    """The map of eps is monotone: its p-quantile becomes that of N(mu, sigma)."""
    p = np.linspace(0.01, 0.99, 25)
    mu, sigma = 0.7, 1.9
    eps = torch.from_numpy(stats.norm.ppf(p))
    log_var = torch.full_like(eps, 2 * np.log(sigma))
    z = reparameterize(torch.full_like(eps, mu), log_var, eps)
    np.testing.assert_allclose(z, stats.norm.ppf(p, mu, sigma), rtol=1e-12)


def test_gradients_are_one_and_half_sigma_eps(rng):
    mu, log_var, eps = (
        torch.randn(4, 2, generator=rng, dtype=torch.float64) for _ in range(3)
    )
    mu.requires_grad_()
    log_var.requires_grad_()
    reparameterize(mu, log_var, eps).sum().backward()
    torch.testing.assert_close(mu.grad, torch.ones_like(mu))
    torch.testing.assert_close(
        log_var.grad, 0.5 * torch.exp(log_var / 2).detach() * eps
    )


@pytest.mark.equation(
    "eq-vae-pathwise",
    against="the derivatives of E[z^2] = mu^2 + sigma^2",
    body="07b17755",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_average_gradient_is_the_gradient_of_the_average(rng, assert_within):
    """d/dmu E z^2 = 2 mu, d/dlog_var E z^2 = sigma^2; the first varies by 4 sigma^2."""
    mu = torch.full((40_000, 1), 1.5, dtype=torch.float64, requires_grad=True)
    log_var = torch.full((40_000, 1), -0.8, dtype=torch.float64, requires_grad=True)
    gaussian_rsample(mu, log_var, rng=rng).square().sum().backward()
    for gradient, truth in [(mu.grad, 3.0), (log_var.grad, np.exp(-0.8))]:
        assert_within(gradient.mean(), truth, gradient.std() / 200)
    assert mu.grad.var().item() == pytest.approx(4 * np.exp(-0.8), rel=0.05)


def test_shapes_and_number_of_samples(rng):
    mu, log_var = torch.zeros(3, 2), torch.zeros(3, 2)
    assert gaussian_rsample(mu, log_var, rng=rng).shape == (3, 2)
    for number in (1, 6):
        z = gaussian_rsample(mu, log_var, number, rng=rng)
        assert z.shape == (number, 3, 2)
        assert len(z.unique()) == z.numel()


@pytest.mark.parametrize("number", [None, 1, 5])
def test_a_draw_is_the_reparameterized_noise(number):
    mu, log_var = torch.arange(6.0).view(2, 3).double().split(1)
    rng = torch.Generator().manual_seed(2)
    z = gaussian_rsample(mu, log_var, number, rng=rng)
    rng = torch.Generator().manual_seed(2)
    eps = standard_noise(mu.shape, number, like=mu, rng=rng)
    assert torch.equal(z, reparameterize(mu, log_var, eps))


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_noise_is_standard_normal_of_the_asked_shape_and_type(rng):
    like = torch.zeros(1).double()
    one = standard_noise((7, 2), like=like, rng=rng)
    assert one.shape == (7, 2) and one.dtype == torch.float64
    many = standard_noise((50, 2), 30, like=like, rng=rng)
    assert many.shape == (30, 50, 2)
    assert stats.kstest(many.flatten().numpy(), stats.norm.cdf).pvalue > 1e-4


def test_same_seed_same_draw():
    mu, log_var = torch.zeros(3, 2), torch.zeros(3, 2)
    draws = [
        gaussian_rsample(mu, log_var, rng=torch.Generator().manual_seed(s))
        for s in (5, 5, 6)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_draws_follow_their_law(rng):
    mu, log_var = torch.tensor([[2.0]]), torch.tensor([[np.log(9.0)]])
    z = gaussian_rsample(mu, log_var, 5_000, rng=rng).flatten().numpy()
    assert stats.kstest(z, stats.norm(2, 3).cdf).pvalue > 1e-4


def test_extreme_log_var_stays_finite(rng):
    for value in (-60.0, 60.0):
        z = gaussian_rsample(torch.zeros(9, 1), torch.full((9, 1), value), rng=rng)
        assert torch.isfinite(z).all()


def test_no_samples_is_an_error(rng):
    with pytest.raises(ValueError, match="at least 1; received 0"):
        gaussian_rsample(torch.zeros(1, 1), torch.zeros(1, 1), 0, rng=rng)


@pytest.mark.parametrize("log_var", [-20.0, 20.0])
def test_far_variances_scale_the_noise_exactly(log_var):
    mu, log_var = torch.zeros(1).double(), torch.tensor([log_var]).double()
    z = reparameterize(mu, log_var, torch.ones(1).double())
    assert z.item() == pytest.approx(np.exp(log_var.item() / 2), rel=1e-12)


# The gradient through the draw

EXACT = {"rtol": 1e-10, "atol": 1e-12}
SEEDS = st.integers(0, 2**32 - 1)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
NODES, WEIGHTS = torch.from_numpy(NODES), torch.from_numpy(WEIGHTS / WEIGHTS.sum())


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def gaussian(seed, dim, num_draws=5):
    """Some mu (L,), log_var (L,) and eps (S, L)."""
    noise = np.random.default_rng(seed)
    mu, log_var = torch.from_numpy(noise.normal(size=(2, dim)))
    return mu, log_var, torch.from_numpy(noise.normal(size=(num_draws, dim)))


def wavy(z):
    return z.sin().sum(-1) + z.prod(-1) + z[:, 0].exp()


def by_autograd(estimate, mu, log_var):
    """Derivatives of S estimates by the L entries of mu and of log_var."""
    return torch.autograd.functional.jacobian(estimate, (mu, log_var))


def assert_equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, **EXACT)


@pytest.mark.equation(
    "eq-reparameterization-pathwise",
    against="autograd through the draw, noise fixed",
    body="71a05cf5",
)
@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, dim=st.integers(1, 4))
def test_hand_derived_pathwise_gradient_is_autograds(seed, dim):
    mu, log_var, eps = gaussian(seed, dim)
    found = pathwise_gradient(wavy, mu, log_var, eps)
    expected = by_autograd(lambda m, v: wavy(reparameterize(m, v, eps)), mu, log_var)
    assert_equal(found, expected)


@pytest.mark.equation(
    "eq-reparameterization-pathwise",
    against="the derivatives of E[z^3] = mu^3 + 3 mu sigma^2",
    body="71a05cf5",
)
@pytest.mark.parametrize(("mu", "log_var"), [(0.7, 0.4), (-1.5, -1.0), (0.0, 2.0)])
def test_pathwise_gradient_averages_to_the_gradient(mu, log_var):
    at = double([mu]), double([log_var])
    found = pathwise_gradient(lambda z: z[:, 0] ** 3, *at, NODES[:, None])
    var = np.exp(log_var)
    truth = [[3 * mu**2 + 3 * var], [3 * mu * var]]
    assert_equal([WEIGHTS @ g for g in found], truth)


@pytest.mark.equation(
    "eq-reparameterization-step",
    against="scipy.stats.norm's density at the step",
    body="5dda0c51",
)
def test_a_step_has_a_gradient_that_no_path_sees():
    """P(z > c) moves with the mean by the density at c; the slope of a step is 0."""
    mu, log_var, c = double([0.3]), double([0.0]), 0.8
    density = stats.norm(0.3, 1)
    assert density.sf(c) == pytest.approx(stats.norm.cdf(0.3 - c), rel=1e-12)
    path = pathwise_gradient(
        lambda z: (1 + torch.sign(z[:, 0] - c)) / 2, mu, log_var, NODES[:, None]
    )
    assert not path.mu.any() and not path.log_var.any()

    def integrand(z):
        return density.pdf(z) * gaussian_score(double([[z]]), mu, log_var).mu.item()

    by_score = integrate.quad(integrand, c, 12, epsabs=1e-13)[0]
    assert by_score == pytest.approx(density.pdf(c), rel=1e-10)


# x ~ N(phi^3, e^{2 phi}), f = x^2 + sin x

PHI = 0.5


def complex_step(function):
    """The derivative of an analytic function at PHI: no difference, no rounding."""
    return np.imag(function(PHI + 1e-30j)) / 1e-30


def value(x):
    return x**2 + np.sin(x)


def path_at(eps):
    return complex_step(lambda phi: value(phi**3 + np.exp(phi) * eps))


def score_at(eps):
    x = PHI**3 + np.exp(PHI) * eps
    score = complex_step(lambda phi: -phi - (x - phi**3) ** 2 / np.exp(2 * phi) / 2)
    return value(x) * score


def normal_mean(function):
    def integrand(eps):
        return stats.norm.pdf(eps) * function(eps)

    return integrate.quad(integrand, -12, 12, epsabs=1e-12, epsrel=1e-12, limit=200)[0]


@pytest.mark.equation(
    "eq-reparameterization-chain",
    against="complex-step derivatives under scipy quadrature; the closed form",
    body="2ce8c602",
)
@pytest.mark.parametrize(
    ("at", "variance"), [(path_at, 59.642), (score_at, 581.111)], ids=["path", "score"]
)
def test_chain_rule_from_both_gradients_to_one_parameter(at, variance):
    """d/dphi = 3 phi^2 d/dmu + 2 d/dlog_var, draw by draw."""
    mu, log_var, eps = double([PHI**3]), double([2 * PHI]), NODES[:, None]
    if at is path_at:
        by = pathwise_gradient(lambda z: (z**2 + z.sin())[:, 0], mu, log_var, eps)
    else:
        z = reparameterize(mu, log_var, eps)
        by = score_gradient((z**2 + z.sin())[:, 0], gaussian_score(z, mu, log_var))
    draws = (3 * PHI**2 * by.mu + 2 * by.log_var)[:, 0]
    np.testing.assert_allclose(draws, [at(e) for e in NODES.numpy()], **EXACT)
    mean, square = normal_mean(at), normal_mean(lambda e: at(e) ** 2)
    assert (WEIGHTS @ draws).item() == pytest.approx(mean, rel=1e-10)
    assert mean == pytest.approx(5.7281641079, abs=5e-11)
    assert square - mean**2 == pytest.approx(variance, abs=5e-4)


@pytest.mark.equation(
    "eq-reparameterization-chain",
    against="the derivative of its closed form",
    body="2ce8c602",
)
def test_chain_rule_gives_the_derivative_of_the_closed_form():
    """E[x^2 + sin x] = mu^2 + sigma^2 + e^{-sigma^2/2} sin mu."""

    def expected(phi):
        var = np.exp(2 * phi)
        return phi**6 + var + np.sin(phi**3) * np.exp(-var / 2)

    assert expected(PHI) == pytest.approx(2.7659334442, abs=5e-11)
    mean = normal_mean(lambda e: value(PHI**3 + np.exp(PHI) * e))
    assert expected(PHI) == pytest.approx(mean, rel=1e-10)
    assert complex_step(expected) == pytest.approx(5.7281641079, abs=5e-11)


# The ELBO of a model that is solved: z ~ N(0, 1), x | z ~ N(z, 1), x = 2

ELBOS = [(1.0, 1.0, -2.4189385332), (1.0, 0.5, -2.2655121235)]


def solved_log_joint(z):
    return (-np.log(2 * np.pi) - z.square() / 2 - (2 - z).square() / 2)[:, 0]


def solved_elbo(mu, var):
    log_lik = stats.norm.logpdf(2, mu, 1) - var / 2
    return log_lik - (mu**2 + var - 1 - np.log(var)) / 2


@pytest.mark.equation(
    "eq-reparameterization-sampled-elbo",
    against="the closed-form ELBO of the model",
    body="bf4bebed",
)
@pytest.mark.parametrize(("mu", "var", "reference"), [*ELBOS, (-0.4, 1.7, None)])
def test_sampled_elbo_averages_to_the_elbo(mu, var, reference):
    log_var = double([var]).log()
    draws = sampled_elbo(solved_log_joint, double([mu]), log_var, NODES[:, None])
    truth = solved_elbo(mu, var)
    assert (WEIGHTS @ draws).item() == pytest.approx(truth, rel=1e-10)
    assert reference is None or truth == pytest.approx(reference, abs=5e-11)


@pytest.mark.equation(
    "eq-reparameterization-sampled-elbo",
    against="scipy's densities, draw by draw",
    body="bf4bebed",
)
@pytest.mark.parametrize("path_only", [False, True])
def test_each_sampled_elbo_is_its_log_densities(linear_gaussian, path_only):
    mu, log_var, eps = gaussian(2, 2)
    model, x = linear_gaussian, linear_gaussian.x[0]

    def log_joint(z):
        centre = model.b + z @ model.W.T
        log_lik = stats.norm.logpdf(x, centre.detach(), model.sigma).sum(-1)
        return double(log_lik + stats.norm.logpdf(z.detach()).sum(-1))

    found = sampled_elbo(log_joint, mu, log_var, eps, path_only=path_only)
    sigma = (log_var / 2).exp()
    z = mu + sigma * eps
    log_q = double(stats.norm.logpdf(z, mu, sigma).sum(-1))
    np.testing.assert_allclose(found, log_joint(z) - log_q, **EXACT)


def elbo_gradients(mu, log_var, eps, path_only):
    def each(m, v):
        return sampled_elbo(solved_log_joint, m, v, eps, path_only=path_only)

    return by_autograd(each, double([mu]), double([log_var]))


@pytest.mark.equation(
    "eq-reparameterization-path-only",
    against="the full gradient, and autograd of torch's log q at fixed z",
    body="6854ac36",
)
@pytest.mark.parametrize(("mu", "log_var"), [(1.0, 0.0), (-0.4, 0.6)])
def test_path_only_leaves_out_the_score_alone(mu, log_var):
    eps = NODES[:, None]
    full, path = (elbo_gradients(mu, log_var, eps, only) for only in (False, True))
    z = mu + np.exp(log_var / 2) * eps
    score = by_autograd(
        lambda m, v: Normal(m, (v / 2).exp()).log_prob(z).sum(-1),
        double([mu]),
        double([log_var]),
    )
    assert_equal([f - p for f, p in zip(full, path, strict=True)], [-s for s in score])
    var = np.exp(log_var)
    truth = [[2 - 2 * mu], [(1 - 2 * var) / 2]]
    for found in (full, path):
        assert_equal([WEIGHTS @ g[:, 0] for g in found], truth)


@pytest.mark.equation(
    "eq-reparameterization-elbo-variances",
    against="quadrature of autograd's gradients, draw by draw",
    body="432524b1",
)
@pytest.mark.parametrize("mu", [-0.4, 1.0])
@pytest.mark.parametrize("var", [0.2, 1 / 3, 0.5, 0.6, 1.0, 2.5])
def test_variances_of_three_ways_to_the_slope_of_the_elbo(mu, var):
    eps, log_var = NODES[:, None], np.log(var)

    def analytic(m, v):
        log_lik = Normal(reparameterize(m, v, eps), 1.0).log_prob(double(2.0))[:, 0]
        kl = kl_divergence(Normal(m, (v / 2).exp()), Normal(0.0, 1.0)).sum(-1)
        return log_lik - kl

    by_kl, _ = by_autograd(analytic, double([mu]), double([log_var]))
    sampled, path = (elbo_gradients(mu, log_var, eps, only)[0] for only in (0, 1))
    for draws, truth in (
        (by_kl, var),
        (sampled, 4 * var),
        (path, 1 / var - 4 + 4 * var),
    ):
        mean = WEIGHTS @ draws[:, 0]
        spread = (WEIGHTS @ draws[:, 0].square() - mean**2).item()
        assert mean.item() == pytest.approx(2 - 2 * mu, rel=1e-10, abs=1e-12)
        assert spread == pytest.approx(truth, rel=1e-9, abs=1e-10)
    if var == 1:
        assert_equal([by_kl], [path])


@pytest.mark.equation(
    "eq-reparameterization-implicit",
    against="central differences of scipy's quantile functions",
    body="7176098c",
)
@pytest.mark.parametrize("u", [0.05, 0.4, 0.93])
def test_a_draw_whose_inverse_has_no_formula_has_a_slope(u):
    """A Gamma law by its shape, and the mixture of exercise 7.6 by its weight."""

    def central(f, at, step=1e-5):
        return (f(at + step) - f(at - step)) / (2 * step)

    shape = 2.3
    z = stats.gamma.ppf(u, shape)
    by_shape = -central(lambda a: stats.gamma.cdf(z, a), shape)
    found = by_shape / stats.gamma.pdf(z, shape)
    truth = central(lambda a: stats.gamma.ppf(u, a), shape)
    assert found == pytest.approx(truth, rel=1e-7)

    def cdf(value, weight):
        return weight * stats.norm.cdf(value, -1) + (1 - weight) * stats.norm.cdf(
            value, 2
        )

    def quantile(weight):
        return optimize.brentq(lambda v: cdf(v, weight) - u, -20, 20, xtol=1e-14)

    z = quantile(0.3)
    found = mixture_slope(z, 0.3, -1.0, 2.0)
    assert found == pytest.approx(central(quantile, 0.3), rel=1e-6)


@pytest.mark.equation(
    "eq-reparameterization-path-only",
    against="no variance at the exact posterior",
    body="6854ac36",
)
def test_path_only_gradient_vanishes_draw_by_draw_at_the_posterior():
    """There log p(x, z) - log q(z) is log p(x) whatever z; the full one has noise."""
    at = 1.0, np.log(0.5), NODES[:, None]
    draws = sampled_elbo(solved_log_joint, double([1.0]), double([at[1]]), at[2])
    np.testing.assert_allclose(draws, stats.norm(0, 2**0.5).logpdf(2), rtol=1e-12)
    for path, full in zip(*(elbo_gradients(*at, only) for only in (1, 0)), strict=True):
        np.testing.assert_allclose(path, np.zeros_like(path), atol=1e-12)
        assert WEIGHTS @ full[:, 0].square() > 0.4


@pytest.mark.equation(
    "eq-vae-pathwise",
    against="autograd of the one-draw ELBO of a linear decoder",
    body="07b17755",
)
@settings(deadline=None, max_examples=20)
@given(seed=SEEDS)
def test_hand_derived_elbo_gradient_is_autograds(linear_gaussian, seed):
    """The slope is W^T (x - W z - b) / sigma_x^2; the KL's mu and (sigma^2 - 1) / 2."""
    mu, log_var, eps = gaussian(seed, 2)
    model, x = linear_gaussian, linear_gaussian.x[0]

    def log_lik(z):
        return Normal(model.b + z @ model.W.T, model.sigma).log_prob(x).sum(-1)

    def one_draw_elbo(m, v):
        prior = Normal(torch.zeros(2).double(), 1.0)
        kl = kl_divergence(Normal(m, (v / 2).exp()), prior).sum()
        return log_lik(reparameterize(m, v, eps)) - kl

    sigma = (log_var / 2).exp()
    z = mu + sigma * eps
    slope = (x - z @ model.W.T - model.b) @ model.W / model.sigma**2
    hand = slope - mu, slope * sigma * eps / 2 - (sigma**2 - 1) / 2
    assert_equal(hand, by_autograd(one_draw_elbo, mu, log_var))
    path = pathwise_gradient(log_lik, mu, log_var, eps)
    assert_equal([path.mu - mu, path.log_var - (sigma**2 - 1) / 2], hand)


# Statistical


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_pathwise_and_sampled_elbo_are_unbiased(rng, assert_within):
    mu, log_var = double([0.4]), double([-0.3])
    eps = torch.randn(20_000, 1, generator=rng, dtype=torch.float64)
    path = pathwise_gradient(lambda z: z[:, 0].cos(), mu, log_var, eps)
    var = np.exp(-0.3)
    truth = -np.sin(0.4) * np.exp(-var / 2), -var / 2 * np.cos(0.4) * np.exp(-var / 2)
    for draws, exact in zip(path, truth, strict=True):
        assert_within(draws.mean(), exact, draws.std() / 20_000**0.5)
    draws = sampled_elbo(solved_log_joint, mu, log_var, eps)
    assert_within(draws.mean(), solved_elbo(0.4, var), draws.std() / 20_000**0.5)


# Refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda mu, eps: reparameterize(mu, mu, eps[:, :1]),
            r"equal; received mu \(3,\), log_var \(3,\), eps \(4, 1\)",
        ),
        (
            lambda mu, eps: gaussian_rsample(mu, eps, rng=torch.Generator()),
            r"mu and log_var must have one shape; received mu \(3,\), log_var \(4, 3\)",
        ),
        (
            lambda mu, eps: pathwise_gradient(torch.sin, mu, mu, eps),
            r"f\(z\) must be of shape \(4\); received \(4, 3\)",
        ),
        (
            lambda mu, eps: pathwise_gradient(wavy, mu, mu[:1], eps),
            r"equal; received mu \(3,\), log_var \(1,\), eps \(4, 3\)",
        ),
        (
            lambda mu, eps: pathwise_gradient(lambda z: z[:, 0] > 0, mu, mu, eps),
            "f must be differentiable; received values without a gradient",
        ),
        (
            lambda mu, eps: sampled_elbo(torch.sum, mu, mu, eps),
            r"log_joint\(z\) must be of shape \(4\); received \(\)",
        ),
        (
            lambda mu, eps: sampled_elbo(wavy, mu[:2], mu, eps),
            r"equal; received mu \(2,\), log_var \(3,\), eps \(4, 3\)",
        ),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.zeros(3), torch.zeros(4, 3))
