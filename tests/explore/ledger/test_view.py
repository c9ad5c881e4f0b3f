"""The gap ledger on a page: images, handle, sliders, the climb, and what is spoken."""

import re

import numpy as np
import pytest
from browser.drive import (
    DRAGGED,
    RENDER,
    STAND_IN,
    boxes,
    drag,
    drawn,
    numbers,
    press,
    settled,
    work_per_move,
)
from explore.made import make_ledger

from vaebook.explore.ledger.maths import Q

DRAGGED_MEAN = DRAGGED.replace(
    'querySelectorAll(".vb-handle")[1]', 'querySelector(".vb-handle")'
)


def words(page):
    """The numbers of the waterfall, by the words before them."""
    texts = page.locator(".vb-lg-words text").all_text_contents()
    pattern = r"(.*?) (\u2212?[\d.]+)(?:, \w+)?$"
    found = [re.match(pattern, text).groups() for text in texts]
    return {name: float(value.replace("\u2212", "-")) for name, value in found}


def expect_gaps(page, case, q, draws, measure):
    gaps, shown = case.gaps(q, draws, measure), words(page)
    bound = f"bound of {draws} draw{'s' * (draws > 1)}"
    expected = {
        "log p(x)": gaps.log_evidence,
        "approximation gap": gaps.approximation,
        "amortisation gap": gaps.amortisation,
        "ELBO of q": gaps.elbo,
        bound: gaps.weighted,
    }
    assert shown.keys() == expected.keys()
    for name, value in expected.items():
        assert shown[name] == pytest.approx(value, abs=0.016), name
    parts = shown["approximation gap"] + shown["amortisation gap"] + shown["ELBO of q"]
    assert parts == pytest.approx(shown["log p(x)"], abs=1e-9)


def q_shown(page):
    label = page.locator(".vb-handle").get_attribute("aria-valuetext")
    mu = re.findall(r"z\d (\u2212?[\d.]+)", label)
    return [float(v.replace("\u2212", "-")) for v in mu], numbers(
        page, ".vb-part:first-child .vb-slider .vb-number"
    )


@pytest.mark.browser
def test_each_image_comes_with_the_encoder_s_q(show):
    widget = make_ledger()
    page = show(widget).page
    for case, label in zip(widget.ledgers, ("1", "4", "5"), strict=True):
        press(page, label)
        mu, sigma = q_shown(page)
        assert mu == pytest.approx(case.encoded.mu, abs=0.006)
        assert sigma == pytest.approx(case.encoded.sigma, abs=0.0006)
        expect_gaps(page, case, case.encoded, 1, widget.measure)
        pressed = page.locator(".vb-buttons [aria-pressed=true]").all_text_contents()
        assert pressed == [label]


@pytest.mark.browser
def test_each_bar_spans_its_part(show):
    """From the ELBO of q to that of the best, and from there to log p(x)."""
    widget = make_ledger()
    page = show(widget).page
    press(page, "5")
    case = widget.ledgers[2]
    gaps = case.gaps(case.encoded, 1, widget.measure)
    end, best = gaps.log_evidence, gaps.log_evidence - gaps.approximation
    low = end - 1.25 * max(1, end - gaps.elbo)
    high = end + 0.06 * (end - low)
    spans = {
        "elbo": (low, gaps.elbo),
        "amortisation": (gaps.elbo, best),
        "approximation": (best, end),
        "end": (end, end),
    }
    for name, span in spans.items():
        across = low + (high - low) * drawn(page, f".vb-lg-{name} path")[:, 0]
        found = (across.min(), across.max())
        assert found == pytest.approx(span, abs=0.01 * (high - low)), name


@pytest.mark.browser
def test_refining_at_once_where_motion_is_unwelcome(show):
    widget = make_ledger()
    page = show(widget, reduced_motion="reduce").page
    press(page, "5", "Refine q")
    case = widget.ledgers[2]
    last = case.refined(case.encoded, widget.measure)[-1]
    expect_gaps(page, case, last, 1, widget.measure)
    status = page.locator(".vb-status").text_content()
    assert status.startswith("Of this q 0.0")
    press(page, "Encoder\u2019s q")
    expect_gaps(page, case, case.encoded, 1, widget.measure)


@pytest.mark.browser
def test_refining_step_by_step_and_taking_over(show):
    widget = make_ledger()
    page = show(widget).page
    press(page, "4", "Refine q")
    page.wait_for_function(
        "document.querySelector('.vb-part .vb-buttons button').textContent === 'Stop'"
    )
    case = widget.ledgers[1]
    start = case.gaps(case.encoded, 1, widget.measure)
    page.wait_for_function(
        """(before) => {
          const texts = [...document.querySelectorAll(".vb-lg-words text")];
          const elbo = texts.find((one) => one.textContent.startsWith("ELBO"));
          return Number(elbo.textContent.match(/[\\d.]+$/)[0]) < before - 0.05;
        }""",
        arg=-start.elbo,
    )
    page.locator(".vb-slider input").first.press("ArrowRight")
    assert page.get_by_role("button", name="Refine q", exact=True).count() == 1


@pytest.mark.browser
def test_dragging_and_arrow_keys_move_the_mean(show):
    widget = make_ledger()
    page = show(widget).page
    settled(page)
    case = widget.ledgers[0]
    half = widget.cases[0]["view"]["half"]
    unit = boxes(page)[0]["width"] / (2 * half)
    drag(page, page.locator(".vb-handle"), 20, -10)
    mu, _ = q_shown(page)
    expected = np.array(case.encoded.mu) + np.array([20, 10]) / unit
    np.testing.assert_allclose(mu, expected, atol=0.03)
    expect_gaps(page, case, Q(list(expected), case.encoded.sigma), 1, widget.measure)
    page.locator(".vb-handle").press("Home")
    assert q_shown(page)[0] == pytest.approx(case.encoded.mu, abs=0.006)
    page.locator(".vb-handle").press("ArrowRight")
    assert q_shown(page)[0][0] == pytest.approx(
        case.encoded.mu[0] + half / 60, abs=0.011
    )


@pytest.mark.browser
def test_a_tap_beside_the_ring_brings_it_there(show):
    widget = make_ledger()
    page = show(widget, width=360, has_touch=True).page
    settled(page)
    before = q_shown(page)[0]
    box = boxes(page)[0]
    page.touchscreen.tap(box["x"] + 0.8 * box["width"], box["y"] + 0.2 * box["height"])
    after = q_shown(page)[0]
    assert after[0] > before[0] or after[1] > before[1]
    (x, y), half = widget.cases[0]["view"].values()
    assert after == pytest.approx([x + 0.6 * half, y + 0.6 * half], abs=0.05)


@pytest.mark.browser
def test_the_slider_of_draws_climbs_and_says_so(show):
    widget = make_ledger()
    page = show(widget).page
    case, slider = widget.ledgers[0], page.locator(".vb-slider input").last
    for draws in (1, 2, 4, 8):
        expect_gaps(page, case, case.encoded, draws, widget.measure)
        bound = case.weighted_bound(case.encoded, draws, widget.measure)
        said = slider.get_attribute("aria-valuetext").replace("\u2212", "-")
        assert said == f"draws of the bound {draws}, bound {bound:.2f} nats"
        slider.press("ArrowRight")
    slider.press("End")
    expect_gaps(page, case, case.encoded, 128, widget.measure)


@pytest.mark.browser
def test_controls_speak_their_effect(show):
    widget = make_ledger()
    page = show(widget).page
    gaps = widget.now
    below = gaps.log_evidence - gaps.elbo
    worth = f"ELBO {gaps.elbo:.2f} nats, {below:.2f} below log p(x)"
    worth = worth.replace("-", "\u2212")
    for control in (".vb-handle", ".vb-part:first-child .vb-slider input >> nth=0"):
        said = page.locator(control).get_attribute("aria-valuetext")
        assert said.endswith(worth)


@pytest.mark.browser
def test_python_moves_the_page(show):
    widget = make_ledger()
    page = show(widget).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.evaluate("m.model.set('mu', [0.2, -0.3])")
    page.evaluate("m.model.set('draws', 16)")
    q = Q([0.2, -0.3], widget.sigma)
    expect_gaps(page, widget.ledgers[0], q, 16, widget.measure)


@pytest.mark.browser
def test_a_dragged_q_is_weighed_and_drawn_within_a_frame(show):
    page = show(make_ledger()).page
    before = q_shown(page)
    each = work_per_move(page, DRAGGED_MEAN)
    print(f"a dragged q, weighed and drawn: {each:.1f} ms of processor time")
    assert q_shown(page) != before
    assert each <= 16
