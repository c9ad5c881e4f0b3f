"""Importance sampling by hand: quadrature, scipy's weights, its traits, its still."""

import io

import numpy as np
import pytest
import torch
from explore.made import make_proposal
from PIL import Image
from scipy import integrate, stats

# (mean, sd, target_sd) of importance sampling
SETTING = [
    (0, 1.5, 1),
    (0, 0.75, 1),
    (2.5, 1, 1),
    (-4, 5, 1),
    (1, 2, 2),
    (-0.3, 0.5, 0.3),
]


@pytest.mark.parametrize("setting", SETTING)
def test_the_limit_of_the_effective_sample_size_equals_quadrature(setting):
    mean, sd, tau = setting
    p, q = stats.norm(0, tau), stats.norm(mean, sd)
    square = integrate.quad(
        lambda z: np.exp(2 * p.logpdf(z) - q.logpdf(z)), -60 * tau, 60 * tau, limit=500
    )[0]
    explorer = make_proposal(mean, sd, target_sd=tau)
    assert explorer.now.ess_limit() == pytest.approx(1 / square, rel=1e-6)
    assert explorer.now.of_width(sd).ess_limit() == explorer.now.ess_limit()
    assert explorer.now.of_width(tau / 2**0.5 - 1e-9).ess_limit() == 0


def test_the_limit_is_that_of_the_book_for_a_centred_proposal():
    for sd in (0.8, 1, 3):
        expected = (2 * sd**2 - 1) ** 0.5 / sd**2
        assert make_proposal(0, sd).now.ess_limit() == pytest.approx(expected)


def test_draws_and_weights_equal_scipy():
    explorer = make_proposal(1.25, 0.6, target_sd=1.5, num_samples=40)
    noise = torch.randn(2000, generator=torch.Generator().manual_seed(0)).double()
    z = 1.25 + 0.6 * noise[:40].numpy()
    np.testing.assert_allclose(explorer.now.draws(), z, rtol=1e-12)
    log_p = stats.norm.logpdf(z, 0, 1.5)
    expected = log_p - stats.norm.logpdf(z, 1.25, 0.6)
    np.testing.assert_allclose(explorer.now.log_w(), expected, rtol=1e-10)
    wide = 1.25 + 3 * noise[:40].numpy()
    w = stats.norm.pdf(wide, 0, 1.5) / stats.norm.pdf(wide, 1.25, 3)
    expected = w.sum() ** 2 / (w**2).sum() / 40
    assert explorer.now.of_width(3).ess_share() == pytest.approx(expected)
    shipped = np.frombuffer(explorer.eps, "<f4")
    np.testing.assert_array_equal(shipped, noise)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mean": 4.1}, "mean must be -4 to 4; received 4.1"),
        ({"mean": float("nan")}, "received nan"),
        ({"sd": 0.09}, "sd must be 0.1 to 5; received 0.09"),
        ({"sd": 5.1}, "received 5.1"),
        ({"num_samples": 9}, "num_samples must be 10 to 2000; received 9"),
        ({"num_samples": 2001}, "received 2001"),
        ({"target_sd": 0.0}, "target_sd must be above 0 and finite; received 0"),
        ({"target_sd": 2, "mean": -8.1}, "mean must be -8 to 8; received -8.1"),
    ],
)
def test_the_proposal_refuses_what_it_cannot_be(given, message):
    with pytest.raises(ValueError, match=message):
        make_proposal(**given)


def test_the_proposal_reads_sets_and_is_observed():
    explorer, seen = make_proposal(), []
    assert (explorer.mean, explorer.sd, explorer.num_samples) == (0, 1.5, 500)
    explorer.observe(lambda c: seen.append(c["new"]), ["mean", "sd", "num_samples"])
    explorer.mean, explorer.sd, explorer.num_samples = -1.5, 0.3, 77
    assert seen == [-1.5, 0.3, 77]
    with pytest.raises(ValueError, match="sd must be"):
        explorer.sd = 0


def test_the_still_shows_the_proposal():
    explorer = make_proposal(0, 0.4)
    pictures = {explorer.snapshot()}
    share = 100 * (w := explorer.now.log_w().exp()).max() / w.sum()
    assert "N(0.00, 0.40²); below, 500 draws" in explorer.describe()
    assert f"the largest {share:.1f}% of the total" in explorer.describe()
    for trait, value in {"mean": 1.0, "sd": 2.0, "num_samples": 2000}.items():
        setattr(explorer, trait, value)
        pictures.add(explorer.snapshot())
    assert len(pictures) == 4 and max(map(len, pictures)) <= 20_000
    assert Image.open(io.BytesIO(explorer.snapshot())).size == (1280, 600)
