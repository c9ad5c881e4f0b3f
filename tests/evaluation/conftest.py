"""Models so small that every integral has an answer by another way."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy import special, stats
from torch import nn

from vaebook.likelihood import FullGaussian
from vaebook.linear_vae import optimal_encoder
from vaebook.vae import VAE, GaussianVAE
from vaebook.variational import linear_elbo


def stretch(net, factor):
    """Every weight of a net times ``factor``, so that its code says something."""
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, nn.Linear):
                layer.weight *= factor


def binary(num_pixels):
    """Every image of that many pixels, (2^D, D)."""
    return torch.tensor(list(product([0.0, 1.0], repeat=num_pixels))).double()


@pytest.fixture
def tiny():
    """A VAE of three pixels and one latent, and all eight images."""
    model = VAE(3, (5,), 1, rng=torch.Generator().manual_seed(2)).double()
    stretch(model.decoder, 4)
    stretch(model.encoder, 2)
    return model, binary(3)


@pytest.fixture
def plane():
    """A VAE of four pixels and two latents, and three of its images."""
    model = VAE(4, (5,), 2, rng=torch.Generator().manual_seed(3)).double()
    stretch(model.decoder, 3.5)
    stretch(model.encoder, 2)
    return model, binary(4)[[1, 6, 15]]


@pytest.fixture
def twins():
    """A VAE whose decoder is even in its one latent: two modes, of equal weight.

    Three pixels; the first image is dark (one mode, at 0), the second is lit (two, near
    -1.7 and 1.7, and no way between them). The encoder looks at 1.5, always.
    """
    model = VAE(3, (2,), 1, rng=torch.Generator().manual_seed(0)).double()
    into, _, out = model.decoder.net
    guess = model.encoder.net[-1]
    with torch.no_grad():
        into.weight.copy_(torch.tensor([[3.0], [-3.0]]))
        out.weight.fill_(2.0)
        out.bias.fill_(-6.0)
        guess.weight.zero_()
        guess.bias.copy_(torch.tensor([1.5, -2.0]))
    return model, torch.tensor([[0.0] * 3, [1.0] * 3]).double()


@pytest.fixture
def linear():
    """A linear model of two latents, its closed form, and four of its images.

    The decoder's columns are far from orthogonal: no diagonal q is the posterior. The
    encoder is somewhat off the best one.
    """
    model = GaussianVAE(5, (), 2, rng=torch.Generator().manual_seed(4)).double()
    noise = np.random.default_rng(4)
    w = noise.normal(size=(5, 2)) * 0.5
    w[:, 1] += 0.8 * w[:, 0]
    with torch.no_grad():
        model.decoder.net[0].weight.copy_(torch.from_numpy(w))
        model.decoder.net[0].bias.copy_(torch.from_numpy(noise.normal(size=5)))
        model.log_var.fill_(-0.9)
    exact = model.linear_gaussian()
    law, best = exact.marginal(), optimal_encoder(exact)
    layer = model.encoder.net[0]
    with torch.no_grad():
        layer.weight.mul_(0.2).add_(0.8 * best.weights)
        layer.bias.copy_(best.offset + torch.tensor([0.0, 0.0, 0.3, 0.3]))
    x = noise.multivariate_normal(law.mu.numpy(), law.cov.numpy(), size=4)
    return model, exact, torch.from_numpy(x)


@pytest.fixture
def line():
    """A linear model of one latent: its posterior *is* a diagonal Gaussian."""
    model = GaussianVAE(3, (), 1, rng=torch.Generator().manual_seed(6)).double()
    stretch(model.decoder, 1.5)
    with torch.no_grad():
        model.log_var.fill_(-1.0)
    x = torch.from_numpy(np.random.default_rng(6).normal(size=(4, 3)))
    return model, model.linear_gaussian(), x


def decoded(model, z):
    """The decoder by numpy: codes (..., L) to (..., D)."""
    layers = [part for part in model.decoder.net if isinstance(part, nn.Linear)]
    for number, layer in enumerate(layers):
        z = z @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        z = z * special.expit(z) if number < len(layers) - 1 else z
    return z


@pytest.fixture
def log_likelihood():
    """``log_likelihood(model, x, z)``: log p(x|z) by scipy, whatever broadcasts."""

    def evaluate(model, x, z):
        x, out = np.asarray(x), decoded(model, np.asarray(z))
        if isinstance(model, GaussianVAE):
            sigma = np.exp(model.log_var.item() / 2)
            return stats.norm.logpdf(x, out, sigma).sum(-1)
        return special.log_expit((2 * x - 1) * out).sum(-1)

    return evaluate


@pytest.fixture
def log_joint(log_likelihood):
    """``log_joint(model, x, z)``: log p(x|z) + log p(z) by scipy."""

    def evaluate(model, x, z):
        log_p_z = stats.norm.logpdf(np.asarray(z)).sum(-1)
        return log_likelihood(model, x, z) + log_p_z

    return evaluate


@pytest.fixture
def exact_elbo():
    """``exact_elbo(exact, x, q)``: of a linear model in closed form, image by image."""

    def evaluate(exact, x, q):
        rows = zip(x[:, None], q.mu[:, None], q.log_var, strict=True)
        found = [
            linear_elbo(exact, row, FullGaussian(mu, log_var.exp().diag())).elbo
            for row, mu, log_var in rows
        ]
        return torch.cat(found)

    return evaluate


@pytest.fixture
def largest_batch():
    """``largest_batch(model, call)``: the most codes that its decoder saw at once."""

    def watch(model, call):
        seen = []
        hook = model.decoder.register_forward_hook(
            lambda _, given, out: seen.append(given[0].shape[:-1].numel())
        )
        call()
        hook.remove()
        return max(seen)

    return watch


@pytest.fixture
def quadrature_elbo(log_joint):
    """``quadrature_elbo(model, x, mu, log_var)``: of one image (D,), by Gauss-Hermite.

    ``mu`` and ``log_var`` (L,), as numpy has them.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()

    def evaluate(model, x, mu, log_var):
        eps = np.array(list(product(nodes, repeat=len(mu))))
        probs = np.array(list(product(weights, repeat=len(mu)))).prod(1)
        z = mu + np.exp(np.asarray(log_var) / 2) * eps
        entropy = 0.5 * np.sum(np.log(2 * np.pi) + 1 + log_var)
        return probs @ log_joint(model, x, z) + entropy

    return evaluate
