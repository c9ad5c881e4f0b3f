"""The VAE that is told a label, against quadrature and numpy for each label."""

import itertools

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats
from torch import nn
from torch.distributions import MultivariateNormal, kl_divergence

from vaebook.training import NonFiniteLossError, Settings, fit
from vaebook.vae import VAE, ConditionalVAE, GaussianVAE

pytestmark = pytest.mark.usefixtures("one_thread")

TOLD = torch.eye(2).double()


@pytest.fixture
def told():
    """Three pixels, one latent, and a label of two values told to both nets."""
    rng = torch.Generator().manual_seed(5)
    model = ConditionalVAE(3, (6,), 1, 2, rng=rng).double()
    with torch.no_grad():
        for weight in model.parameters():
            weight *= 2
            weight += 0.2
    return model


IMAGES = torch.tensor(list(itertools.product([0.0, 1.0], repeat=3))).double()


def known(label):
    """The label of every image, as the model is told it."""
    return TOLD[label].expand(8, 2)


def told_law(model, z, label):
    """p(lit | z, y) by numpy, from a decoder that reads z and then y."""
    a = np.array([[z, *TOLD[label].tolist()]])
    first, last = (m for m in model.vae.decoder.net if isinstance(m, nn.Linear))
    a = a @ first.weight.detach().numpy().T + first.bias.detach().numpy()
    a = a / (1 + np.exp(-a))
    return special.expit(
        (a @ last.weight.detach().numpy().T + last.bias.detach().numpy())[0]
    )


def told_log_evidence(model, x, label):
    """log p(x|y): the integral of p(x|z, y) p(z) over z, by scipy."""

    def joint(z):
        pmf = stats.bernoulli.pmf(x.numpy(), told_law(model, z, label))
        return pmf.prod() * stats.norm.pdf(z)

    return np.log(integrate.quad(joint, -9, 9, epsabs=1e-13)[0])


@pytest.mark.equation(
    "eq-vae-conditional",
    against="quadrature over z for each label; the images' sum to 1 under each",
    body="c1c7d650",
)
@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("rng", range(2), indirect=True)
def test_conditional_evidence_is_the_integral(told, rng, label, assert_within):
    x, y = IMAGES, known(label)
    truth = np.array([told_log_evidence(told, one, label) for one in x])
    assert np.exp(truth).sum() == pytest.approx(1.0, rel=1e-9)
    result = told.given(y).log_evidence(x, 4000, rng=rng)
    assert_within(result.value, truth, result.standard_error)
    drawn = torch.stack([told.elbo_terms(x, y, rng=rng).elbo for _ in range(500)])
    assert (drawn.detach().mean(0).numpy() < truth).all()
    q = told.posterior(x, y)
    kl = kl_divergence(
        MultivariateNormal(q.mu, q.log_var.exp().diag_embed()),
        MultivariateNormal(torch.zeros(1).double(), torch.eye(1).double()),
    )
    terms = told.elbo_terms(x, y, rng=rng)
    torch.testing.assert_close(terms.kl, kl)


@pytest.mark.equation(
    "eq-vae-conditional",
    against="numpy's decoder of z beside y, scipy's Bernoulli",
    body="c1c7d650",
)
@pytest.mark.parametrize("label", [0, 1])
def test_conditional_likelihood_is_of_the_pixels_given_code_and_label(told, rng, label):
    """With an axis of samples and without; the label itself is not scored."""
    x, y = IMAGES, known(label)
    z = torch.randn(4, 8, 1, generator=rng, dtype=torch.float64)
    expected = [
        [
            stats.bernoulli.logpmf(one.numpy(), told_law(told, at.item(), label))
            for one, at in zip(x, row, strict=True)
        ]
        for row in z
    ]
    expected = np.sum(expected, -1)
    found = told.log_likelihood(x, z, y).detach()
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    one = told.log_likelihood(x, z[2], y).detach()
    np.testing.assert_allclose(one, expected[2], rtol=1e-10)


def test_both_nets_see_the_label(told, rng):
    pair = known(0), known(1)
    codes = [told.posterior(IMAGES, y) for y in pair]
    assert (codes[0].mu != codes[1].mu).all()
    assert (codes[0].log_var != codes[1].log_var).all()
    z = torch.randn(8, 1, generator=rng, dtype=torch.float64)
    likelihoods = [told.log_likelihood(IMAGES, z, y) for y in pair]
    assert (likelihoods[0] != likelihoods[1]).all()
    told.elbo_terms(IMAGES, pair[0], rng=rng).elbo.sum().backward()
    for net, first in ((told.vae.encoder.net, 3), (told.vae.decoder.net, 1)):
        slopes = net[0].weight.grad[:, first:]
        assert slopes.shape == (6, 2)
        assert slopes[:, 0].abs().min() > 0
        assert not slopes[:, 1].any()


def test_conditional_images_are_decoded_from_code_and_label(told, rng):
    z = torch.randn(5, 1, generator=rng, dtype=torch.float64)
    for label in (0, 1):
        images = told.mean_image(z, TOLD[label].expand(5, 2)).detach()
        expected = [told_law(told, at.item(), label) for at in z]
        np.testing.assert_allclose(images, expected, rtol=1e-10)
        y = known(label)
        mu = told.posterior(IMAGES, y).mu
        expected = [told_law(told, at.item(), label) for at in mu]
        rebuilt = told.given(y).reconstruct(IMAGES)
        np.testing.assert_allclose(rebuilt, expected, rtol=1e-10)


@pytest.mark.parametrize("kind", [VAE, GaussianVAE])
def test_nothing_told_changes_nothing(kind):
    """No numbers beside: weights, noise and images are those of the model without."""

    def terms(model, weights, rng):
        vector = nn.utils.parameters_to_vector(weights)
        return vector, *model.elbo_terms(IMAGES, rng=rng), model.reconstruct(IMAGES)

    rng = torch.Generator().manual_seed(2)
    plain = kind(3, (6,), 1, rng=rng).double()
    expected = terms(plain, plain.parameters(), rng)
    rng = torch.Generator().manual_seed(2)
    told = ConditionalVAE(3, (6,), 1, 0, kind, rng=rng).double()
    found = terms(told.given(IMAGES[:, :0]), told.parameters(), rng)
    assert all(map(torch.equal, found, expected))


def test_grey_pixels_are_told_the_same_way(rng):
    model = ConditionalVAE(3, (4,), 1, 2, GaussianVAE, rng=rng).double()
    x, z = (torch.randn(8, d, generator=rng, dtype=torch.float64) for d in (3, 1))
    y = TOLD[[0, 1] * 4]
    mean = model.mean_image(z, y).detach()
    expected = stats.norm.logpdf(x, mean, 1.0).sum(1)
    np.testing.assert_allclose(
        model.log_likelihood(x, z, y).detach(), expected, rtol=1e-10
    )


@pytest.mark.equation(
    "eq-vae-conditional",
    against="p(y) p(x|y) summed over labels, scipy's quadrature",
    body="c1c7d650",
)
def test_the_labels_can_be_summed_out(told, rng, assert_within):
    """p(x) = sum over y of p(y) p(x|y): one model of x for each label."""
    scores = [
        told.given(known(label)).log_evidence(IMAGES, 4000, rng=rng) for label in (0, 1)
    ]
    found = sum(score.value.exp() for score in scores) / 2
    truth = [
        np.mean([np.exp(told_log_evidence(told, x, label)) for label in (0, 1)])
        for x in IMAGES
    ]
    assert np.sum(truth) == pytest.approx(1.0, rel=1e-9)
    errors = [score.value.exp() * score.standard_error for score in scores]
    assert_within(found, truth, sum(e.square() for e in errors).sqrt() / 2)


def test_given_a_label_it_draws_and_scores_as_a_vae_does(told):
    """Every number of the model given y is one of the VAE's own formulas."""
    one = told.given(TOLD[:1])
    drawn = one.sample(4, rng=torch.Generator().manual_seed(2))
    rng = torch.Generator().manual_seed(2)
    z = torch.randn(4, 1, generator=rng, dtype=torch.float64)
    expected = [told_law(told, at.item(), 0) for at in z]
    np.testing.assert_allclose(drawn, expected, rtol=1e-10)
    rng = torch.Generator().manual_seed(3)
    terms = told.given(known(0)).iw_terms(IMAGES, 3, rng=rng)
    rng = torch.Generator().manual_seed(3)
    log_w = told.given(known(0)).log_weights(IMAGES, 3, rng=rng)
    expected = special.logsumexp(log_w.detach().numpy(), 0, b=1 / 3)
    np.testing.assert_allclose(terms.elbo.detach(), expected, rtol=1e-10)


def test_a_model_given_a_label_shares_the_weights(told):
    mine = {id(weight) for weight in told.parameters()}
    assert {id(weight) for weight in told.given(known(0)).parameters()} == mine


def test_one_label_for_all_is_that_label_for_each(told):
    for_all, each = told.given(TOLD[:1]), told.given(known(0))
    assert torch.equal(for_all.posterior(IMAGES).mu, each.posterior(IMAGES).mu)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (torch.zeros(8, 3), r"received x \(8, 6\), weights \(6, 5\)"),
        (torch.zeros(3, 2), r"for all; received y \(3, 2\) beside \(8, 3\)"),
        (torch.zeros(2), r"for all; received y \(2,\) beside \(8, 3\)"),
    ],
)
def test_a_label_that_does_not_fit_is_refused(told, y, message):
    with pytest.raises(ValueError, match=message):
        told.posterior(IMAGES, y.double())


def test_a_label_that_is_missing_is_refused(told, rng):
    with pytest.raises(TypeError, match="required positional argument: 'y'"):
        told.elbo_terms(IMAGES, rng=rng)


def test_training_on_pairs_gives_each_image_its_own_label(rng):
    """Batches keep the pairs together, and noise touches the pixels alone."""
    seen = []

    class Watched(ConditionalVAE):
        def elbo_terms(self, x, y, *, rng):
            seen.append((x, y))
            return super().elbo_terms(x, y, rng=rng)

    model = Watched(3, (4,), 1, 1, rng=rng)
    y = torch.arange(40.0)[:, None]
    x = y.expand(40, 3) % 2
    settings = Settings(epochs=1, batch_size=10, to_pixels=lambda rows, rng: 1 - rows)
    fit(model, (x, y), settings, rng=rng, validation=(x[:5], y[:5]))
    pixels, labels = (torch.cat(parts) for parts in zip(*seen[:4], strict=True))
    assert torch.equal(labels.sort(0).values, y)
    assert torch.equal(pixels, (1 - labels % 2).expand(40, 3))
    assert torch.equal(seen[4][1], y[:5])


def test_labels_that_are_not_finite_are_named(told, rng):
    settings = Settings(epochs=1, batch_size=8)
    y = known(0).clone()
    y[3, 1] = torch.nan
    with pytest.raises(NonFiniteLossError, match="step 1: the labels and expected_log"):
        fit(told, (IMAGES, y), settings, rng=rng)
