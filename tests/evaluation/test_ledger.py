"""The gap and its parts: against a linear model, where each has a closed form."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from vaebook.autoencoder import Autoencoder
from vaebook.evaluation import (
    Ledger,
    PerImage,
    agreement,
    combined,
    elbo_gain,
    gap_ledger,
    grid_log_evidence,
    mean_of_draws,
)
from vaebook.linear_vae import diagonal_gap
from vaebook.vae import Posterior

pytestmark = pytest.mark.usefixtures("one_thread")


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def draw(rng, *shape):
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def known(value):
    """A quantity without an error."""
    return PerImage(value, torch.zeros_like(value))


def best_q(exact, x):
    """Of a linear model: the posterior mean, one over the precision's diagonal."""
    mu, cov = exact.posterior(x)
    log_var = -torch.linalg.inv(cov).diagonal().log()
    return Posterior(mu, log_var.expand_as(mu))


# The arithmetic


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_mean_of_draws_is_numpys_with_its_error(rng, dtype):
    draws = (3 + draw(rng, 40, 5)).to(dtype)
    value, error = mean_of_draws(draws)
    given = draws.double().numpy()
    np.testing.assert_allclose(value, given.mean(0), rtol=1e-12)
    np.testing.assert_allclose(error, stats.sem(given), rtol=1e-12)
    assert value.dtype == error.dtype == torch.float64


def test_one_draw_has_no_error_and_is_refused():
    with pytest.raises(ValueError, match="number of draws must be at least 2; receive"):
        mean_of_draws(torch.zeros(1, 5))


def test_values_combine_with_their_signs_and_errors_by_their_squares():
    a = PerImage(double([1.0, 2.0]), double([0.3, 0.0]))
    b = PerImage(double([5.0, 1.0]), double([0.4, 0.5]))
    c = PerImage(double([0.5, 0.0]), double([1.2, 1.2]))
    value, error = combined((1, a), (-1, b), (-1, c))
    np.testing.assert_allclose(value, [-4.5, 1.0], rtol=1e-12)
    np.testing.assert_allclose(error, [1.3, 1.3], rtol=1e-12)
    value, error = combined((1, a), (1, b))
    np.testing.assert_allclose(value, [6.0, 3.0], rtol=1e-12)
    np.testing.assert_allclose(error, [0.5, 0.5], rtol=1e-12)


def test_agreement_is_mean_error_and_share_of_images_beyond_two(rng):
    value = double([0.1, -0.5, 0.3, 0.0, 1.0])
    error = double([0.1, 0.2, 0.1, 0.3, 0.6])
    found = agreement(PerImage(value, error))
    assert found.mean == pytest.approx(0.18, rel=1e-12)
    expected = np.sqrt(0.01 + 0.04 + 0.01 + 0.09 + 0.36) / 5
    assert found.standard_error == pytest.approx(expected, rel=1e-12)
    assert found.beyond == pytest.approx(2 / 5, rel=1e-12)
    assert all(isinstance(part, float) for part in found)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_agreement_of_normal_noise_is_as_the_normal_law_says(rng, assert_within):
    error = 0.1 + torch.rand(4000, generator=rng, dtype=torch.float64)
    found = agreement(PerImage(error * draw(rng, 4000), error))
    assert_within(found.mean, 0, found.standard_error)
    p = 2 * stats.norm.sf(2)
    assert_within(found.beyond, p, math.sqrt(p * (1 - p) / 4000))


# One q better than another


def test_gain_is_scipys_at_the_same_noise(tiny, plane, log_joint):
    for model, x in (tiny, plane):
        shape = len(x), model.latent_dim
        rng = seeded(3)
        better, worse = (
            Posterior(draw(rng, *shape), 0.3 * draw(rng, *shape)) for _ in range(2)
        )
        found = elbo_gain(model, x, better, worse, 6, rng=seeded(1))
        eps, log_w = draw(seeded(1), 6, *shape).numpy(), []
        for q in (better, worse):
            mu, sigma = q.mu.numpy(), np.exp(q.log_var.numpy() / 2)
            z = mu + sigma * eps
            log_q = stats.norm.logpdf(z, mu, sigma).sum(-1)
            log_w.append(log_joint(model, x, z) - log_q)
        gain = log_w[0] - log_w[1]
        np.testing.assert_allclose(found.value.detach(), gain.mean(0), rtol=1e-9)
        error = found.standard_error.detach()
        np.testing.assert_allclose(error, stats.sem(gain), rtol=1e-9)


@pytest.mark.equation(
    "eq-evaluation-ledger",
    against="the two ELBOs of a linear model in closed form",
    body="04f877f8",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_gain_is_the_difference_of_exact_elbos(linear, rng, exact_elbo, assert_within):
    model, exact, x = linear
    best, own = best_q(exact, x), Posterior(*(v.detach() for v in model.posterior(x)))
    with torch.no_grad():
        value, error = elbo_gain(model, x, best, own, 3000, rng=rng)
    truth = exact_elbo(exact, x, best) - exact_elbo(exact, x, own)
    assert truth.min() > 0.01
    assert_within(value, truth, error)


def test_gain_over_itself_is_nothing_and_turned_round_changes_sign(tiny):
    model, x = tiny
    own = model.posterior(x)
    other = Posterior(own.mu + 0.3, own.log_var)
    same = elbo_gain(model, x, own, own, 5, rng=seeded())
    assert (same.value == 0).all()
    there, back = (
        elbo_gain(model, x, *pair, 5, rng=seeded())
        for pair in ((own, other), (other, own))
    )
    np.testing.assert_allclose(there.value.detach(), -back.value.detach(), rtol=1e-12)


def test_most_noise_of_a_gain_cancels(linear, rng, exact_elbo):
    """The same draws for both: a smaller error than that of two bounds apart."""
    model, exact, x = linear
    best = best_q(exact, x)
    near = Posterior(best.mu + 0.05, best.log_var + 0.05)
    with torch.no_grad():
        gain = elbo_gain(model, x, best, near, 1000, rng=rng)
        ledger = gap_ledger(
            model, x, near, (known(exact.log_evidence(x)),) * 2, rng=rng
        )
    assert (gain.standard_error < 0.5 * ledger.approximation.standard_error).all()


# The ledger


def linear_truth(exact, x, own, exact_elbo):
    """Total, approximation and amortisation of each image in closed form."""
    evidence = exact.log_evidence(x)
    approximation = diagonal_gap(exact).expand_as(evidence)
    amortisation = exact_elbo(exact, x, best_q(exact, x)) - exact_elbo(exact, x, own)
    return evidence - exact_elbo(exact, x, own), approximation, amortisation


@pytest.mark.equation(
    "eq-evaluation-ledger",
    against="the closed forms of a linear model, image by image",
    body="04f877f8",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_parts_of_a_linear_model_are_the_closed_forms(
    linear, rng, exact_elbo, assert_within
):
    model, exact, x = linear
    evidence = known(exact.log_evidence(x))
    ledger = gap_ledger(model, x, best_q(exact, x), (evidence, evidence), rng=rng)
    own = Posterior(*(v.detach() for v in model.posterior(x)))
    truth = linear_truth(exact, x, own, exact_elbo)
    np.testing.assert_allclose(truth[0], truth[1] + truth[2], rtol=1e-9)
    for part, expected in zip(ledger, (*truth, torch.zeros(4)), strict=True):
        assert part.standard_error.max() < 0.2
        assert_within(part.value, expected, part.standard_error)


@pytest.mark.equation(
    "eq-evaluation-ledger",
    against="the sum of its parts, whatever the evidence",
    body="04f877f8",
)
def test_total_is_the_sum_of_the_other_three(tiny, rng):
    model, x = tiny
    evidence = [PerImage(draw(rng, 8), draw(rng, 8).abs()) for _ in range(2)]
    q = Posterior(draw(rng, 8, 1), draw(rng, 8, 1))
    total, *others = gap_ledger(model, x, q, evidence, num_samples=5, rng=rng)
    summed = sum(part.value.numpy() for part in others)
    np.testing.assert_allclose(total.value, summed, rtol=1e-10, atol=1e-12)


def test_ledger_is_the_draws_in_their_order(tiny, log_joint):
    """Own bound, best bound and gain, each from fresh noise, by scipy."""
    model, x = tiny
    rng = seeded(2)
    refined = Posterior(draw(rng, 8, 1), 0.3 * draw(rng, 8, 1))
    first, second = (PerImage(draw(rng, 8), draw(rng, 8).abs()) for _ in range(2))
    found = gap_ledger(model, x, refined, (first, second), num_samples=7, rng=seeded())
    own, noise = Posterior(*(v.detach() for v in model.posterior(x))), seeded()

    def log_weights(q, eps):
        mu, sigma = q.mu.numpy(), np.exp(q.log_var.numpy() / 2)
        z = mu + sigma * eps.numpy()
        return log_joint(model, x, z) - stats.norm.logpdf(z, mu, sigma).sum(-1)

    of_own = log_weights(own, draw(noise, 7, 8, 1))
    of_best = log_weights(refined, draw(noise, 7, 8, 1))
    eps = draw(noise, 7, 8, 1)
    gain = log_weights(refined, eps) - log_weights(own, eps)
    total = first.value.numpy() - of_own.mean(0)
    approximation = second.value.numpy() - of_best.mean(0)
    errors = [
        np.hypot(first.standard_error.numpy(), stats.sem(of_own)),
        np.hypot(second.standard_error.numpy(), stats.sem(of_best)),
        stats.sem(gain),
    ]
    left = total - approximation - gain.mean(0)
    values = [total, approximation, gain.mean(0), left]
    errors.append(np.sqrt(np.square(errors).sum(0)))
    for part, value, error in zip(found, values, errors, strict=True):
        np.testing.assert_allclose(part.value, value, rtol=1e-9)
        np.testing.assert_allclose(part.standard_error, error, rtol=1e-9)


@pytest.mark.equation(
    "eq-evaluation-ledger",
    against="the normal law of 300 repeats of each image",
    body="04f877f8",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_every_part_is_as_far_off_as_its_error_says(
    linear, rng, exact_elbo, assert_within
):
    """In errors: mean 0, mean square 1; one in twenty of the last beyond 2."""
    model, exact, x = linear
    images = x.repeat(300, 1)
    evidence = known(exact.log_evidence(images))
    pair = evidence, evidence
    found = gap_ledger(model, images, best_q(exact, images), pair, rng=rng)
    own = Posterior(*(v.detach() for v in model.posterior(x)))
    truth = linear_truth(exact, x, own, exact_elbo)
    for part, expected in zip(found, (*truth, torch.zeros(4)), strict=True):
        off = (part.value - expected.repeat(300)) / part.standard_error
        assert abs(off.mean()) < 5 / math.sqrt(1200)
        assert abs(off.square().mean() - 1) < 5 * math.sqrt(2 / 1200)
    result = agreement(found.monte_carlo)
    assert_within(result.mean, 0, result.standard_error)
    p = 2 * stats.norm.sf(2)
    assert_within(result.beyond, p, math.sqrt(p * (1 - p) / 1200))


@pytest.mark.equation(
    "eq-evaluation-ledger",
    against="an evidence that is wrong by a known amount",
    body="04f877f8",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_wrong_evidence_shows_in_the_row_of_monte_carlo(linear, rng, assert_within):
    """Wrong twice by the same it does not: the two must be independent."""
    model, exact, x = linear
    x = x.repeat(50, 1)
    right, wrong = (known(exact.log_evidence(x) + off) for off in (0.0, -0.3))
    found = {}
    for name, pair in (
        ("none", (right, right)),
        ("first", (wrong, right)),
        ("second", (right, wrong)),
        ("both", (wrong, wrong)),
    ):
        ledger = gap_ledger(model, x, best_q(exact, x), pair, num_samples=300, rng=rng)
        found[name] = agreement(ledger.monte_carlo)
    for name, truth in (("none", 0), ("first", -0.3), ("second", 0.3), ("both", 0)):
        assert_within(found[name].mean, truth, found[name].standard_error)
        far = abs(found[name].mean) > 10 * found[name].standard_error
        assert far == (truth != 0)
        assert (found[name].beyond > 0.15) == (truth != 0)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_parts_of_a_binary_model_are_those_of_quadrature(
    tiny, rng, quadrature_elbo, assert_within
):
    model, x = tiny
    evidence = grid_log_evidence(model, x)
    refined = Posterior(torch.full((8, 1), 0.2), torch.full((8, 1), -1.0))
    refined = Posterior(*(part.double() for part in refined))
    bounds = [
        [quadrature_elbo(model, x[n], q.mu[n].numpy(), q.log_var[n].numpy())]
        for q in (Posterior(*(v.detach() for v in model.posterior(x))), refined)
        for n in range(8)
    ]
    own, best = np.reshape(bounds, (2, 8))
    found = gap_ledger(model, x, refined, (known(evidence), known(evidence)), rng=rng)
    truth = evidence.numpy() - own, evidence.numpy() - best, best - own, np.zeros(8)
    for part, expected in zip(found, truth, strict=True):
        assert_within(part.value, expected, part.standard_error)


def test_images_some_at_a_time_keep_their_own_q(plane, monkeypatch):
    """As if each were alone, one after the other."""
    model, x = plane
    rng = seeded(5)
    refined = Posterior(draw(rng, 3, 2), 0.3 * draw(rng, 3, 2))
    pair = tuple(PerImage(draw(rng, 3), draw(rng, 3).abs()) for _ in range(2))
    rng, expected = seeded(1), []
    for n in range(3):
        one = slice(n, n + 1)
        q = Posterior(*(part[one] for part in refined))
        evidence = tuple(PerImage(*(part[one] for part in p)) for p in pair)
        expected.append(gap_ledger(model, x[one], q, evidence, num_samples=9, rng=rng))
    monkeypatch.setattr("vaebook.evaluation.requests.HELD", 17)
    found = gap_ledger(model, x, refined, pair, num_samples=9, rng=seeded(1))
    for name in Ledger._fields:
        alone = [getattr(ledger, name) for ledger in expected]
        for field in PerImage._fields:
            ours = getattr(getattr(found, name), field)
            theirs = torch.cat([getattr(part, field) for part in alone])
            np.testing.assert_allclose(ours, theirs, rtol=1e-10)


@pytest.mark.parametrize(("given", "number"), [({}, 1000), ({"num_samples": 3}, 3)])
def test_exactly_the_requested_draws_are_made(tiny, rng, given, number):
    """Two bounds, and a gain of two ends."""
    model, x = tiny
    drawn, original = [], model.log_likelihood
    model.log_likelihood = lambda x, z: drawn.append(len(z)) or original(x, z)
    evidence = known(torch.zeros(8).double())
    gap_ledger(model, x, model.posterior(x), (evidence, evidence), rng=rng, **given)
    assert drawn == [number] * 4


def test_answers_have_no_graph(tiny, rng):
    model, x = tiny
    evidence = known(torch.zeros(8).double())
    refined = model.posterior(x)
    found = gap_ledger(model, x, refined, (evidence, evidence), num_samples=4, rng=rng)
    for part in found:
        assert not part.value.requires_grad
        assert not part.standard_error.requires_grad
        assert part.value.shape == part.standard_error.shape == (8,)


def test_same_seed_same_answer_and_another_seed_another(tiny):
    model, x = tiny
    evidence, q = known(torch.zeros(8).double()), model.posterior(x)
    found = [
        gap_ledger(
            model, x, q, (evidence, evidence), num_samples=4, rng=seeded(seed)
        ).total.value
        for seed in (0, 0, 1)
    ]
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize(
    ("q_shape", "first", "second", "message"),
    [
        ((7, 1), 8, 8, r"refined.mu must be of shape \(8, 1\); received \(7, 1\)"),
        ((8, 2), 8, 8, r"refined.mu must be of shape \(8, 1\); received \(8, 2\)"),
        ((8, 1), 7, 8, r"the first evidence must be of shape \(8\); received \(7,\)"),
        ((8, 1), 8, 1, r"the second evidence must be of shape \(8\); received \(1,\)"),
    ],
)
def test_what_does_not_fit_the_images_is_refused(
    tiny, rng, q_shape, first, second, message
):
    model, x = tiny
    q = Posterior(torch.zeros(q_shape), torch.zeros(q_shape))
    pair = known(torch.zeros(first)), known(torch.zeros(second))
    with pytest.raises(ValueError, match=message):
        gap_ledger(model, x, q, pair, rng=rng)


def test_evidence_that_is_no_pair_is_refused(tiny, rng):
    model, x = tiny
    evidence = known(torch.zeros(8))
    with pytest.raises(ValueError, match="zip"):
        gap_ledger(model, x, model.posterior(x), (evidence,) * 3, rng=rng)


def test_one_draw_for_a_bound_is_refused(tiny, rng):
    model, x = tiny
    pair = known(torch.zeros(8)), known(torch.zeros(8))
    with pytest.raises(ValueError, match="draws must be at least 2; received 1"):
        gap_ledger(model, x, model.posterior(x), pair, num_samples=1, rng=rng)


def test_model_without_a_density_is_refused(tiny, rng):
    model, x = Autoencoder(3, (4,), 1, rng=rng), tiny[1]
    pair = known(torch.zeros(8)), known(torch.zeros(8))
    with pytest.raises(TypeError, match="received Autoencoder"):
        gap_ledger(model, x, Posterior(*torch.zeros(2, 8, 1)), pair, rng=rng)
