"""The two latent pads on a page: draws, circles, rings and their images."""

import re

import numpy as np
import pytest
import torch
from browser.drive import (
    COUNT_SAVES,
    DRAGGED,
    RENDER,
    SCROLL_DOWN,
    STAND_IN,
    boxes,
    drawn,
    inks,
    of_axes,
    settled,
    work_per_move,
)
from explore.made import make_latent, make_pads
from explore.pads.oracle import in_pad
from scipy.spatial import cKDTree

from vaebook.vae import VAE


def side_of(page, k):
    return page.locator(".vb-pads .vb-part").nth(k)


def check_pads(page, pads):
    """Everything on the page is that of ``pads``."""
    settled(page)
    draws, lost = pads.now.draws(), pads.now.where_no_code_is()
    now = lost[:, pads.draw]
    for k, name in enumerate(pads.names):
        side, points = side_of(page, k), draws[k, pads.draw]
        tiles = side.locator(".pads-strip canvas")
        expected = pads.now.probabilities(k, points)
        np.testing.assert_allclose(inks(tiles), expected, rtol=0, atol=0.005)
        shown = tiles.evaluate_all(
            "(all) => all.map((one) => one.classList.contains('pads-lost'))"
        )
        assert shown == now[k].tolist()
        for kind, chosen in (("near", ~now[k]), ("lost", now[k])):
            path = side.locator(f".vb-pad-draws .{kind}")
            at = re.findall(r"M([-\d.]+) ([-\d.]+)", path.get_attribute("d"))
            places = of_axes(path, at) if at else np.empty((0, 2))
            at = in_pad(pads, k, points[chosen])
            np.testing.assert_allclose(places, at, rtol=0, atol=0.001)
        decoded = inks(side.locator(".pads-ring canvas"))[0]
        image = pads.now.probabilities(k, pads.z[k])
        np.testing.assert_allclose(decoded, image, rtol=0, atol=0.005)
        assert side.locator("dd").all_text_contents() == [
            f"{lost[k].sum()} of {lost[k].numel()}",
            f"{pads.now.codes_inside()[k]} of 447",
        ]
        words = f"{name} decodes from 12 draws, {now[k].sum()} of them where no code is"
        assert side.locator(".pads-strip").get_attribute("aria-label").endswith(words)
        fitted = side.locator(".vb-pad-fitted path").count()
        assert fitted == (2 if pads.source == "fitted" else 0)
    one, other = now.sum(1).tolist()
    assert page.locator(".pads-controls .vb-note").text_content() == (
        f"Set {pads.draw + 1} of 8. Where no code is: {one} of 12 for the "
        f"autoencoder, {other} of 12 for the VAE."
    )


@pytest.mark.browser
def test_sampling_walks_through_the_sets_of_both_sources(show):
    pads = make_pads()
    visit = show(pads)
    page = visit.page
    check_pads(page, pads)
    button = page.locator(".pads-controls button")
    assert button.text_content() == "Sample the prior"
    button.click()
    pads.draw = 1
    check_pads(page, pads)
    page.get_by_label("Draw from").select_option("fitted")
    assert button.text_content() == "Sample the Gaussian"
    pads.source = "fitted"
    check_pads(page, pads)
    for draw in (2, 3, 4, 5, 6, 7, 0):
        button.click()
        status = page.locator(".pads-controls .vb-note").text_content()
        assert status.startswith(f"Set {draw + 1} of 8.")
    pads.draw = 0
    check_pads(page, pads)
    assert visit.problems == []


@pytest.mark.browser
def test_codes_circles_and_rings_are_drawn_to_scale(show):
    pads = make_pads()
    page = show(pads).page
    settled(page)
    page.get_by_label("Draw from").select_option("fitted")
    for k in range(2):
        side = side_of(page, k)
        for digit in range(10):
            path = f".vb-pad-codes path:nth-child({digit + 1})"
            codes = pads.now.codes[k][np.array(pads.labels) == digit]
            expected = in_pad(pads, k, codes)
            np.testing.assert_allclose(drawn(side, path), expected, rtol=0, atol=0.001)
            style = side.locator(path).get_attribute("style")
            assert style == f"stroke: var(--vb-class-{digit})"
        low, high = np.array(pads.frames[k]).T
        mean = pads.now.codes[k].mean(0).numpy()
        cov = np.cov(pads.now.codes[k].T, bias=True)
        for name, centre, spread in (
            ("prior", np.zeros(2), np.eye(2)),
            ("fitted", mean, cov),
        ):
            for radius in (1, 2):
                path = f".vb-pad-{name} path:nth-child({radius})"
                off = drawn(side, path) * (high - low) + low - centre
                squared = np.einsum("ni,ij,nj->n", off, np.linalg.inv(spread), off)
                tall = (high - low)[0] / np.linalg.eigvalsh(spread)[0] ** 0.5
                np.testing.assert_allclose(squared**0.5, radius, atol=0.001 * tall)
        ring, plot = side.locator(".vb-handle").bounding_box(), boxes(side)[0]
        assert plot["width"] == pytest.approx(plot["height"], abs=1)
        across, up = in_pad(pads, k, pads.z[k])
        left, top = plot["x"] + across * plot["width"], plot["y"] + plot["height"]
        assert ring["x"] + 22 == pytest.approx(left, abs=1.5)
        assert ring["y"] + 22 == pytest.approx(top - up * plot["height"], abs=1.5)


def point_shown(page, k):
    text = side_of(page, k).locator(".pads-ring p").first.text_content()
    pair = re.fullmatch(r"Decoded at z = \((.*), (.*)\)", text.replace("\u2212", "-"))
    return [float(number) for number in pair.groups()]


def check_ring(page, pads, k, z):
    """The ring of a side is at z, and its image and its words are of there."""
    assert point_shown(page, k) == pytest.approx(z, abs=0.006)
    image = pads.now.probabilities(k, z)
    decoded = inks(side_of(page, k).locator(".pads-ring canvas"))[0]
    np.testing.assert_allclose(decoded, image, rtol=0, atol=0.02)
    distance, row = cKDTree(pads.now.codes[k]).query(z)
    closest = f"of class {pads.labels[row]}, is "
    start = "No code is here; the nearest, " if distance > pads.reach[k] else "The near"
    words = side_of(page, k).locator(".pads-ring p").nth(1).text_content()
    assert words.startswith(start) and closest in words
    away = float(re.search(r"is ([\d.]+) away\.$", words)[1])
    assert away == pytest.approx(distance, abs=0.02 * pads.reach[k] + 0.006)
    handle = side_of(page, k).locator(".vb-handle")
    spoken = handle.get_attribute("aria-valuetext")
    assert spoken.startswith("z1 ") and spoken.endswith(words.removesuffix("."))
    assert pads.names[k] in handle.get_attribute("aria-label")


@pytest.mark.browser
def test_keys_and_the_mouse_move_one_ring(show):
    pads = make_pads()
    page = show(pads).page
    settled(page)
    for k in range(2):
        (left, right), _ = pads.frames[k]
        step, (a, b) = (right - left) / 80, pads.home[k]
        ring = side_of(page, k).locator(".vb-handle")
        check_ring(page, pads, k, [a, b])
        for key in ("ArrowRight", "Shift+ArrowDown", "ArrowLeft", "ArrowLeft"):
            ring.press(key)
        check_ring(page, pads, k, [a - step, b - 5 * step])
    check_ring(page, pads, 0, point_shown(page, 0))
    side_of(page, 0).locator(".vb-handle").press("Home")
    check_ring(page, pads, 0, pads.home[0])
    moved, plot = point_shown(page, 1), boxes(page)[0]
    page.mouse.click(plot["x"] + 0.1 * plot["width"], plot["y"] + 0.1 * plot["height"])
    low, high = np.array(pads.frames[0]).T
    corner = low + np.array([0.1, 0.9]) * (high - low)
    assert point_shown(page, 0) == pytest.approx(corner.tolist(), abs=0.1)
    check_ring(page, pads, 0, point_shown(page, 0))
    assert "No code is here" in side_of(page, 0).locator(".pads-ring").text_content()
    assert point_shown(page, 1) == moved


@pytest.mark.browser
def test_a_finger_drags_a_ring_and_the_controls_lie_between_the_pads(show):
    pads = make_pads()
    page = show(pads, width=360, height=900, has_touch=True).page
    settled(page)
    touch = "(el) => getComputedStyle(el).touchAction"
    for k in range(2):
        assert side_of(page, k).locator(".vb-plot").evaluate(touch) == "auto"
        assert side_of(page, k).locator(".vb-handle").evaluate(touch) == "none"
    for control in page.locator(".pads-controls :is(button, select)").all():
        assert control.bounding_box()["height"] >= 44
    one, other = (side_of(page, k).bounding_box() for k in range(2))
    controls = page.locator(".pads-controls").bounding_box()
    assert one["y"] + one["height"] < controls["y"] < other["y"]
    plot = boxes(page)[1]
    page.evaluate(f"window.scrollTo(0, {plot['y'] - 100})")
    plot = boxes(page)[1]
    middle = plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 4
    page.touchscreen.tap(*middle)
    low, high = np.array(pads.frames[1]).T
    expected = low + np.array([0.5, 0.75]) * (high - low)
    assert point_shown(page, 1) == pytest.approx(expected.tolist(), abs=0.03)


@pytest.mark.browser
def test_a_kernel_moves_the_pads_and_hears_of_them(show):
    pads = make_pads()
    page = show(pads).page
    page.evaluate(STAND_IN)
    page.evaluate(COUNT_SAVES)
    page.evaluate(RENDER)
    settled(page)
    pads.z, pads.draw, pads.source = [[1, -2], [0.5, 0.25]], 3, "fitted"
    page.evaluate("""() => {
      m.model.set("draw", 3);
      m.model.set("source", "fitted");
      m.model.set("z", [[1, -2], [0.5, 0.25]]);
    }""")
    check_pads(page, pads)
    assert page.get_by_label("Draw from").input_value() == "fitted"
    check_ring(page, pads, 1, [0.5, 0.25])
    assert page.evaluate("m.saves") == 0
    side_of(page, 1).locator(".vb-handle").press("Home")
    page.locator(".pads-controls button").click()
    page.get_by_label("Draw from").select_option("prior")
    state = page.evaluate("['z', 'draw', 'source'].map((key) => m.model.get(key))")
    assert state == [[[1, -2], pads.home[1]], 4, "prior"]
    assert page.evaluate("m.saves") == 3


@pytest.mark.browser
def test_two_pairs_of_pads_do_not_clash(show):
    visit = show(make_pads(), make_pads(num_draws=3), make_latent())
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.vb').length === 3")
    first, second = (page.locator(".vb-pads").nth(k) for k in (0, 1))
    second.locator("button").click()
    second.locator(".vb-handle").first.press("ArrowUp")
    assert (
        first.locator(".pads-controls .vb-note").text_content().startswith("Set 1 of")
    )
    note = second.locator(".pads-controls .vb-note").text_content()
    assert note.startswith("Set 2 of 8.") and "of 3 for the VAE" in note
    assert second.locator(".pads-strip canvas").count() == 6
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_images_follow_the_theme(theme, show):
    page = show(make_pads()).page
    settled(page)
    light = inks(page.locator(".pads-strip canvas"))
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    page.wait_for_timeout(50)
    assert np.array_equal(inks(page.locator(".pads-strip canvas")), light) == (
        theme == "light"
    )


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_pads_are_side_by_side_under_the_controls_where_there_is_room(width, show):
    page = show(make_pads(), width=width).page
    settled(page)
    one, other = boxes(page)
    assert (one["y"] == other["y"]) == (width > 600)
    controls, strip = (
        page.locator(name).first.bounding_box()
        for name in (".pads-controls", ".pads-strip")
    )
    assert (controls["y"] < one["y"]) == (width > 600)
    assert strip["width"] <= width


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_jumps_and_letters_can_be_read(width, show):
    visit = show(make_pads(), width=width)
    page = visit.page
    settled(page)
    heights = set()
    for source in ("fitted", "prior"):
        page.get_by_label("Draw from").select_option(source)
        for _ in range(4):
            page.locator(".pads-controls button").click()
            heights.add(page.locator(".vb-pads").bounding_box()["height"])
    for key in ("Home", *["Shift+ArrowLeft"] * 6, *["Shift+ArrowUp"] * 6):
        page.locator(".vb-handle").nth(0).press(key)
        page.locator(".vb-handle").nth(1).press(key)
        heights.add(page.locator(".vb-pads").bounding_box()["height"])
    assert len(heights) == 1
    letters = page.locator(".vb-pads :is(text, p, dt, dd, span)").evaluate_all(
        "(all) => all.map((one) => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(letters) >= 11
    assert visit.problems == []


@pytest.mark.browser
def test_a_dragged_ring_is_decoded_within_a_frame(show):
    rng = torch.Generator().manual_seed(0)
    models = {name: VAE(64, (128, 128), 2, rng=rng) for name in ("one", "other")}
    page = show(make_pads(models)).page
    settled(page)
    before = point_shown(page, 1)
    each = work_per_move(page, DRAGGED)
    print(f"a dragged ring, decoded and drawn: {each:.1f} ms of processor time")
    assert point_shown(page, 1) != before
    assert each <= 16
