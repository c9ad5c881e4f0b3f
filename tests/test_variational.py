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
    ElboTerms,
    bernoulli_kl,
    categorical_kl,
    elbo,
    full_gaussian_kl,
    gaussian_entropy,
    gaussian_kl,
    gaussian_kl_between,
    gaussian_kl_per_latent,
    linear_elbo,
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


def random_model(latent_dim, dim, noise):
    return LinearGaussian(
        random_gaussian(latent_dim, noise),
        torch.from_numpy(noise.normal(size=(dim, latent_dim))),
        torch.from_numpy(noise.normal(size=dim)),
        torch.from_numpy(noise.uniform(0.2, 2, size=dim)),
    )


def solved(model, x):
    """Evidence by scipy; posterior mean and covariance from numpy's joint Gaussian."""
    (mu, cov), W = (v.numpy() for v in model.prior), model.weights.numpy()
    centre = W @ mu + model.offset.numpy()
    marginal = W @ cov @ W.T + np.diag(model.var.numpy())
    gain = cov @ W.T @ np.linalg.inv(marginal)
    log_evidence = stats.multivariate_normal(centre, marginal).logpdf(x)
    return log_evidence, mu + (x - centre) @ gain.T, cov - gain @ W @ cov


def torchs(gaussian):
    return MultivariateNormal(*gaussian)


def test_kl_of_a_shifted_unit_gaussian_is_one_half():
    one, zero = torch.ones(1), torch.zeros(1)
    assert gaussian_kl(one, zero).item() == 0.5


@pytest.mark.equation("eq-vae-gaussian-kl", against="scipy quadrature of q log(q/p)")
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


@pytest.mark.equation(
    "eq-vae-elbo", against="reference value -2.4189385332 of a solved model"
)
def test_elbo_of_the_solved_scalar_model():
    """z ~ N(0, 1), x | z ~ N(z, 1), x = 2: log p(x) = -2.2655121235."""
    for mu, var, expected in [(1.0, 1.0, -2.4189385332), (1.0, 0.5, -2.2655121235)]:
        log_lik = -0.5 * math.log(2 * math.pi) - 0.5 * ((2 - mu) ** 2 + var)
        kl = gaussian_kl(double([mu]), double([var]).log())
        bound = elbo(double(log_lik), kl)
        assert bound.item() == pytest.approx(expected, abs=1e-10)


@pytest.mark.equation(
    "eq-vae-identity",
    against="numpy's evidence and posterior of a linear-Gaussian model",
)
def test_elbo_plus_kl_to_posterior_is_the_evidence(linear_gaussian, rng):
    """For any q, in closed form: E_q log p(x|z) - KL(q||p(z)) + KL(q||p(z|x))."""
    model, x = linear_gaussian, linear_gaussian.x
    mu = torch.randn(len(x), 2, generator=rng, dtype=torch.float64)
    var = torch.rand(len(x), 2, generator=rng, dtype=torch.float64) + 0.1
    residual = (x - model.b - mu @ model.W.T).square().sum(-1)
    spread = (var * model.W.square().sum(0)).sum(-1)
    log_norm = 0.5 * x.shape[1] * math.log(2 * math.pi * model.sigma**2)
    log_lik = -log_norm - 0.5 * (residual + spread) / model.sigma**2
    bound = elbo(log_lik, gaussian_kl(mu, var.log()))
    precision, delta = model.posterior_precision, mu - model.posterior_mu
    gap = 0.5 * (
        (var * precision.diagonal()).sum(-1)
        + torch.einsum("ni,ij,nj->n", delta, precision, delta)
        - 2
        - var.log().sum(-1)
        - torch.logdet(precision)
    )
    assert (gap > 0).all()
    np.testing.assert_allclose(bound + gap, model.log_evidence, rtol=1e-10)


def test_terms_give_their_bound():
    terms = ElboTerms(torch.tensor([-3.0]), torch.tensor([2.0]))
    assert terms.elbo == -5.0


def test_unequal_shapes_are_named():
    with pytest.raises(ValueError, match=r"mu \(2, 3\), log_var \(3,\)"):
        gaussian_kl(torch.zeros(2, 3), torch.zeros(3))


@pytest.mark.parametrize("log_var", [-20.0, 20.0])
def test_kl_is_exact_at_far_variances(log_var):
    expected = 0.5 * (math.exp(log_var) - 1 - log_var)
    found = gaussian_kl(double([0.0]), double([log_var]))
    assert found.item() == pytest.approx(expected, rel=1e-12)


# Divergences between any two


@pytest.mark.equation(
    "eq-variational-diagonal-kl", against="torch.distributions.kl_divergence"
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
    "eq-variational-diagonal-kl", against="scipy quadrature of q log(q/p)"
)
def test_diagonal_kl_is_the_integral():
    q, p = stats.norm(0.7, 0.5), stats.norm(-1, 2)
    integral = integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -9, 9)
    numbers = 0.7, 2 * math.log(0.5), -1.0, 2 * math.log(2)
    found = gaussian_kl_between(*(double([v]) for v in numbers))
    assert found.item() == pytest.approx(integral[0], abs=1e-10)


@pytest.mark.equation(
    "eq-variational-full-kl", against="torch.distributions.kl_divergence"
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
    "eq-variational-full-kl", against="scipy's entropy, and numpy's cross-entropy"
)
def test_full_kl_is_cross_entropy_less_entropy():
    noise = np.random.default_rng(3)
    q, p = random_gaussian(3, noise), random_gaussian(3, noise)
    log_p = stats.multivariate_normal(*(v.numpy() for v in p)).logpdf(q.mu.numpy())
    cross = np.trace(np.linalg.solve(p.cov, q.cov)) / 2 - log_p
    entropy = stats.multivariate_normal(cov=q.cov.numpy()).entropy()
    np.testing.assert_allclose(full_gaussian_kl(q, p), cross - entropy, **EXACT)


@pytest.mark.equation("eq-variational-entropy", against="scipy.stats' entropy")
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_entropy_is_scipys(dim):
    q = random_gaussian(dim, np.random.default_rng(dim))
    expected = stats.multivariate_normal(cov=q.cov.numpy()).entropy()
    np.testing.assert_allclose(gaussian_entropy(q), expected, **EXACT)


def probabilities(shape):
    return arrays(np.float64, shape, elements=st.floats(1e-6, 1 - 1e-6))


@pytest.mark.equation("eq-variational-bernoulli-kl", against="scipy.stats.entropy")
@settings(deadline=None, max_examples=50)
@given(q=probabilities((2, 3)), p=probabilities(3))
def test_bernoulli_kl_is_scipys_summed_over_pixels(q, p):
    expected = stats.entropy([q, 1 - q], [p + 0 * q, 1 - p + 0 * q], axis=0).sum(-1)
    found = bernoulli_kl(torch.from_numpy(q), torch.from_numpy(p))
    np.testing.assert_allclose(found, expected, **EXACT)
    laws = (Bernoulli(torch.from_numpy(v + 0 * q)) for v in (q, p))
    np.testing.assert_allclose(found, kl_divergence(*laws).sum(-1), atol=1e-9)


@pytest.mark.equation("eq-variational-categorical-kl", against="scipy.stats.entropy")
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
    "eq-variational-kl", against="zero at equality, above it at random distinct pairs"
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


# The bound of a model with a known evidence

SCALAR = LinearGaussian(standard_gaussian(1), *map(double, ([[1.0]], [0.0], [1.0])))


@pytest.mark.equation(
    "eq-variational-linear-elbo",
    against="reference values -2.4189385332 and -2.2655121235 of a solved model",
)
@pytest.mark.parametrize(("var", "value"), [(1, -2.4189385332), (0.5, -2.2655121235)])
def test_linear_elbo_of_the_solved_scalar_model(var, value):
    q = FullGaussian(double([1.0]), double([[var]]))
    found = linear_elbo(SCALAR, double([[2.0]]), q)
    assert found.elbo.item() == pytest.approx(value, abs=5e-11)
    assert value == pytest.approx(stats.norm(0, 2**0.5).logpdf(2), abs=0.2)


def quad_under(q, function):
    mu, sigma = q.mu.item(), q.cov.item() ** 0.5
    density = stats.norm(mu, sigma).pdf
    ends = mu - 12 * sigma, mu + 12 * sigma
    return integrate.quad(
        lambda z: density(z) * function(z), *ends, epsabs=1e-13, epsrel=1e-13, limit=200
    )[0]


@pytest.fixture(scope="module")
def one_dimension():
    """A model of one latent and two data, q, and its densities by scipy."""
    noise = np.random.default_rng(5)
    model, q = random_model(1, 2, noise), random_gaussian(1, noise)
    x, prior = np.array([0.3, -1.2]), model.prior
    log_prior = stats.norm(prior.mu.item(), prior.cov.item() ** 0.5).logpdf
    log_q = stats.norm(q.mu.item(), q.cov.item() ** 0.5).logpdf

    def log_lik(z):
        mu = model.weights.numpy()[:, 0] * z + model.offset.numpy()
        return stats.norm(mu, model.var.numpy() ** 0.5).logpdf(x).sum()

    return model, double(x)[None], q, (log_prior, log_lik, log_q)


@pytest.mark.equation("eq-variational-two-terms", against="scipy quadrature of each")
@pytest.mark.equation("eq-variational-linear-elbo", against="scipy quadrature")
def test_the_two_terms_are_their_integrals(one_dimension):
    model, x, q, (log_prior, log_lik, log_q) = one_dimension
    terms = linear_elbo(model, x, q)
    expected = quad_under(q, log_lik)
    assert terms.expected_log_lik.item() == pytest.approx(expected, rel=1e-10)
    expected = quad_under(q, lambda z: log_q(z) - log_prior(z))
    assert terms.kl.item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.equation(
    "eq-variational-importance", against="scipy quadrature of w and of log w under q"
)
def test_evidence_averages_the_weights_and_the_elbo_their_logs(one_dimension):
    model, x, _, (log_prior, log_lik, _) = one_dimension
    q = FullGaussian(model.prior.mu + 0.5, 2 * model.prior.cov)  # wide: light tails
    log_q = stats.norm(q.mu.item(), q.cov.item() ** 0.5).logpdf

    def log_w(z):
        return log_prior(z) + log_lik(z) - log_q(z)

    evidence = model.log_evidence(x).exp().item()
    mean_w = quad_under(q, lambda z: math.exp(log_w(z)))
    assert mean_w == pytest.approx(evidence, rel=1e-9)
    bound = linear_elbo(model, x, q).elbo.item()
    assert quad_under(q, log_w) == pytest.approx(bound, rel=1e-10)


@pytest.mark.equation(
    "eq-variational-identity",
    against="scipy's evidence, numpy's posterior and torch's KL of random models",
)
@pytest.mark.equation("eq-variational-jensen", against="scipy's evidence")
@settings(deadline=None, max_examples=50)
@given(seed=SEEDS, latent_dim=st.integers(1, 3), dim=st.integers(1, 4))
def test_elbo_plus_gap_is_the_evidence_of_any_linear_model(seed, latent_dim, dim):
    noise = np.random.default_rng(seed)
    model, x = random_model(latent_dim, dim, noise), noise.normal(size=(3, dim))
    q = random_gaussian(latent_dim, noise)
    log_evidence, mu, cov = solved(model, x)
    bound = linear_elbo(model, torch.from_numpy(x), q).elbo
    posterior = MultivariateNormal(torch.from_numpy(mu), torch.from_numpy(cov))
    gap = kl_divergence(torchs(q).expand([3]), posterior)
    np.testing.assert_allclose(bound + gap, log_evidence, rtol=1e-10, atol=1e-9)
    assert (bound.numpy() <= log_evidence + 1e-9).all()


@pytest.mark.equation(
    "eq-variational-identity", against="numpy's evidence and posterior of six data"
)
def test_the_bound_is_tight_at_the_posterior_only(linear_gaussian):
    truth = linear_gaussian
    noise_var = torch.full((5,), truth.sigma**2, dtype=torch.float64)
    model = LinearGaussian(standard_gaussian(2), truth.W, truth.b, noise_var)
    q = FullGaussian(truth.posterior_mu, truth.posterior_cov)
    bound = linear_elbo(model, truth.x, q).elbo
    np.testing.assert_allclose(bound, truth.log_evidence, rtol=1e-10)
    wider = linear_elbo(model, truth.x, q._replace(cov=1.1 * q.cov)).elbo
    assert (wider < bound - 1e-3).all()


@pytest.mark.equation(
    "eq-variational-tangent", against="autograd of torch's multivariate normal"
)
def test_the_bound_touches_the_evidence_with_equal_slope():
    noise = np.random.default_rng(8)
    model, x = random_model(2, 3, noise), torch.from_numpy(noise.normal(size=(1, 3)))
    theta = [v.clone().requires_grad_() for v in model[1:]]

    def slope(value):
        return torch.cat([g.flatten() for g in torch.autograd.grad(value, theta)])

    W, b, var = theta
    (mu, cov), moved = model.prior, LinearGaussian(model.prior, *theta)
    law = MultivariateNormal(W @ mu + b, W @ cov @ W.T + var.diag())
    _, *moments = solved(model, x.numpy())
    posterior = FullGaussian(*(torch.from_numpy(v) for v in moments))
    expected = slope(law.log_prob(x).sum())
    found = slope(linear_elbo(moved, x, posterior).elbo.sum())
    np.testing.assert_allclose(found, expected, **EXACT)
    elsewhere = posterior._replace(mu=posterior.mu + 0.3)
    found = slope(linear_elbo(moved, x, elsewhere).elbo.sum())
    assert (found - expected).abs().max() > 0.01


# What is refused

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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": torch.zeros(4, 2)}, r"x must be of shape \(any, 3\); received \(4, 2\)"),
        ({"x": torch.zeros(3)}, r"x must be of shape \(any, 3\); received \(3,\)"),
        ({"q": WIDE}, r"q.cov must be of shape \(2, 2\); received \(3, 3\)"),
        ({"q": MANY}, r"q.cov must be of shape \(2, 2\); received \(4, 2, 2\)"),
        ({"q": FLAT}, "q.cov must be positive definite"),
        ({"var": torch.zeros(3)}, "var must be above 0 and finite; received 0"),
        ({"prior": FLAT}, "p.cov must be positive definite"),
    ],
)
def test_a_linear_model_that_does_not_fit_is_refused(change, message):
    model = LinearGaussian(UNIT, torch.ones(3, 2), torch.zeros(3), torch.ones(3))
    given = {"x": torch.zeros(1, 3), "q": UNIT} | change
    x, q = given.pop("x"), given.pop("q")
    with pytest.raises(ValueError, match=message):
        linear_elbo(model._replace(**given), x, q)
