"""The crowd of codes: its density, and the two parts of the mean KL, by quadrature."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats
from torch import nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.distributions import kl_divergence as torch_kl

from vaebook.evaluation import (
    MixturePriorVAE,
    active_units,
    aggregate_log_prob,
    kl_parts,
)
from vaebook.evaluation import latents as module
from vaebook.vae import VAE, Posterior

pytestmark = pytest.mark.usefixtures("one_thread")

SEEDS = st.integers(0, 2**32 - 1)
MU, SIGMA = np.array([-1.3, 0.2, 0.5, 2.0]), np.array([0.4, 0.9, 0.3, 0.6])


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def posterior_of(seed, num_images, dim):
    noise = np.random.default_rng(seed)
    return Posterior(*torch.from_numpy(noise.normal(size=(2, num_images, dim))))


def model_of(q):
    """A model and its images: image n is row n of the unit matrix, its q what is said.

    The encoder is one linear map, whose columns are then the posteriors.
    """
    num_images, dim = q.mu.shape
    model = VAE(num_images, (), dim, rng=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        model.encoder.net[0].weight.copy_(torch.cat(q, 1).T)
        model.encoder.net[0].bias.zero_()
    return model, torch.eye(num_images).double()


def scalar(mu=MU, sigma=SIGMA):
    """Posteriors on one latent."""
    return Posterior(double(mu)[:, None], 2 * double(sigma).log()[:, None])


# The density of the crowd


@pytest.mark.equation(
    "eq-evaluation-aggregate",
    against="scipy's logsumexp of its normal densities",
    body="d1c32147",
)
def test_aggregate_is_the_mean_of_the_densities():
    z = np.linspace(-4, 4, 17)
    each = stats.norm.logpdf(z[:, None], MU, SIGMA)
    found = aggregate_log_prob(scalar(), double(z)[:, None])
    np.testing.assert_allclose(found, special.logsumexp(each, 1, b=0.25), rtol=1e-10)


@pytest.mark.equation(
    "eq-evaluation-aggregate",
    against="torch.distributions.MixtureSameFamily",
    body="d1c32147",
)
@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, num_images=st.integers(1, 6), dim=st.integers(1, 3))
def test_aggregate_is_torchs_mixture(seed, num_images, dim):
    q = posterior_of(seed, num_images, dim)
    parts = Independent(Normal(q.mu, torch.exp(q.log_var / 2)), 1)
    mixture = MixtureSameFamily(Categorical(torch.ones(num_images).double()), parts)
    z = torch.from_numpy(np.random.default_rng(seed).normal(size=(7, dim)))
    found = aggregate_log_prob(q, z)
    assert found.shape == (7,)
    np.testing.assert_allclose(found, mixture.log_prob(z), rtol=1e-10)


@pytest.mark.equation(
    "eq-evaluation-aggregate", against="1, by scipy's quad", body="d1c32147"
)
def test_aggregate_integrates_to_one():
    def density(z):
        return aggregate_log_prob(scalar(), double([[z]])).exp().item()

    total = integrate.quad(density, -8, 8, epsabs=1e-12, points=MU, limit=200)[0]
    assert total == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize("chunk", [1, 3, 7, 8, 500])
def test_chunks_change_nothing(chunk):
    q, z = posterior_of(0, 5, 2), posterior_of(1, 7, 2).mu
    found = aggregate_log_prob(q, z, chunk=chunk)
    np.testing.assert_allclose(found, aggregate_log_prob(q, z), rtol=1e-14)


def test_no_more_codes_are_held_than_asked(monkeypatch):
    held, plain = [], module.gaussian_log_prob

    def noted(z, *q):
        held.append(len(z))
        return plain(z, *q)

    monkeypatch.setattr(module, "gaussian_log_prob", noted)
    aggregate_log_prob(posterior_of(0, 5, 2), posterior_of(1, 7, 2).mu, chunk=3)
    assert held == [3, 3, 1]
    held.clear()
    aggregate_log_prob(posterior_of(0, 5, 2), posterior_of(1, 1100, 2).mu)
    assert held == [500, 500, 100]


def test_far_codes_have_a_finite_density():
    found = aggregate_log_prob(scalar(), double([[1e4], [-1e4]]))
    assert found.isfinite().all()


# The two parts of the mean KL


def quad(integrand, mu=MU, sigma=SIGMA):
    """Over all the places where one of the posteriors has mass."""
    low, high = (mu - 12 * sigma).min(), (mu + 12 * sigma).max()
    options = {"epsabs": 1e-13, "epsrel": 1e-12, "limit": 400}
    return integrate.quad(integrand, low, high, points=sorted(mu), **options)[0]


def log_crowd(z, mu=MU, sigma=SIGMA):
    each = stats.norm.logpdf(z, mu, sigma)
    return special.logsumexp(each, b=1 / len(mu))


def exact_information(mu=MU, sigma=SIGMA):
    """The mean over images of KL(q_n || crowd), by scipy's quad."""

    def integrand(z):
        each = stats.norm.logpdf(z, mu, sigma)
        return (np.exp(each) * (each - log_crowd(z, mu, sigma))).mean()

    return quad(integrand, mu, sigma)


def exact_marginal():
    """KL(crowd || N(0, 1)) by scipy's quad."""
    return quad(lambda z: np.exp(log_crowd(z)) * (log_crowd(z) - stats.norm.logpdf(z)))


def exact_kl(mu=MU, sigma=SIGMA):
    prior = Normal(torch.zeros(len(mu)).double(), 1.0)
    return torch_kl(Normal(double(mu), double(sigma)), prior).mean().item()


@pytest.mark.equation(
    "eq-evaluation-kl-parts",
    against="scipy's densities of the same draws, and sem",
    body="b0d2b737",
)
def test_parts_are_scipys_on_the_same_draws():
    model, x = model_of(scalar())
    found = kl_parts(model, x, 7, rng=torch.Generator().manual_seed(1))
    rng = torch.Generator().manual_seed(1)
    eps = torch.randn(7, 4, 1, generator=rng, dtype=torch.float64).numpy()[..., 0]
    z = MU + SIGMA * eps
    crowd = np.vectorize(log_crowd)(z)
    information = (stats.norm.logpdf(z, MU, SIGMA) - crowd).mean(0)
    marginal = (crowd - stats.norm.logpdf(z)).mean(0)
    for part, values in ((found.information, information), (found.marginal, marginal)):
        assert part.mean == pytest.approx(values.mean(), rel=1e-10)
        assert part.standard_error == pytest.approx(stats.sem(values), rel=1e-10)
        assert part.num_samples == 4
    assert found.kl == pytest.approx(exact_kl(), rel=1e-10)


@pytest.mark.equation(
    "eq-evaluation-kl-parts",
    against="quadrature of both parts, and torch's KL",
    body="b0d2b737",
)
def test_quadratures_of_the_parts_add_up_to_the_kl():
    both = exact_information() + exact_marginal()
    assert both == pytest.approx(exact_kl(), rel=1e-9)
    model, x = model_of(scalar())
    found = kl_parts(model, x, 2, rng=torch.Generator().manual_seed(0))
    assert found.kl == pytest.approx(both, rel=1e-9)


def test_images_that_say_nothing_share_no_information():
    model, x = model_of(scalar([0.7] * 5, [0.3] * 5))
    found = kl_parts(model, x, 9, rng=torch.Generator().manual_seed(0))
    assert found.information.mean == pytest.approx(0, abs=1e-14)
    assert found.kl == pytest.approx(exact_kl([0.7], [0.3]), rel=1e-10)


def test_codes_that_fill_the_prior_are_at_no_distance_from_it():
    model, x = model_of(scalar([0.0] * 3, [1.0] * 3))
    found = kl_parts(model, x, 9, rng=torch.Generator().manual_seed(0))
    assert found.kl == 0
    assert found.marginal.mean == pytest.approx(0, abs=1e-14)


def test_three_latents_are_summed_over():
    """The closed form is torch's; the parts add up to it, but for chance."""
    q = posterior_of(3, 6, 3)
    model, x = model_of(q)
    found = kl_parts(model, x, 4000, rng=torch.Generator().manual_seed(0))
    prior = Normal(torch.zeros(3).double(), 1.0)
    expected = torch_kl(Normal(q.mu, torch.exp(q.log_var / 2)), prior).sum(1).mean()
    assert found.kl == pytest.approx(expected.item(), rel=1e-10)
    assert found.information.mean + found.marginal.mean == pytest.approx(
        found.kl, rel=0.02
    )


@pytest.mark.equation(
    "eq-evaluation-kl-parts",
    against="quadrature of each part; torch's KL of the sum",
    body="b0d2b737",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_parts_are_near_their_quadratures(rng, assert_within):
    """The four images are all there are: chance is in the draws alone."""
    model, x = model_of(scalar())
    runs = [kl_parts(model, x, 60, rng=rng) for _ in range(40)]
    information = np.array([run.information.mean for run in runs])
    marginal = np.array([run.marginal.mean for run in runs])
    for values, truth in (
        (information, exact_information()),
        (marginal, exact_marginal()),
        (information + marginal, runs[0].kl),
    ):
        assert_within(values.mean(), truth, stats.sem(values))


@pytest.mark.equation(
    "eq-evaluation-kl-parts",
    against="the drawn terms of the ELBO, of a learned prior",
    body="b0d2b737",
)
def test_parts_are_of_the_models_own_prior(rng):
    """Whose mean is far from 0: the KL from N(0, I) would be another."""
    model = MixturePriorVAE(4, (6,), 1, 2, rng=rng).double()
    with torch.no_grad():
        model.prior_mu += 3
    x = torch.bernoulli(torch.full((20, 4), 0.5).double(), generator=rng)
    found = kl_parts(model, x, 2000, rng=rng)
    both = found.information.mean + found.marginal.mean
    assert both == pytest.approx(
        model.elbo_terms(x, 2000, rng=rng).kl.mean().item(), rel=0.05
    )
    assert found.kl == pytest.approx(both, rel=0.05)


def test_images_come_in_any_order():
    model, x = model_of(scalar())
    first = kl_parts(model, x, 5000, rng=torch.Generator().manual_seed(0))
    other = kl_parts(model, x.flip(0), 5000, rng=torch.Generator().manual_seed(0))
    assert other.kl == pytest.approx(first.kl, rel=1e-12)
    assert other.information.mean == pytest.approx(first.information.mean, abs=0.03)


def test_same_seed_same_parts_and_another_seed_another():
    model, x = model_of(scalar())
    found = [
        kl_parts(model, x, rng=torch.Generator().manual_seed(s)) for s in (0, 0, 1)
    ]
    assert found[0] == found[1]
    assert found[0].kl == found[2].kl
    assert found[0].information != found[2].information


def test_twenty_draws_of_each_image_unless_said():
    model, x = model_of(scalar())
    plain = kl_parts(model, x, rng=torch.Generator().manual_seed(0))
    assert plain == kl_parts(model, x, 20, rng=torch.Generator().manual_seed(0))


def test_parts_of_a_float32_model_are_added_up_in_float64():
    model, x = model_of(scalar())
    found = kl_parts(model.float(), x.float(), rng=torch.Generator().manual_seed(0))
    assert found.kl == pytest.approx(exact_kl(), rel=1e-6)


def test_kls_of_many_float32_images_are_averaged_in_float64():
    q = posterior_of(7, 999, 2)
    model, x = model_of(Posterior(30 * q.mu, q.log_var))
    model, x = model.float(), x.float()
    found = kl_parts(model, x, 1, rng=torch.Generator().manual_seed(0)).kl
    with torch.no_grad():
        each = model.code_kl(model.posterior(x), torch.zeros(1, 999, 2))
    assert found == each.double().mean().item()
    assert found != each.mean().item()


# What an image can be told apart by


@pytest.mark.equation(
    "eq-evaluation-information-bound",
    against="0 and log N, every draw of every image",
    body="2fcd1904",
)
@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, num_images=st.integers(2, 8), spread=st.floats(0, 30))
def test_information_of_any_images_is_at_most_log_n(seed, num_images, spread):
    q = posterior_of(seed, num_images, 2)
    model, x = model_of(Posterior(spread * q.mu, q.log_var))
    found = kl_parts(model, x, 3, rng=torch.Generator().manual_seed(0)).information
    assert found.mean <= math.log(num_images) + 1e-12
    many = kl_parts(model, x, 400, rng=torch.Generator().manual_seed(0)).information
    assert many.mean >= -0.05


@pytest.mark.equation(
    "eq-evaluation-information-bound",
    against="scipy's quad, close together and apart",
    body="2fcd1904",
)
@pytest.mark.parametrize("num_images", [2, 5])
def test_information_rises_from_nothing_to_log_n(num_images):
    sigma = np.full(num_images, 0.7)
    places = np.arange(num_images) - num_images / 2
    found = [exact_information(gap * places, sigma) for gap in (0, 0.5, 1, 2, 4, 16)]
    assert found[0] == pytest.approx(0, abs=1e-12)
    assert (np.diff(found) > 0).all()
    assert found[-1] == pytest.approx(math.log(num_images), rel=1e-9)
    assert max(found) <= math.log(num_images) + 1e-9


@pytest.mark.equation(
    "eq-evaluation-information-bound",
    against="log N where no two images overlap",
    body="2fcd1904",
)
def test_images_far_apart_are_told_apart_for_sure():
    model, x = model_of(scalar(100 * np.arange(6.0), np.full(6, 0.5)))
    found = kl_parts(model, x, 4, rng=torch.Generator().manual_seed(0))
    assert found.information.mean == pytest.approx(math.log(6), rel=1e-12)


# Latents in use


@pytest.mark.equation(
    "eq-evaluation-active-units", against="numpy's variance", body="c555a102"
)
@settings(deadline=None)
@given(seed=SEEDS, num_images=st.integers(2, 12), dim=st.integers(1, 6))
def test_active_units_are_those_whose_means_vary(seed, num_images, dim):
    noise = np.random.default_rng(seed)
    mu = noise.normal(size=(num_images, dim)) * noise.choice([0.05, 0.1, 0.2], dim)
    found = active_units(Posterior(torch.from_numpy(mu), torch.zeros(num_images, dim)))
    assert found.dtype == torch.bool
    assert found.tolist() == (mu.var(0, ddof=1) > 0.01).tolist()


@pytest.mark.equation(
    "eq-evaluation-active-units",
    against="numpy's variance, of both divisors",
    body="c555a102",
)
def test_the_variance_is_the_unbiased_one():
    """Two images, 0.17 apart: half its square is above 0.01, a quarter is not."""
    mu = np.array([[0.0, 0.0], [0.17, 0.14]])
    assert (mu.var(0, ddof=1) > 0.01).tolist() == [True, False]
    assert (mu.var(0) > 0.01).tolist() == [False, False]
    q = Posterior(torch.from_numpy(mu), torch.zeros(2, 2))
    assert active_units(q).tolist() == [True, False]


def test_neither_width_nor_place_of_a_posterior_makes_a_latent_active():
    mu = torch.tensor([[5.0, 0.0], [5.0, 1.0]])
    q = Posterior(mu, torch.tensor([[4.0, -4.0], [-4.0, -4.0]]))
    assert active_units(q).tolist() == [False, True]


# Errors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda q: aggregate_log_prob(Posterior(q.mu, q.log_var[:2]), q.mu),
            r"mu and log_var must have one shape; received mu \(4, 1\)",
        ),
        (
            lambda q: aggregate_log_prob(q, torch.zeros(3, 2)),
            r"z must be of shape \(any, 1\); received \(3, 2\)",
        ),
        (lambda q: aggregate_log_prob(q, torch.zeros(3)), r"received \(3,\)"),
        (
            lambda q: aggregate_log_prob(Posterior(q.mu[0], q.log_var[0]), q.mu),
            r"q.mu must be of shape \(any, any\); received \(1,\)",
        ),
        (
            lambda q: aggregate_log_prob(q, q.mu, chunk=0),
            "chunk must be at least 1; received 0",
        ),
        (
            lambda q: active_units(Posterior(q.mu[:1], q.log_var[:1])),
            "the number of images must be at least 2; received 1",
        ),
        (
            lambda q: kl_parts(*model_of(q), 0, rng=torch.Generator()),
            "num_samples must be at least 1; received 0",
        ),
        (
            lambda q: kl_parts(model_of(q)[0], torch.eye(4)[:1].double(), rng=None),
            r"values must be one axis of at least 2 draws; received \(1,\)",
        ),
    ],
)
def test_improper_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(scalar())


def test_a_model_without_a_density_is_refused(rng):
    with pytest.raises(TypeError, match="received Linear, and without one"):
        kl_parts(nn.Linear(4, 2), torch.eye(4), rng=rng)
