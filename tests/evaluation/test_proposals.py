"""Mixtures of proposals: against scipy's densities, numpy, and exact evidence."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats

from vaebook.autoencoder import Autoencoder
from vaebook.evaluation import (
    Mixture,
    MixturePriorVAE,
    anneal,
    best_of,
    blind_starts,
    grid_log_evidence,
    mixture_log_evidence,
    plan_annealing,
    refine_from_several,
    refine_posterior,
    widened,
)
from vaebook.vae import Posterior

pytestmark = pytest.mark.usefixtures("one_thread")


def draw(rng, *shape):
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def rough(num_components, num_images, latent_dim, seed=3):
    """A proposal that nobody refined."""
    mu, log_var = draw(seeded(seed), 2, num_components, num_images, latent_dim)
    return Mixture(0.7 * mu, 0.4 * log_var - 0.5)


def mixture_by_scipy(proposal, z):
    """log q(z) of codes (S, N, L), from scipy's normals."""
    mu, sigma = proposal.mu.numpy(), np.exp(proposal.log_var.numpy() / 2)
    each = [stats.norm.logpdf(z, *one).sum(-1) for one in zip(mu, sigma, strict=True)]
    each.append(stats.norm.logpdf(z).sum(-1))
    return special.logsumexp(each, 0) - np.log(len(each))


# The proposal


@pytest.mark.equation(
    "eq-evaluation-mixture-proposal",
    against="scipy's normals and logsumexp",
    body="80f6dffc",
)
@pytest.mark.parametrize("num_components", [1, 2, 4])
def test_log_density_of_a_mixture_is_scipys(tiny, plane, rng, num_components):
    for model, x in (tiny, plane):
        proposal = rough(num_components, len(x), model.latent_dim)
        z = draw(rng, 6, len(x), model.latent_dim)
        found = proposal.log_prob(model, z)
        assert found.shape == (6, len(x))
        expected = mixture_by_scipy(proposal, z.numpy())
        np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.equation(
    "eq-evaluation-mixture-proposal",
    against="scipy.integrate.quad: it integrates to 1",
    body="80f6dffc",
)
def test_mixture_integrates_to_one_for_each_image(tiny):
    model, _ = tiny
    proposal = rough(3, 2, 1)
    for n in range(2):

        def density(z, n=n):
            at = torch.full((1, 2, 1), z, dtype=torch.float64)
            return proposal.log_prob(model, at)[0, n].exp().item()

        assert integrate.quad(density, -12, 12)[0] == pytest.approx(1, rel=1e-8)


def test_each_gaussian_is_widened_twice(plane):
    mu, log_var = rough(3, 4, 2)
    found = widened(Posterior(mu, log_var))
    assert torch.equal(found.mu, torch.cat([mu, mu]))
    sigma, wide = np.exp(log_var.numpy() / 2), np.exp(found.log_var.numpy() / 2)
    np.testing.assert_allclose(wide[:3] / sigma, 1.2, rtol=1e-10)
    np.testing.assert_allclose(wide[3:] / sigma, 2.5, rtol=1e-10)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_no_weight_exceeds_the_likelihood_times_the_components(tiny, rng, log_joint):
    """The prior in the mixture sees to that, far out too."""
    model, x = tiny
    proposal = rough(2, len(x), 1)
    z = 4 * draw(rng, 500, len(x), 1)
    log_w = log_joint(model, x, z) - proposal.log_prob(model, z).numpy()
    log_lik = log_joint(model, x, z) - stats.norm.logpdf(z.numpy()).sum(-1)
    assert (log_w <= log_lik + math.log(3) + 1e-12).all()
    assert (log_w > log_lik + math.log(3) - 1e-6).any()


# Evidence from it


def weights_by_scipy(model, x, proposal, size, rng, log_joint):
    """Log-weights (R + 1, S, N) from the same noise, in the order of components."""
    mu, sigma = proposal.mu.numpy(), np.exp(proposal.log_var.numpy() / 2)
    shape = size, len(x), model.latent_dim
    drawn = [
        one + width * draw(rng, *shape).numpy()
        for one, width in zip(mu, sigma, strict=True)
    ]
    drawn.append(draw(rng, *shape).numpy())
    return np.stack(
        [log_joint(model, x, z) - mixture_by_scipy(proposal, z) for z in drawn]
    )


@pytest.mark.equation(
    "eq-evaluation-mixture-weights",
    against="scipy's densities at the same noise, and numpy's variance by strata",
    body="2b10e626",
)
@pytest.mark.parametrize("num_components", [1, 3])
def test_evidence_and_its_error_are_numpys(tiny, plane, num_components, log_joint):
    for model, x in (tiny, plane):
        proposal = rough(num_components, len(x), model.latent_dim)
        num_strata, size = num_components + 1, 25
        total = num_strata * size
        found = mixture_log_evidence(model, x, proposal, total, rng=seeded(1))
        log_w = weights_by_scipy(model, x, proposal, size, seeded(1), log_joint)
        w = np.exp(log_w)
        mean = w.mean(1).mean(0)
        variance = (w.var(1, ddof=1) / size).sum(0) / num_strata**2
        np.testing.assert_allclose(found.value.detach(), np.log(mean), rtol=1e-10)
        expected = np.sqrt(variance) / mean
        np.testing.assert_allclose(found.standard_error, expected, rtol=1e-9)


@pytest.mark.equation(
    "eq-evaluation-mixture-weights",
    against="log p(x) of linear models in closed form",
    body="2b10e626",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_evidence_of_a_linear_model_is_found(linear, line, rng, assert_within):
    for model, exact, x in (linear, line):
        proposal = rough(2, len(x), model.latent_dim)
        value, error = mixture_log_evidence(model, x, proposal, 9000, rng=rng)
        assert error.max() < 0.2
        assert_within(value, exact.log_evidence(x), error)


@pytest.mark.equation(
    "eq-evaluation-mixture-weights",
    against="quadrature over the code, on the grid",
    body="2b10e626",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_evidence_of_binary_pixels_is_the_grids(tiny, plane, twins, rng, assert_within):
    for model, x in (tiny, plane, twins):
        proposal = rough(2, len(x), model.latent_dim)
        value, error = mixture_log_evidence(model, x, proposal, 6000, rng=rng)
        assert error.max() < 0.05
        assert_within(value, grid_log_evidence(model, x), error)


@pytest.mark.equation(
    "eq-evaluation-mixture-weights",
    against="the spread of 400 repeats of each image",
    body="2b10e626",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_errors_are_as_large_as_answers_differ(tiny, rng):
    """Distances from the truth, in their errors, have a mean square of 1."""
    model, x = tiny
    truth = grid_log_evidence(model, x)
    one = rough(2, len(x), 1)
    many = Mixture(*(part.repeat(1, 400, 1) for part in one))
    value, error = mixture_log_evidence(model, x.repeat(400, 1), many, 900, rng=rng)
    distance = ((value - truth.repeat(400)) / error).reshape(400, len(x))
    allowed = 5 * math.sqrt(2 / 400)
    assert (distance.square().mean(0) - 1).abs().max() < allowed
    assert distance.mean(0).abs().max() < 5 / math.sqrt(400)


def test_error_of_equal_weights_is_nothing(line, rng):
    """Where q = p(z|x) and the prior is that too, every weight is p(x)."""
    model, _, x = line
    with torch.no_grad():
        model.decoder.net[0].weight.zero_()  # the image tells nothing of its code
    zero = torch.zeros(1, len(x), 1).double()
    value, error = mixture_log_evidence(model, x, Mixture(zero, zero), 20, rng=rng)
    exact = model.linear_gaussian().log_evidence(x)
    np.testing.assert_allclose(value, exact, rtol=1e-10)
    assert error.max() < 1e-12


@pytest.mark.equation(
    "eq-evaluation-mixture-weights",
    against="quadrature, which counts both modes where the encoder sees one",
    body="2b10e626",
)
def test_mode_that_the_encoder_overlooks_is_counted(twins, rng, assert_within):
    model, x = twins
    truth = grid_log_evidence(model, x)
    several = refine_from_several(model, x, 3, rng=rng)
    value, error = mixture_log_evidence(model, x, widened(several), 3000, rng=rng)
    assert_within(value, truth, error)
    assert error.max() < 0.02
    one_sided = model.log_evidence(x, 3000, rng=rng)
    short = truth[1] - one_sided.value[1]
    assert short.item() == pytest.approx(math.log(2), abs=0.05)
    assert short > 10 * one_sided.standard_error[1]


@pytest.mark.parametrize(
    ("num_samples", "sizes"),
    [(6, [2] * 3), (8, [2] * 3), (9, [3] * 3), (100, [33] * 3)],
)
def test_draws_that_do_not_divide_are_left_out(tiny, rng, num_samples, sizes):
    model, x = tiny
    drawn, original = [], model.log_likelihood
    model.log_likelihood = lambda x, z: drawn.append(len(z)) or original(x, z)
    mixture_log_evidence(model, x, rough(2, len(x), 1), num_samples, rng=rng)
    assert drawn == sizes


def test_four_thousand_draws_unless_said(tiny, rng):
    model, x = tiny
    drawn, original = [], model.log_likelihood
    model.log_likelihood = lambda x, z: drawn.append(len(z)) or original(x, z)
    mixture_log_evidence(model, x, rough(1, len(x), 1), rng=rng)
    assert drawn == [2000, 2000]


def test_images_some_at_a_time_keep_their_own_proposal(plane, monkeypatch):
    """As if each were alone, one after the other."""
    model, x = plane
    proposal, rng = rough(2, len(x), 2), seeded(1)
    expected = [
        mixture_log_evidence(model, x[[n]], Mixture(mu, log_var), 60, rng=rng)
        for n, (mu, log_var) in enumerate(
            zip(*(part.split(1, 1) for part in proposal), strict=True)
        )
    ]
    monkeypatch.setattr("vaebook.evaluation.requests.HELD", 119)
    found = mixture_log_evidence(model, x, proposal, 60, rng=seeded(1))
    for ours, theirs in zip(found, zip(*expected, strict=True), strict=True):
        np.testing.assert_allclose(ours, torch.cat(theirs), rtol=1e-10)


def test_same_seed_same_answer_and_another_seed_another(tiny):
    model, x = tiny
    proposal = rough(2, len(x), 1)
    found = [
        mixture_log_evidence(model, x, proposal, 30, rng=seeded(seed)).value
        for seed in (0, 0, 1)
    ]
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_single_precision_weights_are_averaged_in_double(tiny, rng):
    model, x = tiny
    proposal = Mixture(*(part.float() for part in rough(2, len(x), 1)))
    found = mixture_log_evidence(model.float(), x.float(), proposal, 30, rng=rng)
    assert found.value.dtype == found.standard_error.dtype == torch.float64
    assert not found.value.requires_grad


@pytest.mark.parametrize(("num_samples", "received"), [(5, 1), (2, 0)])
def test_fewer_than_two_draws_of_a_component_are_refused(
    tiny, rng, num_samples, received
):
    model, x = tiny
    message = f"draws from each component must be at least 2; received {received}"
    with pytest.raises(ValueError, match=message):
        mixture_log_evidence(model, x, rough(2, len(x), 1), num_samples, rng=rng)


def test_proposal_of_other_images_is_refused(tiny, rng):
    model, x = tiny
    message = r"x must be of shape \(7, any\); received \(8, 3\)"
    with pytest.raises(ValueError, match=message):
        mixture_log_evidence(model, x, rough(2, 7, 1), rng=rng)


def test_model_without_a_density_is_refused(tiny, rng):
    model = Autoencoder(3, (4,), 1, rng=rng)
    with pytest.raises(TypeError, match="received Autoencoder"):
        mixture_log_evidence(model, tiny[1], rough(2, 8, 1), rng=rng)


# Starts that owe nothing to the encoder


@pytest.mark.parametrize("rng", range(3), indirect=True)
@pytest.mark.parametrize("num_starts", [1, 4])
def test_blind_starts_are_the_codes_of_highest_joint_density(
    tiny, plane, rng, num_starts, log_joint
):
    for model, x in (tiny, plane):
        same = torch.Generator()
        same.set_state(rng.get_state())
        found = blind_starts(model, x, num_starts, 300, rng=rng)
        z = draw(same, 300, model.latent_dim).numpy()
        assert found.shape == (num_starts, len(x), model.latent_dim)
        for n, one in enumerate(x):
            order = np.argsort(-log_joint(model, one, z))[:num_starts]
            np.testing.assert_array_equal(found[:, n], z[order])


@pytest.mark.parametrize("chunk", [1, 7, 50, 1000])
def test_codes_at_a_time_change_no_start(plane, chunk, largest_batch):
    model, x = plane
    expected, found = blind_starts(model, x, 3, 50, rng=seeded(2)), []
    most = largest_batch(
        model,
        lambda: found.append(blind_starts(model, x, 3, 50, chunk=chunk, rng=seeded(2))),
    )
    assert torch.equal(found[0], expected)
    assert most == min(chunk, 50)


def test_five_hundred_codes_are_held_at_once_unless_said(tiny, rng, largest_batch):
    model, x = tiny
    assert largest_batch(model, lambda: blind_starts(model, x, 2, 900, rng=rng)) == 500


def test_twenty_thousand_codes_are_drawn_unless_said(tiny):
    model, x = tiny
    found = [
        blind_starts(model, x, 2, *own, rng=seeded(1)) for own in ((), (20_000,), (9,))
    ]
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_blind_starts_do_not_ask_the_encoder(tiny, rng):
    model, x = tiny
    model.encoder = None
    assert blind_starts(model, x, 2, 10, rng=rng).shape == (2, len(x), 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((0,), "num_starts must be at least 1; received 0"),
        ((5, 4), "num_draws must be at least 5; received 4"),
    ],
)
def test_too_few_starts_are_refused(tiny, rng, given, message):
    model, x = tiny
    with pytest.raises(ValueError, match=message):
        blind_starts(model, x, *given, rng=rng)


# Gaussians refined from several starts


def test_first_of_several_is_refined_from_the_encoders(twins):
    model, x = twins
    several = refine_from_several(model, x, 2, rng=seeded(4))
    own = refine_posterior(model, x, rng=seeded(4))
    assert several.mu.shape == several.log_var.shape == (3, len(x), 1)
    assert torch.equal(several.mu[0], own.mu)
    assert torch.equal(several.log_var[0], own.log_var)


def test_several_starts_find_both_modes(twins, rng):
    """The encoder's start is on the right, where all of its draws are."""
    model, x = twins
    mu = refine_from_several(model, x, 5, rng=rng).mu
    assert mu[0, 1] > 1.5
    assert (mu[1:, 1] < -1.5).any()
    assert (mu[:, 1].abs() > 1.5).all()
    assert mu[:, 0].abs().max() < 0.1


@pytest.mark.equation(
    "eq-evaluation-best-q",
    against="the exact posteriors of a linear model of one latent",
    body="5cb93ac1",
)
def test_every_start_of_every_image_ends_at_the_best_q(line, rng):
    """A linear model has one hill: only a mixed-up order could miss it."""
    model, exact, x = line
    mu, cov = exact.posterior(x)
    several = refine_from_several(model, x, 2, rng=rng)
    for found, log_var in zip(*several, strict=True):
        np.testing.assert_allclose(found, mu, atol=1e-3)
        np.testing.assert_allclose(log_var, cov.log().expand_as(mu), atol=1e-3)


def test_best_of_several_is_that_of_the_highest_elbo(tiny, plane, quadrature_elbo, rng):
    for model, x in (tiny, plane):
        several = rough(4, len(x), model.latent_dim, seed=5)
        found = best_of(model, x, Posterior(*several), 4000, rng=rng)
        assert found.dtype == torch.int64
        assert found.shape == (len(x),)
        elbo = [
            [
                quadrature_elbo(model, one, mu[n].numpy(), log_var[n].numpy())
                for n, one in enumerate(x)
            ]
            for mu, log_var in zip(*several, strict=True)
        ]
        behind = np.sort(elbo, 0)[-1] - np.sort(elbo, 0)[-2]
        clear = behind > 0.1
        assert clear.sum() > 1
        np.testing.assert_array_equal(found[clear], np.argmax(elbo, 0)[clear])
        assert len(set(found[clear].tolist())) > 1


def test_five_hundred_draws_tell_the_best_unless_said(tiny, rng):
    model, x = tiny
    drawn, original = [], model.log_likelihood
    model.log_likelihood = lambda x, z: drawn.append(len(z)) or original(x, z)
    best_of(model, x, Posterior(*rough(3, len(x), 1)), rng=rng)
    assert drawn == [500] * 3


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_a_models_own_prior_is_drawn_from(rng, assert_within):
    """What is drawn is what is scored, whatever the prior."""
    model = MixturePriorVAE(3, (5,), 1, 2, rng=rng).double().requires_grad_(False)
    model.prior_mu.copy_(torch.tensor([[-2.0], [2.0]]))
    model.prior_log_var.fill_(-1.0)
    for weight in model.decoder.parameters():
        weight *= 4
    x = torch.tensor([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    exact = grid_log_evidence(model, x)
    proposal = widened(refine_from_several(model, x, rng=rng))
    value, error = mixture_log_evidence(model, x, proposal, 4000, rng=rng)
    assert_within(value, exact, error)
    plan = plan_annealing(model, x, torch.tensor([0.0, 1.0]).double(), rng=rng)
    w = anneal(model, x, plan, 4000, rng=rng).log_w.exp()
    assert_within(w.mean(0), exact.exp(), w.std(0) / 4000**0.5)
