"""Mean field against torch's KL, numeric expectations, Student's t and scipy."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import digamma, gammaln
from torch.distributions import MultivariateNormal, kl_divergence

from vaebook.likelihood import FullGaussian
from vaebook.variational import NormalGamma, fit_normal_gamma, mean_field_gaussian

pytestmark = pytest.mark.usefixtures("one_thread")
SEEDS = st.integers(0, 2**32 - 1)
X = [1.2, -0.7, 3.1, 0.4, 2.2]
PRIOR = NormalGamma(0.3, 1.7, 2.5, 0.8)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def correlated(rho):
    return FullGaussian(double([0.5, -1.0]), double([[1, rho], [rho, 1]]))


def random_target(dim, seed):
    noise = np.random.default_rng(seed)
    root = noise.normal(size=(dim, dim))
    cov = torch.from_numpy(root @ root.T + 0.2 * np.eye(dim))
    start = torch.from_numpy(3 * noise.normal(size=dim))
    return FullGaussian(torch.from_numpy(noise.normal(size=dim)), cov), start


def torchs_kl(mu, var, target):
    q = MultivariateNormal(mu, var.diag())
    return kl_divergence(q, MultivariateNormal(*target))


# A factorised Gaussian near a correlated one


def test_the_path_holds_every_update_the_start_first():
    target, start = random_target(3, 1)
    path = mean_field_gaussian(target, start, 2)
    assert len(path) == 7
    assert torch.equal(path[0].mu, start)
    for step, (before, after) in enumerate(pairwise(path)):
        assert (before.mu != after.mu).nonzero()[:, 0].tolist() == [step % 3]
    assert len(mean_field_gaussian(target, start, 0)) == 1


@pytest.mark.equation(
    "eq-variational-coordinate",
    against="exp of the numeric expectation over the other factor, normalised",
    body="9a4c8634",
)
@pytest.mark.equation(
    "eq-variational-mean-field-gaussian", against="the same", body="1381c873"
)
def test_each_update_is_the_exponential_of_the_expected_log_joint():
    target, start = random_target(2, 3)
    log_p = stats.multivariate_normal(*(v.numpy() for v in target)).logpdf
    path = mean_field_gaussian(target, start, 2)
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)
    for step, (before, after) in enumerate(pairwise(path)):
        i, j = (0, 1) if step % 2 == 0 else (1, 0)
        mu, sigma = after.mu[i].item(), after.var[i].item() ** 0.5
        z = np.empty((401, 5, 2))
        z[..., i] = (mu + sigma * np.linspace(-10, 10, 401))[:, None]
        z[..., j] = before.mu[j].item() + before.var[j].item() ** 0.5 * nodes
        expected = log_p(z) @ weights / weights.sum()
        q = np.exp(expected - expected.max())
        q /= q.sum()
        mean = q @ z[:, 0, i]
        assert mu == pytest.approx(mean, abs=1e-10)
        assert sigma**2 == pytest.approx(q @ (z[:, 0, i] - mean) ** 2, rel=1e-10)


@pytest.mark.equation(
    "eq-variational-mean-field-gaussian",
    against="autograd of torch's KL",
    body="1381c873",
)
@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, dim=st.integers(1, 4))
def test_each_update_is_the_best_of_its_factor_and_the_kl_never_rises(seed, dim):
    target, start = random_target(dim, seed)
    path = mean_field_gaussian(target, start, 3)
    kls = [torchs_kl(*q, target).item() for q in path]
    assert np.diff(kls).max() <= 1e-9 * (1 + kls[0])
    for step, q in enumerate(path[1:]):
        mu, var = (v.clone().requires_grad_() for v in q)
        slopes = torch.autograd.grad(torchs_kl(mu, var, target), [mu, var])
        for slope in slopes:
            assert slope[step % dim].abs() < 1e-7


def test_the_means_converge_and_the_widths_are_those_of_the_slices():
    target, start = random_target(3, 5)
    last = mean_field_gaussian(target, start, 500)[-1]
    np.testing.assert_allclose(last.mu, target.mu, atol=1e-10)
    expected = 1 / np.linalg.inv(target.cov.numpy()).diagonal()
    np.testing.assert_allclose(last.var, expected, rtol=1e-10)
    assert (last.var < target.cov.diagonal()).all()


@pytest.mark.equation(
    "eq-variational-mean-field-gap",
    against="torch's KL, and the reference value .830366 at a correlation of .9",
    body="a6805526",
)
def test_the_gap_of_two_correlated_coordinates():
    last = mean_field_gaussian(correlated(0.9), double([2.0, 2.0]), 200)[-1]
    gap = torchs_kl(*last, correlated(0.9)).item()
    assert gap == pytest.approx(-0.5 * math.log(1 - 0.9**2), abs=1e-10)
    assert gap == pytest.approx(0.830366, abs=5e-7)


@pytest.mark.equation(
    "eq-variational-mean-field-gap",
    against="torch's KL at the fixed point",
    body="a6805526",
)
@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, dim=st.integers(1, 5))
def test_the_gap_is_what_the_precisions_diagonal_leaves_out(seed, dim):
    target, _ = random_target(dim, seed)
    q = mean_field_gaussian(target, target.mu, 1)[-1]
    precision = np.linalg.inv(target.cov.numpy())
    _, log_det = np.linalg.slogdet(precision)
    expected = 0.5 * (np.log(precision.diagonal()).sum() - log_det)
    found = torchs_kl(*q, target).item()
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-10)


def test_a_nearly_singular_target_gives_finite_steps():
    target = FullGaussian(double([1e6, -1e6]), double([[1e6, 0.999], [0.999, 1e-6]]))
    for q in mean_field_gaussian(target, double([-1e8, 1e8]), 10):
        assert q.mu.isfinite().all() and q.var.isfinite().all()


# A mean and a precision: exactly


def student(prior):
    """The next draw under a Normal-Gamma: scipy's t."""
    scale = prior.rate * (prior.kappa + 1) / (prior.shape * prior.kappa)
    return stats.t(2 * prior.shape, prior.mu, math.sqrt(scale))


def log_density(law, mu, precision):
    gamma = stats.gamma(law.shape, scale=1 / law.rate).logpdf(precision)
    return gamma + stats.norm(law.mu, (law.kappa * precision) ** -0.5).logpdf(mu)


@pytest.mark.equation(
    "eq-variational-normal-gamma",
    against="a chain of scipy's t predictives",
    body="c654b582",
)
def test_normal_gamma_evidence_is_a_chain_of_predictives():
    expected, law = 0.0, PRIOR
    for value in X:
        expected += student(law).logpdf(value)
        law = law.posterior(double([value]))
    assert PRIOR.log_evidence(double(X)) == pytest.approx(expected, rel=1e-10)
    assert PRIOR.posterior(double(X)) == pytest.approx(law, rel=1e-10)


@pytest.mark.equation(
    "eq-variational-normal-gamma",
    against="joint over evidence, by scipy's densities",
    body="c654b582",
)
@pytest.mark.parametrize(("mu", "precision"), [(0.0, 0.5), (1.3, 1.0), (-2.0, 4.0)])
def test_normal_gamma_posterior_is_joint_over_evidence(mu, precision):
    log_lik = stats.norm(mu, precision**-0.5).logpdf(X).sum()
    joint = log_lik + log_density(PRIOR, mu, precision)
    after = log_density(PRIOR.posterior(double(X)), mu, precision)
    evidence = PRIOR.log_evidence(double(X))
    assert joint - evidence == pytest.approx(after, rel=1e-10)


# A mean and a precision: factorised

RUN = fit_normal_gamma(double(X), PRIOR, 1.0, 40)


def moments_of(log_density, z, cell):
    """Mean and variance of an unnormalised density, by a sum over fine cells."""
    log_q = log_density(z)
    q = np.exp(log_q - log_q.max()) * cell
    mean = q @ z / q.sum()
    return mean, q @ (z - mean) ** 2 / q.sum()


@pytest.mark.equation(
    "eq-variational-normal-gamma-updates",
    against="exp of the expected log joint, its moments by quadrature",
    body="63875e3e",
)
@pytest.mark.equation(
    "eq-variational-coordinate", against="numeric expectations", body="9a4c8634"
)
def test_normal_gamma_updates_are_exponentials_of_expected_log_joints():
    first, second = RUN[:2]
    expected_precision = stats.gamma(first.shape, scale=1 / first.rate).mean()

    def log_q_mu(mu):  # log lambda does not depend on mu
        squares = PRIOR.kappa * (mu - PRIOR.mu) ** 2
        squares = squares + ((mu[:, None] - np.array(X)) ** 2).sum(1)
        return -0.5 * expected_precision * squares

    found = moments_of(log_q_mu, np.linspace(-9, 11, 2001), 0.01)
    assert (second.mu, second.var) == pytest.approx(found, rel=1e-10)
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)
    mus = second.mu + second.var**0.5 * nodes

    def log_q_precision(values):
        joint = log_density(PRIOR, mus, values[:, None])
        laws = stats.norm(mus[:, None], values[:, None, None] ** -0.5)
        return (joint + laws.logpdf(X).sum(-1)) @ weights / weights.sum()

    t = np.linspace(-12, 4, 1601)  # cells of equal size in log lambda
    mean, var = moments_of(log_q_precision, np.exp(t), np.exp(t))
    found = second.shape / second.rate, second.shape / second.rate**2
    assert found == pytest.approx((mean, var), rel=1e-10)


def expected_log_density(law, q):
    """E_q of a Normal-Gamma's log-density: digamma, and the moments of q."""
    mean, log_mean = q.shape / q.rate, digamma(q.shape) - math.log(q.rate)
    gamma = law.shape * math.log(law.rate) - gammaln(law.shape)
    gamma += (law.shape - 1) * log_mean - law.rate * mean
    normal = math.log(law.kappa / (2 * math.pi)) + log_mean
    return gamma + 0.5 * (normal - law.kappa * mean * ((q.mu - law.mu) ** 2 + q.var))


def entropy(q):
    gamma = stats.gamma(q.shape, scale=1 / q.rate)
    return gamma.entropy() + stats.norm(q.mu, q.var**0.5).entropy()


def independent_elbo(x, prior, q):
    mean, log_mean = q.shape / q.rate, digamma(q.shape) - math.log(q.rate)
    squares = ((np.array(x) - q.mu) ** 2 + q.var).sum()
    log_lik = 0.5 * (len(x) * (log_mean - math.log(2 * math.pi)) - mean * squares)
    return log_lik + expected_log_density(prior, q) + entropy(q)


laws = st.builds(
    NormalGamma, st.floats(-3, 3), *[st.floats(0.05, 20) for _ in range(3)]
)
data = st.lists(st.floats(-5, 5), min_size=1, max_size=8)


@pytest.mark.equation(
    "eq-variational-identity",
    against="digamma and scipy's entropies, with the exact Normal-Gamma posterior",
    body="e5a71446",
)
@settings(deadline=None, max_examples=40)
@given(x=data, prior=laws, precision=st.floats(0.01, 100))
def test_normal_gamma_elbo_and_gap_make_the_evidence(x, prior, precision):
    run = fit_normal_gamma(double(x), prior, precision, 6)
    evidence = prior.log_evidence(double(x))
    posterior = prior.posterior(double(x))
    for q in run:
        gap = -entropy(q) - expected_log_density(posterior, q)
        assert q.elbo == pytest.approx(
            independent_elbo(x, prior, q), rel=1e-9, abs=1e-9
        )
        assert q.elbo + gap == pytest.approx(evidence, rel=1e-9, abs=1e-9)
        assert gap > 0
    assert np.diff([q.elbo for q in run]).min() >= -1e-10 * (1 + abs(run[0].elbo))


def test_normal_gamma_ascent_converges_whatever_the_start():
    ends = [fit_normal_gamma(double(X), PRIOR, v, 60)[-1] for v in (1e-6, 1.0, 1e6)]
    for end in ends:
        assert end == pytest.approx(RUN[-1], rel=1e-10)
    assert len(RUN) == 40 and RUN[0].elbo < RUN[-1].elbo
    for q in RUN[:3]:
        assert q.elbo == pytest.approx(independent_elbo(X, PRIOR, q), rel=1e-12)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_normal_gamma_stays_finite_far_from_one(scale):
    x = scale * double(X)
    prior = NormalGamma(0.0, 1e-6, 1e-3, 1e-3)
    assert math.isfinite(prior.log_evidence(x))
    for q in fit_normal_gamma(x, prior, 1e12, 20):
        assert all(map(math.isfinite, q)) and q.var > 0 and q.rate > 0


# What is refused


@pytest.mark.parametrize(
    ("target", "start", "num_sweeps", "message"),
    [
        (correlated(1.0), torch.zeros(2), 1, "target.cov must be positive definite"),
        (correlated(math.nan), torch.zeros(2), 1, "target.cov must be finite"),
        (correlated(0.5), torch.zeros(3), 1, r"start .* \(2\); received \(3,\)"),
        (correlated(0.5), torch.zeros(2), -1, "num_sweeps .* 0; received -1"),
        (
            FullGaussian(torch.zeros(3), torch.eye(2)),
            torch.zeros(3),
            1,
            r"target.cov must be of shape \(3, 3\); received \(2, 2\)",
        ),
        (
            FullGaussian(torch.zeros(4, 2), torch.eye(2)),
            torch.zeros(2),
            1,
            r"target.mu must be of shape \(any\); received \(4, 2\)",
        ),
    ],
)
def test_a_target_or_start_that_does_not_fit_is_refused(
    target, start, num_sweeps, message
):
    with pytest.raises(ValueError, match=message):
        mean_field_gaussian(target, start, num_sweeps)


BAD_DATA = [
    (double([]), r"x must be .* received \(0, 1\)"),
    (double([[1.0, 2.0]]), r"x must be of shape \(any\); received \(1, 2\)"),
    (double([1.0, math.inf]), "x must be finite; row 1"),
    (torch.tensor([1, 2]), "x must be of a float type; received torch.int64"),
]
BAD_PRIORS = [
    ({"kappa": 0.0}, "above 0 and finite; received 0"),
    ({"shape": -1.0}, "shape .* received -1"),
    ({"rate": math.nan}, "rate .* received nan"),
]


@pytest.mark.parametrize(("x", "message"), BAD_DATA)
def test_draws_that_are_none_are_refused(x, message):
    for call in (PRIOR.posterior, PRIOR.log_evidence):
        with pytest.raises(ValueError, match=message):
            call(x)
    with pytest.raises(ValueError, match=message):
        fit_normal_gamma(x, PRIOR, 1.0, 1)


@pytest.mark.parametrize(("change", "message"), BAD_PRIORS)
def test_priors_that_are_none_are_refused(change, message):
    prior = PRIOR._replace(**change)
    for call in (prior.posterior, prior.log_evidence):
        with pytest.raises(ValueError, match=message):
            call(double(X))
    with pytest.raises(ValueError, match=message):
        fit_normal_gamma(double(X), prior, 1.0, 1)


@pytest.mark.parametrize(
    ("precision", "num_steps", "message"),
    [
        (0.0, 1, "start_precision must be above 0 and finite; received 0"),
        (math.inf, 1, "start_precision .* received inf"),
        (1.0, 0, "num_steps must be at least 1; received 0"),
    ],
)
def test_a_run_without_start_or_steps_is_refused(precision, num_steps, message):
    with pytest.raises(ValueError, match=message):
        fit_normal_gamma(double(X), PRIOR, precision, num_steps)
