"""The ELBO ellipse: its worth, the best q, its traits, its still."""

import io
import re

import numpy as np
import pytest
import torch
from explore.ellipse.oracle import (
    BEST,
    ELLIPSES,
    MIRRORED,
    each_target,
    grid_forward_kl,
    grid_reverse_kl,
    lay,
    scipy_q,
)
from explore.made import make_ellipse
from PIL import Image
from scipy import stats

from vaebook.variational import Banana, full_gaussian_kl


@pytest.mark.usefixtures("one_thread")
@each_target
def test_the_worth_of_a_q_equals_dense_sums(target):
    explorer = make_ellipse(target)
    expected = {"gaussian": stats.norm.logpdf(1.9, 0, np.sqrt(2 + 1 / 9))}
    z1 = np.linspace(-9, 9, 20_001)
    log_p_x = stats.norm.logpdf(2, z1**2, np.sqrt(1.25)) + stats.norm.logpdf(z1)
    expected["banana"] = np.log(np.exp(log_p_x).sum() * (z1[1] - z1[0]))
    assert explorer.now.log_evidence() == pytest.approx(expected[target], abs=1e-9)
    reverse, forward = (f(target, ELLIPSES) for f in (grid_reverse_kl, grid_forward_kl))
    for one, kl, other in zip(ELLIPSES, reverse, forward, strict=True):
        lay(explorer, *one)
        assert explorer.now.kl() == pytest.approx(kl, abs=1e-7)
        assert explorer.now.forward_kl() == pytest.approx(other, abs=1e-7)
        assert sum([explorer.now.elbo(), explorer.now.kl()]) == pytest.approx(
            explorer.now.log_evidence(), abs=1e-12
        )


def test_the_gaussian_target_has_the_divergences_of_the_book():
    explorer = lay(make_ellipse("gaussian"), *ELLIPSES[0])
    posterior, q = explorer.now.target.moments, explorer.now.q
    torch.testing.assert_close(posterior.mu, torch.full((2,), 0.9).double())
    a, b = posterior.cov[0].tolist()
    assert b / a == pytest.approx(-0.9)
    kl = full_gaussian_kl(q, posterior).item()
    assert explorer.now.kl() == pytest.approx(kl, abs=1e-10)
    forward = full_gaussian_kl(posterior, q).item()
    assert explorer.now.forward_kl() == pytest.approx(forward, abs=1e-10)
    np.testing.assert_allclose(q.cov, scipy_q(*ELLIPSES[0]).cov, rtol=1e-12)


@pytest.mark.parametrize(("target", "direction"), BEST)
def test_the_best_q_that_is_shipped_is_the_best(target, direction):
    explorer, noise = make_ellipse(target), np.random.default_rng(2)

    def measure():
        return (
            explorer.now.kl() if direction == "reverse" else explorer.now.forward_kl()
        )

    for kind, least in zip(("", " diagonal"), BEST[target, direction], strict=True):
        fits = explorer.targets[target]["best"][direction + kind]
        assert len(fits) == (2 if (target, direction, kind) == MIRRORED else 1)
        for mu, lengths, angle in fits:
            assert angle == 0 or not kind
            lay(explorer, mu, lengths, angle)
            assert measure() == pytest.approx(least, abs=1e-5)
            for _ in range(20):
                shift = 0.05 * noise.normal(size=5)
                stretched = (lengths * np.exp(shift[2:4])).tolist()
                turn = 0 if kind else 20 * shift[4]
                lay(explorer, (mu + shift[:2]).tolist(), stretched, angle + turn)
                assert measure() > least - 1e-5


def test_the_two_best_of_the_banana_are_mirror_images():
    right, left = make_ellipse().targets["banana"]["best"]["reverse"]
    assert right[0] == pytest.approx([0.88274, 0.81774], abs=1e-5)
    assert left[0] == pytest.approx([-0.88274, 0.81774], abs=1e-5)
    assert left[1] == pytest.approx(right[1]) and left[2] == pytest.approx(-right[2])
    cov = scipy_q(*right).cov
    np.testing.assert_allclose(cov, [[0.1986, -0.2805], [-0.2805, 0.5962]], atol=1e-4)


def test_another_banana_is_shown_as_well():
    explorer = make_ellipse(banana=Banana(1.5, -0.8, 0.7), seen=(-1, 0.5))
    q = explorer.targets["banana"]["best"]["reverse"][0]
    assert 0 < lay(explorer, *q).now.kl() < 1
    assert explorer.targets["gaussian"]["mean"] == pytest.approx([-4 / 9] * 2)


def test_q_is_read_set_and_observed():
    explorer, seen = make_ellipse("gaussian"), []
    names = ["target", "direction", "mu", "lengths", "angle"]
    explorer.observe(lambda change: seen.append(change["name"]), names)
    explorer.target, explorer.direction = "banana", "forward"
    lay(explorer, [1, -1], [2, 0.5], 90)
    assert seen == names
    np.testing.assert_allclose(explorer.now.q.cov, [[0.25, 0], [0, 4]], atol=1e-12)
    assert explorer.start == [[0.3, 1.0], [0.7, 0.35], 15.0]


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("target", "apple", "target must be gaussian or banana; received apple"),
        ("direction", "up", "direction must be reverse or forward; received up"),
        ("mu", [1.0], r"mu must be 2 numbers, finite; received \[1.0\]"),
        ("mu", [1.0, float("inf")], "finite; received"),
        ("lengths", [1.0, 0.0], r"positive and finite; received \[1.0, 0.0\]"),
        ("lengths", [float("inf"), 1.0], "lengths must be 2 numbers, positive"),
        ("angle", float("nan"), "angle must be finite; received nan"),
    ],
)
def test_the_ellipse_refuses_traits(trait, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(make_ellipse(), trait, value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seen": (9, 1)}, "seen.x must be -5 to 5; received 9"),
        ({"seen": (1, 0)}, "seen.sigma must be 0.2 to 5; received 0"),
        ({"banana": Banana(sigma=0.01)}, "banana.sigma .* received 0.01"),
        ({"banana": Banana(curvature=3)}, "banana.curvature must be -2 to 2; .* 3"),
        ({"start": ((0, 0), (0, 1), 0)}, r"lengths .* received \[0.0, 1.0\]"),
    ],
)
def test_a_posterior_that_cannot_be_shown_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make_ellipse(**options)


def test_the_still_shows_q_and_the_bar():
    explorer = make_ellipse("gaussian")
    picture, words = explorer.snapshot(), explorer.describe()
    assert len(picture) <= 20_000
    assert Image.open(io.BytesIO(picture)).size == (1280, 600)
    assert "(correlated Gaussian)" in words and "mean (0.30, 1.00)" in words
    whole, kl = explorer.now.log_evidence(), explorer.now.kl()
    assert f"log p(x), \u2212{-whole:.3f} nats" in words and f"{kl:.3f} nats" in words
    found = [float(n) for n in re.findall(r"\u2212?(\d+\.\d{3}) nats", words)]
    assert found[0] == pytest.approx(found[2] + found[1])
    explorer.mu = [-3, -3]
    assert explorer.snapshot() != picture
    assert "(banana)" in make_ellipse().describe()
