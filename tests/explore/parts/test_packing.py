"""Weights in sixteen bits."""

import pytest
import torch
from explore.made import briefly_trained, make_latent, model_of

from vaebook.explore import rounded
from vaebook.explore.latent.maths import fixed_noise_terms


@pytest.mark.parametrize("latent_dim", [1, 2, 8])
def test_rounding_the_weights_costs_less_than_a_hundredth_of_a_nat(latent_dim):
    explorer = make_latent(latent_dim)
    whole = fixed_noise_terms(
        model_of(latent_dim).double(), explorer.x, explorer.noise
    ).elbo
    half = explorer.terms(explorer.x).elbo
    model_of(latent_dim).float()
    assert (whole - half).abs().mean() < 0.01
    assert not torch.equal(whole, half)


def test_a_weight_beyond_half_precision_is_refused():
    model = briefly_trained(2, epochs=0)
    with torch.no_grad():
        model.decoder.net[0].bias[0] = 1e6
    with pytest.raises(ValueError, match=r"decoder\.net\.0\.bias has 1e\+06"):
        rounded(model)
