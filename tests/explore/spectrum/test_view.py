"""The spectrum on a page: bars, curves, the line and the digits."""

import numpy as np
import pytest
import torch
from browser.drive import (
    DRAGGED,
    RENDER,
    SCROLL_DOWN,
    STAND_IN,
    boxes,
    drag,
    numbers,
    of_axes,
    press,
    settled,
    work_per_move,
)
from browser.page import THEME
from explore.made import make_posterior, make_spectrum
from explore.spectrum.oracle import NOISES, at_noise, noise_worth

LAYERS = ("above", "below", "dead", "off")


MOVE_NOISE = """([count, noise]) => {
  m.model.set("num_latents", count);
  m.model.set("var", noise);
}"""


def noise_shown(page):
    return [float(n) for n in page.locator(".vb-slider .vb-number").all_text_contents()]


def expect_noise(page, explorer):
    """Every number on the page is that of this noise and so many latents."""
    worth = noise_worth(explorer)
    assert noise_shown(page) == [round(explorer.var, 4), explorer.num_latents]
    sums = numbers(page, ".spectrum-sum dd")
    elbo, whole = worth["expectedLogLik"] - worth["kl"], worth["logEvidence"]
    expected = [worth["expectedLogLik"], worth["kl"], elbo, whole, 0]
    assert sums == pytest.approx(expected, abs=0.011)
    assert sums[0] - sums[1] == pytest.approx(sums[2], abs=1e-9)
    assert sums[2:4] == pytest.approx([whole] * 2, abs=0.00501) and sums[4] == 0
    shown_kl = f"{sums[1]:.2f}"
    alive, count = worth["alive"], explorer.num_latents
    state = page.locator(".spectrum-controls dd").text_content()
    assert state == f"{alive} of {count}, {shown_kl} nats"
    pair = numbers(page, ".vb-key b")
    assert pair == pytest.approx([whole, worth["testLogEvidence"]], abs=0.00501)
    status = page.locator(".vb-status").text_content()
    dead = f": {count - alive} of {count}. The gap is still 0."
    assert status.endswith(
        dead if alive < count else "No latent on offer has collapsed."
    )
    spoken = (
        f"{alive} of {count} latents alive, KL {shown_kl}, log p(x) {whole:.2f} nats"
    )
    for control in page.locator(".vb-spectrum :is(input, .vb-handle)").all():
        text = control.get_attribute("aria-valuetext").replace("\u2212", "-")
        assert text.endswith(spoken)
    ring = page.locator(".vb-handle")
    assert float(ring.get_attribute("aria-valuenow")) == round(explorer.var, 4)


@pytest.mark.browser
def test_numbers_on_the_page_are_those_of_the_noise(show):
    page, explorer = show(make_spectrum()).page, make_spectrum()
    expect_noise(page, explorer)
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    for setting in NOISES[1:]:
        at_noise(explorer, *setting)
        page.evaluate(MOVE_NOISE, [explorer.num_latents, explorer.var])
        expect_noise(page, explorer)


def share(value, low, high):
    """Place of a value on a log axis."""
    return np.log(np.array(value) / low) / np.log(high / low)


def all_drawn(page, layer):
    """Vertices of each path of a layer, as fractions of the axes."""
    shapes = page.locator(f".vb-sp-{layer} path")
    found = shapes.evaluate_all("""all => all.map((el) => {
      const { width, height } = el.ownerSVGElement;
      const points = el.getAttribute("d").match(/-?[\\d.]+/g).map(Number);
      const size = [width.baseVal.value, height.baseVal.value];
      return points.map((v, k) => (k % 2 ? 1 - v / size[1] : v / size[0]));
    })""")
    return [np.array(points).reshape(-1, 2) for points in found]


@pytest.mark.browser
@pytest.mark.parametrize("setting", NOISES)
def test_bars_and_the_line_are_drawn_to_scale(setting, show):
    explorer = at_noise(make_spectrum(), *setting)
    page, count = show(explorer).page, explorer.num_latents
    settled(page)
    low, high = explorer.frame["var"]
    line, values = share(explorer.var, low, high), explorer.eigenvalues[:20]
    places = np.arange(1, 21)
    tops, alive = share(values, low, high), explorer.now.num_alive()
    kinds = {"above": range(alive), "below": range(alive)}
    kinds |= {"dead": range(alive, count), "off": range(count, 20)}
    for layer in LAYERS:
        bars = all_drawn(page, layer)
        assert len(bars) == len(kinds[layer])
        for k, bar in zip(kinds[layer], bars, strict=True):
            across, up = bar.T * [[22], [1]] + [[0.4], [0]]
            assert across.min() == pytest.approx(places[k] - 0.38, abs=0.02)
            assert across.max() == pytest.approx(places[k] + 0.38, abs=0.02)
            foot = line if layer == "above" else 0
            top = line if layer == "below" else tops[k]
            assert [up.min(), up.max()] == pytest.approx([foot, top], abs=2e-3)
    np.testing.assert_allclose(all_drawn(page, "line")[0][:, 1], line, atol=1e-3)
    offer = 0.4 + 22 * all_drawn(page, "offer")[0][:, 0]
    np.testing.assert_allclose(offer, count + 0.5, atol=0.02)
    box, ring = boxes(page)[0], page.locator(".vb-handle").bounding_box()
    height = 1 - (ring["y"] + 22 - box["y"]) / box["height"]
    assert height == pytest.approx(line, abs=3e-3)
    assert page.locator(".vb-sp-word").text_content() == f"L = {count}"
    kl = explorer.now.elbo_terms().kl.item()
    above = sum(np.ptp(bar[:, 1]) for bar in all_drawn(page, "above"))
    assert 0.5 * above * np.log(high / low) == pytest.approx(kl, abs=0.05)


def curve_mark(page, name, explorer):
    """Where a mark of the curves lies, as (sigma^2, nats)."""
    mark = page.locator(f".vb-sp-marks circle.{name}")
    x, y = mark.evaluate("(el) => [el.cx.baseVal.value, el.cy.baseVal.value]")
    across, up = of_axes(mark, [[x, y]])[0]
    low, high = np.array(explorer.frame["var"]) * [1 / 1.12, 1.12]
    bottom, top = explorer.frame["nats"]
    return low * (high / low) ** across, bottom + up * (top - bottom)


@pytest.mark.browser
@pytest.mark.parametrize("setting", [NOISES[0], NOISES[1], (1, 0.006)])
def test_curves_and_the_two_bars_are_drawn_to_scale(setting, show):
    explorer = at_noise(make_spectrum(), *setting)
    page, worth = show(explorer).page, noise_worth(explorer)
    settled(page)
    low, high = np.array(explorer.frame["var"]) * [1 / 1.12, 1.12]
    bottom, top = explorer.frame["nats"]
    longest = noise_worth(at_noise(make_spectrum(), 20, explorer.frame["var"][0]))
    end = longest["expectedLogLik"] + 0.3 * (longest["expectedLogLik"] - bottom)
    elbo = worth["expectedLogLik"] - worth["kl"]
    blocks = {"evidence": [bottom, worth["logEvidence"]], "elbo": [bottom, elbo]}
    blocks |= {"end": [worth["logEvidence"]] * 2, "kl": [elbo, worth["expectedLogLik"]]}
    seen = worth["logEvidence"] > bottom
    for layer in ("end", "kl"):
        assert len(all_drawn(page, layer)) == seen
    assert len(all_drawn(page, "more")) == 2 * (not seen)
    for layer, expected in blocks.items():
        for block in all_drawn(page, layer):
            ends = bottom + (end - bottom) * block[:, 0]
            expected = np.maximum(expected, bottom)
            np.testing.assert_allclose([ends.min(), ends.max()], expected, atol=0.02)
    words = page.locator(".vb-sp-kl-word").text_content()
    assert words == (f"KL {worth['kl']:.2f}" if seen else "")
    explorer_there = make_spectrum()
    for layer, name in (("train", "log_evidence"), ("test", "test_log_evidence")):
        curve = all_drawn(page, layer)[0]
        for across, up in curve[::16]:
            var = np.clip(low * (high / low) ** across, *explorer.frame["var"])
            at_noise(explorer_there, explorer.num_latents, var)
            expected = max(getattr(explorer_there.now, name)(), 2 * bottom - top)
            there = bottom + up * (top - bottom)
            assert there == pytest.approx(expected, abs=0.02 * (top - bottom))
        if seen:
            here = [explorer.var, getattr(explorer.now, name)()]
            assert curve_mark(page, layer, explorer) == pytest.approx(here, rel=1e-3)
    assert page.locator(".vb-sp-marks path").count() == 2 * (not seen)
    for layer, var in (("best", explorer.now.best_var()), ("now", explorer.var)):
        place = share(var, low, high)
        np.testing.assert_allclose(all_drawn(page, layer)[0][:, 0], place, atol=2e-3)


@pytest.mark.browser
def test_the_line_is_dragged_and_the_sliders_move(show):
    explorer = make_spectrum()
    page = show(explorer).page
    settled(page)
    box, ring = boxes(page)[0], page.locator(".vb-handle")
    drag(page, ring, -60, -box["height"] / 4, grip=(5, 3))
    low, high = explorer.frame["var"]
    raised = explorer.var * (high / low) ** 0.25
    assert noise_shown(page)[0] == pytest.approx(raised, rel=0.02)
    page.mouse.click(box["x"] + 40, box["y"] + box["height"] / 2)
    assert noise_shown(page)[0] == pytest.approx((low * high) ** 0.5, rel=0.02)
    ring.press("Home")
    expect_noise(page, explorer)
    for keys, steps in (("ArrowUp", 1), ("Shift+ArrowRight", 6), ("ArrowDown", 5)):
        ring.press(keys)
        expected = explorer.now.best_var() * (high / low) ** (steps / 100)
        assert noise_shown(page)[0] == pytest.approx(expected, abs=1e-4)
    noise, latents = page.locator(".vb-slider input").all()
    for key, value in (("End", high), ("ArrowRight", high), ("Home", low)):
        noise.press(key)
        expect_noise(page, at_noise(explorer, 10, value))
    latents.press("End")
    expect_noise(page, at_noise(explorer, 20, low))
    latents.press("ArrowLeft")
    expect_noise(page, at_noise(explorer, 19, low))
    press(page, "Best noise")
    expect_noise(page, at_noise(explorer, 19, None))
    latents.press("ArrowLeft")
    expect_noise(page, at_noise(explorer, 18, explorer.var))
    ring.press("Home")
    expect_noise(page, at_noise(explorer, 18, None))


@pytest.mark.browser
def test_a_finger_moves_the_line_and_has_room(show):
    page = show(make_spectrum(), width=360, height=900, has_touch=True).page
    settled(page)
    for control in page.locator(".vb-spectrum :is(button, input)").all():
        assert control.bounding_box()["height"] >= 44
    box = boxes(page)[0]
    page.touchscreen.tap(box["x"] + 30, box["y"] + box["height"] / 4)
    low, high = make_spectrum().frame["var"]
    assert noise_shown(page)[0] == pytest.approx(low * (high / low) ** 0.75, rel=0.02)
    plots = [
        page.locator(f".spectrum-{name}").bounding_box()["y"] for name in LSP_PARTS
    ]
    assert plots == sorted(plots)


LSP_PARTS = ("spectrum", "controls", "digits", "bars", "curve")


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_digits_fade_as_latents_collapse(theme, show):
    explorer = make_spectrum()
    page = show(explorer).page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    paper, ink = ([255] * 3, [29, 39, 51])
    if theme == "dark":
        paper, ink = ([27, 32, 40], [230, 235, 240])
    for key, var in (("Home", explorer.frame["var"][0]), ("End", 0.826)):
        page.locator(".vb-slider input").first.press(key)
        page.wait_for_timeout(60)
        at_noise(explorer, 10, var)
        pair = [explorer.now.digits, explorer.now.reconstructions()]
        images = torch.cat(pair).clamp(0, 1)
        expected = np.array(paper) + images.numpy()[..., None] * np.subtract(ink, paper)
        for k, image in enumerate(expected):
            shown = (
                page.locator(".vb-spectrum canvas")
                .nth(k)
                .evaluate(
                    "(el) => [...el.getContext('2d').getImageData(0, 0, 8, 8).data]"
                )
            )
            colours = np.array(shown).reshape(64, 4)[:, :3]
            np.testing.assert_allclose(colours, image, atol=1)
    assert explorer.now.num_alive() == 0


@pytest.mark.browser
def test_a_kernel_hears_of_the_noise(show):
    page = show(make_spectrum()).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.locator(".vb-slider input").nth(0).press("End")
    page.locator(".vb-slider input").nth(1).press("Home")
    read = "['var', 'num_latents'].map((name) => m.model.get(name))"
    high = make_spectrum().frame["var"][1]
    assert page.evaluate(read) == pytest.approx([high, 1], rel=1e-12)


@pytest.mark.browser
def test_two_spectra_and_a_posterior_share_a_page(show):
    visit = show(make_spectrum(), make_spectrum(num_latents=3), make_posterior())
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.vb').length === 3")
    first, second = (page.locator(".vb-spectrum").nth(k) for k in (0, 1))
    second.locator("input").first.press("End")
    expect_noise(first, make_spectrum())
    high = make_spectrum().frame["var"][1]
    expect_noise(second, at_noise(make_spectrum(), 3, high))
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_jumps_and_panels_are_side_by_side_where_there_is_room(width, show):
    visit = show(make_spectrum(), width=width)
    page, heights = visit.page, set()
    page.add_style_tag(content=THEME)
    settled(page)
    for k, key in ((0, "End"), (0, "Home"), (1, "Home"), (1, "ArrowRight"), (1, "End")):
        page.locator(".vb-slider input").nth(k).press(key)
        heights.add(page.locator(".vb-spectrum").bounding_box()["height"])
    page.locator(".vb-slider input").nth(0).evaluate(
        "(el) => { el.value = 250; el.dispatchEvent(new Event('input')); }"
    )
    heights.add(page.locator(".vb-spectrum").bounding_box()["height"])
    assert len(heights) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    spectrum, _, curve = boxes(page)
    assert (spectrum["y"] == curve["y"]) == (width > 600)
    word, axes = page.locator(".vb-sp-kl-word text").bounding_box(), boxes(page)[1]
    assert word["x"] + word["width"] < axes["x"] + axes["width"]
    assert visit.problems == []


DRAGGED_LINE = DRAGGED.replace(
    'querySelectorAll(".vb-handle")[1]', 'querySelector(".vb-handle")'
)


@pytest.mark.browser
def test_a_dragged_line_is_weighed_and_drawn_within_a_frame(show):
    page = show(make_spectrum()).page
    before = noise_shown(page)[0]
    each = work_per_move(page, DRAGGED_LINE)
    print(f"a dragged line, weighed and drawn: {each:.1f} ms of processor time")
    assert each <= 16 and noise_shown(page)[0] != before
