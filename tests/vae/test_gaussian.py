"""The VAE for grey pixels, against closed forms where the decoder is linear."""

import numpy as np
import pytest
import torch
from scipy import optimize, stats
from sklearn.decomposition import PCA
from torch import nn
from torch.distributions import MultivariateNormal, kl_divergence

from vaebook.autoencoder import initialise
from vaebook.datasets import load_digits
from vaebook.linear_vae import exact_q_elbo, ppca, ppca_em_step, spectrum
from vaebook.training import Settings, fit
from vaebook.vae import GaussianVAE
from vaebook.variational import ascend


@pytest.fixture
def grey():
    """A Gaussian decoder that is linear, so that its evidence has a closed form."""
    model = GaussianVAE(5, (), 2, rng=torch.Generator().manual_seed(4)).double()
    with torch.no_grad():
        model.log_var.fill_(-1.2)
    return model


@pytest.mark.equation(
    "eq-vae-gaussian-decoder",
    against="scipy's N(b, W W' + sigma^2 I) of a linear decoder",
    body="9e58f66d",
)
def test_gaussian_evidence_is_the_linear_gaussian_one(grey, assert_within):
    rng = torch.Generator().manual_seed(5)
    x = torch.randn(6, 5, generator=rng, dtype=torch.float64)
    result = grey.log_evidence(x, 20_000, rng=rng)
    expected = linear_law(grey).logpdf(x.numpy())
    assert_within(result.value, expected, result.standard_error)


def linear_law(model):
    """N(b, W W' + sigma^2 I) of a linear decoder, by scipy."""
    layer = model.decoder.net[0]
    w, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    noise = np.exp(model.log_var.item()) * np.eye(len(b))
    return stats.multivariate_normal(b, w @ w.T + noise)


@pytest.fixture
def rotated(grey):
    """The same with an offset, so that no parameter is zero."""
    rng = torch.Generator().manual_seed(8)
    with torch.no_grad():
        grey.decoder.net[0].bias.normal_(generator=rng)
    return grey, torch.randn(6, 5, generator=rng, dtype=torch.float64)


@pytest.mark.equation(
    "eq-bayes-linear-gaussian",
    against="scipy's law of a linear decoder's images",
    body="3d4a8668",
)
def test_linear_decoder_has_an_exact_answer(rotated, rng, assert_within):
    model, x = rotated
    exact = model.linear_gaussian()
    expected = linear_law(model).logpdf(x.numpy())
    np.testing.assert_allclose(exact.log_evidence(x), expected, rtol=1e-10)
    np.testing.assert_allclose(exact.marginal().log_prob(x), expected, rtol=1e-10)
    z = torch.randn(3, 6, 2, generator=rng, dtype=torch.float64)
    log_p_z = stats.norm.logpdf(z.numpy()).sum(-1)
    log_lik = model.log_likelihood(x, z).detach().numpy()
    np.testing.assert_allclose(exact.log_joint(x, z), log_p_z + log_lik, rtol=1e-10)
    result = model.log_evidence(x, 20_000, rng=rng)
    assert_within(result.value, exact.log_evidence(x), result.standard_error)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_elbo_is_below_the_exact_evidence_by_the_kl(rotated, rng, assert_within):
    """Whatever q: the gap is its divergence from the exact posterior, by torch."""
    model, x = rotated
    initialise(model.encoder, rng=rng)
    exact = model.linear_gaussian()
    q, p = model.posterior(x), exact.posterior(x)
    ours = MultivariateNormal(q.mu, q.log_var.exp().diag_embed())
    kl = kl_divergence(ours, MultivariateNormal(p.mu, p.cov)).detach()
    drawn = torch.stack([model.elbo_terms(x, rng=rng).elbo for _ in range(400)])
    elbo = drawn.mean(0).detach()
    assert_within(elbo, exact.log_evidence(x) - kl, stats.sem(drawn.detach().numpy()))
    assert (elbo < exact.log_evidence(x)).all()


def test_exact_answer_is_in_double_precision_and_without_a_graph():
    model = GaussianVAE(5, (), 2, rng=torch.Generator().manual_seed(0))
    exact = model.linear_gaussian()
    assert {v.dtype for v in (*exact.prior, *exact[1:])} == {torch.float64}
    assert not any(v.requires_grad for v in exact[1:])
    assert exact.var.shape == (5,)


@pytest.mark.parametrize(("hidden", "layers"), [((4,), 3), ((4, 6), 5)])
def test_deep_decoder_has_no_exact_answer(hidden, layers):
    model = GaussianVAE(5, hidden, 2, rng=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=f"must be one layer; received {layers}"):
        model.linear_gaussian()


def test_gaussian_mean_image_is_the_decoders_output(grey):
    z = torch.ones(3, 2).double()
    assert torch.equal(grey.mean_image(z), grey.decoder(z))


@pytest.mark.equation(
    "eq-vae-best-sigma",
    against="scipy's bounded minimisation of -log p over log sigma^2",
    body="cb154a0b",
)
def test_best_variance_is_the_mean_squared_residual(grey):
    rng = torch.Generator().manual_seed(6)
    x, z = (torch.randn(40, d, generator=rng, dtype=torch.float64) for d in (5, 2))

    def loss(log_var):
        with torch.no_grad():
            grey.log_var.fill_(log_var)
        return -grey.log_likelihood(x, z).mean().item()

    best = optimize.minimize_scalar(loss, bounds=(-5, 5), options={"xatol": 1e-9})
    residual = (x - grey.mean_image(z)).square().mean().item()
    assert np.exp(best.x) == pytest.approx(residual, rel=1e-6)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_gradient_reaches_the_learned_variance(grey, rng, assert_within):
    """d/d log sigma^2 of log N(x; m, sigma^2 I) is (|x - m|^2 / sigma^2 - D) / 2."""
    x, z = (torch.randn(40, d, generator=rng, dtype=torch.float64) for d in (5, 2))
    grey.log_likelihood(x, z).sum().backward()
    residual = (x - grey.mean_image(z)).square().sum().item()
    assert grey.log_var.grad.item() == pytest.approx(
        (residual / np.exp(-1.2) - 40 * 5) / 2, rel=1e-9
    )


def test_learned_variance_starts_at_one():
    model = GaussianVAE(5, (), 2, rng=torch.Generator().manual_seed(0))
    assert model.log_var.item() == 0.0
    assert model.log_var.requires_grad


@pytest.mark.equation(
    "eq-vae-gaussian-decoder",
    against="scipy's normal density, pixel by pixel",
    body="9e58f66d",
)
@pytest.mark.parametrize("log_var", [-6.0, 0.0, 1.5])
def test_grey_log_likelihood_is_scipys_for_any_learned_variance(grey, rng, log_var):
    with torch.no_grad():
        grey.log_var.fill_(log_var)
    x = torch.randn(6, 5, generator=rng, dtype=torch.float64)
    z = torch.randn(3, 6, 2, generator=rng, dtype=torch.float64)
    found = grey.log_likelihood(x, z).detach()
    mean, sigma = grey.mean_image(z).detach(), np.exp(log_var / 2)
    assert found.shape == (3, 6)
    expected = stats.norm.logpdf(x.numpy(), mean.numpy(), sigma).sum(-1)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def correlated(rng, num=40, dim=5):
    mix = torch.randn(dim, dim, generator=rng, dtype=torch.float64)
    return torch.randn(num, dim, generator=rng, dtype=torch.float64) @ mix + 3


def weights_of(model):
    return nn.utils.parameters_to_vector(model.parameters()).detach().clone()


def images_law(model, like):
    """N(b, W W' + sigma^2 I) of the decoder, by torch: differentiable."""
    layer, eye = model.decoder.net[0], torch.eye(like.shape[1]).to(like)
    noise = model.log_var.exp() * eye
    return MultivariateNormal(layer.bias, layer.weight @ layer.weight.T + noise)


@pytest.mark.equation(
    "eq-linear-vae-ml-weights",
    against="scikit-learn's PCA of the same images, 1/N",
    body="de142ed1",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_solved_model_is_probabilistic_pca(grey, rng):
    x = correlated(rng)
    grey.solve(x)
    pca = PCA(2).fit(x.numpy())
    expected = (1 - 1 / len(x)) * pca.get_covariance()
    exact = grey.linear_gaussian()
    np.testing.assert_allclose(exact.marginal().cov, expected, rtol=1e-10)
    np.testing.assert_allclose(exact.offset, pca.mean_, rtol=1e-10)
    expected = stats.multivariate_normal(pca.mean_, expected).logpdf(x)
    np.testing.assert_allclose(linear_law(grey).logpdf(x), expected, rtol=1e-10)
    images_law(grey, x).log_prob(x).mean().backward()
    for weight in (*grey.decoder.parameters(), grey.log_var):
        np.testing.assert_allclose(weight.grad, 0, atol=1e-11)


@pytest.mark.equation(
    "eq-linear-vae-tight",
    against="scipy's log p(x), at every draw of the code",
    body="d06e8c85",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_encoder_of_the_solved_model_is_exact(grey, rng):
    """Weights p(x, z)/q(z|x) do not depend on z, also far from the training set."""
    grey.solve(correlated(rng))
    x = 5 * torch.randn(6, 5, generator=rng, dtype=torch.float64)
    mu, log_var = (part.detach() for part in grey.posterior(x))
    exact = grey.linear_gaussian().posterior(x)
    np.testing.assert_allclose(mu, exact.mu, rtol=1e-9, atol=1e-9)
    cov = log_var.exp().diag_embed()
    np.testing.assert_allclose(cov, exact.cov.expand(6, 2, 2), rtol=1e-9, atol=1e-12)
    log_w = grey.log_weights(x, 4, rng=rng).detach()
    expected = np.broadcast_to(linear_law(grey).logpdf(x), (4, 6))
    np.testing.assert_allclose(log_w, expected, rtol=1e-10)


def test_solving_needs_no_start_and_keeps_the_precision():
    """In float32 the nearly equal eigenvalues of the digits would turn the axes."""
    x, models = load_digits(binarize=False).train.x[:200], []
    for seed, dtype in enumerate((torch.float32, torch.float32, torch.float64)):
        rng = torch.Generator().manual_seed(seed)
        models.append(GaussianVAE(64, (), 10, rng=rng).to(dtype))
        models[-1].solve(x.to(dtype))
    first, second, exact = map(weights_of, models)
    assert torch.equal(first, second)
    assert first.dtype == torch.float32
    assert all(weight.requires_grad for weight in models[0].parameters())
    np.testing.assert_allclose(first, exact, rtol=1e-6, atol=1e-7)


@pytest.mark.equation(
    "eq-linear-vae-log-evidence",
    against="importance sampling, from two proposals",
    body="1e8baf6c",
)
@pytest.mark.parametrize("latent_dim", [2, 10])
def test_importance_sampling_finds_the_closed_form_of_the_digits(
    latent_dim, rng, assert_within
):
    data = load_digits(binarize=False)
    x = data.test.x.double()
    model = GaussianVAE(64, (), latent_dim, rng=rng).double()
    model.solve(data.train.x.double())
    truth = linear_law(model).logpdf(x.numpy())
    np.testing.assert_allclose(model.log_evidence(x, 10, rng=rng).value, truth)
    with torch.no_grad():
        model.encoder.net[0].bias[latent_dim:] += 0.1  # log q's variance
    widened = model.log_evidence(x, 1000, rng=rng)
    assert_within(widened.value, truth, widened.standard_error)
    assert widened.standard_error.min() > 1e-4
    assert widened.value.mean().item() == pytest.approx(truth.mean(), abs=1e-3)


@pytest.mark.parametrize(
    ("sizes", "columns", "message"),
    [
        ((5, (4,), 2), 5, "the net must be one layer; received 3"),
        ((5, (), 5), 5, "latent_dim must be at most 4; received 5"),
        ((5, (), 2), 4, r"weights must be of shape \(5, 2\); received \(4, 2\)"),
    ],
)
def test_what_cannot_be_solved_is_refused_and_left_alone(sizes, columns, message, rng):
    model = GaussianVAE(*sizes, rng=rng)
    before = weights_of(model)
    with pytest.raises(ValueError, match=message):
        model.solve(correlated(rng, dim=columns))
    assert torch.equal(weights_of(model), before)


def test_five_solvers_of_the_linear_vae_agree():
    """The table of chapter 8: mean log p(x) of the grey digits, two latents."""
    x = load_digits(binarize=False).train.x.double()
    exact = ppca(spectrum(x), 2)
    rng = torch.Generator().manual_seed(0)
    weights = 0.1 * torch.randn(64, 2, generator=rng, dtype=torch.float64)
    start = ppca(spectrum(x), 2, 0.1)._replace(weights=weights)
    by_em = start
    for _ in range(300):
        by_em = ppca_em_step(by_em, x)
    climbed = ascend(
        lambda *p: exact_q_elbo(*p, x), [weights, start.offset, start.var[0].log()]
    )
    var = climbed[2].exp().expand(64)
    by_ascent = start._replace(weights=climbed[0], offset=climbed[1], var=var)
    trained = GaussianVAE(64, (), 2, rng=rng).double()
    settings = Settings(epochs=600, learning_rate=0.02, weight_decay=0.0)
    fit(trained, x, settings, rng=rng)
    by_sgd = trained.linear_gaussian()
    goal = PCA(2).fit(x.numpy()).score(x.numpy())  # divides by N - 1
    assert exact.log_evidence(x).mean().item() == pytest.approx(goal, abs=1e-3)
    for model, within in ((by_em, 1e-9), (by_ascent, 1e-9), (by_sgd, 1e-3)):
        off = exact.log_evidence(x).mean() - model.log_evidence(x).mean()
        assert -1e-9 <= off < within
    drawn = trained.log_evidence(x, 1000, rng=rng)
    error = drawn.standard_error.square().sum().sqrt() / len(x)
    assert abs(drawn.value.mean() - by_sgd.log_evidence(x).mean()) < 5 * error < 1e-3


def test_each_pixel_may_have_its_own_variance():
    """Against scipy's N(b, W W' + diag sigma_d^2) of a linear decoder."""
    rng = torch.Generator().manual_seed(4)
    model = GaussianVAE(5, (), 2, per_pixel=True, rng=rng).double()
    with torch.no_grad():
        model.log_var.copy_(torch.linspace(-2, 1, 5))
    x, z = torch.randn(6, 5, generator=rng).double(), torch.zeros(6, 2).double()
    mean = model.mean_image(z).detach().numpy()
    sigma = np.exp(0.5 * model.log_var.detach().numpy())
    found = model.log_likelihood(x, z).detach()
    truth = stats.norm.logpdf(x.numpy(), mean, sigma).sum(1)
    np.testing.assert_allclose(found, truth, rtol=1e-10)

    layer = model.decoder.net[0]
    w, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    law = stats.multivariate_normal(b, w @ w.T + np.diag(sigma**2))
    exact = model.linear_gaussian().log_evidence(x)
    np.testing.assert_allclose(exact.detach(), law.logpdf(x.numpy()), rtol=1e-8)
    assert GaussianVAE(5, (), 2, rng=rng).log_var.shape == ()
