"""The EM stepper on a page: half-steps, dragged starts, play."""

import re

import numpy as np
import pytest
from browser.drive import (
    DRAGGED,
    RENDER,
    SCROLL_DOWN,
    STAND_IN,
    boxes,
    drawn,
    numbers,
    place_of,
    press,
    settled,
    work_per_move,
)
from browser.page import THEME
from explore.made import GOOD, make_stepper, make_surface, petals
from explore.stepper.oracle import (
    COLLAPSING,
    PAGE_RUN,
    POOR,
    POSITIONS,
    RUNS,
    make_choice,
    run_from,
)

from vaebook.em import e_step


def heights_shown(page):
    return numbers(page, ".vb-sum dd")


@pytest.mark.browser
def test_half_steps_touch_climb_and_add_up(show):
    page = show(make_stepper()).page
    run, log_lik, bounds = run_from(GOOD)
    for step in range(2 * len(bounds)):
        t, half = divmod(step, 2)
        reached = bounds[t] if half else log_lik[t]
        expected = [log_lik[t + half], reached, log_lik[t + half] - reached]
        shown = heights_shown(page)
        assert shown == pytest.approx(expected, abs=0.0011)
        assert shown[0] == pytest.approx(shown[1] + shown[2], abs=1e-9)
        status = page.locator(".stepper-status").text_content()
        said = "the bound" if step < 2 * len(bounds) - 1 else "nothing moves any more"
        assert status.startswith(f"Iteration {t + 1}, {'EM'[half]}-step: {said}")
        weights = numbers(page, ".vb-stepper td:nth-child(2)")
        expected = run.path[t + half].weights.tolist()
        assert weights == pytest.approx(expected, abs=0.0006)
        page.locator(".vb-stepper input").press("ArrowRight")
    assert "more: bound and log-likelihood are equal to three decimals." in status
    assert "Converged: gain under 0.0001 nats" in status
    assert numbers(page, ".vb-stepper td:nth-child(2)") == [0.333, 0.667]
    assert heights_shown(page) == [-154.731, -154.731, 0]
    press(page, "Back")
    assert (
        page.locator(".stepper-status")
        .text_content()
        .startswith("Iteration 10, E-step")
    )
    press(page, "Start over")
    assert heights_shown(page) == [-284.302, -284.302, 0]


@pytest.mark.browser
def test_the_marks_are_where_the_curves_are(show):
    page = show(make_stepper()).page
    assert place_of(page, ".vb-em-marks .both")[0] == pytest.approx(0, abs=1e-6)
    page.wait_for_timeout(100)
    press(page, "Step")
    (s, top, _), (at, low, _) = (
        place_of(page, f".vb-em-marks .{name}") for name in ("likelihood", "bound")
    )
    assert [s, at] == pytest.approx([1, 1], abs=1e-6) and top < low
    for name, height in (("em-lik", top), ("em-bound", low)):
        curve = drawn(page, f".vb-plot .vb-{name} path >> nth=0")
        _, _, whole = place_of(page, ".vb-em-marks .likelihood")
        at_one = np.interp(1.3 / 1.8, *curve.T)
        assert at_one == pytest.approx(1 - height / whole, abs=0.002)
    assert drawn(page, ".vb-em-bound path >> nth=0")[:, 1].argmax() == 26
    words = page.locator(".vb-em-words").first.text_content()
    assert words == "KL 8.027"
    press(page, "Step")
    words = page.locator(".vb-em-words").first.text_content()
    assert words == "lifted by 8.027 to touch"


DOTS = """(all) => {
  const { width, height } = all[0].ownerSVGElement;
  const mixed = (fill) => / ([\\d.]+)%/.exec(fill)?.[1] ?? 100 * fill.includes("-7");
  return all.map((el) => [
    el.cx.baseVal.value / width.baseVal.value,
    1 - el.cy.baseVal.value / height.baseVal.value,
    Number(mixed(el.style.fill)),
  ]);
}"""


def dots_of(stepper, run, step):
    """Where the dots are, as shares of the plot; per cent of the second colour."""
    x, frame = petals().numpy(), stepper.frame
    (left, right), (low, high) = frame["x"], frame["y"]
    places = (x - [left, low]) / [right - left, high - low]
    resp = e_step(run.path[step // 2], petals()).log_resp.exp()[:, 1:].numpy()
    return np.hstack([places, 100 * resp])


@pytest.mark.browser
def test_dots_are_the_data_tinted_by_the_present_responsibilities(show):
    stepper = make_stepper()
    page = show(stepper).page
    settled(page)
    run, *_ = run_from(GOOD)
    assert stepper.picture["colours"][:2] == ["class-0", "class-7"]
    for step in (0, 2, 8):
        while page.locator(".vb-stepper input").input_value() != str(step):
            press(page, "Step")
        found = page.locator(".vb-em-points circle").evaluate_all(DOTS)
        expected = dots_of(stepper, run, step)
        np.testing.assert_allclose(found, expected, atol=0.16, rtol=0)
        np.testing.assert_allclose(
            np.array(found)[:, :2], expected[:, :2], atol=5e-4, rtol=0
        )
    page.set_viewport_size({"width": 420, "height": 900})
    page.wait_for_timeout(200)
    found = page.locator(".vb-em-points circle").evaluate_all(DOTS)
    np.testing.assert_allclose(
        np.array(found)[:, :2], expected[:, :2], atol=5e-4, rtol=0
    )


@pytest.mark.browser
def test_dragging_a_ring_starts_another_run(show):
    page = show(make_stepper()).page
    page.wait_for_timeout(100)
    press(page, "Step", "Step")
    ring, plot = page.locator(".vb-handle").nth(1), boxes(page)[0]
    box = ring.bounding_box()
    page.mouse.move(box["x"] + 26, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 26 + plot["width"] / 7.67, box["y"] + 20, steps=3)
    page.mouse.up()
    means = numbers_in(ring.get_attribute("aria-valuetext"))[1:]
    assert means == pytest.approx([5.6, 1.5], abs=0.02)
    first = page.locator(".vb-handle").first.get_attribute("aria-valuetext")
    assert numbers_in(first) == [1, 1.9, 0.4]
    press(page, "Step")
    start = page.locator(".stepper-status").text_content()
    assert start.startswith("Iteration 1, M-step")
    ring.press("Home")
    assert heights_shown(page) == [-284.302, -284.302, 0]
    ring.press("Shift+ArrowRight")
    ring.press("ArrowDown")
    moved = [4.6 + 5 * 7.67 / 80, 1.5 - 3.12 / 80]
    _, log_lik, bounds = run_from([GOOD[0], moved])
    press(page, "Step")
    expected = [log_lik[1], bounds[0], log_lik[1] - bounds[0]]
    assert heights_shown(page) == pytest.approx(expected, abs=0.0011)


def numbers_in(text):
    return [float(n) for n in re.findall(r"\d+(?:\.\d+)?", text)]


@pytest.mark.browser
def test_starts_offered_end_at_different_heights(show):
    page = show(make_choice(), reduced_motion="reduce").page
    poor = page.get_by_role("button", name="poor")
    press(page, "poor", "Play")
    assert poor.get_attribute("aria-pressed") == "true"
    assert heights_shown(page)[0] == -218.745
    status = page.locator(".stepper-status").text_content()
    assert status.endswith("Another start ends 64.014 nats higher.")
    press(page, "good")
    assert poor.get_attribute("aria-pressed") == "false"
    press(page, "Play")
    assert heights_shown(page)[0] == -154.731
    assert "Another" not in page.locator(".stepper-status").text_content()


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_numbers_are_whole_and_nothing_jumps(width, show):
    page = show(make_choice(), width=width).page
    page.add_style_tag(content=THEME)
    press(page, "poor", "Step")
    panel = page.locator(".vb-part").nth(1).bounding_box()
    for number in page.locator(".vb-sum dd").all():
        box = number.bounding_box()
        assert box["x"] + box["width"] <= panel["x"] + panel["width"]
        assert number.evaluate("(el) => el.scrollWidth <= el.clientWidth")
    slider, heights = page.locator(".vb-stepper input"), set()
    for key in ("Home", "ArrowRight", "End"):
        slider.press(key)
        heights.add(page.locator(".vb-stepper").bounding_box()["height"])
    for _ in range(6):
        page.locator(".vb-handle").first.press("Shift+ArrowLeft")
        slider.press("End")
        heights.add(page.locator(".vb-stepper").bounding_box()["height"])
    assert len(heights) == 1


@pytest.mark.browser
def test_a_number_stands_on_the_ring_until_the_centre_has_left_it(show):
    page = show(make_stepper()).page
    page.wait_for_timeout(100)
    discs = page.locator(".vb-em-numbers circle")
    numbers = page.locator(".vb-em-numbers text")
    assert discs.count() == 0 and numbers.all_text_contents() == ["1", "2"]
    press(page, "Step")
    assert discs.count() == 1 and numbers.count() == 2
    at = "(el) => ['x', 'y'].map((k) => el[k].baseVal[0].value)"
    mean = "(el) => ['cx', 'cy'].map((k) => el[k].baseVal.value)"
    centres = page.locator(".vb-em-centres circle")
    assert numbers.nth(0).evaluate(at) == centres.nth(0).evaluate(mean)
    assert numbers.nth(1).evaluate(at) == discs.evaluate(mean)


@pytest.mark.browser
def test_the_history_holds_the_first_value_and_the_best(show):
    page = show(make_choice()).page
    page.wait_for_timeout(100)
    for name in ("good", "poor"):
        press(page, name)
        climb = drawn(page, ".vb-em-rest path >> nth=1")[:, 1]
        assert 0 < climb[0] < 0.1
        best = drawn(page, ".vb-em-best path")[0, 1]
        assert climb.max() - 1e-3 <= best < 0.9
    words = page.locator(".vb-em-words text").last
    assert words.text_content() == "best start: \u2212154.731"
    top = drawn(page, ".vb-em-now path")[:, 1].max()
    assert top == pytest.approx(best, abs=0.01)


@pytest.mark.browser
def test_play_moves_pauses_and_the_slider_goes_anywhere(show):
    page = show(make_stepper()).page
    page.wait_for_timeout(300)
    slider, play = (
        page.locator(".vb-stepper input"),
        page.locator(".vb-buttons button").nth(2),
    )
    assert slider.input_value() == "0"  # nothing moves by itself
    play.click()
    assert play.text_content() == "Pause"
    page.wait_for_function("document.querySelector('.vb-stepper input').value === '1'")
    play.click()
    assert play.text_content() == "Play"
    slider.press("End")
    assert slider.get_attribute("aria-valuetext") == "Iteration 10, M-step"
    assert slider.get_attribute("max") == "19"
    slider.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "Iteration 10, E-step"


@pytest.mark.browser
def test_a_kernel_moves_the_stepper_and_a_collapse_is_said(show):
    page = show(make_stepper()).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.evaluate("m.model.set('step', 3)")
    _, log_lik, _ = run_from(GOOD)
    assert heights_shown(page)[0] == pytest.approx(log_lik[2], abs=0.0006)
    page.evaluate("(means) => m.model.set('means', means)", COLLAPSING)
    page.locator(".vb-stepper input").press("End")
    assert page.evaluate("m.model.get('step')") == 3
    status = page.locator(".stepper-status").text_content()
    assert "the next M-step would leave component 1 with no width" in status
    rows = page.evaluate(PAGE_RUN, [COLLAPSING, POSITIONS])
    assert len(rows["path"]) == 3 and rows["fault"] == {"k": 0, "kind": "flat"}
    page.evaluate("m.model.set('means', [[1.9, 0.4], [1000, 1000]])")
    words = page.locator(".vb-em-words").first.locator("text").all_text_contents()
    said = ["No M-step from here:", "it would leave component 2", "with no weight"]
    assert words == said
    slice_, history = page.locator(".vb-plot").nth(1), page.locator(".vb-plot").nth(2)
    assert slice_.locator("svg > g > line").count() == 0
    _, y, height = place_of(history, ".vb-em-marks circle")
    assert 0 < y < height
    same = [[4.0, 1.3], [4.0, 1.3]]
    page.evaluate("(means) => m.model.set('means', means)", same)
    page.locator(".vb-stepper input").press("End")
    assert "Converged" in page.locator(".stepper-status").text_content()


@pytest.mark.browser
def test_two_steppers_do_not_clash(show):
    visit = show(make_stepper(), make_stepper(POOR), make_surface())
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.vb').length === 3")
    page.locator(".vb-stepper").nth(1).get_by_role("button", name="Step").click()
    first, second = (page.locator(".vb-stepper").nth(k) for k in (0, 1))
    assert heights_shown(first) == [-284.302, -284.302, 0]
    assert heights_shown(second)[2] == pytest.approx(8.13, abs=0.01)
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_flowers_and_heights_are_side_by_side_where_there_is_room(width, show):
    stepper = make_stepper(RUNS[2], presets={"poor": RUNS[3]})
    page = show(stepper, width=width).page
    press(page, "Step", "Step", "Step")
    flowers, heights, _ = boxes(page)
    assert (flowers["y"] == heights["y"]) == (width > 600)


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_ink_follows_the_theme(theme, show):
    page = show(make_stepper()).page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    ink = page.locator(".vb-em-lik path").first.evaluate(
        "(el) => getComputedStyle(el).stroke"
    )
    assert ink == ("rgb(29, 39, 51)" if theme == "light" else "rgb(230, 235, 240)")


@pytest.mark.browser
def test_a_dragged_run_is_computed_and_drawn_within_a_frame(show):
    page = show(make_stepper(RUNS[2])).page
    each = work_per_move(page, DRAGGED)
    print(f"a dragged run, computed and drawn: {each:.1f} ms of processor time")
    assert each <= 16


@pytest.mark.browser
def test_the_status_is_silent_while_it_plays_and_speaks_again(show):
    page = show(make_stepper()).page
    status = page.locator(".stepper-status")
    press(page, "Play")
    assert status.get_attribute("aria-live") == "off"
    press(page, "Pause")
    assert status.get_attribute("aria-live") == "polite"
