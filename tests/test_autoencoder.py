"""The nets: their arithmetic against numpy, their shapes, their linear case."""

import numpy as np
import pytest
import torch

from vaebook.autoencoder import Decoder, Encoder, initialise, mlp


def silu(a):
    return a / (1 + np.exp(-a))


def test_mlp_is_matrix_products_and_silus(rng):
    net = mlp((3, 4, 5, 2)).double()
    x = torch.randn(6, 3, generator=rng, dtype=torch.float64)
    a = x.numpy()
    layers = [m for m in net if isinstance(m, torch.nn.Linear)]
    for number, layer in enumerate(layers):
        a = a @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        a = silu(a) if number < len(layers) - 1 else a
    np.testing.assert_allclose(net(x).detach(), a, rtol=1e-10)


def test_encoder_gives_mean_then_log_variance(rng):
    encoder = Encoder(5, (4,), 3)
    x = torch.randn(7, 5, generator=rng)
    mu, log_var = encoder(x)
    assert mu.shape == log_var.shape == (7, 3)
    torch.testing.assert_close(torch.cat([mu, log_var], -1), encoder.net(x))


def test_decoder_takes_a_sample_axis(rng):
    decoder = Decoder(3, (4, 6), 5)
    z = torch.randn(2, 7, 3, generator=rng)
    logits = decoder(z)
    assert logits.shape == (2, 7, 5)
    torch.testing.assert_close(logits[1], decoder(z[1]))


@pytest.mark.parametrize("hidden", [(), (4,), (4, 6)])
def test_number_of_layers(hidden):
    linear = [
        m for m in Decoder(2, hidden, 5).modules() if isinstance(m, torch.nn.Linear)
    ]
    assert [m.out_features for m in linear] == [*hidden, 5]


def test_no_hidden_layer_is_a_linear_map(rng):
    decoder = Decoder(2, (), 5).double()
    a, b = torch.randn(2, 4, 2, generator=rng, dtype=torch.float64)
    origin = decoder(torch.zeros(2).double())
    torch.testing.assert_close(decoder(a + b), decoder(a) + decoder(b) - origin)


def test_initial_weights_are_uniform_with_the_stated_bound(rng):
    layer = torch.nn.Linear(100, 200)
    initialise(layer, rng=rng)
    assert layer.weight.abs().max() <= 0.1
    assert layer.weight.std().item() == pytest.approx(0.1 / np.sqrt(3), rel=0.02)
    assert not layer.bias.any()


def test_initialise_draws_every_layer_in_turn_from_its_generator():
    """Again from the same seed; another layer has another bound."""
    nets = [mlp((9, 4, 25, 2)) for _ in range(3)]
    for net, seed in zip(nets, (0, 0, 1), strict=True):
        initialise(net, rng=torch.Generator().manual_seed(seed))
    one, again, other = (list(net.parameters()) for net in nets)
    assert all(map(torch.equal, one, again))
    assert not any(map(torch.equal, one[::2], other[::2]))
    assert all(w.requires_grad and w.grad is None for w in one)
    for weight in one[::2]:
        bound = weight.shape[1] ** -0.5
        assert 0.8 * bound < weight.abs().max() <= bound
        assert weight.min() < 0 < weight.max()


def test_initialise_leaves_the_global_generator_alone(rng):
    net, before = mlp((3, 2)), torch.get_rng_state()
    initialise(net, rng=rng)
    assert torch.equal(before, torch.get_rng_state())
