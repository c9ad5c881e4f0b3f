"""What follows from a measurement, against joint Gaussians in numpy and counting."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats

from vaebook.applications import (
    BinaryInpainting,
    GreyRestoration,
    Measurement,
    exact_restoration,
)
from vaebook.bayes import LinearGaussian
from vaebook.likelihood import FullGaussian
from vaebook.vae import VAE, GaussianVAE


def codes(*shape, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def given_code(task, z):
    """Of one code (L,): mean and covariance of (x, y), by numpy."""
    a = task.weights.numpy()
    var = np.exp(task.model.log_var.detach().numpy())
    mean = task.model.mean_image(z).detach().numpy()
    image = np.diag(var)
    noise = task.sigma**2 * np.eye(len(a))
    return mean, image, a @ mean, a @ image @ a.T + noise, image @ a.T


# Grey pixels, given the code


@pytest.mark.equation(
    "eq-applications-measured",
    against="scipy, with mean and covariance of a joint Gaussian in numpy",
    body="1ab5de77",
)
def test_likelihood_is_scipys_of_what_was_measured(task):
    z = codes(2, 4, 2)
    found = task.log_likelihood(z).detach()
    for s, n in product(range(2), range(4)):
        _, _, mean, cov, _ = given_code(task, z[s, n])
        truth = stats.multivariate_normal(mean, cov).logpdf(task.y[n].numpy())
        assert found[s, n].item() == pytest.approx(truth, rel=1e-10)


def test_log_prob_adds_the_prior(task):
    z = codes(2, 4, 2)
    prior = stats.norm.logpdf(z.numpy()).sum(-1)
    found = (task.log_prob(z) - task.log_likelihood(z)).detach().numpy()
    np.testing.assert_allclose(found, prior, rtol=1e-10)


@pytest.mark.equation(
    "eq-applications-completed",
    against="conditioning a joint Gaussian in numpy",
    body="6c5f12b6",
)
def test_mean_image_is_the_conditional_mean(task):
    z = codes(4, 2)
    found = task.mean_image(z).detach().numpy()
    for n in range(4):
        mean, _, at, cov, across = given_code(task, z[n])
        truth = mean + across @ np.linalg.solve(cov, task.y[n].numpy() - at)
        np.testing.assert_allclose(found[n], truth, rtol=1e-9)


@pytest.mark.equation(
    "eq-applications-conditional-draw",
    against="mean and covariance of 40,000 draws, and of the conditioned Gaussian",
    body="9d9a907d",
)
def test_drawn_images_have_the_conditional_mean_and_covariance(task, assert_within):
    z = codes(1, 4, 2).expand(40_000, 4, 2)
    with torch.no_grad():
        x = task.draw_image(z, rng=torch.Generator().manual_seed(0))
        mean = task.mean_image(z[0])
    _, image, _, cov, across = given_code(task, z[0, 0])
    truth = image - across @ np.linalg.solve(cov, across.T)
    error = np.sqrt(np.diag(truth) / len(x))
    assert_within(x.mean(0), mean, np.broadcast_to(error, (4, 5)))
    spread = np.cov(x[:, 0].T.numpy())
    sd = np.sqrt((truth**2 + np.outer(np.diag(truth), np.diag(truth))) / len(x))
    assert_within(spread, truth, sd)


def test_without_noise_a_drawn_image_has_the_pixels_that_were_seen(linear):
    kept = Measurement(torch.eye(5).double()[[1, 3]])
    y = codes(4, 2)
    task = GreyRestoration(linear, kept, y)
    with torch.no_grad():
        drawn = task.draw_image(codes(3, 4, 2), rng=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(drawn[..., [1, 3]], y.expand(3, 4, 2), atol=1e-12)


# Grey pixels, the code summed out


@pytest.mark.equation(
    "eq-applications-exact",
    against="conditioning the joint Gaussian of image and measurement in numpy",
    body="7a88a87d",
)
def test_exact_restoration_is_numpys(task, exact):
    found = task.exact()
    np.testing.assert_allclose(found.mu, exact[0], rtol=1e-9)
    np.testing.assert_allclose(found.cov, exact[1], atol=1e-12)


def test_exact_restoration_without_noise_is_numpys(linear, conditioned):
    pixels = Measurement(codes(2, 5))
    y = codes(3, 2, seed=2)
    found = GreyRestoration(linear, pixels, y).exact()
    mean, cov = conditioned(linear, pixels, y)
    np.testing.assert_allclose(found.mu, mean, rtol=1e-8)
    np.testing.assert_allclose(found.cov, cov, atol=1e-10)
    np.testing.assert_allclose(found.mu @ pixels.weights.T, y, atol=1e-10)


def test_exact_restoration_is_bayes_with_the_image_for_the_unknown(blurred):
    root = codes(5, 5)
    image = FullGaussian(codes(5, seed=3), root @ root.T + torch.eye(5).double())
    y = codes(4, 3, seed=4)
    found = exact_restoration(image, blurred, y)
    noise = torch.full((3,), blurred.sigma**2).double()
    zero = torch.zeros(3).double()
    truth = LinearGaussian(image, blurred.weights, zero, noise).posterior(y)
    torch.testing.assert_close(found.mu, truth.mu)
    torch.testing.assert_close(found.cov, truth.cov)


def test_what_the_code_says_averages_to_the_exact_restoration(task, exact):
    """E[x|y] is the mean of E[x|z, y] over p(z|y), by quadrature over two latents."""
    nodes = torch.linspace(-6, 6, 161).double()
    z = torch.cartesian_prod(nodes, nodes)[:, None].expand(-1, 4, -1)
    with torch.no_grad():
        shares = torch.softmax(task.log_prob(z), 0)
        mean = (shares[..., None] * task.mean_image(z)).sum(0)
    np.testing.assert_allclose(mean, exact[0], atol=1e-6)


# Binary pixels


@pytest.fixture
def inpainting():
    """A model of six binary pixels, of which four are seen in three images."""
    model = VAE(6, (7,), 2, rng=torch.Generator().manual_seed(2)).double()
    with torch.no_grad():
        for layer in model.decoder.net[::2]:
            layer.weight *= 3
    mask = torch.tensor([[True, False, True], [True, True, False]])
    y = torch.tensor([[1.0, 0, 1, 1], [0, 0, 1, 0], [1, 1, 1, 1]]).double()
    return BinaryInpainting(model, mask, y)


@pytest.mark.equation(
    "eq-applications-inpainting",
    against="a sum over every setting of the hidden pixels, by scipy",
    body="8fa20074",
)
def test_likelihood_is_the_sum_over_the_pixels_not_seen(inpainting):
    z = codes(2, 3, 2)
    probs = inpainting.model.mean_image(z).detach().numpy()
    total = np.zeros((2, 3))
    for hidden in product([0.0, 1.0], repeat=2):
        x = np.empty((3, 6))
        x[:, [0, 2, 3, 4]] = inpainting.y
        x[:, [1, 5]] = hidden
        total += stats.bernoulli.pmf(x, probs).prod(-1)
    found = inpainting.log_likelihood(z).detach().numpy()
    np.testing.assert_allclose(found, np.log(total), rtol=1e-10)


def test_hidden_pixels_are_scored_as_the_coins_that_they_are(inpainting):
    z, x = codes(2, 3, 2), torch.tensor([[0.0, 1, 1, 0, 0, 0]] * 3).double()
    x[1, 5] = 1
    probs = inpainting.model.mean_image(z).detach().numpy()[..., [1, 5]]
    truth = stats.bernoulli.logpmf(x[:, [1, 5]].numpy(), probs).sum(-1)
    found = inpainting.log_hidden(x, z).detach().numpy()
    np.testing.assert_allclose(found, truth, rtol=1e-10)


def test_what_was_seen_stays_and_the_rest_is_what_the_model_says(inpainting):
    z = codes(2, 3, 2)
    with torch.no_grad():
        mean, said = inpainting.mean_image(z), inpainting.model.mean_image(z)
        drawn = inpainting.draw_image(z, rng=torch.Generator().manual_seed(0))
    for image in (mean, drawn):
        assert torch.equal(image[..., [0, 2, 3, 4]], inpainting.y.expand(2, 3, 4))
    assert torch.equal(mean[..., [1, 5]], said[..., [1, 5]])
    assert set(drawn.unique().tolist()) <= {0.0, 1.0}


def test_hidden_pixels_are_drawn_as_often_as_the_model_says(inpainting, assert_within):
    z = codes(1, 3, 2).expand(20_000, 3, 2)
    with torch.no_grad():
        drawn = inpainting.draw_image(z, rng=torch.Generator().manual_seed(0))
        said = inpainting.model.mean_image(z[0])[:, [1, 5]]
    error = (said * (1 - said) / len(z)).sqrt()
    assert_within(drawn.mean(0)[:, [1, 5]], said, error)


# What is refused


def test_the_wrong_kind_of_model_is_refused(linear, blurred, inpainting):
    with pytest.raises(TypeError, match=r"Gaussian pixels.* received VAE"):
        GreyRestoration(inpainting.model, blurred, torch.ones(1, 3))
    with pytest.raises(TypeError, match="binary pixels; received GaussianVAE"):
        BinaryInpainting(linear, torch.ones(1, 5) > 0, torch.ones(1, 5))


@pytest.mark.parametrize(
    ("weights", "sigma", "y", "message"),
    [
        (torch.ones(3, 5), 0.1, torch.ones(2, 4), "y must be of shape"),
        (torch.ones(3, 4), 0.1, torch.ones(2, 3), "columns of weights"),
        (torch.zeros(3, 5), 0.1, torch.ones(2, 3), "no pixel is observed"),
        (torch.ones(3, 5), -1.0, torch.ones(2, 3), "sigma must not be negative"),
        (torch.ones(3, 5), 0.0, torch.ones(2, 3), "covariance of y given z"),
    ],
)
def test_impossible_requests_are_refused(linear, weights, sigma, y, message):
    with pytest.raises(ValueError, match=message):
        GreyRestoration(linear, Measurement(weights.double(), sigma), y.double())


def test_a_mask_of_the_wrong_shape_is_refused(inpainting):
    with pytest.raises(ValueError, match="mask must have 6 pixels"):
        BinaryInpainting(inpainting.model, torch.ones(2, 4) > 0, torch.ones(1, 8))
    with pytest.raises(ValueError, match="y must be of shape"):
        BinaryInpainting(inpainting.model, torch.ones(2, 3) > 0, torch.ones(1, 5))


def test_float32_models_restore_in_float32():
    model = GaussianVAE(4, (3,), 2, rng=torch.Generator().manual_seed(0))
    task = GreyRestoration(model, Measurement(torch.eye(4)[:2], 0.1), torch.ones(3, 2))
    z = torch.zeros(3, 2)
    assert task.log_prob(z).dtype == task.mean_image(z).dtype == torch.float32
