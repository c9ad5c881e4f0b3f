"""KL and ELBO against quadrature, torch.distributions and an exactly solved model."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate, stats
from torch.distributions import (
    Bernoulli,
    Categorical,
    MultivariateNormal,
    Normal,
    kl_divergence,
)

from vaebook.bayes import LinearGaussian, standard_gaussian
from vaebook.likelihood import FullGaussian
from vaebook.variational import (
    bernoulli_kl,
    categorical_kl,
    elbo,
    full_gaussian_kl,
    gaussian_entropy,
    gaussian_kl,
    gaussian_kl_between,
    gaussian_kl_per_latent,
)

pytestmark = pytest.mark.usefixtures("one_thread")


SEEDS = st.integers(0, 2**32 - 1)


EXACT = {"rtol": 1e-10, "atol": 1e-10}


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def random_gaussian(dim, noise):
    root = noise.normal(size=(dim, dim))
    cov = root @ root.T + 0.1 * np.eye(dim)
    return FullGaussian(double(noise.normal(size=dim)), torch.from_numpy(cov))


def torchs(gaussian):
    return MultivariateNormal(*gaussian)


def test_kl_of_a_shifted_unit_gaussian_is_one_half():
    one, zero = torch.ones(1), torch.zeros(1)
    assert gaussian_kl(one, zero).item() == 0.5


@pytest.mark.equation(
    "eq-vae-gaussian-kl", against="scipy quadrature of q log(q/p)", body="517b7756"
)
@pytest.mark.parametrize(("mu", "sigma"), [(0.0, 0.5), (1.3, 2.0), (-2.0, 1.0)])
def test_gaussian_kl_is_the_integral(mu, sigma):
    q, p = stats.norm(mu, sigma), stats.norm()
    integral = integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -25, 25)
    mu, log_var = double([mu]), double([2 * math.log(sigma)])
    assert gaussian_kl(mu, log_var).item() == pytest.approx(integral[0], abs=1e-9)


def test_gaussian_kl_is_torchs_and_sums_over_latents(rng):
    mu, log_var = (torch.randn(5, 3, generator=rng, dtype=torch.float64) for _ in "ab")
    q = Normal(mu, torch.exp(0.5 * log_var))
    expected = kl_divergence(q, Normal(torch.zeros(3).double(), 1.0))
    torch.testing.assert_close(gaussian_kl_per_latent(mu, log_var), expected)
    torch.testing.assert_close(gaussian_kl(mu, log_var), expected.sum(-1))


@given(mu=st.floats(-30, 30), log_var=st.floats(-60, 60))
def test_kl_is_never_negative_and_finite(mu, log_var):
    kl = gaussian_kl(torch.tensor([mu]), torch.tensor([log_var]))
    assert kl >= 0
    assert torch.isfinite(kl)


def test_kl_is_zero_only_at_the_prior():
    zero = torch.zeros(4)
    assert gaussian_kl(zero, zero) == 0
    assert gaussian_kl(zero, zero + 1e-3) > 0


def test_kl_keeps_its_digits_near_the_prior():
    log_var = torch.tensor([1e-4])
    truth = 0.5 * (math.expm1(1e-4) - 1e-4)
    assert gaussian_kl(torch.zeros(1), log_var).item() == pytest.approx(truth, rel=1e-3)


def test_unequal_shapes_are_named():
    with pytest.raises(ValueError, match=r"mu \(2, 3\), log_var \(3,\)"):
        gaussian_kl(torch.zeros(2, 3), torch.zeros(3))


@pytest.mark.parametrize("log_var", [-20.0, 20.0])
def test_kl_is_exact_at_far_variances(log_var):
    expected = 0.5 * (math.exp(log_var) - 1 - log_var)
    found = gaussian_kl(double([0.0]), double([log_var]))
    assert found.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.equation(
    "eq-variational-diagonal-kl",
    against="torch.distributions.kl_divergence",
    body="7fa6e526",
)
@pytest.mark.parametrize(
    "shapes", [((4, 3),) * 4, ((3,), (4, 3), (3,), (3,)), ((3,), (3,), (4, 3), (4, 1))]
)
def test_diagonal_kl_is_torchs(shapes):
    noise = np.random.default_rng(1)
    mu_q, log_var_q, mu_p = (double(noise.normal(size=s)) for s in shapes[:3])
    log_var_p = double(noise.normal(size=shapes[3])).expand(*shapes[3][:-1], 3)
    q, p = Normal(mu_q, (log_var_q / 2).exp()), Normal(mu_p, (log_var_p / 2).exp())
    found = gaussian_kl_between(mu_q, log_var_q, mu_p, log_var_p)
    np.testing.assert_allclose(found, kl_divergence(q, p).sum(-1), **EXACT)


@pytest.mark.equation(
    "eq-variational-diagonal-kl",
    against="scipy quadrature of q log(q/p)",
    body="7fa6e526",
)
def test_diagonal_kl_is_the_integral():
    q, p = stats.norm(0.7, 0.5), stats.norm(-1, 2)
    integral = integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -9, 9)
    numbers = 0.7, 2 * math.log(0.5), -1.0, 2 * math.log(2)
    found = gaussian_kl_between(*(double([v]) for v in numbers))
    assert found.item() == pytest.approx(integral[0], abs=1e-10)


@pytest.mark.equation(
    "eq-variational-full-kl",
    against="torch.distributions.kl_divergence",
    body="b92b80ea",
)
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_full_kl_is_torchs(dim):
    noise = np.random.default_rng(dim)
    q, p = random_gaussian(dim, noise), random_gaussian(dim, noise)
    expected = kl_divergence(torchs(q), torchs(p))
    np.testing.assert_allclose(full_gaussian_kl(q, p), expected, **EXACT)
    many = q._replace(mu=double(noise.normal(size=(4, dim))))
    expected = kl_divergence(MultivariateNormal(many.mu, q.cov), torchs(p))
    np.testing.assert_allclose(full_gaussian_kl(many, p), expected, **EXACT)


@pytest.mark.equation(
    "eq-variational-full-kl",
    against="scipy's entropy, and numpy's cross-entropy",
    body="b92b80ea",
)
def test_full_kl_is_cross_entropy_less_entropy():
    noise = np.random.default_rng(3)
    q, p = random_gaussian(3, noise), random_gaussian(3, noise)
    log_p = stats.multivariate_normal(*(v.numpy() for v in p)).logpdf(q.mu.numpy())
    cross = np.trace(np.linalg.solve(p.cov, q.cov)) / 2 - log_p
    entropy = stats.multivariate_normal(cov=q.cov.numpy()).entropy()
    np.testing.assert_allclose(full_gaussian_kl(q, p), cross - entropy, **EXACT)


@pytest.mark.equation(
    "eq-variational-entropy", against="scipy.stats' entropy", body="f6efcd47"
)
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_entropy_is_scipys(dim):
    q = random_gaussian(dim, np.random.default_rng(dim))
    expected = stats.multivariate_normal(cov=q.cov.numpy()).entropy()
    np.testing.assert_allclose(gaussian_entropy(q), expected, **EXACT)


def probabilities(shape):
    return arrays(np.float64, shape, elements=st.floats(1e-6, 1 - 1e-6))


@pytest.mark.equation(
    "eq-variational-bernoulli-kl", against="scipy.stats.entropy", body="c8e59a10"
)
@settings(deadline=None, max_examples=50)
@given(q=probabilities((2, 3)), p=probabilities(3))
def test_bernoulli_kl_is_scipys_summed_over_pixels(q, p):
    expected = stats.entropy([q, 1 - q], [p + 0 * q, 1 - p + 0 * q], axis=0).sum(-1)
    found = bernoulli_kl(torch.from_numpy(q), torch.from_numpy(p))
    np.testing.assert_allclose(found, expected, **EXACT)
    laws = (Bernoulli(torch.from_numpy(v + 0 * q)) for v in (q, p))
    np.testing.assert_allclose(found, kl_divergence(*laws).sum(-1), atol=1e-9)


@pytest.mark.equation(
    "eq-variational-categorical-kl", against="scipy.stats.entropy", body="665033ee"
)
@settings(deadline=None, max_examples=50)
@given(q=probabilities((2, 4)), p=probabilities(4))
def test_categorical_kl_is_scipys(q, p):
    q, p = (v / v.sum(-1, keepdims=True) for v in (q, p))
    found = categorical_kl(torch.from_numpy(q), torch.from_numpy(p))
    expected = stats.entropy(q, p + 0 * q, axis=-1)
    np.testing.assert_allclose(found, expected, **EXACT)
    laws = (Categorical(torch.from_numpy(v)) for v in (q, p))
    np.testing.assert_allclose(found, kl_divergence(*laws), atol=1e-9)


def test_what_q_excludes_costs_nothing_and_what_p_excludes_is_infinite():
    one_sided, even = double([1.0, 0.0]), double([0.5, 0.5])
    assert categorical_kl(one_sided, even).item() == pytest.approx(math.log(2))
    assert bernoulli_kl(one_sided, even).item() == pytest.approx(2 * math.log(2))
    for kl in (categorical_kl, bernoulli_kl):
        assert kl(one_sided, one_sided) == 0
        assert kl(even, one_sided) == torch.inf


@pytest.mark.equation(
    "eq-variational-kl",
    against="zero at equality, above it at random distinct pairs",
    body="86036db7",
)
@settings(deadline=None, max_examples=50)
@given(seed=SEEDS, dim=st.integers(1, 4))
def test_kl_is_positive_unless_both_are_equal(seed, dim):
    noise = np.random.default_rng(seed)
    q, p = random_gaussian(dim, noise), random_gaussian(dim, noise)
    coins = [torch.from_numpy(noise.uniform(0.01, 0.99, dim)) for _ in "qp"]
    shares = [torch.from_numpy(noise.dirichlet(np.ones(dim + 1))) for _ in "qp"]
    assert full_gaussian_kl(q, p) > 1e-8
    assert full_gaussian_kl(q, q).abs() < 1e-12
    diagonals = q.mu, q.cov.diagonal().log(), p.mu, p.cov.diagonal().log()
    assert gaussian_kl_between(*diagonals) > 0
    assert gaussian_kl_between(*diagonals[:2] * 2) == 0
    for kl, (one, other) in {bernoulli_kl: coins, categorical_kl: shares}.items():
        assert kl(one, other) > 0
        assert kl(one, one) == 0


@settings(deadline=None, max_examples=50)
@given(seed=SEEDS, size=st.floats(0, 1e-7))
def test_rounding_gives_no_negative_kl_between_close_shares(seed, size):
    noise = np.random.default_rng(seed)
    q = noise.dirichlet(np.ones(5))
    p = np.abs(q + size * noise.normal(size=5))
    shares = torch.from_numpy(q), torch.from_numpy(p / p.sum())
    assert categorical_kl(*shares) >= 0


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-60, 60), min_size=4, max_size=4))
def test_extreme_gaussians_have_a_finite_kl(numbers):
    kl = gaussian_kl_between(*(double([v]) for v in numbers))
    assert kl >= 0 and kl.isfinite()
    widths = [FullGaussian(double([0.0]), double([[math.exp(v)]])) for v in numbers]
    assert full_gaussian_kl(*widths[:2]).isfinite()
    assert gaussian_entropy(widths[0]).isfinite()


def test_kl_has_a_gradient_where_both_are_equal():
    mu, log_var = (torch.zeros(3, requires_grad=True) for _ in "ab")
    gaussian_kl_between(mu, log_var, torch.zeros(3), torch.zeros(3)).backward()
    assert (mu.grad == 0).all() and (log_var.grad == 0).all()


SCALAR = LinearGaussian(standard_gaussian(1), *map(double, ([[1.0]], [0.0], [1.0])))


FLAT = FullGaussian(torch.zeros(2), torch.zeros(2, 2))


UNIT = FullGaussian(torch.zeros(2), torch.eye(2))


WIDE = FullGaussian(torch.zeros(3), torch.eye(3))


MANY = FullGaussian(torch.zeros(4, 2), torch.eye(2).expand(4, 2, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: elbo(torch.zeros(3), torch.zeros(3, 1)),
            r"log_lik \(3,\), kl \(3, 1\)",
        ),
        (lambda: full_gaussian_kl(FLAT, UNIT), "q.cov must be positive definite"),
        (lambda: full_gaussian_kl(UNIT, FLAT), "p.cov must be positive definite"),
        (lambda: full_gaussian_kl(UNIT, WIDE), r"equal; .*p.mu \(3,\), q.cov \(2, 2\)"),
        (lambda: full_gaussian_kl(MANY, UNIT), r"q.cov .* \(any, any\); received \(4"),
        (lambda: full_gaussian_kl(UNIT, MANY), r"p.cov .* \(any, any\); received \(4"),
        (lambda: gaussian_entropy(FLAT), "q.cov .* smallest eigenvalue of 0"),
        (lambda: gaussian_entropy(MANY), r"q.cov .* \(any, any\); received \(4, 2"),
        (
            lambda: gaussian_kl_between(*[torch.zeros(2)] * 3, torch.zeros(3)),
            r"last axes .* log_var_p \(3,\)",
        ),
        (lambda: bernoulli_kl(double([1.2]), double([0.5])), "probs_q .* received 1.2"),
        (
            lambda: bernoulli_kl(double([0.5]), double([-0.1])),
            "probs_p .*received -0.1",
        ),
        (lambda: bernoulli_kl(double([math.nan]), double([0.5])), "probs_q .* nan"),
        (lambda: bernoulli_kl(torch.ones(2), torch.ones(3)), r"\(2,\), probs_p \(3,\)"),
        (
            lambda: categorical_kl(double([0.5, 0.6]), double([0.5] * 2)),
            "q .*sum of 1.1",
        ),
        (lambda: categorical_kl(double([0.5] * 2), double([-0.5, 1.5])), "_p .* -0.5"),
        (lambda: categorical_kl(torch.ones(1), torch.ones(2)), r"probs_p \(2,\)"),
    ],
)
def test_what_has_no_divergence_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
