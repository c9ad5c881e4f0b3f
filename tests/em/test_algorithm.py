"""EM against enumeration, scipy, scikit-learn and autograd; and what it refuses."""

import itertools
import math
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.special import logsumexp
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as SklearnMixture
from torch import distributions

from vaebook.datasets import load_digits
from vaebook.em import (
    BernoulliMixture,
    CollapsedComponentError,
    GaussianMixture,
    InverseWishart,
    algorithm,
    bernoulli_start,
    e_step,
    em_step,
    fit_em,
    fit_em_best,
    gaussian_start,
    kmeans_plus_plus,
    log_joint,
    lower_bound,
    m_step,
    sample_mixture,
)
from vaebook.map_estimation import Beta

pytestmark = pytest.mark.usefixtures("one_thread")
IRIS = torch.from_numpy(load_iris().data)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def rng_of(seed):
    return torch.Generator().manual_seed(seed)


GAUSSIANS = GaussianMixture(
    double([0.2, 0.5, 0.3]),
    double([[0, 0], [2, 1], [-1, 3]]),
    double([[[1, 0.3], [0.3, 0.5]], [[2, -1], [-1, 1]], [[0.4, 0], [0, 3]]]),
)
BERNOULLIS = BernoulliMixture(
    double([0.6, 0.3, 0.1]),
    double([[0.9, 0.2, 0.5, 0.7], [0.1, 0.8, 0.3, 0.4], [0.5, 0.6, 0.9, 0.1]]),
)
PRIORS = {GaussianMixture: InverseWishart(5.0, double([[1, 0.2], [0.2, 2]]))}
PRIORS[BernoulliMixture] = Beta(2.0, 3.0)
each_kind = pytest.mark.parametrize("mixture", [GAUSSIANS, BERNOULLIS])


def draw(mixture, num_samples, seed=0):
    return sample_mixture(mixture, num_samples, rng=rng_of(seed))[0]


def random_log_resp(num_rows, num_components, seed=0):
    noise = np.random.default_rng(seed)
    resp = noise.dirichlet(np.full(num_components, 0.5), num_rows)
    return torch.from_numpy(resp).log()


def scipy_log_joint(mixture, x):
    """log p(k) + log p(x|k) by scipy alone, (N, K)."""
    weights, *parameters = (value.numpy() for value in mixture)
    if isinstance(mixture, BernoulliMixture):
        columns = [stats.bernoulli(p).logpmf(x.numpy()).sum(-1) for p in parameters[0]]
    else:
        laws = [stats.multivariate_normal(*p) for p in zip(*parameters, strict=True)]
        columns = [law.logpdf(x.numpy()) for law in laws]
    return np.log(weights) + np.stack(columns, -1)


def torch_law(mixture):
    """The mixture in torch.distributions, which differentiates."""
    if isinstance(mixture, BernoulliMixture):
        parts = distributions.Independent(distributions.Bernoulli(mixture.probs), 1)
    else:
        parts = distributions.MultivariateNormal(mixture.mu, mixture.cov)
    weights = distributions.Categorical(mixture.weights)
    return distributions.MixtureSameFamily(weights, parts)


def with_gradients(mixture):
    return type(mixture)(*(value.clone().requires_grad_() for value in mixture))


def assert_equal_mixtures(found, expected, **tolerance):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, **tolerance)


# E-step


@pytest.mark.equation(
    "eq-em-mixture", against="scipy densities, summed over k", body="778bbef7"
)
@pytest.mark.equation(
    "eq-em-joint", against="scipy densities and log weights", body="7fe064cc"
)
@pytest.mark.equation(
    "eq-em-responsibilities", against="Bayes' rule on scipy densities", body="cdc9a929"
)
@each_kind
def test_e_step_is_bayes_rule(mixture):
    x = draw(mixture, 30)
    log_resp, log_evidence = e_step(mixture, x)
    joint = np.exp(scipy_log_joint(mixture, x))
    np.testing.assert_allclose(log_joint(mixture, x), np.log(joint), rtol=1e-10)
    np.testing.assert_allclose(log_evidence, np.log(joint.sum(1)), rtol=1e-10)
    expected = joint / joint.sum(1, keepdims=True)
    np.testing.assert_allclose(log_resp.exp(), expected, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(log_resp.exp().sum(1), 1, rtol=1e-12)


@pytest.mark.equation(
    "eq-em-responsibilities",
    against="enumeration of all K^N assignments",
    body="cdc9a929",
)
@pytest.mark.equation(
    "eq-em-mixture", against="enumeration of all K^N assignments", body="778bbef7"
)
@each_kind
def test_all_assignments_add_up_to_the_evidence(mixture):
    """Each of 3^6 assignments has a joint probability: their sum is p(x), and the
    share of those that give row n to component k is the responsibility."""
    x = draw(mixture, 6, seed=3)
    joint = np.exp(scipy_log_joint(mixture, x))
    every = np.array(list(itertools.product(range(3), repeat=6)))
    products = joint[np.arange(6), every].prod(1)
    log_resp, log_evidence = e_step(mixture, x)
    assert log_evidence.sum().item() == pytest.approx(np.log(products.sum()), rel=1e-10)
    chosen = every[:, :, None] == np.arange(3)
    marginals = np.einsum("a,ank->nk", products, chosen) / products.sum()
    np.testing.assert_allclose(log_resp.exp(), marginals, rtol=1e-9)


@pytest.mark.equation(
    "eq-em-log-sum-exp", against="scipy.special.logsumexp", body="c2d4f7bb"
)
@pytest.mark.parametrize("distance", [1e2, 1e4, 1e6])
def test_far_rows_underflow_in_no_place(distance):
    """So far out that every density is 0 in floating point; its logarithm is not."""
    x = double([[distance, 0], [0, -distance]])
    log_p_x_k = scipy_log_joint(GAUSSIANS, x)
    assert not np.exp(log_p_x_k).any()
    log_resp, log_evidence = e_step(GAUSSIANS, x)
    expected = logsumexp(log_p_x_k, axis=1)
    np.testing.assert_allclose(log_evidence, expected, rtol=1e-10)
    assert (log_resp.exp().sum(1) - 1).abs().max() < 1e-12
    assert log_resp.exp().argmax(1).tolist() == log_p_x_k.argmax(1).tolist()


@pytest.mark.equation(
    "eq-em-log-sum-exp", against="scipy.special.logsumexp", body="c2d4f7bb"
)
def test_a_step_on_large_images_underflows_in_no_place():
    """Two thousand pixels: a probability of some e^-1400 for each image."""
    noise = np.random.default_rng(0)
    x = torch.from_numpy((noise.random((30, 2000)) < 0.5).astype(float))
    start = bernoulli_start(x[:2], softness=0.4)
    log_p_x_k = scipy_log_joint(start, x)
    assert not np.exp(log_p_x_k).any()
    after, objective = em_step(start, x)
    expected = logsumexp(log_p_x_k, axis=1)
    assert objective == pytest.approx(expected.mean(), rel=1e-10)
    resp = np.exp(log_p_x_k - expected[:, None])
    np.testing.assert_allclose(after.weights, resp.mean(0), rtol=1e-9)


def test_an_impossible_image_has_evidence_minus_infinity():
    mixture = BernoulliMixture(double([0.5, 0.5]), double([[0, 0.5], [0, 0.5]]))
    log_evidence = e_step(mixture, double([[1, 1], [0, 1]])).log_evidence
    assert log_evidence.tolist() == [-math.inf, pytest.approx(math.log(0.5))]


def test_components_far_apart_keep_their_digits():
    """1e4 standard deviations between the centres: the squares cancel eight digits."""
    mixture = GAUSSIANS._replace(mu=GAUSSIANS.mu + double([[0], [1e4], [-1e4]]))
    x = draw(mixture, 3000)
    expected = logsumexp(scipy_log_joint(mixture, x), axis=1)
    np.testing.assert_allclose(e_step(mixture, x).log_evidence, expected, atol=1e-6)
    run = fit_em(x, mixture, max_steps=3)
    labels = np.searchsorted([-5e3, 5e3], x[:, 0].numpy())
    for k, label in enumerate([1, 2, 0]):
        rows = x.numpy()[labels == label]
        np.testing.assert_allclose(run.mixture.mu[k], rows.mean(0), rtol=1e-9)
        cov = np.cov(rows.T, ddof=0)
        np.testing.assert_allclose(run.mixture.cov[k], cov, rtol=1e-5, atol=1e-6)


# The bound


@pytest.mark.equation(
    "eq-em-bound", against="numpy, with scipy densities", body="ee213700"
)
@each_kind
def test_bound_is_the_expected_log_ratio(mixture):
    x, log_q = draw(mixture, 20), random_log_resp(20, 3)
    q = np.exp(log_q.numpy())
    expected = (q * (scipy_log_joint(mixture, x) - np.log(q))).sum(1)
    np.testing.assert_allclose(lower_bound(mixture, x, log_q), expected, rtol=1e-9)


@pytest.mark.equation(
    "eq-em-identity", against="scipy.stats.entropy for the KL", body="2bcbfd46"
)
@each_kind
@pytest.mark.parametrize("seed", range(5))
def test_bound_plus_kl_is_the_evidence(mixture, seed):
    x, log_q = draw(mixture, 50, seed), random_log_resp(50, 3, seed)
    log_p_x_k = scipy_log_joint(mixture, x)
    log_evidence = logsumexp(log_p_x_k, axis=1)
    posterior = np.exp(log_p_x_k - log_evidence[:, None])
    kl = stats.entropy(log_q.exp().numpy(), posterior, axis=1)
    bound = lower_bound(mixture, x, log_q).numpy()
    np.testing.assert_allclose(bound + kl, log_evidence, rtol=1e-10, atol=1e-10)
    assert (bound <= log_evidence).all()
    log_resp = e_step(mixture, x).log_resp
    touching = lower_bound(mixture, x, log_resp)
    np.testing.assert_allclose(touching, log_evidence, rtol=1e-10, atol=1e-10)


def test_a_hard_assignment_has_no_entropy():
    """q is 0 or 1: 0 log 0 counts as 0, and the bound is one log-joint."""
    x = draw(GAUSSIANS, 9)
    q = torch.eye(3).double().repeat(3, 1)
    expected = scipy_log_joint(GAUSSIANS, x)[np.arange(9), q.argmax(1)]
    np.testing.assert_allclose(lower_bound(GAUSSIANS, x, q.log()), expected, rtol=1e-9)


# M-step


def bound_of(mixture, x, log_resp, prior):
    penalty = mixture.log_prior(prior) if prior else 0
    return lower_bound(mixture, x, log_resp).sum() + penalty


@pytest.mark.equation(
    "eq-em-m-step", against="autograd: the gradient is zero", body="5cc87133"
)
@pytest.mark.equation(
    "eq-em-map-m-step", against="autograd: the gradient is zero", body="841f4138"
)
@each_kind
@pytest.mark.parametrize("with_prior", [False, True])
def test_m_step_is_a_stationary_point_of_the_bound(mixture, with_prior):
    """For the weights, which sum to one, all partial derivatives are equal."""
    x, log_resp = draw(mixture, 60), random_log_resp(60, 3)
    prior = PRIORS[type(mixture)] if with_prior else None
    after = with_gradients(m_step(mixture, x, log_resp, prior))
    bound_of(after, x, log_resp, prior).backward()
    weights, *others = (value.grad for value in after)
    np.testing.assert_allclose(weights, torch.full((3,), 60.0), rtol=1e-9)
    for gradient in others:
        np.testing.assert_allclose(gradient, torch.zeros_like(gradient), atol=1e-8)


@pytest.mark.equation(
    "eq-em-m-step", against="50 perturbed mixtures, none better", body="5cc87133"
)
@each_kind
@pytest.mark.parametrize("with_prior", [False, True])
def test_no_neighbour_of_the_m_step_is_better(mixture, with_prior):
    x, log_resp = draw(mixture, 60), random_log_resp(60, 3)
    prior = PRIORS[type(mixture)] if with_prior else None
    after = m_step(mixture, x, log_resp, prior)
    best = bound_of(after, x, log_resp, prior)
    noise, rng = 1e-4, rng_of(0)
    for _ in range(50):
        near = [
            v + noise * torch.randn(v.shape, generator=rng) * v.abs() for v in after
        ]
        near[0] = near[0] / near[0].sum()
        if isinstance(mixture, GaussianMixture):
            near[2] = (near[2] + near[2].mT) / 2
        assert bound_of(type(mixture)(*near), x, log_resp, prior) < best


# One pass over the data


@each_kind
@pytest.mark.parametrize("with_prior", [False, True])
@pytest.mark.parametrize("chunk", [1, 1000, algorithm.CHUNK])
def test_em_step_is_e_step_then_m_step(mixture, with_prior, chunk, monkeypatch):
    """In chunks of 16 rows, of some hundred, and in one."""
    monkeypatch.setattr(algorithm, "CHUNK", chunk)
    x, prior = draw(mixture, 333), PRIORS[type(mixture)] if with_prior else None
    after, objective = em_step(mixture, x, prior)
    log_resp, log_evidence = e_step(mixture, x)
    expected = m_step(mixture, x, log_resp, prior)
    assert_equal_mixtures(after, expected, rtol=1e-12, atol=1e-12)
    penalty = mixture.log_prior(prior) / len(x) if prior else 0
    assert objective == pytest.approx((log_evidence.mean() + penalty).item(), rel=1e-12)


@each_kind
def test_single_precision_is_followed(mixture):
    x = draw(mixture, 333)
    single = type(mixture)(*(value.float() for value in mixture))
    after, objective = em_step(single, x.float())
    expected, truth = em_step(mixture, x)
    assert {value.dtype for value in after} == {torch.float32}
    assert_equal_mixtures(after, expected, rtol=1e-4, atol=1e-5)
    assert objective == pytest.approx(truth, rel=1e-5)
    assert fit_em(x.float(), single, max_steps=5).mixture.weights.dtype == torch.float32


MEMORY = """
import resource, sys, torch
from vaebook import em
from vaebook.em import GaussianMixture

def peak():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20

torch.set_num_threads(1)
rng = torch.Generator().manual_seed(0)
x = torch.randn(2_000_000, 8, generator=rng, dtype=torch.float64)
mu, cov = x[:16].clone(), torch.eye(8).double().repeat(16, 1, 1)
start = GaussianMixture(torch.full((16,), 1 / 16).double(), mu, cov)
em.em_step(start, x[:200_000])
few = peak()
em.em_step(start, x)
print(peak() - few)
em.fit_em(x, start, max_steps=2)
print(peak())
"""


def test_memory_does_not_grow_with_the_data():
    """Two million rows of eight: MiB beyond a tenth of the rows, and in all."""
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    growth, peak = map(float, run.stdout.split())
    assert growth < 16
    assert peak < 2048


# The climb


@pytest.mark.equation(
    "eq-em-monotone", against="scipy's log-likelihood of each step", body="0c1ba7fe"
)
@each_kind
def test_objective_is_the_mean_log_likelihood_and_rises(mixture):
    x = draw(mixture, 300)
    start = type(mixture)(mixture.weights.flip(0), *mixture[1:])
    run = fit_em(x, start, tol=0, max_steps=30)
    assert len(run.path) == len(run.objective) == 31
    assert run.path[0] is start and run.mixture is run.path[-1]
    expected = [logsumexp(scipy_log_joint(m, x), axis=1).mean() for m in run.path]
    np.testing.assert_allclose(run.objective, expected, rtol=1e-10)
    assert np.all(np.diff(expected) > 0)


def climb(start, x, prior=None, num_steps=15):
    """Objective at each step, until a component collapses."""
    mixture, objective = start, []
    try:
        for _ in range(num_steps):
            mixture, value = em_step(mixture, x, prior)
            objective.append(value)
    except CollapsedComponentError:
        assert prior is None or isinstance(prior, Beta)
    return np.array(objective)


def falls(objective):
    """The largest fall, relative: rounding alone may cause one."""
    if len(objective) < 2:
        return 0.0
    return np.max(-np.diff(objective) / (1 + np.abs(objective[1:])))


rows = arrays(
    float, st.tuples(st.integers(4, 30), st.integers(1, 3)), elements=st.floats(-9, 9)
)
few = st.integers(1, 3)


@pytest.mark.equation(
    "eq-em-monotone", against="data and starts by hypothesis", body="0c1ba7fe"
)
@settings(deadline=None, max_examples=60)
@given(rows, few, st.integers(0, 99))
def test_gaussian_likelihood_never_falls(x, num_components, seed):
    """Up to the step that collapses. A width of 1e-10 of the data's, the least allowed,
    leaves six digits of the likelihood."""
    noise = np.random.default_rng(seed).normal(size=x.shape)
    x = torch.from_numpy(np.round(x, 1) + 0.1 * noise)
    start = gaussian_start(x, x[:num_components])
    assert falls(climb(start, x)) < 1e-6


@pytest.mark.equation(
    "eq-em-monotone", against="data and starts by hypothesis", body="0c1ba7fe"
)
@settings(deadline=None, max_examples=60)
@given(rows, few, st.floats(0.1, 20))
def test_gaussian_map_objective_never_falls(x, num_components, strength):
    """With a prior no data collapses: not one row repeated, not a constant column."""
    x = torch.from_numpy(np.round(x, 1))
    eye = torch.eye(x.shape[1]).double()
    mu = x[:num_components] + 1e-3 * torch.arange(num_components)[:, None]
    weights = torch.full((num_components,), 1 / num_components).double()
    start = GaussianMixture(weights, mu, eye.repeat(num_components, 1, 1))
    prior = InverseWishart(x.shape[1] + strength, strength * eye)
    objective = climb(start, x, prior)
    assert len(objective) == 15 and falls(objective) < 1e-12


@pytest.mark.equation(
    "eq-em-monotone", against="data and starts by hypothesis", body="0c1ba7fe"
)
@settings(deadline=None, max_examples=60)
@given(rows, few, st.floats(0.01, 0.45), st.sampled_from([None, Beta(2.0, 1.5)]))
def test_bernoulli_objective_never_falls(x, num_components, softness, prior):
    x = torch.from_numpy((x > 0).astype(float))
    start = bernoulli_start(x[:num_components], softness)
    objective = climb(start, x, prior)
    assume(len(objective) > 1)
    assert falls(objective) < 1e-12


# Gradients


@pytest.mark.equation(
    "eq-em-gradient", against="autograd through torch.distributions", body="a82baae2"
)
@each_kind
def test_gradient_is_the_responsibility_weighted_one(mixture):
    """Fisher's identity: posterior weights may be held fixed in the derivative."""
    x = draw(mixture, 40)
    resp = e_step(mixture, x).log_resp.exp()
    direct, through = with_gradients(mixture), with_gradients(mixture)
    total = torch_law(direct).log_prob(x).sum()
    weighted = (resp * log_joint(through, x)).sum()
    expected = torch.autograd.grad(total, direct[1:])
    found = torch.autograd.grad(weighted, through)
    for one, other in zip(found[1:], expected, strict=True):
        symmetric = (one + one.mT) / 2 if one.ndim == 3 else one
        np.testing.assert_allclose(symmetric, other, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found[0], resp.sum(0) / mixture.weights, rtol=1e-10)


@pytest.mark.equation(
    "eq-em-gradient", against="autograd through torch.distributions", body="a82baae2"
)
@each_kind
def test_evidence_has_the_gradient_of_torch_distributions(mixture):
    x = draw(mixture, 40)
    direct, ours = with_gradients(mixture), with_gradients(mixture)
    expected = torch.autograd.grad(torch_law(direct).log_prob(x).sum(), direct[1:])
    found = torch.autograd.grad(e_step(ours, x).log_evidence.sum(), ours[1:])
    for one, other in zip(found, expected, strict=True):
        symmetric = (one + one.mT) / 2 if one.ndim == 3 else one
        np.testing.assert_allclose(symmetric, other, rtol=1e-8, atol=1e-10)


@pytest.mark.equation(
    "eq-em-preconditioned",
    against="autograd through torch.distributions",
    body="925ee6c4",
)
def test_em_moves_the_means_along_a_preconditioned_gradient():
    x = draw(GAUSSIANS, 200)
    start = with_gradients(GAUSSIANS)
    total = torch_law(start).log_prob(x).sum()
    (gradient,) = torch.autograd.grad(total, start.mu)
    counts = np.exp(scipy_log_joint(GAUSSIANS, x))
    counts = (counts / counts.sum(1, keepdims=True)).sum(0)
    step = GAUSSIANS.cov.numpy() / counts[:, None, None] @ gradient[..., None].numpy()
    after, _ = em_step(GAUSSIANS, x)
    np.testing.assert_allclose(after.mu - GAUSSIANS.mu, step[..., 0], rtol=1e-9)


# Known answers


def best_of(x, num_components, number=6):
    starts = (
        gaussian_start(x, kmeans_plus_plus(x, num_components, rng=rng_of(seed)))
        for seed in range(number)
    )
    run = fit_em_best(x, starts, tol=1e-13)
    assert run.converged
    order = run.mixture.weights.argsort()
    return run, GaussianMixture(*(value[order] for value in run.mixture))


def test_iris_petal_length():
    x = IRIS[:, 2:3]
    run, mixture = best_of(x, 2)
    assert run.objective[-1] * 150 == pytest.approx(-200.5787589709, abs=5e-11)
    np.testing.assert_allclose(mixture.weights, [0.33311, 0.66689], atol=5e-6)
    np.testing.assert_allclose(mixture.mu[:, 0], [1.46175, 4.90498], atol=5e-6)
    np.testing.assert_allclose(mixture.cov[0, 0, 0], 0.029466, atol=5e-7)
    np.testing.assert_allclose(mixture.cov[1, 0, 0], 0.677687, atol=5e-7)


def test_iris_petal_length_and_width():
    run, mixture = best_of(IRIS[:, 2:], 2)
    assert run.objective[-1] * 150 == pytest.approx(-154.7313277370, abs=5e-11)
    np.testing.assert_allclose(mixture.weights, [0.33314, 0.66686], atol=5e-6)
    expected = [[1.46182, 0.24593], [4.90510, 1.67563]]
    np.testing.assert_allclose(mixture.mu, expected, atol=5e-6)


@pytest.mark.parametrize(
    ("x", "num_components"), [(IRIS[:, 2:], 2), (IRIS, 3), (draw(GAUSSIANS, 1000), 3)]
)
@pytest.mark.parametrize("num_steps", [1, 2, 3, 7, 20])
def test_every_iteration_is_scikit_learns(x, num_components, num_steps):
    start = gaussian_start(x, kmeans_plus_plus(x, num_components, rng=rng_of(1)))
    run = fit_em(x, start, tol=0, max_steps=num_steps)
    oracle = SklearnMixture(
        num_components,
        reg_covar=0,
        tol=0,
        max_iter=num_steps,
        init_params="random_from_data",
        random_state=0,
        weights_init=start.weights.numpy(),
        means_init=start.mu.numpy(),
        precisions_init=np.linalg.inv(start.cov.numpy()),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        oracle.fit(x.numpy())
    expected = oracle.weights_, oracle.means_, oracle.covariances_
    assert_equal_mixtures(run.mixture, expected, rtol=1e-8, atol=1e-8)
    assert run.objective[-2] == pytest.approx(oracle.lower_bound_, rel=1e-8)
    assert run.objective[-1] == pytest.approx(oracle.score(x.numpy()), rel=1e-8)


DIGITS = load_digits()


def nats_per_test_image(num_components, seed):
    """Best on the training rows of five starts, Beta(2, 2) on each probability."""
    x, rng = DIGITS.train.x.double(), rng_of(seed)
    starts = (
        bernoulli_start(kmeans_plus_plus(x, num_components, rng=rng)) for _ in range(5)
    )
    run = fit_em_best(x, starts, prior=Beta(2.0, 2.0), tol=1e-5)
    return e_step(run.mixture, DIGITS.test.x.double()).log_evidence.mean().item()


def test_one_bernoulli_component_is_add_one_smoothing():
    assert nats_per_test_image(1, 0) == pytest.approx(-24.9144, abs=5e-5)


@pytest.mark.parametrize("seed", range(3))
def test_ten_components_on_the_digits(seed):
    """-20.23 on average over seeds, with a standard deviation of 0.09."""
    assert nats_per_test_image(10, seed) == pytest.approx(-20.23, abs=0.45)


def test_fifty_components_on_the_digits():
    """-19.29 on average over seeds, with a standard deviation of 0.07."""
    assert nats_per_test_image(50, 0) == pytest.approx(-19.29, abs=0.35)


# Runs


def test_a_run_stops_when_a_step_gains_less_than_tol():
    x = IRIS[:, 2:]
    start = gaussian_start(x, x[[0, 149]])
    run = fit_em(x, start, tol=1e-4)
    gains = np.diff(run.objective)
    assert run.converged and gains[-1] < 1e-4 and (gains[:-1] >= 1e-4).all()
    short = fit_em(x, start, tol=1e-4, max_steps=3)
    assert not short.converged and len(short.path) == len(short.objective) == 4
    assert short.objective == run.objective[:4]
    none = fit_em(x, start, max_steps=0)
    assert none.path == [start] and not none.converged


def test_the_best_of_several_starts_has_the_highest_objective():
    x = IRIS[:, 2:]
    starts = [gaussian_start(x, x[[i, i + 1, 149]]) for i in (0, 60, 101)]
    alone = [fit_em(x, start, max_steps=20).objective[-1] for start in starts]
    best = fit_em_best(x, iter(starts), max_steps=20)
    assert best.objective[-1] == max(alone) > min(alone)
    assert len(best.path) <= 21


@each_kind
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_draws_have_the_moments_of_the_mixture(mixture, rng, assert_within):
    number = 40_000
    x, k = sample_mixture(mixture, number, rng=rng)
    assert x.shape == (number, mixture[1].shape[1]) and k.shape == (number,)
    share = k.bincount(minlength=3) / number
    error = (mixture.weights * (1 - mixture.weights) / number).sqrt()
    assert_within(share, mixture.weights, error)
    mean = mixture.weights @ mixture[1]
    assert_within(x.mean(0), mean, x.std(0) / number**0.5)
    law = torch_law(mixture)
    squares = (x - mean).square()
    assert_within(squares.mean(0), law.variance, squares.std(0) / number**0.5)
    for component in range(3):
        mine = x[k == component]
        error = mine.std(0) / len(mine) ** 0.5
        assert_within(mine.mean(0), mixture[1][component], error)


@each_kind
def test_draws_are_the_generators(mixture):
    first, again, other = (
        sample_mixture(mixture, 50, rng=rng_of(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


# What is refused


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.ones(5, 3).double(), r"the 2 columns of start; received \(5, 3\)"),
        (torch.ones(5).double(), r"x must be \(N, D\).*x\[:, None\]"),
        (double([[0, 1], [math.nan, 2]]), "row 1 is not: leave it out or fill it"),
        (double([[0, math.inf], [1, 2]]), "row 0 is not: leave it out or fill it"),
        (torch.ones(5, 2).long(), r"float type; received torch.int64: x.double\(\)"),
        (
            torch.rand(5, 2),
            "of one type; received x torch.float32, start torch.float64",
        ),
        (double([[0, 1], [2, 1]]), "column 1 of x is constant: leave it out"),
    ],
)
def test_data_that_cannot_be_fitted_is_refused(x, message):
    with pytest.raises(ValueError, match=message):
        fit_em(x, GAUSSIANS)


def test_grey_pixels_are_refused():
    with pytest.raises(ValueError, match="zeros and ones for a Bernoulli mixture"):
        fit_em(torch.full((5, 4), 0.5).double(), BERNOULLIS)


def test_an_image_that_no_component_can_make_is_refused():
    start = BernoulliMixture(double([0.5, 0.5]), double([[0, 0.5], [0, 0.9]]))
    x = double([[0, 1], [1, 1], [0, 0]])
    with pytest.raises(ValueError, match="a row of x is impossible under every"):
        fit_em(x, start)


def test_a_component_falls_onto_two_equal_rows_unless_a_prior_holds_it():
    x = torch.cat([draw(GAUSSIANS, 50), double([[20, 20], [20, 20]])])
    start = gaussian_start(x, double([[0, 0], [20, 20]]))
    with pytest.raises(CollapsedComponentError, match=r"component 1: .*Give a prior"):
        fit_em(x, start)
    run = fit_em(x, start, prior=InverseWishart(4, 0.1 * torch.eye(2).double()))
    assert run.converged and np.all(np.diff(run.objective) > -1e-12)
    np.testing.assert_allclose(run.mixture.mu[1], [20, 20], atol=1e-6)
    expected = 0.1 / (2 + 4 + 2 + 1) * np.eye(2)
    np.testing.assert_allclose(run.mixture.cov[1], expected, atol=1e-6)


def test_a_component_that_explains_no_row_is_refused():
    x = draw(GAUSSIANS, 50)
    far = GAUSSIANS._replace(mu=double([[0, 0], [2, 1], [900, 900]]))
    with pytest.raises(CollapsedComponentError, match=r"component 2: its weight"):
        fit_em(x, far)
