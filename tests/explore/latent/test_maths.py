"""The latent explorer: its terms by torch.distributions, its traits, its still."""

import io

import pytest
import torch
from explore.made import briefly_trained, make_latent, model_of
from PIL import Image
from torch.distributions import Bernoulli, Normal, kl_divergence

from vaebook.datasets import load_digits
from vaebook.explore import (
    LatentExplorer,
)


def test_terms_equal_sums_by_torch_distributions():
    explorer = make_latent(2)
    terms, x = explorer.terms(explorer.x), explorer.x
    q = Normal(terms.mu, (terms.log_var / 2).exp())
    kl = kl_divergence(q, Normal(torch.zeros(2).double(), 1.0))
    torch.testing.assert_close(terms.kl_per_latent, kl, rtol=1e-10, atol=1e-12)
    assert (terms.kl_per_latent >= 0).all()
    z = q.mean + q.stddev * explorer.noise[:, None]
    log_lik = Bernoulli(logits=explorer.model.decoder(z)).log_prob(x).sum(-1).mean(0)
    torch.testing.assert_close(terms.expected_log_lik, log_lik, rtol=1e-10, atol=0)
    torch.testing.assert_close(terms.elbo, log_lik - kl.sum(-1), rtol=1e-10, atol=0)


def test_z_reads_sets_and_is_observed():
    explorer, seen = make_latent(2), []
    explorer.observe(lambda change: seen.append(change["new"]), "z")
    explorer.z = [0.5, -1]
    assert explorer.z == [0.5, -1.0] and seen == [[0.5, -1.0]]


def test_select_moves_z_to_the_posterior_mean():
    explorer = make_latent(2)
    explorer.select(5)
    assert explorer.selected == 5
    assert explorer.z == explorer.terms(explorer.x[5]).mu[0].tolist()


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("z", [0.0], r"2 numbers, finite; received \[0.0\]"),
        ("z", [0.0, float("nan")], "2 numbers, finite; received"),
        ("selected", 447, "below 447; received 447"),
        ("selected", -2, "received -2"),
        ("drawing", [1, 0], "64 zeros and ones; received 2 numbers"),
        ("drawing", [2] * 64, r"values \[2\]"),
    ],
)
def test_traits_refuse_what_they_cannot_be(trait, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(make_latent(2), trait, value)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (torch.zeros(3, 60), torch.zeros(3), "square images; received 60 pixels"),
        (torch.full((3, 64), 0.5), torch.zeros(3), "binary, 0 or 1; received"),
        (torch.zeros(3, 64), torch.zeros(2), r"x \(3, 64\), y \(2,\)"),
        (torch.zeros(2001, 64), torch.zeros(2001), "N <= 2000"),
    ],
)
def test_images_that_cannot_be_shown_are_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        LatentExplorer(model_of(2), x, y.long(), rng=torch.Generator())


def test_a_net_that_the_page_cannot_run_is_refused():
    model = briefly_trained(2, epochs=0)
    model.decoder.net[1] = torch.nn.ReLU()
    test = load_digits().test
    with pytest.raises(ValueError, match=r"decoder\.net .* Linear, ReLU, Linear"):
        LatentExplorer(model, *test, rng=torch.Generator())


def test_the_start_can_be_chosen():
    assert make_latent(8, preset_z=[0] * 8).z == [0.0] * 8
    with pytest.raises(ValueError, match="z must be 8 numbers, finite"):
        make_latent(8, preset_z=[0, 0])


@pytest.mark.parametrize("latent_dim", [1, 2, 8])
def test_snapshot_is_a_light_picture(latent_dim):
    explorer = make_latent(latent_dim)
    picture = explorer.snapshot()
    assert len(picture) <= 40_000
    assert Image.open(io.BytesIO(picture)).size == (768, 480)
    explorer.z = [2.0] * latent_dim
    assert explorer.snapshot() != picture
