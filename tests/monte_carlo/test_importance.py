"""Estimates: exact identities, honest errors, and the number of draws asked for."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, signal, stats
from scipy.special import logsumexp

from vaebook.likelihood import gaussian_log_prob
from vaebook.monte_carlo import (
    Estimate,
    chain_estimate,
    effective_sample_size,
    estimate,
    importance_estimate,
    iw_log_evidence,
    log_mean_exp,
    self_normalized_estimate,
    tail_index,
)
from vaebook.reparameterization import gaussian_rsample

pytestmark = pytest.mark.usefixtures("one_thread")


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def draw(rng, *shape):
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def scalar_log_w(num_samples, *, rng, mu=1.0, var=1.0, runs=1):
    """Log-weights (S, runs): z ~ N(0, 1), x | z ~ N(z, 1), x = 2; q = N(mu, var)."""
    mu, log_var = double([[mu]] * runs), double([[var]] * runs).log()
    z, zero = (
        gaussian_rsample(mu, log_var, num_samples, rng=rng),
        torch.zeros(1).double(),
    )
    log_joint = gaussian_log_prob(z, zero, zero) + gaussian_log_prob(zero + 2, z, zero)
    return log_joint - gaussian_log_prob(z, mu, log_var)


LOG_EVIDENCE = -2.2655121235


JOINT, Q = double([0.10, 0.25, 0.05]), double([0.5, 0.2, 0.3])


EVIDENCE = 0.4


VALUES = double([-1.0, 0.5, 3.0])


def every_draw(q, num_samples):
    """All sequences of draws from q, (S, G) indices, and the probability of each."""
    one = torch.arange(len(q))
    z = torch.cartesian_prod(*[one] * num_samples).reshape(-1, num_samples).T
    return z, q[z].prod(0)


def every_count(heavy, light, num_samples):
    """(S, S + 1): 0, 1, ..., S of the draws are ``heavy``, the others ``light``."""
    place = torch.arange(num_samples)[:, None]
    return torch.where(place < torch.arange(num_samples + 1), heavy, light)


def runs_of_estimate(rng):
    values = torch.rand(200, 400, generator=rng)
    return 0.5, [estimate(v) for v in values.T]


def runs_of_importance(rng, method=importance_estimate, log_constant=0.0):
    """E_p[z^2] = 1 for p = N(0, 1), from 500 draws of q = N(0, 1.5^2)."""
    eps = draw(rng, 400, 500)
    z = 1.5 * eps
    log_w = math.log(1.5) + (eps.square() - z.square()) / 2 + log_constant
    return 1.0, [method(f, w) for f, w in zip(z.square(), log_w, strict=True)]


def runs_of_self_normalized(rng):
    return runs_of_importance(rng, self_normalized_estimate, -700.0)


def runs_of_evidence(rng):
    found = iw_log_evidence(lambda s: scalar_log_w(s, rng=rng, runs=400), 2000)
    pairs = zip(found.value.tolist(), found.standard_error.tolist(), strict=True)
    return LOG_EVIDENCE, [Estimate(*pair, 2000) for pair in pairs]


def runs_of_chain(rng):
    """An autoregressive series, x_s = 0.8 x_{s-1} + noise, of mean 3."""
    noise = draw(rng, 400, 4500).numpy()
    chains = 3 + signal.lfilter([1], [1, -0.8], noise)[:, 500:]
    return 3.0, [chain_estimate(torch.from_numpy(chain)) for chain in chains]


@pytest.mark.equation(
    "eq-monte-carlo-estimate", against="the normal law of its errors", body="221f31f4"
)
@pytest.mark.equation(
    "eq-monte-carlo-delta", against="the normal law of its errors", body="3fef6308"
)
@pytest.mark.equation(
    "eq-monte-carlo-chain-error",
    against="the normal law of the errors of 400 chains",
    body="3a6d6a68",
)
@pytest.mark.parametrize(
    "runs",
    [
        runs_of_estimate,
        runs_of_importance,
        runs_of_self_normalized,
        runs_of_evidence,
        runs_of_chain,
    ],
)
def test_standard_errors_cover_as_the_normal_law_says(runs, rng):
    """Of 400 runs 95.45% lie inside 2 errors, all inside 5; their scale is 1."""
    truth, found = runs(rng)
    distance = np.array([(mean - truth) / error for mean, error, _ in found])
    p = math.erf(math.sqrt(2))
    inside = (abs(distance) < 2).sum()
    assert len(distance) == 400
    assert abs(inside - 400 * p) < 5 * math.sqrt(400 * p * (1 - p))
    assert abs(distance).max() < 5
    assert abs((distance**2).mean() - 1) < 5 * math.sqrt(2 / 400)


@pytest.mark.equation(
    "eq-monte-carlo-log-mean-exp",
    against="scipy.special.logsumexp with weights 1/S",
    body="ddfb35ae",
)
@pytest.mark.equation(
    "eq-vae-log-mean-exp",
    against="scipy.special.logsumexp with weights 1/K",
    body="12fe8b8b",
)
def test_log_mean_exp_is_scipys(rng):
    log_w = 50 * torch.randn(9, 4, generator=rng, dtype=torch.float64)
    expected = logsumexp(log_w.numpy(), axis=0, b=1 / 9)
    np.testing.assert_allclose(log_mean_exp(log_w), expected, rtol=1e-12)
    expected = logsumexp(log_w.numpy(), axis=1, b=1 / 4)
    np.testing.assert_allclose(log_mean_exp(log_w, dim=1), expected, rtol=1e-12)


@settings(deadline=None)
@given(st.floats(-1e4, 1e4), st.integers(1, 50))
def test_log_mean_exp_of_equal_weights_is_the_weight(log_w, number):
    mean = log_mean_exp(torch.full((number,), log_w, dtype=torch.float64))
    assert mean.item() == pytest.approx(log_w, rel=1e-12, abs=1e-9)


@pytest.mark.equation(
    "eq-monte-carlo-ess", against="numpy, on the weights themselves", body="f936cedf"
)
def test_effective_sample_size_is_that_of_the_weights(rng):
    log_w = draw(rng, 30, 4)
    w = np.exp(log_w.numpy())
    expected = w.sum(0) ** 2 / (w**2).sum(0)
    np.testing.assert_allclose(effective_sample_size(log_w), expected, rtol=1e-12)
    expected = w.sum(1) ** 2 / (w**2).sum(1)
    np.testing.assert_allclose(effective_sample_size(log_w, 1), expected, rtol=1e-12)
    far = (log_w - 2000).float()
    expected = effective_sample_size(far.double())
    np.testing.assert_allclose(effective_sample_size(far), expected, rtol=1e-5)


def test_effective_sample_size_of_known_weights():
    assert effective_sample_size(torch.zeros(10)).item() == pytest.approx(10)
    one_heavy = torch.tensor([0.0, -1e3, -math.inf])
    assert effective_sample_size(one_heavy).item() == pytest.approx(1)
    counted = double([1.0, 2.0, 3.0]).log()
    assert effective_sample_size(counted).item() == pytest.approx(36 / 14)


LOG_WEIGHTS = st.lists(st.floats(-500, 500), min_size=1, max_size=30)


@settings(deadline=None)
@given(LOG_WEIGHTS, st.floats(-1e4, 1e4))
def test_effective_sample_size_is_between_one_and_all(log_w, constant):
    log_w = double(log_w)
    size = effective_sample_size(log_w).item()
    assert 1 - 1e-12 <= size <= len(log_w) * (1 + 1e-12)
    shifted = effective_sample_size(log_w + constant).item()
    assert shifted == pytest.approx(size, rel=1e-9)


@pytest.mark.equation(
    "eq-monte-carlo-importance",
    against="every sequence of draws of a discrete latent",
    body="49316984",
)
@pytest.mark.parametrize("num_samples", [2, 4])
def test_importance_sampling_is_unbiased(num_samples):
    p = JOINT / EVIDENCE
    z, prob = every_draw(Q, num_samples)
    log_w = (p / Q).log()
    found = double([importance_estimate(VALUES[s], log_w[s])[:2] for s in z.T])
    weighted = p / Q * VALUES
    var = (Q @ weighted.square() - (p @ VALUES) ** 2) / num_samples
    averages = [prob @ found[:, 0], prob @ found[:, 1].square()]
    np.testing.assert_allclose(averages, [p @ VALUES, var], rtol=1e-12)


def second_moment(s, reach):
    """E_q[w^2] over -reach < z < reach, for p = N(0, 1) and q = N(0, s^2)."""

    def integrand(z):
        return math.exp(2 * stats.norm.logpdf(z) - stats.norm.logpdf(z, scale=s))

    return integrate.quad(integrand, -reach, reach, epsabs=1e-12, limit=200)[0]


@pytest.mark.equation(
    "eq-monte-carlo-importance-variance",
    against="quadrature, and effective sizes",
    body="89000537",
)
@pytest.mark.parametrize("s", [0.9, 1.0, 1.5, 3.0])
def test_variance_of_the_weights_of_a_gaussian(s, rng, assert_within):
    moment = s**2 / math.sqrt(2 * s**2 - 1)
    assert second_moment(s, 20) == pytest.approx(moment, rel=1e-9)
    eps = draw(rng, 20_000, 50)
    log_w = math.log(s) + (1 - s**2) * eps.square() / 2
    found = estimate(20_000 / effective_sample_size(log_w))
    assert_within(found.mean, moment, found.standard_error + 1e-12)


def test_variance_of_the_weights_is_infinite_for_half_the_variance_and_less():
    moment = 0.51 / math.sqrt(2 * 0.51 - 1)
    assert second_moment(math.sqrt(0.51), 50) == pytest.approx(moment, rel=1e-9)
    flat = second_moment(math.sqrt(0.5), 20) / second_moment(math.sqrt(0.5), 10)
    assert flat == pytest.approx(2, rel=1e-9)
    assert second_moment(0.6, 20) > 1e10 * second_moment(0.6, 10)


@pytest.mark.equation(
    "eq-monte-carlo-self-normalized",
    against="numpy.average, and the influence of each draw by autograd",
    body="adef747a",
)
def test_self_normalized_mean_and_error(rng):
    values, log_w = draw(rng, 40), 2 * draw(rng, 40)
    mean, error, number = self_normalized_estimate(values, log_w)
    w = np.exp(log_w.numpy())
    assert mean == pytest.approx(np.average(values.numpy(), weights=w), rel=1e-12)
    count = torch.ones(40, dtype=torch.float64, requires_grad=True)  # of each draw
    weighted = count * log_w.exp()
    (influence,) = torch.autograd.grad(weighted @ values / weighted.sum(), count)
    assert error == pytest.approx(influence.norm().item(), rel=1e-12)
    assert number == 40


@settings(deadline=None)
@given(st.floats(-1e4, 1e4))
def test_self_normalized_estimate_needs_no_constant(constant):
    values, log_w = double([1.0, -2.0, 0.5]), double([0.0, 1.0, 3.0])
    plain = self_normalized_estimate(values, log_w)
    shifted = self_normalized_estimate(values, log_w + constant)
    assert shifted == pytest.approx(plain, rel=1e-9)


def test_bias_of_self_normalization_is_of_order_one_over_s():
    """Exactly, over a binomial number of the draws that have z = 1."""
    p, q, num_samples = 0.3, 0.6, 400
    log_w = every_count(math.log(p / q), math.log((1 - p) / (1 - q)), num_samples).T
    z = every_count(1.0, 0.0, num_samples).double().T
    found = [self_normalized_estimate(*s).mean for s in zip(z, log_w, strict=True)]
    prob = stats.binom.pmf(np.arange(num_samples + 1), num_samples, q)
    heavy, light = (p / q) ** 2 * q * (1 - p), ((1 - p) / (1 - q)) ** 2 * (1 - q) * -p
    bias = -(heavy + light) / num_samples  # -E_q[w^2 (f - E_p f)] / S
    assert prob @ found - p == pytest.approx(bias, rel=0.02)


def test_importance_estimates_do_not_lose_digits_of_float32(rng):
    values = 1e4 + torch.randn(1000, generator=rng)
    log_w = torch.randn(1000, generator=rng)
    exact = self_normalized_estimate(values.double(), log_w.double())
    assert self_normalized_estimate(values, log_w) == pytest.approx(exact, rel=1e-12)
    exact = importance_estimate(values.double(), log_w.double())
    assert importance_estimate(values, log_w) == pytest.approx(exact, rel=1e-12)
    far = torch.full((2,), 100.0)  # exp(100) overflows in float32
    assert importance_estimate(torch.ones(2), far).mean == pytest.approx(math.exp(100))


def hill(log_w, largest):
    ordered = np.sort(log_w)[::-1]
    return (ordered[:largest] - ordered[largest]).mean()


@pytest.mark.parametrize(
    ("num_samples", "largest"), [(25, 15), (100, 30), (101, 31), (10_000, 300)]
)
def test_tail_index_is_hills_estimator(num_samples, largest, rng):
    log_w = draw(rng, num_samples, 2, 3)
    found = tail_index(log_w)
    expected = np.apply_along_axis(hill, 0, log_w.numpy(), largest)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(tail_index(log_w[:, 0, 0]), expected[0, 0], rtol=1e-12)
    np.testing.assert_allclose(tail_index(log_w - 3e3), expected, rtol=1e-9)


@pytest.mark.equation(
    "eq-monte-carlo-tail-index",
    against="Pareto draws, whose index is known",
    body="5053c298",
)
@pytest.mark.parametrize("k", [0.2, 0.5, 1.0])
def test_tail_index_of_pareto_weights(k, rng, assert_within):
    log_w = -k * torch.rand(10_000, 100, generator=rng, dtype=torch.float64).log()
    assert_within(tail_index(log_w).mean(), k, k / math.sqrt(300 * 100))


@pytest.mark.equation(
    "eq-monte-carlo-tail-index",
    against="the tail probability by scipy.stats.norm",
    body="5053c298",
)
@pytest.mark.parametrize("s", [0.3, 0.5, 0.6, 0.8, 0.9])
def test_tail_index_finds_the_infinite_variance(s, rng):
    """20 runs of 100,000 draws: every one on the right side of 1/2, if a little low."""
    log_w = (1 - s**2) * draw(rng, 100_000, 20).square() / 2 + math.log(s)
    found = tail_index(log_w)
    assert ((found > 0.5) == (s**2 < 0.5)).all()
    log_t = 1e5  # P(w > t) falls as t^(-1/k)
    tail = stats.norm.logsf(math.sqrt(2 * (log_t - math.log(s)) / (1 - s**2)))
    assert -log_t / tail == pytest.approx(1 - s**2, rel=1e-3)
    assert 0.85 < found.mean() / (1 - s**2) < 1


def test_standard_errors_mean_nothing_where_the_tail_index_warns(rng):
    """q = N(0, 0.5^2) for p = N(0, 1): E_p[z^2] = 1 is outside most intervals."""
    eps = draw(rng, 400, 500)
    log_w = math.log(0.5) + 0.75 * eps.square() / 2
    pairs = zip(0.25 * eps.square(), log_w, strict=True)
    found = [importance_estimate(f, w) for f, w in pairs]
    missed = sum(abs(mean - 1) > 2 * error for mean, error, _ in found)
    assert missed > 100
    assert (tail_index(log_w.T) > 0.5).double().mean() > 0.9


@pytest.mark.equation(
    "eq-monte-carlo-delta",
    against="scipy.stats.sem of the weights over their mean",
    body="3fef6308",
)
@pytest.mark.parametrize("chunk", [1, 7, 40, 100])
def test_chunks_change_nothing(rng, chunk):
    """All the draws, exactly once, whatever the chunk: against numpy on the lot."""
    log_w = 3 * torch.randn(40, 5, generator=rng, dtype=torch.float64)
    rest = iter(log_w.split(1))
    result = iw_log_evidence(
        lambda s: torch.cat([next(rest) for _ in range(s)]), 40, chunk=chunk
    )
    assert next(rest, None) is None
    w = np.exp(log_w.numpy())
    np.testing.assert_allclose(result.value, np.log(w.mean(0)), rtol=1e-12)
    error = stats.sem(w, axis=0) / w.mean(0)
    np.testing.assert_allclose(result.standard_error, error, rtol=1e-9)
    np.testing.assert_allclose(result.ess, w.sum(0) ** 2 / (w**2).sum(0), rtol=1e-9)


@pytest.mark.equation(
    "eq-monte-carlo-iw-bound",
    against="the exact evidence of a solved scalar model",
    body="9dea5402",
)
@pytest.mark.equation(
    "eq-vae-iw-bound",
    against="the exact evidence of a solved scalar model",
    body="d597cea8",
)
@pytest.mark.parametrize("rng", range(5), indirect=True)
def test_evidence_of_the_solved_model(rng, assert_within):
    result = iw_log_evidence(lambda s: scalar_log_w(s, rng=rng), 20_000)
    assert_within(result.value, LOG_EVIDENCE, result.standard_error)
    assert result.ess > 5_000


def test_exact_posterior_has_no_error(rng):
    result = iw_log_evidence(lambda s: scalar_log_w(s, rng=rng, var=0.5), 10)
    assert result.value.item() == pytest.approx(LOG_EVIDENCE, abs=1e-10)
    assert result.ess.item() == pytest.approx(10, rel=1e-9)


def expected_bound(num_samples):
    r"""E log mean w of ``scalar_log_w`` by quadrature alone.

    E log W = int_0^inf (exp(-t) - E[exp(-t W)]) dt / t (Frullani), where the
    expectation for S independent weights is the S-th power of that for one.
    """
    z = np.linspace(-9, 11, 2001)
    log_q = stats.norm.logpdf(z, 1)
    log_w = stats.norm.logpdf(z) + stats.norm.logpdf(2, z) - log_q
    t = np.exp(np.linspace(-30, 30, 1501))
    one = np.exp(log_q - t[:, None] * np.exp(log_w) / num_samples).sum(1) * 0.01
    return ((np.exp(-t) - one**num_samples) * 0.04).sum()


@pytest.mark.equation(
    "eq-monte-carlo-rises", against="quadrature of the expected bound", body="f9ffdf9a"
)
@pytest.mark.equation(
    "eq-vae-iw-order",
    against="the exact ELBO and evidence of a solved model",
    body="b6fe2d29",
)
def test_bound_rises_with_the_number_of_samples(rng, assert_within):
    """K = 1 is the ELBO; more samples lift the expected bound, never past log p(x)."""
    log_w = scalar_log_w(200_000, rng=rng)[:, 0]
    bounds = [estimate(log_mean_exp(log_w.reshape(-1, k), dim=1)) for k in (1, 5, 50)]
    means = [b.mean for b in bounds]
    errors = [b.standard_error for b in bounds]
    exact = [expected_bound(k) for k in (1, 5, 50)]
    assert exact == pytest.approx(
        [-2.4189385332, -2.2825748946, -2.2670731376], abs=1e-9
    )
    assert_within(means, exact, errors)
    assert means[0] + 5 * errors[0] < means[1] < means[2] < LOG_EVIDENCE + 5 * errors[2]
    gain = log_mean_exp(log_w.reshape(-1, 50), 1) - log_mean_exp(
        log_w.reshape(-1, 10, 5), 2
    ).mean(1)
    assert (gain >= 0).all()  # by Jensen, on the same draws
    found = estimate(gain)
    assert_within(found.mean, exact[2] - exact[1], found.standard_error)


def positive_numbers():
    return st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(double)


@pytest.mark.equation(
    "eq-monte-carlo-iw-bound",
    against="every sequence of draws of a discrete latent",
    body="9dea5402",
)
@pytest.mark.equation(
    "eq-monte-carlo-rises",
    against="every sequence of draws of a discrete latent",
    body="f9ffdf9a",
)
@settings(deadline=None)
@given(joint=positive_numbers(), q=positive_numbers())
def test_bound_rises_from_the_elbo_towards_the_evidence(joint, q):
    q = q / q.sum()
    log_w = (joint / q).log()
    bounds = []
    for k in range(1, 7):
        z, prob = every_draw(q, k)
        log_mean = log_mean_exp(log_w[z])
        assert (prob @ log_mean.exp()).item() == pytest.approx(joint.sum().item())
        bounds.append((prob @ log_mean).item())
    elbo = (q @ joint.log() - q @ q.log()).item()
    assert bounds[0] == pytest.approx(elbo, abs=1e-12)
    assert (double(bounds).diff() >= -1e-12).all()
    assert bounds[-1] <= joint.sum().log() + 1e-12


def test_bound_rises_strictly_unless_the_weights_are_equal():
    bounds = []
    for k in range(1, 7):
        z, prob = every_draw(Q, k)
        bounds.append(prob @ log_mean_exp((JOINT / Q).log()[z]))
    assert (double(bounds).diff() > 1e-3).all() and bounds[-1] < math.log(EVIDENCE)


@pytest.mark.equation(
    "eq-monte-carlo-log-bias",
    against="exact sums over a binomial number of weights",
    body="5492a326",
)
def test_bias_of_the_log_evidence():
    heavy, light, q = 1.6, 0.4, 0.3
    evidence = q * heavy + (1 - q) * light
    var = q * (1 - q) * (heavy - light) ** 2
    for num_samples, rel in [(100, 0.02), (400, 0.005)]:
        log_w = every_count(math.log(heavy), math.log(light), num_samples).double()
        prob = stats.binom.pmf(np.arange(num_samples + 1), num_samples, q)
        bias = prob @ log_mean_exp(log_w).numpy() - math.log(evidence)
        expected = -var / (2 * num_samples * evidence**2)
        assert bias == pytest.approx(expected, rel=rel)


@pytest.mark.parametrize(("samples", "chunk"), [(1, 100), (0, 100), (10, 0)])
def test_impossible_numbers_of_samples_are_refused(samples, chunk):
    with pytest.raises(ValueError, match=f"received {samples} and {chunk}"):
        iw_log_evidence(lambda s: torch.zeros(s, 1), samples, chunk=chunk)


def test_two_draws_are_enough():
    found = iw_log_evidence(lambda s: double([[0.0], [1.0]]), 2)
    w = [1, math.e]
    assert found.value.item() == pytest.approx(math.log(np.mean(w)))
    assert found.standard_error.item() == pytest.approx(stats.sem(w) / np.mean(w))
    assert importance_estimate(double(w), double([0, 1])).mean == pytest.approx(
        (1 + math.e**2) / 2
    )


def test_no_chunk_is_larger_than_its_default(rng):
    asked = []
    iw_log_evidence(lambda s: asked.append(s) or torch.zeros(s, 1), 250)
    assert asked == [100, 100, 50]


def test_float32_weights_are_added_up_in_float64(rng):
    log_w = -2000 + torch.randn(5000, 3, generator=rng)
    parts = iter(log_w.split(100))
    result = iw_log_evidence(lambda s: next(parts), 5000)
    expected = logsumexp(log_w.double().numpy(), axis=0, b=1 / 5000)
    assert result.value.dtype == torch.float64
    np.testing.assert_allclose(result.value, expected, rtol=1e-12)


def test_equal_weights_have_no_error_and_full_size():
    log_w = torch.linspace(-300, 0, 500)  # many, for rounding goes either way
    result = iw_log_evidence(lambda s: log_w.expand(s, 500), 7, chunk=3)
    assert (result.standard_error < 1e-7).all()
    np.testing.assert_allclose(result.ess, 7, rtol=1e-12)


def test_draws_of_weight_zero_count_as_draws():
    log_w = double([[0.0], [-math.inf], [-math.inf], [0.0]])
    assert log_mean_exp(log_w).item() == pytest.approx(math.log(0.5))
    rows = iter(log_w.split(1))  # so that two chunks hold nothing but zeros
    found = iw_log_evidence(lambda s: next(rows), 4, chunk=1)
    assert found.value.item() == pytest.approx(math.log(0.5))
    assert found.ess.item() == pytest.approx(2)
    assert found.standard_error.item() == pytest.approx(stats.sem([1, 0, 0, 1]) / 0.5)
    assert log_mean_exp(log_w[1:3]).item() == -math.inf


NAN, INF = double([0.0, math.nan, 1.0]), double([0.0, math.inf, 1.0])


NONE, THREE = torch.full((3,), -math.inf), torch.zeros(3)


def of_draws(log_w, num_samples=3):
    return iw_log_evidence(lambda s: log_w, num_samples)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: estimate(NAN), "values must be finite; received nan"),
        (lambda: estimate(-INF), "values must be finite; received -inf"),
        (
            lambda: log_mean_exp(torch.zeros(0)),
            "samples must be at least 1; received 0",
        ),
        (lambda: log_mean_exp(torch.zeros(3, 0), 1), "at least 1; received 0"),
        (lambda: log_mean_exp(torch.tensor(1.0)), "at least 1; received 0"),
        (lambda: log_mean_exp(NAN), "log_w must be below infinity; received nan"),
        (lambda: log_mean_exp(INF), "log_w must be below infinity; received inf"),
        (lambda: effective_sample_size(torch.zeros(0, 3)), "at least 1; received 0"),
        (lambda: effective_sample_size(NAN), "log_w .* received nan"),
        (lambda: effective_sample_size(NONE), "hold 1 weights above 0; received fewer"),
        (
            lambda: importance_estimate(THREE, torch.zeros(4)),
            r"values and log_w must have one shape; received values \(3,\), .*\(4,\)",
        ),
        (lambda: importance_estimate(THREE[:1], THREE[:1]), "at least 2; received 1"),
        (lambda: importance_estimate(THREE, NAN), "log_w .* received nan"),
        (lambda: importance_estimate(THREE, INF), "log_w .* received inf"),
        (lambda: importance_estimate(NAN, THREE), "values must be finite"),
        (
            lambda: importance_estimate(THREE[None], THREE[None]),
            "at least 2; received 1",
        ),
        (
            lambda: self_normalized_estimate(THREE, torch.zeros(3, 1)),
            "values and log_w must have one shape",
        ),
        (
            lambda: self_normalized_estimate(torch.zeros(3, 3), torch.zeros(3, 3)),
            r"values must be one axis of at least 2 draws; received \(3, 3\)",
        ),
        (lambda: self_normalized_estimate(THREE[:1], THREE[:1]), r"received \(1,\)"),
        (lambda: self_normalized_estimate(THREE, NAN), "log_w .* received nan"),
        (lambda: self_normalized_estimate(INF, THREE), "values must be finite"),
        (lambda: self_normalized_estimate(THREE, NONE), "log_w must hold 1 weights"),
        (lambda: tail_index(torch.zeros(24, 30)), "at least 25; received 24"),
        (lambda: tail_index(torch.cat([NAN, torch.zeros(30)])), "received nan"),
        (
            lambda: tail_index(torch.cat([torch.zeros(18), NONE.repeat(5)])),
            "log_w must hold 19 weights above 0; received fewer",
        ),
        (lambda: of_draws(torch.zeros(3)), r"draw_log_w\(3\) .* received \(3,\)"),
        (lambda: of_draws(torch.zeros(4, 2)), r"\(3, any\); received \(4, 2\)"),
        (lambda: of_draws(NAN[:, None]), "log_w must be below infinity; received nan"),
        (lambda: of_draws(INF[:, None]), "log_w must be below infinity; received inf"),
        (lambda: of_draws(torch.stack([NONE, THREE], 1)), "log_w must hold 1 weights"),
    ],
)
def test_improper_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_tail_index_needs_no_more_than_the_largest_weights():
    log_w = torch.cat([torch.arange(19.0), NONE.repeat(5)])  # 34 draws: 18, and one
    assert tail_index(log_w).item() == pytest.approx(9.5)
