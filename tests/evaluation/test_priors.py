"""A prior with several centres, against torch's mixture and quadrature over z."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats
from torch import nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vaebook.evaluation import MixturePriorVAE
from vaebook.monte_carlo import estimate
from vaebook.training import Settings, fit
from vaebook.vae import VAE

pytestmark = pytest.mark.usefixtures("one_thread")

D = 4
SEEDS = st.integers(0, 2**32 - 1)
NODES = torch.linspace(-9, 9, 301, dtype=torch.float64)  # a trapezoid in the noise
WEIGHTS = torch.softmax(-NODES.square() / 2, 0)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def crowd_model(seed, num_components, latent_dim):
    """No parameter of the prior is zero, or one."""
    rng = torch.Generator().manual_seed(seed)
    model = MixturePriorVAE(D, (6,), latent_dim, num_components, rng=rng).double()
    with torch.no_grad():
        model.prior_logits.normal_(generator=rng)
        model.prior_mu.normal_(generator=rng)
        model.prior_log_var.normal_(generator=rng)
    return model


@pytest.fixture
def tiny():
    """Four pixels, one latent, three components: every integral is a quadrature."""
    model = MixturePriorVAE(D, (6,), 1, 3, rng=torch.Generator().manual_seed(3))
    with torch.no_grad():
        for layer in model.decoder.modules():
            if isinstance(layer, nn.Linear):
                layer.weight *= 2
        model.prior_logits.copy_(torch.tensor([0.4, -0.9, 0.1]))
        model.prior_mu.copy_(torch.tensor([[-1.5], [0.3], [1.1]]))
        model.prior_log_var.copy_(torch.tensor([[-0.4], [0.5], [-1.2]]))
    return model.double()


@pytest.fixture
def images():
    return double(list(itertools.product([0.0, 1.0], repeat=D)))


def torchs(model):
    """The prior of a model as torch's mixture."""
    sigma = torch.exp(model.prior_log_var.detach() / 2)
    parts = Independent(Normal(model.prior_mu.detach(), sigma), 1)
    return MixtureSameFamily(Categorical(logits=model.prior_logits.detach()), parts)


def mixture_of(model):
    """Weights, means and widths of the components on one latent, as arrays."""
    with torch.no_grad():
        probs = special.softmax(model.prior_logits.numpy())
        log_var = model.prior_log_var[:, 0].numpy()
        return probs, model.prior_mu[:, 0].numpy(), np.exp(log_var / 2)


def scipys(model, z):
    """log p(z) of one latent by scipy."""
    probs, mu, sigma = mixture_of(model)
    each = stats.norm.logpdf(np.asarray(z)[..., None], mu, sigma)
    return special.logsumexp(each, -1, b=probs)


def log_likelihood(model, x, z):
    """log p(x|z) of one image at each of the codes (M,), by numpy alone."""
    a = np.reshape(z, (-1, 1))
    layers = [m for m in model.decoder.net if isinstance(m, nn.Linear)]
    for number, layer in enumerate(layers):
        a = a @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        a = a * special.expit(a) if number < len(layers) - 1 else a
    return special.log_expit((2 * x.numpy() - 1) * a).sum(-1)


def exact_log_evidence(model, x):
    def joint(z):
        return np.exp(log_likelihood(model, x, z)[0] + scipys(model, z))

    return np.log(integrate.quad(joint, -11, 11, epsabs=1e-13, limit=200)[0])


def exact_elbo(model, x):
    """E_q[log p(x|z) + log p(z) - log q(z|x)] by scipy."""
    mu, log_var = (v.item() for v in model.posterior(x))
    q = stats.norm(mu, np.exp(log_var / 2))

    def integrand(z):
        log_joint = log_likelihood(model, x, z)[0] + scipys(model, z)
        return q.pdf(z) * (log_joint - q.logpdf(z))

    half = 10 * np.exp(log_var / 2)
    return integrate.quad(integrand, mu - half, mu + half, epsabs=1e-12)[0]


# The density of a code


@pytest.mark.equation(
    "eq-evaluation-mixture-prior",
    against="torch.distributions.MixtureSameFamily",
    body="57b220f8",
)
@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, num_components=st.integers(1, 5), latent_dim=st.integers(1, 3))
def test_density_is_torchs_mixture(seed, num_components, latent_dim):
    model = crowd_model(seed, num_components, latent_dim)
    noise = np.random.default_rng(seed)
    for shape in ((7,), (5, 7), ()):
        z = torch.from_numpy(noise.normal(size=(*shape, latent_dim)))
        found = model.code_log_prob(z).detach()
        assert found.shape == shape
        np.testing.assert_allclose(found, torchs(model).log_prob(z), rtol=1e-10)


@pytest.mark.equation(
    "eq-evaluation-mixture-prior",
    against="scipy's normals, and 1 by its quad",
    body="57b220f8",
)
def test_density_is_scipys_and_integrates_to_one(tiny):
    z = np.linspace(-5, 5, 21)
    found = tiny.code_log_prob(double(z)[:, None]).detach()
    np.testing.assert_allclose(found, scipys(tiny, z), rtol=1e-10)

    def density(z):
        return tiny.code_log_prob(double([z])).exp().item()

    total = integrate.quad(density, -11, 11, epsabs=1e-12, limit=200)[0]
    assert total == pytest.approx(1, abs=1e-10)


@pytest.mark.equation(
    "eq-evaluation-mixture-prior",
    against="Bayes' rule for the component, by hand",
    body="57b220f8",
)
def test_slope_in_the_logits_is_what_the_code_says_less_what_was_thought(tiny):
    """d log p(z) / d logit k is p(k | z) - p(k)."""
    z = 0.4
    probs, mu, sigma = mixture_of(tiny)
    joint = probs * stats.norm.pdf(z, mu, sigma)
    (slope,) = torch.autograd.grad(tiny.code_log_prob(double([z])), tiny.prior_logits)
    np.testing.assert_allclose(slope, joint / joint.sum() - probs, rtol=1e-9)


def test_far_codes_have_a_finite_density(tiny):
    assert tiny.code_log_prob(double([[1e4], [-1e4]])).isfinite().all()


# The bound


@pytest.mark.equation(
    "eq-evaluation-mixture-prior",
    against="scipy's densities, at each noise",
    body="57b220f8",
)
@pytest.mark.parametrize("shape", [(16, 1), (1, 16, 1), (3, 16, 1), (3, 1, 1)])
def test_terms_at_given_noise_are_scipys(tiny, images, rng, shape):
    eps = torch.randn(shape, generator=rng, dtype=torch.float64)
    terms = tiny.terms_at_noise(images, eps)
    mu, log_var = (v.detach().numpy()[:, 0] for v in tiny.posterior(images))
    sigma = np.exp(log_var / 2)
    z = (mu + sigma * eps[..., 0].numpy()).reshape(-1, len(images))  # (S, N)
    columns = [log_likelihood(tiny, *pair) for pair in zip(images, z.T, strict=True)]
    log_ratio = stats.norm.logpdf(z, mu, sigma) - scipys(tiny, z)
    assert terms.expected_log_lik.shape == terms.kl.shape == (len(images),)
    found = terms.expected_log_lik.detach()
    np.testing.assert_allclose(found, np.mean(columns, 1), rtol=1e-10)
    np.testing.assert_allclose(
        terms.kl.detach(), log_ratio.mean(0), rtol=1e-10, atol=1e-13
    )


@pytest.mark.equation(
    "eq-evaluation-mixture-prior",
    against="scipy's quad of the ELBO over z",
    body="57b220f8",
)
def test_mean_of_the_terms_is_the_elbo(tiny, images):
    """By a trapezoid: each row's noise is a node."""
    for x in images[[0, 6, 15]]:
        terms = tiny.terms_at_noise(x.expand(301, D), NODES[:, None])
        found = (WEIGHTS @ terms.elbo).item()
        assert found == pytest.approx(exact_elbo(tiny, x), rel=1e-10)
        assert found < exact_log_evidence(tiny, x)


@pytest.mark.equation(
    "eq-evaluation-mixture-prior",
    against="scipy's quad of the ELBO over z",
    body="57b220f8",
)
@pytest.mark.parametrize("number", [None, 1, 4])
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_drawn_terms_are_unbiased_for_the_elbo(
    tiny, images, rng, number, assert_within
):
    for x in images[[0, 6, 15]]:
        terms = tiny.elbo_terms(x.expand(5000, D), number, rng=rng)
        drawn = estimate(terms.elbo.detach())
        assert_within(drawn.mean, exact_elbo(tiny, x), drawn.standard_error)


def test_drawn_kl_may_be_negative(tiny, images, rng):
    kl = tiny.elbo_terms(images.repeat(20, 1), rng=rng).kl
    assert kl.min() < 0 < kl.mean()


def test_one_image_is_drawn_as_in_a_batch_of_one(tiny, images):
    alone = tiny.elbo_terms(images[1], 6, rng=torch.Generator().manual_seed(0))
    batch = tiny.elbo_terms(images[[1]], 6, rng=torch.Generator().manual_seed(0))
    assert alone.kl.shape == ()
    torch.testing.assert_close(alone.kl, batch.kl[0])


def test_more_draws_mean_a_steadier_kl(tiny, images, rng):
    x = images[6].expand(3000, D)
    spread = [tiny.elbo_terms(x, s, rng=rng).kl.std().item() for s in (1, 16)]
    assert spread[1] == pytest.approx(spread[0] / 4, rel=0.15)


@pytest.mark.equation(
    "eq-evaluation-mixture-prior",
    against="scipy's quad of p(x|z) p(z)",
    body="57b220f8",
)
def test_evidence_is_the_integral_over_the_latent(tiny, images, rng, assert_within):
    truth = [exact_log_evidence(tiny, x) for x in images]
    assert np.exp(truth).sum() == pytest.approx(1, rel=1e-9)
    found = tiny.log_evidence(images, 4000, rng=rng)
    assert_within(found.value, truth, found.standard_error)


def plain_and_single(latent_dim=2):
    """A plain VAE, and the same with one component that is N(0, I)."""
    plain = VAE(D, (6,), latent_dim, rng=torch.Generator().manual_seed(5))
    rng = torch.Generator().manual_seed(5)
    single = MixturePriorVAE(D, (6,), latent_dim, 1, rng=rng)
    with torch.no_grad():
        single.prior_mu.zero_()
        for model in (plain, single):
            model.encoder.net[-1].bias += 0.3  # no q is the prior
    return plain.double(), single.double()


@pytest.mark.equation(
    "eq-evaluation-mixture-prior",
    against="the plain VAE, for one component N(0, I)",
    body="57b220f8",
)
def test_score_of_one_standard_component_is_the_plain_models(images):
    plain, single = plain_and_single()
    rngs = (torch.Generator().manual_seed(1) for _ in range(2))
    expected, found = (
        model.log_evidence(images, 50, rng=rng)
        for model, rng in zip((plain, single), rngs, strict=True)
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


def test_terms_of_one_standard_component_differ_in_the_noise_of_the_kl(
    images, rng, assert_within
):
    plain, single = plain_and_single()
    eps = torch.randn(4000, len(images), 2, generator=rng, dtype=torch.float64)
    expected, found = (m.terms_at_noise(images, eps) for m in (plain, single))
    torch.testing.assert_close(found.expected_log_lik, expected.expected_log_lik)
    each = [single.terms_at_noise(images, one).kl.detach() for one in eps[:500]]
    error = torch.stack(each).std(0) / 4000**0.5
    assert_within(found.kl.detach(), expected.kl.detach(), error)


def test_equal_components_are_one(images, rng):
    _, single = plain_and_single()
    three = MixturePriorVAE(D, (6,), 2, 3, rng=rng).double()
    nets = {k: v for k, v in single.state_dict().items() if "prior" not in k}
    three.load_state_dict(nets, strict=False)
    with torch.no_grad():
        three.prior_logits.normal_(generator=rng)
        three.prior_mu.zero_()
    z = torch.randn(9, 2, generator=rng, dtype=torch.float64)
    np.testing.assert_allclose(
        three.code_log_prob(z).detach(), single.code_log_prob(z).detach(), rtol=1e-10
    )


# Draws of the prior


def test_a_component_without_width_is_drawn_as_often_as_it_weighs(tiny, rng):
    with torch.no_grad():
        tiny.prior_log_var.fill_(-80.0)
    z = tiny.prior_draws(6000, rng=rng).detach()
    probs = tiny.prior_logits.detach().softmax(0)
    shares = (z - tiny.prior_mu.detach().T).abs().lt(1e-9).double().mean(0)
    assert shares.sum().item() == pytest.approx(1, abs=1e-12)
    error = (probs * (1 - probs) / 6000).sqrt()
    assert ((shares - probs).abs() < 5 * error).all()


@pytest.mark.equation(
    "eq-evaluation-mixture-prior", against="moments by torch's mixture", body="57b220f8"
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_draws_have_the_mixtures_moments(rng, assert_within):
    model = crowd_model(2, 4, 3)
    z = model.prior_draws(20_000, rng=rng).detach()
    assert z.shape == (20_000, 3)
    mean, var = torchs(model).mean, torchs(model).variance
    assert_within(z.mean(0), mean, z.std(0) / 20_000**0.5)
    squares = (z - mean).square()
    assert_within(squares.mean(0), var, squares.std(0) / 20_000**0.5)


@pytest.mark.equation(
    "eq-evaluation-mixture-prior",
    against="scipy's kstest and normal distributions",
    body="57b220f8",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_draws_follow_their_law(tiny, rng):
    probs, mu, sigma = mixture_of(tiny)

    def cdf(z):
        return stats.norm.cdf(z[:, None], mu, sigma) @ probs

    z = tiny.prior_draws(5000, rng=rng).detach()[:, 0]
    assert stats.kstest(z.numpy(), cdf).pvalue > 1e-4


def test_latents_of_a_draw_are_of_one_component(rng):
    """Two far corners: no code lies between them."""
    model = crowd_model(0, 2, 2)
    with torch.no_grad():
        model.prior_mu.copy_(double([[50.0, 50.0], [-50.0, -50.0]]))
    z = model.prior_draws(200, rng=rng)
    assert (z[:, 0] * z[:, 1] > 0).all()


def test_same_seed_same_draws_and_another_seed_another(tiny):
    draws = [
        tiny.prior_draws(5, rng=torch.Generator().manual_seed(s)) for s in (0, 0, 1)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_images_are_drawn_from_the_models_own_prior(tiny, rng):
    """All codes near 4, where N(0, 1) has none: one image, again and again."""
    with torch.no_grad():
        tiny.prior_mu.fill_(4.0)
        tiny.prior_log_var.fill_(-40.0)
    expected = tiny.mean_image(double([[4.0]])).detach()
    drawn = tiny.sample(20, rng=rng)
    np.testing.assert_allclose(drawn, expected.expand(20, D), rtol=1e-6)


# How it begins, and learns


def test_nets_begin_as_the_plain_models():
    model = MixturePriorVAE(D, (6,), 2, 3, rng=torch.Generator().manual_seed(1))
    plain = VAE(D, (6,), 2, rng=torch.Generator().manual_seed(1)).state_dict()
    assert all(torch.equal(model.state_dict()[name], w) for name, w in plain.items())


def test_prior_begins_with_equal_weights_standard_widths_and_means_apart(rng):
    model = MixturePriorVAE(D, (6,), 2, 500, rng=rng)
    assert not model.prior_logits.any() and not model.prior_log_var.any()
    assert model.prior_logits.shape == (500,)
    assert model.prior_mu.shape == model.prior_log_var.shape == (500, 2)
    means = model.prior_mu.detach().flatten().numpy()
    assert stats.kstest(means, stats.norm.cdf).pvalue > 1e-4


def test_same_seed_same_model_and_global_generator_left_alone():
    before = torch.get_rng_state()
    models = [
        MixturePriorVAE(D, (6,), 2, 3, rng=torch.Generator().manual_seed(s))
        for s in (0, 0, 1)
    ]
    weights = [nn.utils.parameters_to_vector(m.parameters()) for m in models]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(before, torch.get_rng_state())


def test_training_moves_the_prior_with_the_rest(rng):
    model = MixturePriorVAE(D, (6,), 2, 3, rng=rng)
    before = {name: w.detach().clone() for name, w in model.named_parameters()}
    x = torch.bernoulli(torch.full((80, D), 0.4), generator=rng)
    history = fit(model, x, Settings(epochs=2, batch_size=20), rng=rng)
    assert len(history) == 2 and all(np.isfinite(epoch.elbo) for epoch in history)
    moved = {
        name: not torch.equal(w, before[name]) for name, w in model.named_parameters()
    }
    assert {"prior_logits", "prior_mu", "prior_log_var"} < set(moved)
    assert all(moved.values()), moved


@pytest.mark.equation(
    "eq-evaluation-mixture-prior",
    against="central differences of scipy's quad",
    body="57b220f8",
)
def test_slope_of_the_mean_terms_is_the_elbos(tiny, images):
    """On a weight, a mean and a width of the prior, and on the encoder's bias."""
    x, step = images[6], 1e-4
    terms = tiny.terms_at_noise(x.expand(301, D), NODES[:, None])
    bias = tiny.encoder.net[-1].bias
    weights = [tiny.prior_logits, tiny.prior_mu, tiny.prior_log_var, bias]
    slopes = torch.autograd.grad(WEIGHTS @ terms.elbo, weights)
    for weight, slope in zip(weights, slopes, strict=True):
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                weight[0] += sign * step
            values.append(exact_elbo(tiny, x))
            with torch.no_grad():
                weight[0] -= sign * step
        expected = (values[0] - values[1]) / (2 * step)
        assert slope[0].sum().item() == pytest.approx(expected, rel=1e-5)


# Errors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda model: MixturePriorVAE(D, (6,), 2, 0, rng=torch.Generator()),
            "num_components must be at least 1; received 0",
        ),
        (
            lambda model: model.prior_draws(0, rng=torch.Generator()),
            "num_draws must be at least 1; received 0",
        ),
        (
            lambda model: model.code_log_prob(torch.zeros(3, 2).double()),
            r"the last axes must be equal; received x \(3, 1, 2\)",
        ),
        (
            lambda model: model.terms_at_noise(
                torch.zeros(3, D).double(), torch.zeros(3, 2).double()
            ),
            r"the last axes must be equal; .* eps \(3, 2\)",
        ),
        (
            lambda model: model.elbo_terms(
                torch.zeros(3, D).double(), 0, rng=torch.Generator()
            ),
            "num_samples must be at least 1; received 0",
        ),
        (
            lambda model: model.log_evidence(
                torch.zeros(3, D).double(), 1, rng=torch.Generator()
            ),
            "num_samples must be at least 2 .* received 1",
        ),
    ],
)
def test_improper_input_is_refused(tiny, call, message):
    with pytest.raises(ValueError, match=message):
        call(tiny)
