"""Mixtures with posteriors: enumeration, scikit-learn, scipy's entropies, digits."""

import itertools
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import betaln, digamma, gammaln, logsumexp, multigammaln
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture as SklearnMixture

from vaebook.datasets import load_digits, load_iris
from vaebook.em import (
    InverseWishart,
    bernoulli_start,
    e_step,
    fit_em,
    kmeans_plus_plus,
    lower_bound,
)
from vaebook.map_estimation import Beta
from vaebook.variational import (
    BayesianBernoulliMixture,
    BayesianGaussianMixture,
    BernoulliMixturePrior,
    GaussianMixturePrior,
)

pytestmark = pytest.mark.usefixtures("one_thread")
EXACT = {"rtol": 1e-10, "atol": 1e-10}


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def random_resp(num_rows, num_components, seed=0):
    noise = np.random.default_rng(seed)
    return torch.from_numpy(noise.dirichlet(np.ones(num_components), num_rows))


def any_bernoullis(num_components, dim):
    ones = torch.ones(num_components, dim, dtype=torch.float64)
    return BayesianBernoulliMixture(ones[:, 0], ones, ones)


def any_gaussians(num_components, dim):
    ones = torch.ones(num_components, dtype=torch.float64)
    eye = torch.eye(dim, dtype=torch.float64).expand(num_components, -1, -1)
    return BayesianGaussianMixture(ones, eye[:, 0], ones, dim + ones, eye)


def after(prior, x, resp):
    """q of the parameters for responsibilities (N, K)."""
    kind = any_bernoullis if isinstance(prior, BernoulliMixturePrior) else any_gaussians
    some = kind(resp.shape[1], x.shape[1])
    return some.maximised(resp.T @ some.statistics(x).T, prior)


TOSSES = double([[1, 1], [1, 0], [0, 0], [1, 1], [0, 1], [0, 0]])
POINTS = torch.from_numpy(np.random.default_rng(4).normal(2, 3, size=(6, 2)))
COINS = BernoulliMixturePrior(0.3, Beta(0.7, 1.6))
CLOUDS = GaussianMixturePrior(
    0.6,
    double([1.0, 3.0]),
    0.4,
    InverseWishart(3.3, double([[2, 0.5], [0.5, 1]])),
)
KINDS = [(COINS, TOSSES), (CLOUDS, POINTS)]
each_kind = pytest.mark.parametrize(("prior", "x"), KINDS)


# Evidence by enumeration


def coins_evidence(x, beta=COINS.beta):
    """log p(x) of images from one component of unknown probabilities: scipy."""
    ones = x.sum(0)
    terms = betaln(beta.a + ones, beta.b + len(x) - ones) - betaln(*beta)
    return terms.sum()


def clouds_evidence(x, prior=CLOUDS):
    """log p(x) of points from one Gaussian: a chain of scipy's multivariate t."""
    mu, kappa = prior.mu.numpy(), prior.kappa
    dof, scale, total = prior.cov.dof, prior.cov.scale.numpy(), 0.0
    for row in x:
        free = dof + 1 - len(mu)
        shape = scale * (kappa + 1) / (kappa * free)
        total += stats.multivariate_t(mu, shape, free).logpdf(row)
        shift = row - mu
        scale = scale + kappa / (kappa + 1) * np.outer(shift, shift)
        mu, kappa, dof = (kappa * mu + row) / (kappa + 1), kappa + 1, dof + 1
    return total


def log_evidence(prior, x, num_components):
    """Sum over every assignment: a Dirichlet-multinomial times the components."""
    alpha, x = prior.concentration, x.numpy()
    alone = coins_evidence if prior is COINS else clouds_evidence
    total = []
    for names in itertools.product(range(num_components), repeat=len(x)):
        names = np.array(names)
        counts = np.bincount(names, minlength=num_components)
        urn = gammaln(alpha + counts).sum() - num_components * gammaln(alpha)
        urn += gammaln(num_components * alpha) - gammaln(
            num_components * alpha + len(x)
        )
        parts = (alone(x[names == k]) for k in range(num_components) if counts[k])
        total.append(urn + sum(parts))
    return logsumexp(total)


@pytest.mark.equation(
    "eq-variational-mixture-elbo",
    against="the exact evidence by enumeration of all 64 assignments",
    body="60024f4a",
)
@pytest.mark.equation(
    "eq-variational-bayesian-mixture",
    against="enumeration of all assignments",
    body="bb7e6e2c",
)
@each_kind
@pytest.mark.parametrize("seed", range(3))
def test_bound_is_below_the_enumerated_evidence(prior, x, seed):
    exact = log_evidence(prior, x, 2)
    start = after(prior, x, random_resp(len(x), 2, seed))
    run = fit_em(x, start, prior=prior, tol=1e-12)
    bounds = len(x) * np.array(run.objective)
    assert bounds.max() < exact
    assert exact - bounds[-1] < 3
    assert np.diff(bounds).min() > -1e-9


@pytest.mark.equation(
    "eq-variational-mixture-elbo",
    against="scipy's betaln and multivariate t: with one component it is the evidence",
    body="60024f4a",
)
@each_kind
def test_bound_of_one_component_is_its_evidence(prior, x):
    alone = coins_evidence if prior is COINS else clouds_evidence
    q = after(prior, x, torch.ones(len(x), 1, dtype=torch.float64))
    run = fit_em(x, q, prior=prior)
    for value in run.objective:
        assert len(x) * value == pytest.approx(alone(x.numpy()), rel=1e-10)
    for found, expected in zip(run.mixture, q, strict=True):
        np.testing.assert_allclose(found, expected, **EXACT)


# Every term of the bound, by scipy


def expected_log_weights(q):
    return digamma(q.concentration.numpy()) - digamma(q.concentration.sum().item())


def weights_terms(q, prior):
    """E log p(weights) and the entropy of q(weights)."""
    num, alpha = len(q.concentration), prior.concentration
    log_prior = gammaln(num * alpha) - num * gammaln(alpha)
    log_prior += (alpha - 1) * expected_log_weights(q).sum()
    return log_prior + stats.dirichlet(q.concentration.numpy()).entropy()


def coins_joint(q, x):
    """E log p(x, k) under q, (N, K)."""
    total = digamma((q.a + q.b).numpy())
    lit, dark = digamma(q.a.numpy()) - total, digamma(q.b.numpy()) - total
    return expected_log_weights(q) + x.numpy() @ lit.T + (1 - x.numpy()) @ dark.T


def coins_terms(q, prior):
    law = stats.beta(q.a.numpy(), q.b.numpy())
    total = digamma((q.a + q.b).numpy())
    lit, dark = digamma(q.a.numpy()) - total, digamma(q.b.numpy()) - total
    a, b = prior.beta
    log_prior = (a - 1) * lit + (b - 1) * dark - betaln(a, b)
    return weights_terms(q, prior) + (log_prior + law.entropy()).sum()


def expected_log_det(q, k):
    """E log det of a covariance, which is inverse Wishart."""
    dim, scale = q.mu.shape[1], q.scale[k].numpy()
    halves = (q.dof[k].item() - np.arange(dim)) / 2
    return np.linalg.slogdet(scale)[1] - digamma(halves).sum() - dim * math.log(2)


def expected_log_normal(q, k, rows, kappa=1.0):
    """E log N(row; mu, cov / kappa) under q of component k, (N,)."""
    dim, shift = q.mu.shape[1], rows - q.mu[k].numpy()
    precision = q.dof[k].item() * np.linalg.inv(q.scale[k].numpy())
    squares = (shift @ precision * shift).sum(-1) + dim / q.kappa[k].item()
    log_det = expected_log_det(q, k) - dim * math.log(kappa)
    return -0.5 * (dim * math.log(2 * math.pi) + log_det + kappa * squares)


def clouds_joint(q, x):
    columns = [expected_log_normal(q, k, x.numpy()) for k in range(len(q.mu))]
    return expected_log_weights(q) + np.stack(columns, 1)


def clouds_terms(q, prior):
    total, dim = weights_terms(q, prior), q.mu.shape[1]
    nu, psi = prior.cov.dof, prior.cov.scale.numpy()
    for k in range(len(q.mu)):
        dof, scale = q.dof[k].item(), q.scale[k].numpy()
        log_det = expected_log_det(q, k)
        constant = 0.5 * nu * np.linalg.slogdet(psi / 2)[1] - multigammaln(nu / 2, dim)
        trace = dof * np.trace(np.linalg.solve(scale, psi))
        total += constant - 0.5 * ((nu + dim + 1) * log_det + trace)
        precision = stats.wishart(dof, np.linalg.inv(scale))
        total += precision.entropy() + (dim + 1) * log_det  # of its inverse
        total += expected_log_normal(q, k, prior.mu.numpy()[None], prior.kappa).item()
        spread = dim * math.log(2 * math.pi * math.e / q.kappa[k].item())
        total += 0.5 * (spread + log_det)
    return total


BY_SCIPY = {
    BernoulliMixturePrior: (coins_joint, coins_terms),
    GaussianMixturePrior: (clouds_joint, clouds_terms),
}


@pytest.mark.equation(
    "eq-variational-expected-log",
    against="scipy's digamma, component by component",
    body="1dcd5fa6",
)
@each_kind
def test_natural_parameters_give_the_expected_log_joint(prior, x):
    q = after(prior, x, random_resp(len(x), 3))
    expected = BY_SCIPY[type(prior)][0](q, x)
    found = (q.natural() @ q.statistics(x)).T
    np.testing.assert_allclose(found, expected, **EXACT)


@pytest.mark.equation(
    "eq-variational-expected-log",
    against="scipy quadrature under the Beta",
    body="1dcd5fa6",
)
def test_natural_parameters_of_a_pixel_are_integrals():
    q = BayesianBernoulliMixture(double([2.0]), double([[2.5]]), double([[4.0]]))
    _, lit, dark = q.natural()[0]
    law = stats.beta(2.5, 4.0)
    for value, log in [(lit, math.log), (dark, lambda p: math.log(1 - p))]:
        expected = integrate.quad(lambda p, f=log: law.pdf(p) * f(p), 0, 1)[0]
        assert value.item() == pytest.approx(expected, rel=1e-8)


@pytest.mark.equation(
    "eq-variational-mixture-elbo",
    against="scipy's entropies and expectations, by term",
    body="60024f4a",
)
@each_kind
@pytest.mark.parametrize("num_components", [1, 3])
def test_objective_is_every_term_of_the_bound(prior, x, num_components):
    joint, terms = BY_SCIPY[type(prior)]
    start = after(prior, x, random_resp(len(x), num_components, 5))
    run = fit_em(x, start, prior=prior, max_steps=5, tol=0)
    for q, value in zip(run.path, run.objective, strict=True):
        expected_joint = joint(q, x)
        resp = np.exp(expected_joint - logsumexp(expected_joint, 1)[:, None])
        bound = (resp * expected_joint).sum() + stats.entropy(resp, axis=1).sum()
        bound += terms(q, prior)
        assert len(x) * value == pytest.approx(bound, rel=1e-10)


@each_kind
def test_log_prior_vanishes_at_the_prior(prior, x):
    q = after(prior, x, torch.zeros(len(x), 3, dtype=torch.float64))
    assert q.log_prior(prior).abs() < 1e-12
    assert after(prior, x, random_resp(len(x), 3)).log_prior(prior) < -0.1


@pytest.mark.equation(
    "eq-variational-coordinate",
    against="autograd of the bound, which vanishes",
    body="9a4c8634",
)
@each_kind
def test_each_factor_is_the_best_given_the_other(prior, x):
    resp = random_resp(len(x), 3, 7)
    best = after(prior, x, resp)
    q = type(best)(*(v.clone().requires_grad_() for v in best))
    bound = (resp * (q.natural() @ q.statistics(x)).T).sum() + q.log_prior(prior)
    for slope in torch.autograd.grad(bound, q):
        np.testing.assert_allclose(slope, 0 * slope, atol=1e-9)
    better = e_step(best, x).log_resp
    assert lower_bound(best, x, better).sum() > lower_bound(best, x, resp.log()).sum()


# The bound rises


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    num_components=st.integers(1, 6),
    concentration=st.floats(1e-3, 10),
    counts=st.tuples(st.floats(0.05, 5), st.floats(0.05, 5)),
)
def test_bernoulli_bound_never_falls(seed, num_components, concentration, counts):
    noise = np.random.default_rng(seed)
    x = torch.from_numpy(noise.binomial(1, 0.5, (20, 5)).astype(float))
    prior = BernoulliMixturePrior(concentration, Beta(*counts))
    start = after(prior, x, random_resp(20, num_components, seed))
    run = fit_em(x, start, prior=prior, max_steps=20, tol=-1)
    assert np.diff(run.objective).min() > -1e-11
    assert all(v.isfinite().all() for v in run.mixture)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    num_components=st.integers(1, 5),
    concentration=st.floats(1e-3, 10),
    kappa=st.floats(0.01, 10),
    dof=st.floats(0.1, 10),
)
def test_gaussian_bound_never_falls(seed, num_components, concentration, kappa, dof):
    noise = np.random.default_rng(seed)
    x = torch.from_numpy(noise.standard_t(2, size=(20, 2)))
    width = InverseWishart(1 + dof, 0.3 * torch.eye(2, dtype=torch.float64))
    prior = GaussianMixturePrior(concentration, x.mean(0), kappa, width)
    start = after(prior, x, random_resp(20, num_components, seed))
    run = fit_em(x, start, prior=prior, max_steps=20, tol=-1)
    assert np.diff(run.objective).min() > -1e-10
    assert all(v.isfinite().all() for v in run.mixture)


@pytest.mark.parametrize("concentration", [1e-8, 1e8])
def test_extreme_priors_stay_finite(concentration):
    resp = random_resp(6, 3)
    resp[:, 0], resp[:, 1] = 0.0, 1.0 - resp[:, 2]
    coins = BernoulliMixturePrior(concentration, Beta(1e-6, 1e6))
    width = InverseWishart(1.0 + 1e-6, 1e-8 * torch.eye(2, dtype=torch.float64))
    clouds = GaussianMixturePrior(concentration, double([1e3, -1e3]), 1e-6, width)
    for prior, x in [(coins, TOSSES), (clouds, POINTS)]:
        run = fit_em(x, after(prior, x, resp), prior=prior, max_steps=10)
        assert np.isfinite(run.objective).all()
        assert all(v.isfinite().all() for v in run.mixture)


def test_a_constant_column_and_single_rows_do_no_harm():
    x = POINTS.clone()
    x[:, 1] = 3.0
    start = after(CLOUDS, x, torch.eye(6, dtype=torch.float64))
    run = fit_em(x, start, prior=CLOUDS)
    assert run.converged and np.isfinite(run.objective).all()


# scikit-learn, from the same responsibilities

IRIS = load_iris().x[:, 2:]
WIDTH = InverseWishart(4.0, 0.2 * torch.eye(2, dtype=torch.float64))
IRIS_PRIOR = GaussianMixturePrior(0.5, IRIS.mean(0), 0.3, WIDTH)


def scikit_learns(num_steps):
    """Its mixture after so many steps from the clusters of k-means."""
    oracle = SklearnMixture(
        n_components=4,
        weight_concentration_prior_type="dirichlet_distribution",
        weight_concentration_prior=IRIS_PRIOR.concentration,
        mean_precision_prior=IRIS_PRIOR.kappa,
        mean_prior=IRIS_PRIOR.mu.numpy(),
        degrees_of_freedom_prior=WIDTH.dof,
        covariance_prior=WIDTH.scale.numpy(),
        reg_covar=0,
        tol=0,
        max_iter=num_steps,
        init_params="kmeans",
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return oracle.fit(IRIS.numpy())


@pytest.fixture(scope="module")
def iris_run():
    labels = KMeans(4, n_init=1, random_state=0).fit(IRIS.numpy()).labels_
    start = after(IRIS_PRIOR, IRIS, torch.eye(4, dtype=torch.float64)[labels])
    return fit_em(IRIS, start, prior=IRIS_PRIOR, max_steps=20, tol=0)


@pytest.mark.equation(
    "eq-variational-coordinate",
    against="scikit-learn's BayesianGaussianMixture, step by step",
    body="9a4c8634",
)
def test_every_iteration_is_scikit_learns(iris_run):
    constants = []
    for step in (1, 2, 3, 7, 20):
        oracle, before, q = scikit_learns(step), *iris_run.path[step - 1 : step + 1]
        np.testing.assert_allclose(q.mu, oracle.means_, **EXACT)
        np.testing.assert_allclose(q.expected().cov, oracle.covariances_, **EXACT)
        np.testing.assert_allclose(q.kappa, oracle.mean_precision_, **EXACT)
        np.testing.assert_allclose(q.dof, oracle.degrees_of_freedom_, **EXACT)
        found = q.concentration
        np.testing.assert_allclose(found, oracle.weight_concentration_, **EXACT)
        resp = e_step(q, IRIS).log_resp.exp()
        np.testing.assert_allclose(resp, oracle.predict_proba(IRIS.numpy()), atol=1e-9)
        # its bound is taken after the M-step, and drops constants
        bound = lower_bound(q, IRIS, e_step(before, IRIS).log_resp).sum()
        constants.append((bound + q.log_prior(IRIS_PRIOR)).item() - oracle.lower_bound_)
    np.testing.assert_allclose(constants, constants[0], rtol=1e-10)


# What is expected of the next one


def test_expected_parameters_are_scipys(iris_run):
    q = iris_run.mixture
    mean = q.expected()
    weights = stats.dirichlet(q.concentration.numpy()).mean()
    np.testing.assert_allclose(mean.weights, weights, **EXACT)
    np.testing.assert_allclose(q.weights, weights, **EXACT)
    for k in range(4):
        wishart = stats.wishart(q.dof[k].item(), np.linalg.inv(q.scale[k].numpy()))
        np.testing.assert_allclose(mean.cov[k], np.linalg.inv(wishart.mean()), **EXACT)


@pytest.mark.equation(
    "eq-variational-mixture-predictive",
    against="scipy's expectations under each Beta and the Dirichlet, on all images",
    body="5d47e4b7",
)
def test_predictive_is_a_product_of_expectations():
    q = after(COINS, TOSSES, random_resp(6, 3))
    images = list(itertools.product([0, 1], repeat=2))
    weights = stats.dirichlet(q.concentration.numpy()).mean()
    expected = np.zeros(4)
    for n, image in enumerate(images):
        for k, weight in enumerate(weights):
            pixels = zip(image, q.a[k].tolist(), q.b[k].tolist(), strict=True)
            expected[n] += weight * math.prod(
                stats.beta(a, b).mean() if lit else stats.beta(b, a).mean()
                for lit, a, b in pixels
            )
    found = e_step(q.predictive(), double(images)).log_evidence.exp()
    np.testing.assert_allclose(found, expected, **EXACT)
    assert expected.sum() == pytest.approx(1)


@pytest.mark.equation(
    "eq-variational-mixture-predictive",
    against="a ratio of evidences by scipy's betaln",
    body="5d47e4b7",
)
def test_predictive_of_one_component_is_a_ratio_of_evidences():
    q = after(COINS, TOSSES, torch.ones(6, 1, dtype=torch.float64))
    new = double([[1.0, 0.0]])
    more = coins_evidence(torch.cat([TOSSES, new]).numpy())
    found = e_step(q.predictive(), new).log_evidence.item()
    assert found == pytest.approx(more - coins_evidence(TOSSES.numpy()), rel=1e-10)


def test_predictive_averages_draws_of_the_parameters(assert_within):
    """100,000 draws of all parameters: the mean probability of an image."""
    q = after(COINS, TOSSES, random_resp(6, 3))
    noise = np.random.default_rng(0)
    weights = noise.dirichlet(q.concentration.numpy(), 100_000)
    probs = noise.beta(q.a.numpy(), q.b.numpy(), (100_000, 3, 2))
    draws = (weights * probs[..., 0] * (1 - probs[..., 1])).sum(1)
    found = e_step(q.predictive(), double([[1.0, 0.0]])).log_evidence.exp().item()
    assert_within(draws.mean(), found, draws.std() / math.sqrt(len(draws)))


# Digits


@pytest.fixture(scope="module")
def digits_run(one_thread):
    x = load_digits().train.x.double()
    rng = torch.Generator().manual_seed(0)
    start = bernoulli_start(kmeans_plus_plus(x, 100, rng=rng))
    prior = BernoulliMixturePrior(0.01, Beta(0.5, 0.5))
    q = prior.posterior(e_step(start, x).log_resp.exp().T @ start.statistics(x).T)
    return fit_em(x, q, prior=prior, tol=1e-7)


def test_components_that_are_not_needed_die_out(digits_run):
    """Of 100 about half explain no image; a dead one is back at its prior."""
    assert digits_run.converged
    assert np.diff(digits_run.objective).min() > 0 - 1e-12
    q = digits_run.mixture
    counts = q.concentration - 0.01
    assert counts.sum().item() == pytest.approx(1000)
    used = counts > 1
    assert 45 <= used.sum() <= 65
    assert counts[~used].max() < 0.01
    assert (q.a[~used] - 0.5).max() < 0.01


def test_predictive_score_of_unseen_digits(digits_run):
    """19.14 nats an image; by maximum likelihood 50 components reach 19.29."""
    test = load_digits().test.x.double()
    scores = e_step(digits_run.mixture.predictive(), test).log_evidence
    assert scores.isfinite().all()
    assert scores.mean().item() == pytest.approx(-19.14, abs=0.2)


# What fit_em refuses

Q_COINS = after(COINS, TOSSES, random_resp(6, 2))
Q_CLOUDS = after(CLOUDS, POINTS, random_resp(6, 2))
FLAT = InverseWishart(3.3, torch.zeros(2, 2, dtype=torch.float64))
FEW = InverseWishart(1.0, torch.eye(2, dtype=torch.float64))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (TOSSES / 2, "x must hold zeros and ones"),
        (TOSSES[:, :1], r"x must have the 2 columns of start; received \(6, 1\)"),
        (TOSSES[:0], r"x must be \(N, D\).*received \(0, 2\)"),
        (TOSSES.float(), "x and start must be of one type"),
        (TOSSES.int(), "x must be of a float type; received torch.int32"),
        (TOSSES / 0, "x must be finite; row 0"),
    ],
)
def test_data_that_does_not_fit_is_refused(x, message):
    with pytest.raises(ValueError, match=message):
        fit_em(x, Q_COINS, prior=COINS)
    if "zeros" not in message:
        with pytest.raises(ValueError, match=message):
            fit_em(x, Q_CLOUDS, prior=CLOUDS)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        (None, "prior must be a BernoulliMixturePrior; received NoneType"),
        (Beta(1.0, 1.0), "must be a BernoulliMixturePrior; received Beta"),
        (CLOUDS, "BernoulliMixturePrior; received GaussianMixturePrior"),
        (COINS._replace(concentration=0.0), "prior.concentration .* received 0"),
        (COINS._replace(beta=Beta(-1.0, 1.0)), "prior.beta.a .* received -1"),
        (COINS._replace(beta=Beta(1.0, math.nan)), "prior.beta.b .* received nan"),
    ],
)
def test_bernoulli_priors_that_are_none_are_refused(prior, message):
    with pytest.raises(ValueError, match=message):
        fit_em(TOSSES, Q_COINS, prior=prior)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        (None, "prior must be a GaussianMixturePrior; received NoneType"),
        (WIDTH, "must be a GaussianMixturePrior; received InverseWishart"),
        (CLOUDS._replace(concentration=-0.1), "prior.concentration .* received -0.1"),
        (CLOUDS._replace(kappa=0.0), "prior.kappa .* received 0"),
        (
            CLOUDS._replace(mu=torch.zeros(3)),
            r"prior.mu must be of shape \(2\); received \(3,\)",
        ),
        (CLOUDS._replace(cov=FLAT), "prior.scale must be positive definite"),
        (CLOUDS._replace(cov=FEW), r"prior.dof \+ 1 - D must be above 0 .* received 0"),
        (
            CLOUDS._replace(cov=InverseWishart(5.0, torch.eye(3))),
            r"prior.scale must be of shape \(2, 2\); received \(3, 3\)",
        ),
    ],
)
def test_gaussian_priors_that_are_none_are_refused(prior, message):
    with pytest.raises(ValueError, match=message):
        fit_em(POINTS, Q_CLOUDS, prior=prior)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (Q_COINS._replace(concentration=-Q_COINS[0]), "start.concentration .* -"),
        (Q_COINS._replace(concentration=torch.ones(3).double()), r"\(2\); .* \(3,\)"),
        (Q_COINS._replace(a=-Q_COINS.a), "start.a must be above 0"),
        (Q_COINS._replace(b=0 * Q_COINS.b), "start.b must be above 0 .* received 0"),
        (Q_COINS._replace(b=Q_COINS.b[:1]), r"start.b .* \(2, 2\); received \(1, 2\)"),
    ],
)
def test_bernoulli_starts_that_are_none_are_refused(start, message):
    with pytest.raises(ValueError, match=message):
        fit_em(TOSSES, start, prior=COINS)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (Q_CLOUDS._replace(concentration=0 * Q_CLOUDS[0]), "start.weights .* nan"),
        (Q_CLOUDS._replace(concentration=-Q_CLOUDS[0]), "start.concentration .* -"),
        (Q_CLOUDS._replace(kappa=-Q_CLOUDS.kappa), "start.kappa must be above 0"),
        (Q_CLOUDS._replace(kappa=Q_CLOUDS.kappa[:1]), r"start.kappa .* \(1,\)"),
        (Q_CLOUDS._replace(dof=0 * Q_CLOUDS.dof + 1), r"start.dof \+ 1 - D .* 0"),
        (Q_CLOUDS._replace(dof=Q_CLOUDS.dof[:1]), r"start.dof .* \(1,\)"),
        (Q_CLOUDS._replace(scale=-Q_CLOUDS.scale), "start.scale .* definite"),
        (Q_CLOUDS._replace(scale=Q_CLOUDS.scale[0]), r"start.scale .* \(2, 2, 2\)"),
    ],
)
def test_gaussian_starts_that_are_none_are_refused(start, message):
    with pytest.raises(ValueError, match=message):
        fit_em(POINTS, start, prior=CLOUDS)
