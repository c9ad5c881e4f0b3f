"""The likelihood surface on a page: drawn to scale, dragged, climbed."""

import numpy as np
import pytest
import torch
from browser.drive import (
    RENDER,
    SCROLL_DOWN,
    STAND_IN,
    boxes,
    drawn,
    numbers,
    press,
    settled,
)
from explore.made import make_latent, make_surface
from explore.surface.oracle import petal_log_lik
from scipy import stats

from vaebook.likelihood import gradient_ascent


def readings(page):
    texts = page.locator(".vb-reading dd").all_text_contents()
    return [float(t.removesuffix(" nats").replace("\u2212", "-")) for t in texts]


def expected_readings(mu, sigma):
    total = petal_log_lik(torch.tensor([mu, np.log(sigma)], dtype=torch.float64)).item()
    return pytest.approx([total, -297.5870528889 - total, total / 150], abs=0.006)


@pytest.mark.browser
def test_the_figure_shows_where_it_starts(show):
    page = show(make_surface()).page
    assert numbers(page) == [5.5, 0.8]
    assert readings(page) == expected_readings(5.5, 0.8)
    ring, (_, plot) = page.locator(".vb-handle").bounding_box(), boxes(page)
    x = plot["x"] + plot["width"] * 5.5 / 8
    low, high = np.log(make_surface().frame["sigma"])
    y = plot["y"] + plot["height"] * (high - np.log(0.8)) / (high - low)
    assert ring["x"] + 22 == pytest.approx(x, abs=1.5)
    assert ring["y"] + 22 == pytest.approx(y, abs=1.5)


@pytest.mark.browser
def test_curve_bars_and_maximum_are_drawn_to_scale(show):
    explorer = make_surface()
    page = show(explorer).page
    settled(page)
    top, (low, high) = explorer.frame["density"], np.log(explorer.frame["sigma"])
    x, height = drawn(page, ".vb-curve path").T * [[8], [top]]
    np.testing.assert_allclose(height, stats.norm.pdf(x, 5.5, 0.8), atol=0.002)
    for k, expected in enumerate(explorer.bars["heights"]):
        bar = drawn(page, f".vb-histogram path:nth-child({k + 1})") * [8, top]
        left, right = explorer.bars["edges"][k : k + 2]
        corners = [[left, 0], [left, expected], [right, expected], [right, 0]]
        np.testing.assert_allclose(bar, corners, atol=0.002)
    x, y, width, height = page.locator(".vb-top text").evaluate(
        """({ x, y, ownerSVGElement: { width, height } }) => [x, y]
          .map((list) => list.baseVal[0].value)
          .concat([width, height].map((one) => one.baseVal.value))"""
    )
    assert 8 * x / width == pytest.approx(3.758)
    log_sigma = high - (high - low) * y / height
    assert np.exp(2 * log_sigma) == pytest.approx(3.0955026667)


@pytest.mark.browser
def test_dragging_the_ring_moves_curve_and_numbers(show):
    page = show(make_surface()).page
    before = page.locator(".vb-curve path").get_attribute("d")
    ring, (_, plot) = page.locator(".vb-handle").bounding_box(), boxes(page)
    x, y = ring["x"] + 30, ring["y"] + 16  # off its centre: the ring must not jump
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - plot["width"] / 8, y, steps=3)
    assert numbers(page) == pytest.approx([4.5, 0.8], abs=0.02)
    page.mouse.up()
    page.mouse.move(x, y)
    assert numbers(page) == pytest.approx([4.5, 0.8], abs=0.02)
    assert page.locator(".vb-curve path").get_attribute("d") != before
    page.mouse.click(plot["x"] + plot["width"] / 4, plot["y"] + 40)
    mu, sigma = numbers(page)
    assert mu == pytest.approx(2, abs=0.02) and sigma > 4
    drawn = page.locator(".vb-handle").get_attribute("aria-valuetext")
    assert drawn.startswith(
        f"\u03bc {mu:.2f}, \u03c3 {sigma:.2f}, log-likelihood \u2212"
    )


@pytest.mark.browser
def test_a_finger_drags_the_ring_alone_and_taps_bring_it(show):
    page = show(make_surface(), width=360, height=900, has_touch=True).page
    style = "(el) => getComputedStyle(el).touchAction"
    plots = page.locator(".vb-plot")
    assert plots.nth(1).evaluate(style) == "auto"
    assert page.locator(".vb-handle").evaluate(style) == "none"
    plots.nth(1).scroll_into_view_if_needed()
    (_, plot) = boxes(page)
    page.touchscreen.tap(plot["x"] + plot["width"] / 4, plot["y"] + plot["height"] / 2)
    low, high = make_surface().frame["sigma"]
    assert numbers(page) == pytest.approx([2, (low * high) ** 0.5], abs=0.03)


@pytest.mark.browser
def test_keys_move_the_ring_and_the_sliders_of_the_surface(show):
    page = show(make_surface()).page
    ring = page.locator(".vb-handle")
    for key in ("ArrowLeft", "Shift+ArrowLeft", "ArrowUp"):
        ring.press(key)
    assert numbers(page) == [4.9, 0.82]
    assert readings(page) == expected_readings(4.9, 0.8 * 1.02)
    ring.press("Home")
    assert numbers(page) == [5.5, 0.8]
    mean, deviation = page.locator(".vb-slider input").all()
    mean.press("End")
    deviation.press("Home")
    assert numbers(page) == [8, 0.4]
    assert mean.get_attribute("aria-valuetext") == "mean \u03bc 8.00"
    assert deviation.get_attribute("aria-valuetext") == "std. dev. \u03c3 0.40"
    ring.press("ArrowRight")
    ring.press("ArrowDown")
    assert numbers(page) == [8, 0.4]


@pytest.mark.browser
def test_steps_walk_a_path_and_starting_over_clears_it(show):
    page = show(make_surface()).page
    once, again = (page.get_by_role("button", name=n) for n in ("One", "Start over"))
    once.click()
    status = page.locator(".vb-status")
    assert status.text_content() == "1 gradient step taken"
    once.click()
    theta = torch.tensor([5.5, np.log(0.8)], dtype=torch.float64)
    path = gradient_ascent(
        lambda p: petal_log_lik(p) / 150, theta, rate=0.1, num_steps=2
    )
    assert numbers(page) == pytest.approx(
        [path[-1, 0].item(), path[-1, 1].exp().item()], abs=0.006
    )
    assert page.locator(".vb-walk path").count() == 3
    again.click()
    assert numbers(page) == [5.5, 0.8] and status.text_content() == ""
    assert page.locator(".vb-walk path").count() == 1


@pytest.mark.browser
def test_a_climb_plays_stops_and_ends(show):
    page = show(make_surface(num_steps=8)).page
    climb = page.locator(".vb-buttons button").nth(1)
    page.wait_for_timeout(150)
    assert numbers(page) == [5.5, 0.8]  # nothing moves by itself
    climb.click()
    assert climb.text_content() == "Stop"
    page.wait_for_function("document.querySelectorAll('.vb-walk path').length > 2")
    climb.click()
    stopped = numbers(page)
    assert climb.text_content() == "Climb" and stopped != [5.5, 0.8]
    page.wait_for_timeout(150)
    assert numbers(page) == stopped
    page.get_by_role("button", name="Start over").click()
    climb.click()
    status = page.locator(".vb-status")
    page.wait_for_function("document.querySelector('.vb-status').textContent !== ''")
    assert status.text_content() == "8 gradient steps taken"
    assert climb.text_content() == "Climb"


@pytest.mark.browser
def test_a_climb_ends_where_a_step_gains_less_than_a_ten_thousandth_nat(show):
    theta = torch.tensor([5.5, np.log(0.8)], dtype=torch.float64)
    path = gradient_ascent(
        lambda p: petal_log_lik(p) / 150, theta, rate=0.1, num_steps=300
    )
    gains = petal_log_lik(path).diff().numpy()
    steps = int((gains < 1e-4).argmax())
    assert 100 < steps < 300
    page = show(make_surface()).page
    page.get_by_role("button", name="Climb").click()
    page.wait_for_function("document.querySelector('.vb-status').textContent !== ''")
    assert page.locator(".vb-status").text_content() == (
        f"{steps} gradient steps taken; the next would gain less than 0.0001 nats"
    )
    assert page.locator(".vb-walk path").count() == steps + 1
    assert readings(page)[:2] == [-297.59, 0]
    assert numbers(page) == [
        round(path[steps, 0].item(), 2),
        round(path[steps, 1].exp().item(), 2),
    ]


@pytest.mark.browser
def test_the_density_axis_grows_with_the_peak(show):
    page = show(make_surface()).page
    settled(page)
    page.locator(".vb-slider input").nth(1).press("Home")
    peak = stats.norm.pdf(0, scale=0.4)
    curve = drawn(page, ".vb-curve path")[:, 1]
    assert curve.max() == pytest.approx(1 / 1.04, abs=0.005)
    bar = drawn(page, ".vb-histogram path:nth-child(2)")[:, 1].max()
    expected = make_surface().bars["heights"][1] / (1.04 * peak)
    assert bar == pytest.approx(expected, abs=0.002)
    page.get_by_role("button", name="Start over").click()
    assert drawn(page, ".vb-curve path")[:, 1].max() > 0.9
    assert "0.4" in page.locator(".vb-plot").first.text_content()


@pytest.mark.browser
def test_a_small_contour_bears_no_label(show):
    page = show(make_surface()).page
    names = page.locator(".vb-names text").all_text_contents()
    assert "\u22122" not in names and "\u221210" in names


@pytest.mark.browser
def test_a_step_that_is_too_long_leaves_the_picture_and_says_so(show):
    page = show(make_surface(start=(8.0, 0.4))).page
    page.get_by_role("button", name="One").click()
    assert numbers(page)[1] > 1000
    assert "has left the picture" in page.locator(".vb-status").text_content()
    ring, (_, plot) = page.locator(".vb-handle").bounding_box(), boxes(page)
    assert ring["y"] + 22 == pytest.approx(plot["y"], abs=1.5)


@pytest.mark.browser
def test_a_kernel_moves_the_figure_and_hears_of_it(show):
    page = show(make_surface()).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    settled(page)
    assert numbers(page) == [5.5, 0.8]
    page.evaluate('m.model.set("mu", 3)')
    page.evaluate('m.model.set("sigma", 2)')
    assert numbers(page) == [3, 2] and readings(page) == expected_readings(3, 2)
    page.locator(".vb-handle").press("ArrowRight")
    assert page.evaluate('m.model.get("mu")') == pytest.approx(3.1)


@pytest.mark.browser
def test_two_surfaces_and_a_latent_explorer_share_a_page(show):
    alone = show(make_latent(2)).page
    places = """(root) => [...root.querySelectorAll("*")].map(
      (el) => el.getBoundingClientRect().width)"""
    expected = alone.locator(".vb").evaluate(places)
    visit = show(make_latent(2), make_surface(), make_surface())
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.vb-surface').length === 2")
    assert page.locator(".vb").first.evaluate(places) == expected
    page.locator(".vb-surface").nth(1).get_by_role("button", name="One").click()
    first, second = (numbers(page.locator(".vb-surface").nth(k)) for k in (0, 1))
    assert first == [5.5, 0.8] and second != first
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_data_and_surface_are_side_by_side_where_there_is_room(width, show):
    page = show(make_surface(), width=width, reduced_motion="reduce").page
    press(page, "Climb")
    data, surface = boxes(page)
    assert (data["y"] == surface["y"]) == (width > 600)


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_paper_follows_the_theme(theme, show):
    page = show(make_surface()).page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    paper = page.locator(".vb-plot > svg > g > rect").first
    fill = paper.evaluate(
        "(el) => getComputedStyle(el).fill.match(/[\\d.]+/g).map(Number)"
    )
    assert np.mean(fill) > 200 if theme == "light" else np.mean(fill) < 60
