"""What is measured of squares, and what the explorer says of it, by loops and numpy."""

import io

import numpy as np
import pytest
import torch
from explore.made import grey_digits, grey_model, make_restoration
from PIL import Image

from vaebook.applications import hmc
from vaebook.explore.restoration.maths import Answer, pooled, r_hat_of_images
from vaebook.explore.restoration.still import Shown, restoration_still


def test_squares_are_means_along_rows():
    x = torch.arange(64).double() / 63
    found = pooled(x, 8, 4)
    truth = x.numpy().reshape(2, 4, 2, 4).mean((1, 3)).ravel()
    np.testing.assert_allclose(found, truth)


def test_what_is_measured_are_the_squares_that_are_seen():
    widget = make_restoration(factor=2, hidden=torch.arange(16) % 3 == 0)
    task = widget.blocks.task(widget.model)
    assert task.weights.shape == (10, 64)
    expected = [m for b, m in enumerate(widget.blocks.ink.tolist()) if b % 3]
    assert task.y[0].tolist() == pytest.approx(expected)


def test_the_mean_is_that_of_other_chains():
    """Hamiltonian Monte Carlo on the same rounded model."""
    widget = make_restoration(factor=2, hidden=torch.zeros(16) > 0)
    task = widget.blocks.task(widget.model)
    rng = torch.Generator().manual_seed(0)
    z = widget.model.prior_draws(60, rng=rng)[:, None]
    chains = hmc(task, z, 100, rng=rng).z
    with torch.no_grad():
        mean = task.mean_image(chains).mean((0, 1, 2))
    found = widget.restored()
    torch.testing.assert_close(found.mean, mean, atol=0.03, rtol=0)
    assert found.images.shape == (8, 64)


def test_images_fit_what_is_seen():
    widget = make_restoration(factor=4, hidden=torch.tensor([True, False, False, True]))
    answer = widget.restored()
    for image in [answer.mean, *answer.images]:
        squares = pooled(image, 8, 4)
        assert squares[[1, 2]].tolist() == pytest.approx(
            widget.blocks.ink[[1, 2]].tolist()
        )


def test_spread_is_of_the_images_and_apart_of_two():
    answer = make_restoration(factor=2).restored()
    apart = np.sqrt(2 * answer.sd.square().mean().item())
    assert answer.apart == pytest.approx(apart, rel=0.01)


def test_agreement_is_r_hat_of_one_pixel():
    """As chapter 11's, where halves are whole chains."""
    images = torch.from_numpy(np.random.default_rng(0).normal(size=(50, 6, 1)))
    images = images + torch.linspace(0, 1, 6).double()[:, None]
    within = images.numpy().var(0, ddof=1).mean()
    between = images.numpy().mean(0).var(ddof=1)
    truth = np.sqrt((49 / 50 * within + between) / within)
    assert r_hat_of_images(images) == pytest.approx(truth)
    assert r_hat_of_images(images.expand(-1, -1, 7)) == pytest.approx(truth)


def test_still_and_words_are_of_the_same_chains():
    widget = make_restoration()
    assert widget.snapshot() == widget.snapshot()
    assert widget.describe() == widget.describe()
    assert "a test image of class 3, 32 of 64 squares of 1 by 1" in widget.describe()


def picture(widget, **changed):
    """Greys of the still picture of a made-up answer, blank where nothing is said."""
    none = torch.zeros(64).double()
    answer = Answer(none, none, torch.zeros(8, 64).double(), 0.0, 1.0)
    shown = Shown(widget.blocks, None, answer._replace(**changed))
    with Image.open(io.BytesIO(restoration_still(shown))) as image:
        return np.asarray(image.convert("L"))


def test_still_shows_the_spread_twice_as_dark_and_no_hidden_ink():
    widget = make_restoration(factor=4, hidden=torch.tensor([True, False, True, True]))
    widget.selected, widget.ink = -1, [0.0, 0.0, 1.0, 1.0]
    blank = picture(widget)
    grey = picture(widget, sd=torch.full((64,), 0.25).double())
    darker = np.abs(blank.astype(int) - grey) > 20
    assert darker.mean() > 0.03
    assert np.median(grey[darker]) == pytest.approx(127, abs=6)
    widget.ink = [0.0, 0.0, 0.0, 0.0]
    assert np.array_equal(picture(widget), blank)
    widget.ink = [0.0, 1.0, 0.0, 0.0]
    assert (np.abs(picture(widget).astype(int) - blank) > 200).mean() > 0.01


def test_measuring_anew_from_python():
    widget = make_restoration()
    widget.measure(2, torch.arange(16) < 4)
    assert widget.factor == 2 and widget.seen == [0] * 4 + [1] * 12
    widget.selected = -1
    widget.ink = [b / 16 for b in range(16)]
    widget.measure(4)
    expected = np.arange(16).reshape(2, 2, 2, 2).mean((1, 3)).ravel() / 16
    assert widget.ink == pytest.approx(expected.tolist())
    assert widget.blocks[:2] == (4, [1] * 4)
    assert widget.blocks.ink.tolist() == widget.ink


def test_the_model_is_the_rounded_one():
    widget = make_restoration()
    for ours, theirs in zip(
        widget.model.parameters(), grey_model().parameters(), strict=True
    ):
        torch.testing.assert_close(ours, theirs.double(), atol=2e-3, rtol=0)
    sigma = grey_model().log_var.exp().sqrt().tolist()
    assert widget.sigma == pytest.approx(sigma)


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("selected", 5, "selected must be -1 to 4; received 5"),
        ("factor", 3, "factor must be one of 1, 2, 4, 8; received 3"),
        ("seen", [0] * 64, "64 of 0 and 1, not all 0"),
        ("seen", [1] * 16, "64 of 0 and 1"),
        ("seen", [2] * 64, "64 of 0 and 1"),
        ("ink", [0.5] * 3, "ink must be empty, or 64 numbers"),
        ("ink", [1.5] * 64, "ink must be empty, or 64 numbers"),
    ],
)
def test_what_a_trait_cannot_be_is_refused(trait, value, message):
    widget = make_restoration()
    before = getattr(widget, trait)
    with pytest.raises(ValueError, match=message):
        setattr(widget, trait, value)
    assert getattr(widget, trait) == before


def test_images_of_another_form_are_refused():
    digits, rng = grey_digits().test, torch.Generator()
    kind = type(make_restoration())
    for x, y, message in (
        (digits.x[:3, :60], digits.y[:3], "square"),
        (digits.x[:3], digits.y[:4], "square"),
        (digits.x[:40], digits.y[:40], "number of images must be 1 to 32"),
        (digits.x[:3] + 0.01, digits.y[:3], "ink in sixteenths"),
    ):
        with pytest.raises(ValueError, match=message):
            kind(grey_model(), x, y, rng=rng)
    with pytest.raises(ValueError, match="factor must be one of"):
        make_restoration(factor=3)
