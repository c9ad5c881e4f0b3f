"""Restoration on a page: masks by mouse, tap and keys, sizes, ink, and what is said."""

import re

import numpy as np
import pytest
from browser.drive import COUNT_SAVES, RENDER, STAND_IN, inks, press
from explore.made import make_restoration

CELLS = ".restoration-cell"
HIDDEN = ".restoration-hidden"


@pytest.fixture
def page(show):
    return show(make_restoration(), reduced_motion="reduce").page


def hidden(page):
    """Which squares are hidden, as 0 and 1."""
    cells = page.locator(CELLS)
    name = HIDDEN.removeprefix(".")
    script = f"all => all.map((one) => Number(one.classList.contains('{name}')))"
    return cells.evaluate_all(script)


def spoken(page, b):
    return page.locator(CELLS).nth(b).get_attribute("aria-label")


def readings(page):
    return page.locator("dd").all_text_contents()


def said(page):
    return page.locator(".vb-status").text_content()


@pytest.mark.browser
def test_it_begins_with_the_lower_half_hidden(page):
    assert hidden(page) == [0] * 32 + [1] * 32
    assert spoken(page, 0) == "row 1, column 1, ink 0.00"
    assert spoken(page, 63) == "row 8, column 8, hidden"
    mean, one, apart, agreed = readings(page)
    assert float(agreed) == pytest.approx(1.0, abs=0.4)
    assert re.fullmatch(
        rf"Test image of class 3, 32 of 64 squares seen: two images differ by {apart}, "
        rf"and the mean is at {mean} dB\.",
        said(page),
    )
    assert float(one) > 5


RUN = """() => {
  const { measured, pooled, readModel, Run } = m.module;
  const model = readModel(m.traits);
  const seen = m.model.get("seen");
  const task = measured(model, 1, seen, pooled(model.images[0], 8, 1));
  const run = new Run({ model, task, count: 8, seed: 1 });
  for (let k = 0; k < 400; k++) run.step();
  const { mean, sd } = run.spread;
  const spread = sd.map((v) => 2 * v);
  return [model.images[0], mean, spread, ...run.images].map((x) => [...x]);
}"""


@pytest.mark.browser
def test_each_picture_is_what_its_caption_says(page):
    shown = inks(page.locator("canvas"))
    page.evaluate(STAND_IN)
    expected = np.clip(page.evaluate(RUN), 0, 1)
    assert len(shown) == len(expected) == 11
    np.testing.assert_allclose(shown, expected, rtol=0, atol=0.006)
    labels = page.locator("canvas").evaluate_all("all => all.map((c) => c.ariaLabel)")
    assert labels[0] == "The digit itself" and labels[1].startswith("Mean of")
    assert labels[2].startswith("Standard deviation")
    assert labels[3:] == [f"Image {k} that fits" for k in range(1, 9)]


@pytest.mark.browser
def test_a_stroke_of_the_mouse_hides_or_shows(page):
    box = page.locator(".restoration-seen").bounding_box()
    step = box["width"] / 8

    def at(col, row):
        return box["x"] + (col + 0.5) * step, box["y"] + (row + 0.5) * step

    page.mouse.move(*at(1, 0))
    page.mouse.down()
    page.mouse.move(*at(4, 0), steps=12)
    page.mouse.up()
    assert hidden(page)[:8] == [0, 1, 1, 1, 1, 0, 0, 0]
    page.mouse.move(*at(2, 5))  # over it without a button
    page.mouse.click(*at(2, 7))
    assert hidden(page)[56:] == [1, 1, 0, 1, 1, 1, 1, 1]
    assert "29 of 64" in said(page)


@pytest.mark.browser
def test_a_tap_flips_a_square(show):
    page = show(make_restoration(), has_touch=True, width=360).page
    page.locator(CELLS).nth(3).tap()
    assert hidden(page)[3] == 1
    page.locator(CELLS).nth(3).tap()
    assert hidden(page)[3] == 0


@pytest.mark.browser
def test_keys_move_and_flip(page):
    page.locator(f'{CELLS}[tabindex="0"]').focus()
    for key in ("ArrowRight", "ArrowDown", "Space", "ArrowDown", "Enter", "End"):
        page.keyboard.press(key)
    flipped = np.flatnonzero(np.array(hidden(page)) != [0] * 32 + [1] * 32)
    assert flipped.tolist() == [9, 17]
    focused = page.evaluate("document.activeElement.dataset.d")
    assert focused == "23"


@pytest.mark.browser
def test_what_is_hidden_changes_the_images_and_what_is_seen_stays(page):
    before = readings(page)
    press(page, "See all")
    assert hidden(page) == [0] * 64
    assert readings(page)[2] == "0.00"
    press(page, "Hide lower half")
    assert readings(page) == before


@pytest.mark.browser
def test_larger_squares_keep_the_means(page):
    page.locator(".vb-slider input").fill("1")
    widget = make_restoration(factor=2)
    assert hidden(page) == [0] * 16
    ink = [float(spoken(page, b).rsplit(" ", 1)[1]) for b in range(16)]
    assert ink == pytest.approx(widget.blocks.ink.tolist(), abs=0.006)
    assert page.locator(".vb-slider .vb-number").text_content() == "2 \u00d7 2"
    page.locator(".vb-slider input").fill("3")
    assert page.locator(CELLS).count() == 1
    press(page, "Hide lower half")
    assert said(page) == "One square must stay in sight."
    page.locator(CELLS).click()
    assert hidden(page) == [0]


@pytest.mark.browser
def test_the_digits_follow_each_other_round(page):
    labels = make_restoration().labels
    found = []
    for name in ["Next \u203a"] * 5 + ["\u2039 Previous"]:
        press(page, name)
        found.append(int(re.match(r"Test image of class (\d)", said(page))[1]))
    assert found == [*labels[1:], labels[0], labels[4]]


@pytest.mark.browser
def test_ink_makes_an_image_of_one_s_own(page):
    page.locator(".vb-slider input").fill("2")
    press(page, "Blank page")
    assert [spoken(page, b)[-8:] for b in range(4)] == ["ink 0.00"] * 4
    pressed = page.locator(".vb-buttons [aria-pressed=true]").all_text_contents()
    assert pressed == ["Ink"]
    page.locator(CELLS).nth(1).click()
    assert spoken(page, 1).endswith("ink 1.00")
    assert said(page).startswith(
        "Your image, 4 of 4 squares seen: two images differ by"
    )
    assert readings(page)[:2] == ["\u2013", "\u2013"]
    page.locator(".vb-slider input").fill("1")
    inks = [float(spoken(page, b).rsplit(" ", 1)[1]) for b in range(16)]
    assert inks == [0, 0, 1, 1] * 2 + [0] * 8
    press(page, "Next \u203a")
    assert said(page).startswith("Test image of class 3")


@pytest.mark.browser
def test_ink_on_a_digit_begins_with_the_digit(page):
    before = [spoken(page, b) for b in range(32)]
    press(page, "Ink")
    page.locator(CELLS).nth(40).click()
    assert spoken(page, 40).endswith("ink 1.00")
    assert [spoken(page, b) for b in range(32)] == before
    assert said(page).startswith("Your image, 33 of 64")


@pytest.mark.browser
def test_images_come_in_until_they_are_told_to_pause(show):
    visit = show(make_restoration())
    page = visit.page
    press(page, "See all")
    assert said(page).endswith("64 of 64 squares seen: looking for images that fit.")
    page.get_by_role("button", name="Pause").wait_for()
    press(page, "Pause")
    assert "64 of 64 squares seen: two images differ by" in said(page)
    press(page, "More images")
    page.get_by_role("button", name="More images").wait_for(timeout=20_000)
    assert visit.problems == []


@pytest.mark.browser
def test_python_moves_the_page_and_a_stroke_is_saved_once_a_square(show):
    page = show(make_restoration(), reduced_motion="reduce").page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.evaluate(COUNT_SAVES)
    page.evaluate("m.model.set('selected', 2)")
    assert said(page).startswith(f"Test image of class {make_restoration().labels[2]}")
    assert page.evaluate("m.saves") == 0
    page.locator(CELLS).nth(0).click()
    assert page.evaluate("m.saves") == 1
    assert page.evaluate("m.model.get('seen')[0]") == 0
