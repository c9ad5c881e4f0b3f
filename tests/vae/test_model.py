"""The assembly, against quadrature over its one latent."""

import itertools

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats
from torch import nn
from torch.distributions import kl_divergence
from vae.test_gaussian import linear_law

from vaebook.datasets import load_digits
from vaebook.em import GaussianMixture
from vaebook.monte_carlo import estimate
from vaebook.reparameterization import sampled_elbo
from vaebook.vae import VAE, GaussianVAE

pytestmark = pytest.mark.usefixtures("one_thread")


D, L = 4, 1


@pytest.fixture
def tiny():
    """Four pixels, one latent, float64: every integral over z is a quadrature."""
    rng = torch.Generator().manual_seed(3)
    model = VAE(D, (6,), L, rng=rng).double()
    with torch.no_grad():
        for layer in model.decoder.modules():
            if isinstance(layer, nn.Linear):
                layer.weight *= 3
    return model


@pytest.fixture
def images():
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=D))).double()


def logits_at(model, z):
    """The decoder by numpy alone."""
    a = np.array([[z]])
    layers = [m for m in model.decoder.net if isinstance(m, nn.Linear)]
    for number, layer in enumerate(layers):
        a = a @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        a = a / (1 + np.exp(-a)) if number < len(layers) - 1 else a
    return a[0]


def pixel_law(model, z):
    """p(lit | z), each pixel's."""
    return special.expit(logits_at(model, z))


def log_likelihood(model, x, z):
    """log p(x|z) by scipy: the log of the sigmoid, of the right sign for each pixel."""
    return special.log_expit((2 * x.numpy() - 1) * logits_at(model, z)).sum()


def exact_log_evidence(model, x):
    """log of the integral of p(x|z) p(z) over z, by scipy."""

    def joint(z):
        likelihood = stats.bernoulli.pmf(x.numpy(), pixel_law(model, z)).prod()
        return likelihood * stats.norm.pdf(z)

    return np.log(integrate.quad(joint, -9, 9, epsabs=1e-13)[0])


def exact_elbo(model, x):
    """E_q[log p(x|z) + log p(z) - log q(z|x)] by scipy."""
    mu, log_var = (v.item() for v in model.posterior(x))
    q = stats.norm(mu, np.exp(log_var / 2))

    def integrand(z):
        log_lik = log_likelihood(model, x, z)
        return q.pdf(z) * (log_lik + stats.norm.logpdf(z) - q.logpdf(z))

    half = 9 * np.exp(log_var / 2)
    return integrate.quad(integrand, mu - half, mu + half, epsabs=1e-12)[0]


@pytest.mark.equation(
    "eq-vae-joint",
    against="scipy's Bernoulli and normal, term by term",
    body="abc853d0",
)
@pytest.mark.equation(
    "eq-vae-weight", against="the ratio p(x, z)/q(z|x) from scipy", body="90ccf9f9"
)
def test_log_weights_are_the_ratio(tiny, images):
    x = images[5:6]
    log_w = tiny.log_weights(x, 4, rng=torch.Generator().manual_seed(1))
    rng = torch.Generator().manual_seed(1)
    mu, log_var = (v.item() for v in tiny.posterior(x))
    sigma = np.exp(log_var / 2)
    z = mu + sigma * torch.randn(4, 1, 1, generator=rng, dtype=torch.float64).numpy()
    expected = [
        stats.bernoulli.logpmf(x[0].numpy(), pixel_law(tiny, zs)).sum()
        + stats.norm.logpdf(zs)
        - stats.norm.logpdf(zs, mu, sigma)
        for zs in z.flatten()
    ]
    np.testing.assert_allclose(log_w.detach().flatten(), expected, rtol=1e-10)


@pytest.mark.equation(
    "eq-vae-evidence",
    against="quadrature; and it sums to 1 over images",
    body="a3231c65",
)
def test_evidence_is_the_integral_over_the_latent(tiny, images, rng, assert_within):
    result = tiny.log_evidence(images, 4000, rng=rng)
    truth = [exact_log_evidence(tiny, x) for x in images]
    assert np.exp(truth).sum() == pytest.approx(1.0, rel=1e-9)
    assert_within(result.value, truth, result.standard_error)


@pytest.mark.equation(
    "eq-index-goal",
    against="scipy.stats.entropy over all images of four pixels",
    body="276e05c4",
)
def test_likeliest_model_is_the_nearest_in_kl(tiny, images):
    """Mean log-likelihood = -entropy(data) - KL(data || model), for any model."""
    data = np.random.default_rng(0).dirichlet(np.ones(len(images)))
    log_model = np.array([exact_log_evidence(tiny, x) for x in images])
    divergence = stats.entropy(data, np.exp(log_model))
    assert data @ log_model == pytest.approx(
        -stats.entropy(data) - divergence, rel=1e-9
    )


@pytest.mark.equation(
    "eq-vae-estimator", against="quadrature of the ELBO over z", body="de96c218"
)
@pytest.mark.equation(
    "eq-vae-two-forms", against="quadrature of E_q[log p(x,z) - log q]", body="df036bd7"
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_estimator_is_unbiased_for_the_elbo(tiny, images, rng, assert_within):
    for x in images[[0, 6, 15]]:
        terms = tiny.elbo_terms(x.expand(20_000, D), rng=rng)
        drawn = estimate(terms.elbo.detach())
        assert_within(drawn.mean, exact_elbo(tiny, x), drawn.standard_error)
        terms = tiny.elbo_terms(x.expand(5_000, D), 4, rng=rng)
        drawn = estimate(terms.elbo.detach())
        assert_within(drawn.mean, exact_elbo(tiny, x), drawn.standard_error)


@pytest.mark.equation(
    "eq-vae-estimator",
    against="scipy's Bernoulli and torch's KL, at each noise",
    body="de96c218",
)
@pytest.mark.parametrize("shape", [(16, L), (3, 16, L), (3, 1, L)])
def test_terms_at_given_noise_are_scipys(tiny, images, rng, shape):
    eps = torch.randn(shape, generator=rng, dtype=torch.float64)
    terms = tiny.terms_at_noise(images, eps)
    mu, log_var = (v.detach() for v in tiny.posterior(images))
    q = torch.distributions.Normal(mu, torch.exp(log_var / 2))
    z = (q.mean + q.stddev * eps).reshape(-1, len(images))  # (S, N)
    log_lik = [
        [log_likelihood(tiny, x, at.item()) for x, at in zip(images, row, strict=True)]
        for row in z
    ]
    found = terms.expected_log_lik.detach()
    np.testing.assert_allclose(found, np.mean(log_lik, 0), rtol=1e-10)
    prior = torch.distributions.Normal(0 * q.mean, 1.0)
    expected = kl_divergence(q, prior).sum(-1)
    np.testing.assert_allclose(terms.kl.detach(), expected, rtol=1e-10)


@pytest.mark.parametrize("number", [None, 1, 3])
def test_noise_is_drawn_and_the_rest_are_the_terms_at_it(tiny, images, number):
    drawn = tiny.elbo_terms(images, number, rng=torch.Generator().manual_seed(4))
    rng, shape = torch.Generator().manual_seed(4), (number, 16, L)
    shape = shape if number else shape[1:]
    eps = torch.randn(shape, generator=rng, dtype=torch.float64)
    given = tiny.terms_at_noise(images, eps)
    assert all(map(torch.equal, drawn, given))


def test_elbo_is_below_the_evidence_for_every_image(tiny, images):
    for x in images:
        assert exact_elbo(tiny, x) <= exact_log_evidence(tiny, x) + 1e-9


@pytest.mark.equation(
    "eq-vae-gradient",
    against="central differences of the quadrature of the ELBO",
    body="9954f425",
)
def test_gradient_is_the_gradient_of_the_exact_elbo(tiny, images, rng, assert_within):
    """On the biases of mu, of log sigma^2 and of a pixel: the last does not reach z."""
    x = images[6]
    encoder, decoder = tiny.encoder.net[-1].bias, tiny.decoder.net[-1].bias
    for bias, entry in ((encoder, 0), (encoder, 1), (decoder, 1)):
        draws = torch.stack(
            [
                torch.autograd.grad(
                    tiny.elbo_terms(x.expand(50, D), rng=rng).elbo.mean(), bias
                )[0][entry]
                for _ in range(300)
            ]
        )
        slope = estimate(draws)
        truth = central_difference(tiny, x, bias, entry)
        assert_within(slope.mean, truth, slope.standard_error)


def central_difference(model, x, bias, entry, step=1e-4):
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            bias[entry] += sign * step
        values.append(exact_elbo(model, x))
        with torch.no_grad():
            bias[entry] -= sign * step
    return (values[0] - values[1]) / (2 * step)


def test_more_samples_mean_a_steadier_first_term(tiny, images, rng):
    x = images[6].expand(2000, D)
    spread = [
        tiny.elbo_terms(x, number, rng=rng).expected_log_lik.std().item()
        for number in (None, 1, 16)
    ]
    assert spread[0] == pytest.approx(spread[1], rel=0.15)
    assert spread[2] == pytest.approx(spread[0] / 4, rel=0.15)


def test_terms_are_sums_over_pixels_one_per_image(tiny, images, rng):
    """Twice the pixels, each the same: twice the log-likelihood, the same KL."""
    terms = tiny.elbo_terms(images, rng=torch.Generator().manual_seed(0))
    assert terms.expected_log_lik.shape == terms.kl.shape == (len(images),)
    with torch.no_grad():
        last, first = tiny.decoder.net[-1], tiny.encoder.net[0]
        last.weight = nn.Parameter(last.weight.repeat(2, 1))
        last.bias = nn.Parameter(last.bias.repeat(2))
        first.weight = nn.Parameter(first.weight.repeat(1, 2) / 2)
    again = tiny.elbo_terms(images.repeat(1, 2), rng=torch.Generator().manual_seed(0))
    torch.testing.assert_close(again.expected_log_lik, 2 * terms.expected_log_lik)
    torch.testing.assert_close(again.kl, terms.kl)


@pytest.mark.parametrize("number", [2, 99, 100, 101, 250])
def test_exactly_the_requested_samples_are_drawn(tiny, images, number):
    drawn = []
    original = tiny.log_weights
    tiny.log_weights = lambda x, s, rng: drawn.append(s) or original(x, s, rng=rng)
    tiny.log_evidence(images, number, rng=torch.Generator().manual_seed(0))
    assert sum(drawn) == number


def test_same_seed_same_model_and_another_seed_another():
    models = [VAE(64, (8,), 2, rng=torch.Generator().manual_seed(s)) for s in (0, 0, 1)]
    weights = [nn.utils.parameters_to_vector(m.parameters()) for m in models]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_initialisation_leaves_the_global_generator_alone(rng):
    before = torch.get_rng_state()
    VAE(64, (8,), 2, rng=rng)
    assert torch.equal(before, torch.get_rng_state())


def test_sample_decodes_the_prior(tiny):
    drawn = tiny.sample(3, rng=torch.Generator().manual_seed(2))
    rng = torch.Generator().manual_seed(2)
    z = torch.randn(3, L, generator=rng, dtype=torch.float64)
    expected = [pixel_law(tiny, zs.item()) for zs in z]
    np.testing.assert_allclose(drawn, expected, rtol=1e-10)


def test_sample_decodes_a_mixture_of_codes(tiny, rng):
    """Two components without width: every image is one of two, as often as weighed."""
    weights, mu = torch.tensor([0.25, 0.75]).double(), torch.tensor([[-1.0], [2.0]])
    codes = GaussianMixture(weights, mu.double(), torch.full((2, 1, 1), 1e-30).double())
    images = tiny.sample(4000, codes, rng=rng)
    first, second = (torch.tensor(pixel_law(tiny, z)) for z in (-1.0, 2.0))
    is_first = torch.isclose(images, first).all(-1)
    assert (is_first | torch.isclose(images, second).all(-1)).all()
    standard_error = (0.25 * 0.75 / 4000) ** 0.5
    assert abs(is_first.double().mean() - 0.25) < 5 * standard_error


def test_one_gaussian_on_the_codes_is_their_map_fit(rng):
    """K = 1 has a closed form: mean of the means, scatter plus prior over counts."""
    model, x = VAE(64, (16,), 2, rng=rng), load_digits().train.x[:200]
    one, eye = torch.ones(1).double(), torch.eye(2).double()
    start = GaussianMixture(one, torch.zeros(1, 2).double(), eye[None])
    codes = model.posterior(x).mu.detach().double().numpy()
    fitted = model.fit_codes(x, start)
    np.testing.assert_allclose(fitted.mu[0], codes.mean(0), rtol=1e-10)
    scatter = 200 * np.cov(codes.T, bias=True) + 0.1 * np.eye(2)
    np.testing.assert_allclose(fitted.cov[0], scatter / (200 + 4 + 2 + 1), rtol=1e-10)


def test_log_prior_is_of_every_weight(tiny):
    weights = np.concatenate([w.detach().numpy().ravel() for w in tiny.parameters()])
    expected = stats.norm.logpdf(weights, 0, 0.3).sum()
    assert tiny.log_prior(0.3).item() == pytest.approx(expected, rel=1e-12)


def test_reconstruction_decodes_the_posterior_mean(tiny, images):
    mu = tiny.posterior(images).mu.detach()
    expected = [pixel_law(tiny, m.item()) for m in mu]
    np.testing.assert_allclose(tiny.reconstruct(images), expected, rtol=1e-10)


def test_digits_have_finite_terms(rng):
    model = VAE(64, (16,), 3, rng=rng)
    terms = model.elbo_terms(load_digits(binarize=True).test.x, 2, rng=rng)
    assert terms.elbo.isfinite().all()
    assert (terms.kl >= 0).all()


def test_decoder_mirrors_the_encoder(rng):
    model = VAE(9, (4, 6), 2, rng=rng)
    widths = [
        [m.out_features for m in part.net if isinstance(m, nn.Linear)]
        for part in (model.encoder, model.decoder)
    ]
    assert widths == [[4, 6, 4], [6, 4, 9]]


def test_posterior_is_what_the_encoder_says_however_extreme(tiny, images):
    with torch.no_grad():
        tiny.encoder.net[-1].bias += torch.tensor([30.0, -20.0]).double()
    mu, log_var = tiny.posterior(images)
    out = tiny.encoder.net(images)
    assert torch.equal(torch.cat([mu, log_var], -1), out)


def test_evidence_reports_the_effective_size_of_its_weights(tiny, images):
    result = tiny.log_evidence(images, 50, rng=torch.Generator().manual_seed(1))
    log_w = tiny.log_weights(images, 50, rng=torch.Generator().manual_seed(1))
    w = log_w.detach().exp().numpy()
    np.testing.assert_allclose(result.ess, w.sum(0) ** 2 / (w**2).sum(0), rtol=1e-9)


def test_five_thousand_samples_unless_said(tiny, images):
    drawn, original = [], tiny.log_weights
    tiny.log_weights = lambda x, s, rng: drawn.append(s) or original(x, s, rng=rng)
    tiny.log_evidence(images, rng=torch.Generator().manual_seed(0))
    assert sum(drawn) == 5000


NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


WEIGHTS = WEIGHTS / WEIGHTS.sum()


@pytest.fixture
def grid(monkeypatch):
    """``grid(S)``: every draw is a node of quadrature; x must be (40^S, D).

    Gives the weight of each row: a weighted sum is then an expectation, exactly.
    """

    def place(num_samples):
        eps = np.stack(np.meshgrid(*[NODES] * num_samples)).reshape(num_samples, -1, 1)
        weights = np.stack(np.meshgrid(*[WEIGHTS] * num_samples)).prod(0).ravel()

        def draw(mu, log_var, asked, *, rng):
            assert asked == num_samples
            return mu + torch.exp(log_var / 2) * torch.from_numpy(eps)

        monkeypatch.setattr("vaebook.vae.model.gaussian_rsample", draw)
        return torch.from_numpy(weights)

    return place


def exact_iw_bound(model, x, num_samples):
    """E[log mean of S weights], by the same nodes and otherwise numpy and scipy."""
    mu, log_var = (v.item() for v in model.posterior(x))
    q = stats.norm(mu, np.exp(log_var / 2))
    z = q.mean() + q.std() * NODES
    log_lik = np.array([log_likelihood(model, x, one) for one in z])
    log_w = log_lik + stats.norm.logpdf(z) - q.logpdf(z)
    pairs = np.array(list(itertools.product(log_w, repeat=num_samples)))
    bounds = special.logsumexp(pairs, 1) - np.log(num_samples)
    products = np.array(list(itertools.product(WEIGHTS, repeat=num_samples)))
    return products.prod(1) @ bounds


@pytest.mark.equation(
    "eq-vae-iw-objective",
    against="scipy's densities and logsumexp, draw by draw",
    body="c443a57a",
)
@pytest.mark.parametrize("path_only", [False, True])
def test_iw_terms_differ_by_the_importance_weighted_bound(tiny, images, path_only):
    rng = torch.Generator().manual_seed(1)
    terms = tiny.iw_terms(images, 3, path_only=path_only, rng=rng)
    mu, log_var = (v.detach().numpy() for v in tiny.posterior(images))
    rng, sigma = torch.Generator().manual_seed(1), np.exp(log_var / 2)
    eps = torch.randn(3, len(images), L, generator=rng, dtype=torch.float64).numpy()
    z = mu + sigma * eps
    log_lik = [
        [
            log_likelihood(tiny, x, z_sn.item())
            for x, z_sn in zip(images, z_s, strict=True)
        ]
        for z_s in z
    ]
    log_w = log_lik + (stats.norm.logpdf(z) - stats.norm.logpdf(z, mu, sigma))[..., 0]
    expected = special.logsumexp(log_w, 0, b=1 / 3)
    np.testing.assert_allclose(terms.elbo.detach(), expected, rtol=1e-10)
    q = torch.distributions.Normal(torch.from_numpy(mu), torch.from_numpy(sigma))
    prior = torch.distributions.Normal(0 * q.mean, 1 + 0 * q.mean)
    np.testing.assert_allclose(terms.kl, kl_divergence(q, prior).sum(-1), rtol=1e-10)
    assert not terms.kl.requires_grad
    assert terms.expected_log_lik.shape == terms.kl.shape == (len(images),)


@pytest.mark.equation(
    "eq-vae-iw-objective",
    against="the sampled ELBO of chapter 7, and scipy's quad",
    body="c443a57a",
)
def test_one_weight_is_the_sampled_elbo(tiny, images, grid):
    weights, x = grid(1), images[6]
    terms = tiny.iw_terms(x.expand(len(weights), D), 1, rng=None)
    bound = (weights @ terms.elbo).item()
    assert bound == pytest.approx(exact_elbo(tiny, x), rel=1e-4)
    q = tiny.posterior(x)

    def log_p_x_z(z):
        log_p_z = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
        return tiny.log_likelihood(x.expand(len(z), D), z) + log_p_z

    sampled = sampled_elbo(log_p_x_z, *q, torch.from_numpy(NODES)[:, None])
    np.testing.assert_allclose(terms.elbo.detach(), sampled.detach(), rtol=1e-10)


@pytest.mark.equation(
    "eq-vae-iw-objective",
    against="nested quadrature by numpy, between ELBO and log p",
    body="c443a57a",
)
def test_two_weights_lie_between_the_elbo_and_the_evidence(tiny, images, grid):
    weights = grid(2)
    for x in images[[0, 6, 15]]:
        terms = tiny.iw_terms(x.expand(len(weights), D), 2, rng=None)
        bound = (weights @ terms.elbo).item()
        assert bound == pytest.approx(exact_iw_bound(tiny, x, 2), rel=1e-10)
        assert exact_elbo(tiny, x) < bound < exact_log_evidence(tiny, x)


def iw_slopes(model, x, weights, num_samples, path_only):
    """The exact expectation of the gradient, on a bias of mu, sigma and a pixel."""
    rows = x.expand(len(weights), D)
    terms = model.iw_terms(rows, num_samples, path_only=path_only, rng=None)
    encoder, decoder = model.encoder.net[-1].bias, model.decoder.net[-1].bias
    slopes = torch.autograd.grad(weights @ terms.elbo, [encoder, decoder])
    return torch.cat([slopes[0], slopes[1][:1]])


def iw_differences(model, x, num_samples, step=1e-5):
    """The same from central differences of the exact bound."""
    encoder, decoder = model.encoder.net[-1].bias, model.decoder.net[-1].bias
    found = []
    for bias, entry in ((encoder, 0), (encoder, 1), (decoder, 0)):
        values = []
        for sign in (1, -2, 1):
            values.append(exact_iw_bound(model, x, num_samples))
            with torch.no_grad():
                bias[entry] += sign * step
        found.append((values[1] - values[2]) / (2 * step))
    return found


@pytest.mark.equation(
    "eq-vae-iw-objective",
    against="central differences of the bound by quadrature",
    body="c443a57a",
)
@pytest.mark.parametrize(
    ("num_samples", "path_only", "unbiased"),
    [(1, False, True), (1, True, True), (2, False, True), (2, True, False)],
)
def test_mean_gradient_of_the_bound(
    tiny, images, grid, num_samples, path_only, unbiased
):
    """With path_only it is the bound's for one weight, and not for two."""
    weights, x = grid(num_samples), images[6]
    slopes = iw_slopes(tiny, x, weights, num_samples, path_only).numpy()
    expected = iw_differences(tiny, x, num_samples)
    assert np.abs(expected).min() > 1e-3
    close = np.isclose(slopes, expected, rtol=1e-5, atol=1e-7)
    assert close.tolist() == [unbiased, unbiased, True]
    if not unbiased:
        assert np.abs(slopes - expected)[:2].min() > 1e-3


def test_importance_weighted_gradient_reaches_every_weight(tiny, images, rng):
    tiny.iw_terms(images, 5, rng=rng).elbo.sum().backward()
    assert all(w.grad.abs().max() > 0 for w in tiny.parameters())


@pytest.mark.equation(
    "eq-vae-iw-objective",
    against="scipy's exact log p(x) of the solved linear model, draw by draw",
    body="c443a57a",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_path_gradient_has_no_variance_where_q_is_the_posterior(rng):
    """Each draw's weight is p(x) itself, so its gradient vanishes on the encoder."""
    model = GaussianVAE(5, (), 2, rng=rng).double()
    mix = torch.randn(5, 5, generator=rng, dtype=torch.float64)
    x = torch.randn(10, 5, generator=rng, dtype=torch.float64) @ mix
    model.solve(x)
    largest = {}
    for path_only in (True, False):
        terms = model.iw_terms(x, 1, path_only=path_only, rng=rng)
        expected = linear_law(model).logpdf(x.numpy())
        np.testing.assert_allclose(terms.elbo.detach(), expected, rtol=1e-9)
        slopes = [
            torch.autograd.grad(
                one, list(model.encoder.parameters()), retain_graph=True
            )
            for one in terms.elbo
        ]
        largest[path_only] = [max(g.abs().max().item() for g in s) for s in slopes]
    assert max(largest[True]) < 1e-9
    assert min(largest[False]) > 1e-3


def test_no_importance_weights_are_refused(tiny, images, rng):
    with pytest.raises(ValueError, match="num_samples must be at least 1; received 0"):
        tiny.iw_terms(images, 0, rng=rng)
