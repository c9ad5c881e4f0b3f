"""The two latent pads: codes, draws and what holds them, by scipy; traits; still."""

import io

import numpy as np
import pytest
import torch
from explore.made import briefly_trained, make_pads, model_of, trained_autoencoder
from explore.pads.oracle import in_pad
from PIL import Image
from scipy.spatial import cKDTree

from vaebook.datasets import load_digits
from vaebook.explore.pads.maths import WORDS
from vaebook.vae import VAE


def test_codes_are_the_encoders_means_and_draws_those_of_their_gaussian():
    pads = make_pads()
    models = trained_autoencoder(), model_of(2)
    for k, model in enumerate(models):
        with torch.no_grad():
            mu = model.encoder(load_digits().test.x)[0].double()
        torch.testing.assert_close(pads.now.codes[k], mu, rtol=1e-3, atol=1e-3)
        chol = np.linalg.cholesky(np.cov(pads.now.codes[k].T, bias=True))
        fitted = pads.now.codes[k].mean(0).numpy() + pads.now.noise.numpy() @ chol.T
        np.testing.assert_allclose(pads.now.draws("fitted")[k], fitted, rtol=1e-10)
        assert torch.equal(pads.now.draws("prior")[k], pads.now.noise)
    assert pads.now.noise.shape == (8, 12, 2) and len(pads.now.noise.unique()) > 150


@pytest.mark.parametrize("source", ["prior", "fitted"])
def test_draws_where_no_code_is_and_codes_inside_equal_scipy(source):
    pads = make_pads()
    lost, inside = pads.now.where_no_code_is(source), pads.now.codes_inside(source)
    for k in range(2):
        codes, draws = pads.now.codes[k].numpy(), pads.now.draws(source)[k].numpy()
        tree = cKDTree(codes)
        own = tree.query(codes, 2)[0][:, 1]
        reach = np.quantile(own, 0.95)
        assert pads.reach[k] == pytest.approx(reach, rel=1e-12)
        assert (own > reach).mean() == pytest.approx(0.05, abs=0.005)
        far = tree.query(draws)[0] > reach
        np.testing.assert_array_equal(lost[k], far)
        mean, cov = np.zeros(2), np.eye(2)
        if source == "fitted":
            mean, cov = codes.mean(0), np.cov(codes.T, bias=True)
        off = codes - mean
        squared = np.einsum("ni,ij,nj->n", off, np.linalg.inv(cov), off)
        assert inside[k] == (squared <= 4).sum()
    assert 0 < lost.sum() < lost.numel()


def test_the_prior_holds_the_codes_of_the_vae_and_few_of_the_autoencoder():
    pads = make_pads()
    plain, variational = pads.now.codes_inside("prior")
    assert plain < 200 < 350 < variational
    assert min(pads.now.codes_inside("fitted")) > 350


def test_frames_hold_codes_draws_and_the_prior():
    pads = make_pads()
    for k in range(2):
        shown = [
            pads.now.codes[k],
            *(pads.now.draws(s)[k].flatten(0, 1) for s in WORDS),
        ]
        for points in (*shown, [[-2, -2], [2, 2]]):
            at = in_pad(pads, k, points)
            assert at.min() > 0.02 and at.max() < 0.98
        across, up = pads.frames[k]
        assert across[1] - across[0] == pytest.approx(up[1] - up[0])


def test_pads_are_read_set_and_observed():
    pads, seen = make_pads(), []
    assert pads.z == pads.now.codes[:, 0].tolist() == pads.home
    assert (pads.draw, pads.source, pads.names) == (0, "prior", ["autoencoder", "VAE"])
    pads.observe(lambda change: seen.append(change["new"]), ["z", "draw", "source"])
    pads.z, pads.draw, pads.source = [[0, 1], [2, -3.5]], 7, "fitted"
    assert seen == [[[0, 1], [2, -3.5]], 7, "fitted"]


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("z", [[0.0, 0.0]], r"2 points of 2 finite numbers; received \[\[0.0, 0.0\]"),
        ("z", [[0.0], [0.0, 1.0]], "2 points of 2"),
        ("z", [[0.0, 1.0], [0.0, float("inf")]], "finite numbers; received"),
        ("draw", 8, "draw must be 0 to 7; received 8"),
        ("draw", -1, "received -1"),
        ("source", "posterior", "must be prior or fitted; received posterior"),
    ],
)
def test_pads_refuse_traits(trait, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(make_pads(), trait, value)


def with_relu(model):
    model.decoder.net[1] = torch.nn.ReLU()
    return model


def collapsed(model):
    with torch.no_grad():
        model.encoder.net[-1].weight.zero_()
    return model


@pytest.mark.parametrize(
    ("second", "options", "message"),
    [
        (lambda: None, {}, "models must be two; received VAE"),
        (lambda: briefly_trained(1, 0), {}, r"other.decoder must take 2 latents to 64"),
        (lambda: VAE(36, (8,), 2, rng=torch.Generator()), {}, "64 pixels; .* 2 to 36"),
        (lambda: with_relu(briefly_trained(2, 0)), {}, "other.decoder.net must alter"),
        (lambda: collapsed(briefly_trained(2, 0)), {}, "covariance of other's codes"),
        (lambda: model_of(2), {"num_draws": 25}, "1 to 24; received 25"),
        (lambda: model_of(2), {"num_draws": 0}, "num_draws must be 1 to 24"),
    ],
)
def test_models_that_cannot_be_compared_are_refused(second, options, message):
    models = {"VAE": model_of(2), "other": second()}
    models = {name: model for name, model in models.items() if model}
    with pytest.raises(ValueError, match=message):
        make_pads(models, **options)


def test_a_code_that_is_not_finite_is_refused():
    model = briefly_trained(2, 0)
    with torch.no_grad():
        model.encoder.net[-1].bias[0] = float("inf")
    with pytest.raises(ValueError, match=r"other.encoder must give finite codes"):
        make_pads({"VAE": model_of(2), "other": model})


def test_the_still_shows_codes_draws_and_images():
    pads = make_pads()
    picture = pads.snapshot()
    assert len(picture) <= 20_000
    assert Image.open(io.BytesIO(picture)).size == (1280, 600)
    words, lost = pads.describe(), pads.now.where_no_code_is()[1].sum()
    assert "codes of 447 test images" in words and "12 draws of N(0, I)" in words
    assert f"VAE: {pads.now.codes_inside()[1]} codes within 2 sigma" in words
    assert f"of it, {lost} of its 96 draws where no code is." in words
    pads.draw = 1
    second = pads.snapshot()
    pads.source = "fitted"
    assert len({picture, second, pads.snapshot()}) == 3
    assert "12 draws of a Gaussian fitted to the codes" in pads.describe()
    assert make_pads(num_draws=1).snapshot() not in (b"", picture)
