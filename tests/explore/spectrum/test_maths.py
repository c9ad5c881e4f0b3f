"""The spectrum under a noise: its likelihood by scipy, its traits, its still."""

import io

import numpy as np
import pytest
import torch
from explore.made import make_spectrum
from explore.spectrum.oracle import NOISES, at_noise
from PIL import Image
from scipy import stats

from vaebook.datasets import load_digits
from vaebook.explore import (
    SpectrumExplorer,
)


def scipy_marginal(num_latents, var):
    """p(x) of probabilistic PCA, by the singular values of the training images."""
    x = load_digits(binarize=False).train.x.double().numpy()
    _, values, rows = np.linalg.svd(x - x.mean(0), full_matrices=False)
    excess = np.clip(values**2 / len(x) - var, 0, None)[:num_latents]
    cov = rows[:num_latents].T @ np.diag(excess) @ rows[:num_latents]
    return stats.multivariate_normal(x.mean(0), cov + var * np.eye(len(cov)))


@pytest.mark.usefixtures("one_thread")
def test_the_best_noise_has_the_likelihood_of_the_book():
    for num_latents, var, train, test in (
        (2, 0.054262, -0.0366, -0.3374),
        (10, 0.021705, 18.6886, 15.5197),
    ):
        explorer = make_spectrum(num_latents=num_latents)
        assert explorer.var == explorer.now.best_var() == pytest.approx(var, abs=5e-7)
        assert explorer.now.log_evidence() == pytest.approx(train, abs=5e-5)
        assert explorer.now.test_log_evidence() == pytest.approx(test, abs=5e-5)


@pytest.mark.parametrize("setting", NOISES)
def test_log_evidence_and_elbo_equal_scipy_at_any_noise(setting):
    explorer, digits = at_noise(make_spectrum(), *setting), load_digits(binarize=False)
    marginal = scipy_marginal(explorer.num_latents, explorer.var)
    train, test = (
        marginal.logpdf(part.x.double().numpy()).mean()
        for part in (digits.train, digits.test)
    )
    assert explorer.now.log_evidence() == pytest.approx(train, abs=1e-8)
    assert explorer.now.test_log_evidence() == pytest.approx(test, abs=1e-8)
    terms = explorer.now.elbo_terms()
    assert terms.elbo.item() == pytest.approx(train, abs=1e-8)
    values = np.linalg.eigvalsh(np.cov(digits.train.x.double().T, bias=True))[::-1]
    alive = values[: explorer.num_latents][
        values[: explorer.num_latents] > explorer.var
    ]
    assert explorer.now.num_alive() == len(alive)
    kl = 0.5 * np.log(alive / explorer.var).sum()
    assert terms.kl.item() == pytest.approx(kl, abs=1e-8)


def test_noise_and_latents_are_read_set_and_observed():
    explorer, seen = make_spectrum(num_latents=4, num_digits=2), []
    explorer.observe(lambda change: seen.append(change["name"]), ["var", "num_latents"])
    explorer.var, explorer.num_latents = 0.1, 7
    assert seen == ["var", "num_latents"] and explorer.most == 20
    model, x = explorer.now.model, load_digits(binarize=False).test.x[:2].double()
    assert model.weights.shape == (64, 7) and model.var[0] == 0.1
    shrunk = (x - model.offset) @ torch.linalg.pinv(model.marginal().cov)
    expected = x - 0.1 * shrunk  # E[x without its noise | x], another way
    torch.testing.assert_close(explorer.now.reconstructions(), expected)
    assert torch.equal(explorer.now.digits, x)


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("var", 0.005, "var must be 0.00534344 to 0.826127; received 0.005"),
        ("var", 0.9, "var must be .* received 0.9"),
        ("var", float("nan"), "received nan"),
        ("num_latents", 0, "num_latents must be 1 to 20; received 0"),
        ("num_latents", 21, "num_latents must be 1 to 20; received 21"),
    ],
)
def test_the_spectrum_refuses_traits(trait, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(make_spectrum(), trait, value)


GREY = torch.linspace(0, 1, 40, dtype=torch.float64).reshape(10, 4) ** 2


@pytest.mark.parametrize(
    ("train", "test", "options", "message"),
    [
        (GREY, GREY, {"num_latents": 9}, "num_latents must be 1 to 1; received 9"),
        (GREY, GREY, {"num_digits": 5}, "num_digits must be 1 to 4; received 5"),
        (GREY, GREY[:2], {"num_digits": 3}, "num_digits must be 1 to 2; received 3"),
        (2 * GREY, GREY, {}, r"x_train must lie in \[0, 1\]; received 0 to 2"),
        (GREY, GREY - 1, {}, r"x_test must lie in \[0, 1\]; received -1 to 0"),
        (GREY[:, :3], GREY[:, :3], {}, r"D the same square; received \(10, 3\) and"),
        (GREY, torch.ones(3, 9), {}, r"received \(10, 4\) and \(3, 9\)"),
        (GREY[0], GREY, {}, r"x_train must be \(N, D\)"),
        (GREY, GREY / 0, {}, "x_test must be finite"),
        (GREY[:1], GREY, {}, "x_train must vary in 2 directions or more; received 0"),
    ],
)
def test_images_without_a_spectrum_are_refused(train, test, options, message):
    with pytest.raises(ValueError, match=message):
        SpectrumExplorer(train, test, **({"num_latents": 1} | options))


def test_images_of_few_directions_offer_fewer_latents():
    noise = np.random.default_rng(0)
    x = torch.from_numpy(noise.uniform(0, 1, (6, 16)))
    explorer = SpectrumExplorer(x, x, num_latents=4, num_digits=1)
    assert explorer.most == 4 and explorer.frame["var"][0] > 1e-3
    assert len(explorer.describe()) > 300 and explorer.snapshot()


def test_the_still_shows_the_spectrum():
    explorer = make_spectrum(num_latents=12)
    across = np.array([0.01, explorer.var, 0.1, 0.8])
    for spread, name in (
        (explorer.now.eigenvalues, "log_evidence"),
        (explorer.now.images.test_spread, "test_log_evidence"),
    ):
        curve = explorer.now.mean_log_p(spread, across)
        for var, height in zip(across.tolist(), curve, strict=True):
            expected = getattr(at_noise(explorer, 12, var).now, name)()
            assert height == pytest.approx(expected, abs=1e-5)
    explorer, pictures = make_spectrum(), []
    for setting in NOISES[:3]:
        at_noise(explorer, *setting)
        pictures.append(explorer.snapshot())
        assert len(pictures[-1]) <= 20_000
    assert Image.open(io.BytesIO(pictures[0])).size == (1280, 600)
    assert len(set(pictures)) == 3
    at_noise(explorer, 15, 0.12)
    text = explorer.describe()
    assert "the noise variance 0.1200, above which stand 10 of the 15" in text
    assert f"here {explorer.now.log_evidence():.2f} nats for training images" in text
