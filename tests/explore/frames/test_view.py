"""Frames on a page: sliders, keys and boxes to tick."""

import pytest
from browser.drive import RENDER, STAND_IN
from explore.made import make_frames

from vaebook.explore import explore


@pytest.mark.browser
def test_frames_step_by_slider_and_keys(show):
    page = show(make_frames()).page
    picture, slider = (
        page.locator(".frames-picture"),
        page.locator(".vb-slider input"),
    )
    assert picture.get_attribute("alt") == "A line of slope 0"
    before = picture.get_attribute("src")
    slider.press("ArrowRight")
    assert picture.get_attribute("alt") == "A line of slope 1"
    assert picture.get_attribute("src") != before
    assert slider.get_attribute("aria-valuetext") == "slope 1"
    slider.press("Home")
    assert page.locator(".vb-number").text_content() == "\u22122"


@pytest.mark.browser
def test_a_drawing_between_the_steps_is_shown(show):
    figure = make_frames()
    figure.values = {"slope": 0.5}
    page = show(figure).page
    picture = page.locator(".frames-picture")
    assert picture.get_attribute("alt") == "A line of slope 0.5"
    assert page.locator(".vb-number").text_content() == "0.5"
    page.locator(".vb-slider input").press("End")
    assert picture.get_attribute("alt") == "A line of slope 2"


@pytest.mark.browser
def test_a_choice_of_false_and_true_is_a_box_to_tick(show):
    figure = explore(
        lambda ax, up, bit: ax.plot([0, 1], [0, 2 * up + bit]),
        alt=lambda up, bit: f"up {up}, bit {bit}",
        up=[False, True],
        bit=[0, 1],
    )
    assert figure.values == {"up": False, "bit": 1}
    figure.values = {"up": True, "bit": 0}
    assert show(figure).page.get_by_role("checkbox", name="up").is_checked()
    figure.values = {"up": False, "bit": 1}
    page = show(figure).page
    box, picture = (
        page.get_by_role("checkbox", name="up"),
        page.locator(".frames-picture"),
    )
    slider = page.get_by_role("slider", name="bit")
    assert page.locator(".vb-frames input").count() == 2 and not box.is_checked()
    off = picture.get_attribute("src")
    page.locator(".vb-check").click()
    assert box.is_checked() and picture.get_attribute("src") != off
    assert picture.get_attribute("alt") == "up True, bit 1"
    box.press("Space")
    assert picture.get_attribute("src") == off and not box.is_checked()
    slider.press("ArrowLeft")
    assert picture.get_attribute("alt") == "up False, bit 0"
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    box.press("Space")
    assert page.evaluate("m.model.get('values')") == {"up": True, "bit": 1}
    box.press("Space")
    assert page.evaluate("m.model.get('values').up") is False
    page.evaluate("m.model.set('values', { up: true, bit: 0 })")
    assert box.is_checked() and slider.input_value() == "0"
