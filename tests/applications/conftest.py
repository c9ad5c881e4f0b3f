"""A linear model, whose restorations are known exactly, and what is measured of it."""

import numpy as np
import pytest
import torch

from vaebook.applications import GreyRestoration, Measurement
from vaebook.vae import GaussianVAE


@pytest.fixture
def linear():
    """A linear model of five pixels and two latents; its encoder is a little off."""
    rng = torch.Generator().manual_seed(4)
    model = GaussianVAE(5, (), 2, per_pixel=True, rng=rng).double()
    noise = np.random.default_rng(4)
    x = torch.from_numpy(noise.normal(size=(40, 5)) @ noise.normal(size=(5, 5)))
    model.solve(x)
    with torch.no_grad():
        model.log_var.copy_(torch.linspace(-1.5, 0.1, 5))
        model.encoder.net[0].weight.mul_(0.9)
    return model


@pytest.fixture
def blurred():
    """Three mixtures of five pixels, with a little noise."""
    noise = np.random.default_rng(5)
    return Measurement(torch.from_numpy(noise.normal(size=(3, 5))), 0.3)


@pytest.fixture
def task(linear, blurred):
    """What was measured of four images of the linear model."""
    rng = torch.Generator().manual_seed(6)
    with torch.no_grad():
        mean = linear.mean_image(torch.randn(4, 2, generator=rng).double())
    sigma = (0.5 * linear.log_var).exp().detach()
    x = mean + sigma * torch.empty_like(mean).normal_(generator=rng)
    return GreyRestoration(linear, blurred, blurred.observe(x, rng=rng))


def exact_by_numpy(model, measurement, y):
    """Mean (N, D) and covariance (D, D) of p(x|y), by conditioning p(x, y) in numpy."""
    net = model.decoder.net[0]
    w, b = net.weight.detach().numpy(), net.bias.detach().numpy()
    a, var = measurement.weights.numpy(), np.exp(model.log_var.detach().numpy())
    image = w @ w.T + np.diag(var)
    joint = np.block([[image, image @ a.T], [a @ image, a @ image @ a.T]])
    joint[len(b) :, len(b) :] += measurement.sigma**2 * np.eye(len(a))
    seen = np.linalg.inv(joint[len(b) :, len(b) :])
    across = joint[: len(b), len(b) :]
    mean = b + (np.asarray(y) - a @ b) @ seen @ across.T
    return mean, image - across @ seen @ across.T


@pytest.fixture
def conditioned():
    """``conditioned(model, measurement, y)``: mean and covariance of p(x|y)."""
    return exact_by_numpy


@pytest.fixture
def exact(task, blurred):
    """Mean (N, D) and covariance (D, D) of p(x|y) of the task."""
    return exact_by_numpy(task.model, blurred, task.y)
