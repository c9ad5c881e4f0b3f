"""Weights in twelve bits."""

import numpy as np
import pytest
import torch
from explore.made import make_pads, trained_autoencoder

from vaebook.explore.parts.quantise import twelve_bits


def test_weights_are_rounded_to_the_nearest_of_twelve_bits():
    net = trained_autoencoder().decoder.net
    rounded_net, packed = twelve_bits(net)
    layers, exact = net[::2], rounded_net[::2]
    count = sum(layer.out_features for layer in layers)
    scales = np.frombuffer(packed[: 4 * count], "<f4").astype(float)
    bits = np.unpackbits(np.frombuffer(packed[4 * count :], "u1")).reshape(-1, 12)
    levels = bits @ 2 ** np.arange(11, -1, -1) - 2048
    for layer, rounded_layer in zip(layers, exact, strict=True):
        shape = layer.out_features, layer.in_features + 1
        scale, scales = scales[: shape[0], None], scales[shape[0] :]
        level, levels = levels[: np.prod(shape)], levels[np.prod(shape) :]
        row = np.column_stack([layer.weight.detach(), layer.bias.detach()])
        used = np.column_stack([rounded_layer.weight, rounded_layer.bias])
        np.testing.assert_array_equal(used, scale * level.reshape(shape))
        assert (np.abs(level.reshape(shape)).max(1) == 2047).all()
        assert (np.abs(used - row) <= 0.5001 * scale).all()
    assert len(levels) <= 1 and len(scales) == 0


def test_twelve_bits_hardly_change_an_image():
    pads, net = make_pads(), trained_autoencoder().decoder.net.double()
    with torch.no_grad():
        whole = torch.sigmoid(net(pads.now.codes[0]))
    net.float()
    off = (pads.now.probabilities(0, pads.now.codes[0]) - whole).abs()
    assert off.mean() < 1e-3 and off.max() < 0.03


@pytest.mark.parametrize("numbers", [[0.0, 0.0], [3.0, 0.0], [-1.0, 1e-9]])
def test_rows_of_zeros_and_odd_counts_are_packed(numbers):
    net = torch.nn.Sequential(torch.nn.Linear(2, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([numbers]))
        net[0].bias.zero_()
    rounded_net, packed = twelve_bits(net)
    expected = torch.tensor([numbers]).double()
    torch.testing.assert_close(rounded_net[0].weight, expected, atol=1e-8, rtol=1e-6)
    assert len(packed) == 4 + 6
    with torch.no_grad():
        net[0].bias.fill_(float("nan"))
    with pytest.raises(ValueError, match="every weight must be finite; received nan"):
        twelve_bits(net)
