"""The posterior of a mean against quadrature and scipy; its traits, its still."""

import io

import numpy as np
import pytest
import torch
from explore.made import make_posterior, versicolor
from explore.posterior.oracle import PRIORS, with_prior
from PIL import Image
from scipy import stats

from vaebook.explore import PosteriorExplorer


def test_one_value_has_the_evidence_of_the_book():
    x = torch.tensor([2.0], dtype=torch.float64)
    explorer = PosteriorExplorer(x, sigma=1, prior=(0, 1))
    assert explorer.now.log_evidence() == explorer.now.best_log_lik() == 0
    assert explorer.now.log_predictive() == pytest.approx(-2.2655121235, abs=5e-11)
    explorer.num_seen = 1
    assert explorer.now.log_evidence() == pytest.approx(-2.2655121235, abs=5e-11)
    assert explorer.now.log_predictive() is None
    assert explorer.now.best_log_lik() == pytest.approx(stats.norm.logpdf(0))
    assert [v.item() for v in explorer.now.posterior()] == pytest.approx([1, 0.5])
    assert [v.item() for v in explorer.now.predictive()] == pytest.approx([1, 1.5])


@pytest.mark.parametrize("setting", PRIORS)
def test_a_learned_mean_equals_quadrature_and_scipy(setting):
    mu0, tau, sigma, seen = setting
    explorer, x = (
        with_prior(make_posterior(), *setting),
        versicolor().numpy()[: setting[-1]],
    )
    grid = np.linspace(mu0 - 15 * tau, mu0 + 15 * tau, 200_001)
    log_lik = stats.norm.logpdf(x[:, None], grid, sigma).sum(0)
    joint = np.exp(log_lik + stats.norm.logpdf(grid, mu0, tau) - log_lik.max())
    density = joint / joint.sum()
    mean = (density * grid).sum()
    var = (density * (grid - mean) ** 2).sum()
    posterior, predictive = explorer.now.posterior(), explorer.now.predictive()
    assert [v.item() for v in posterior] == pytest.approx([mean, var], rel=1e-9)
    expected = [mean, var + sigma**2]
    assert [v.item() for v in predictive] == pytest.approx(expected, rel=1e-9)
    total = np.log(joint.sum() * (grid[1] - grid[0])) + log_lik.max()
    assert explorer.now.log_evidence() == pytest.approx(total, rel=1e-9, abs=1e-9)
    at_best = stats.norm.logpdf(x, x.mean() if seen else 0, sigma).sum()
    assert explorer.now.best_log_lik() == pytest.approx(at_best)


def test_evidence_is_the_sum_of_what_each_value_was_worth_before():
    explorer, worth = make_posterior(num_seen=0), 0
    for seen in range(50):
        explorer.num_seen = seen
        assert explorer.now.log_evidence() == pytest.approx(worth)
        worth += explorer.now.log_predictive()
    log_evidence, best = explorer.now.model.history(versicolor())
    assert log_evidence[-1].item() == pytest.approx(worth)
    assert (best - log_evidence)[1:].min() > 0 == best[0] == log_evidence[0]


def test_prior_noise_and_data_are_read_set_and_observed():
    explorer, seen = make_posterior(), []
    assert explorer.start == {"mu0": 4, "tau": 1, "sigma": 0.47} | {
        "num_seen": 5,
        "relative": True,
    }
    explorer.observe(lambda change: seen.append(change["name"]), list(explorer.start))
    with_prior(explorer, 3, 2, 1, 7)
    assert seen == ["mu0", "tau", "sigma", "num_seen"]
    assert explorer.now.seen.tolist() == explorer.x[:7]


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("mu0", float("inf"), "mu0 must be finite; received inf"),
        ("tau", 0.0, "tau must be positive and finite; received 0.0"),
        ("tau", float("inf"), "tau must be positive and finite; received inf"),
        ("sigma", -1.0, "sigma must be positive and finite; received -1.0"),
        ("sigma", float("nan"), "sigma must be positive and finite; received nan"),
        ("num_seen", 51, "num_seen must be 0 to 50; received 51"),
        ("num_seen", -1, "received -1"),
    ],
)
def test_the_posterior_refuses_what_it_cannot_be(trait, value, message):
    explorer = make_posterior()
    with pytest.raises(ValueError, match=message):
        setattr(explorer, trait, value)
    given = {"prior": (4.0, 1.0), "sigma": 1.0, trait: value}
    if trait in ("mu0", "tau"):
        del given[trait]
        given["prior"] = (value, 1.0) if trait == "mu0" else (4.0, value)
    with pytest.raises(ValueError, match=message):
        make_posterior(**given)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.ones(3, 2), r"x must be finite, \(N,\) .* received shape \(3, 2\)"),
        (torch.ones(0), r"N from 1 to 500; received shape \(0,\)"),
        (torch.ones(501), r"received shape \(501,\)"),
        (torch.tensor([1.0, float("nan")]), "1 values not finite"),
    ],
)
def test_data_without_a_mean_to_learn_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        PosteriorExplorer(x, sigma=1, prior=(0, 1))


@pytest.mark.parametrize("scale", [1e-3, 1, 40])
def test_the_frame_of_the_posterior_holds_data_and_start(scale):
    x = scale * versicolor()
    prior = (2 * scale, 80 * scale)
    frame = PosteriorExplorer(x, sigma=0.47 * scale, prior=prior).frame
    assert frame["mu"][0] < 2 * scale < x.max() < frame["mu"][1] < 10 * scale
    assert frame["tau"][0] <= 0.05 * scale and 80 * scale <= frame["tau"][1]
    assert frame["sigma"][0] < 0.2 * scale and 1.5 * scale < frame["sigma"][1]


def test_the_still_shows_the_posterior():
    explorer = make_posterior(num_seen=20)
    pictures = [explorer.snapshot()]
    assert len(pictures[0]) <= 20_000
    assert Image.open(io.BytesIO(pictures[0])).size == (1280, 600)
    mean, var = (v.item() for v in explorer.now.posterior())
    assert f"the posterior, {mean:.2f} \u00b1 {var**0.5:.2f};" in explorer.describe()
    assert f"{explorer.now.log_evidence():.2f} nats, beside" in explorer.describe()
    for name, value in {"relative": False, "tau": 0.2, "num_seen": 0}.items():
        setattr(explorer, name, value)
        pictures.append(explorer.snapshot())
    assert len(set(pictures)) == 4
