"""A ring over a plot: mouse, finger and keys."""

import pytest
from browser.drive import numbers, settled
from explore.made import make_surface

# A finger beside the ring, which may wander so far before it is lifted
FINGER = """([dx, dy, wander]) => {
  const plot = document.querySelectorAll(".vb-plot")[1];
  const ring = document.querySelector(".vb-handle").getBoundingClientRect();
  const fire = (type, k) => plot.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: 1, pointerType: "touch", button: 0,
    clientX: ring.left + 22 + dx + k, clientY: ring.top + 22 + dy,
  }));
  fire("pointerdown", 0);
  for (const k of [wander / 2, wander]) fire("pointermove", k);
  fire("pointerup", wander);
}"""


@pytest.fixture
def page(show):
    page = show(make_surface()).page
    settled(page)
    return page


@pytest.mark.browser
def test_a_tap_beside_the_ring_brings_it_there(page):
    before = numbers(page)
    page.evaluate(FINGER, [-60, 30, 4])
    mu, sigma = numbers(page)
    assert mu < before[0] and sigma < before[1]


@pytest.mark.browser
def test_a_finger_that_scrolls_the_page_moves_nothing(page):
    before = numbers(page)
    page.evaluate(FINGER, [-60, 30, 40])
    assert numbers(page) == before


@pytest.mark.browser
def test_a_finger_that_wanders_off_and_back_is_no_tap(page):
    before = numbers(page)
    page.evaluate("""() => {
      const plot = document.querySelectorAll(".vb-plot")[1];
      const box = plot.getBoundingClientRect();
      const fire = (type, k) => plot.dispatchEvent(new PointerEvent(type, {
        bubbles: true, pointerId: 1, pointerType: "touch", button: 0,
        clientX: box.left + 80 + k, clientY: box.top + 80,
      }));
      fire("pointerdown", 0);
      for (const k of [30, 60, 30, 1]) fire("pointermove", k);
      fire("pointerup", 1);
    }""")
    assert numbers(page) == before


@pytest.mark.browser
@pytest.mark.parametrize("held", ["Control", "Alt", "Meta"])
def test_keys_with_a_modifier_belong_to_the_browser(page, held):
    ring = page.locator(".vb-handle")
    before = ring.get_attribute("aria-valuetext")
    ring.evaluate(
        """(el, held) => {
          window.taken = !el.dispatchEvent(new KeyboardEvent("keydown", {
            key: "ArrowRight", bubbles: true, cancelable: true,
            ctrlKey: held === "Control", altKey: held === "Alt",
            metaKey: held === "Meta",
          }));
        }""",
        held,
    )
    assert ring.get_attribute("aria-valuetext") == before
    assert page.evaluate("taken") is False


@pytest.mark.browser
def test_a_ring_tells_where_it_stands_across(page):
    ring = page.locator(".vb-handle")
    assert ring.get_attribute("aria-valuenow") == "5.50"
    ring.press("ArrowUp")
    assert ring.get_attribute("aria-valuenow") == "5.50"
    ring.press("ArrowRight")
    assert float(ring.get_attribute("aria-valuenow")) > 5.5


@pytest.mark.browser
def test_shift_makes_a_key_five_steps_long(page):
    ring = page.locator(".vb-handle")
    start = numbers(page)[0]
    ring.press("ArrowRight")
    once = numbers(page)[0] - start
    ring.press("Shift+ArrowRight")
    assert numbers(page)[0] - start == pytest.approx(6 * once, abs=0.011)
