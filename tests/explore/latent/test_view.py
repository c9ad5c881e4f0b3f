"""The latent explorer on a page: the reader's moves, and what is drawn."""

import base64
import io

import numpy as np
import pytest
import torch
from browser.drive import RENDER, STAND_IN, numbers, work_per_move
from explore.made import make_latent
from PIL import Image


def canvas_bytes(page, selector):
    url = page.locator(selector).first.evaluate("(canvas) => canvas.toDataURL()")
    return base64.b64decode(url.partition(",")[2])


@pytest.mark.browser
def test_dragging_the_handle_decodes_under_it(show):
    explorer = make_latent(2, preset_z=[0, 0])
    page = show(explorer).page
    before = canvas_bytes(page, ".latent-decode canvas")
    box = page.locator(".vb-handle").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y - 40, steps=4)
    page.mouse.up()
    z1, z2 = numbers(page)
    assert z1 == pytest.approx(2 * z2, rel=0.02) and z1 > 0.5
    assert canvas_bytes(page, ".latent-decode canvas") != before


@pytest.mark.browser
def test_a_tap_chooses_a_digit_and_a_finger_scrolls_the_page(show):
    explorer = make_latent(2)
    page = show(explorer, width=360, height=700, has_touch=True).page
    mu = explorer.terms(explorer.x).mu
    alone = torch.cdist(mu, mu).fill_diagonal_(9).min(1).values.argmax().item()
    bound, pad = explorer.bound, page.locator(".latent-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    left, top, w, h = 30, 8, box["width"] - 38, box["height"] - 34
    z1, z2 = mu[alone].tolist()
    page.touchscreen.tap(
        box["x"] + left + w * (z1 + bound) / (2 * bound),
        box["y"] + top + h * (bound - z2) / (2 * bound),
    )
    status = page.locator(".latent-status").text_content()
    assert status == f"Test image {alone + 1} of 447, class {explorer.labels[alone]}"
    assert numbers(page) == pytest.approx([z1, z2], abs=0.006)
    style = "(el) => getComputedStyle(el).touchAction"
    assert pad.evaluate(style) == "auto"
    assert page.locator(".vb-handle").evaluate(style) == "none"


@pytest.mark.browser
def test_keys_move_the_handle_and_the_sliders(show):
    page = show(make_latent(8, preset_z=[0] * 8)).page
    page.locator(".vb-handle").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert numbers(page)[:2] == [0.2, 0.4]
    handle = page.locator(".vb-handle")
    assert handle.get_attribute("aria-valuetext") == "z1 0.20, z2 0.40"
    page.keyboard.press("Home")
    assert numbers(page) == [0] * 8
    slider = page.locator(".vb-slider input").nth(7)
    slider.focus()
    page.keyboard.press("ArrowRight")
    z8 = numbers(page)[7]
    assert z8 > 0
    assert slider.get_attribute("aria-valuetext") == f"z8 {z8:.2f}"


@pytest.mark.browser
def test_axes_of_the_pad_can_be_any_two_latents(show):
    page = show(make_latent(8, preset_z=[0] * 8)).page
    across, up = page.locator(".vb-menu select").all()
    across.select_option("4")
    page.locator(".vb-handle").press("ArrowRight")
    assert numbers(page)[4] == 0.1
    across.select_option("1")
    assert up.input_value() == "4"
    page.get_by_role("button", name="Reset").click()
    assert (across.input_value(), up.input_value()) == ("0", "1")


@pytest.mark.browser
def test_a_single_latent_has_no_vertical_axis(show):
    page = show(make_latent(1, preset_z=[0])).page
    page.locator(".vb-handle").press("ArrowRight")
    page.locator(".vb-handle").press("ArrowUp")
    assert numbers(page) == [0.1]
    page.locator(".vb-check input").check()
    assert page.locator(".vb-menu").count() == 0


@pytest.mark.browser
def test_stepping_through_a_class_and_back(show):
    explorer = make_latent(2)
    page = show(explorer).page
    page.get_by_role("button", name="Show only class 7").click()
    page.get_by_role("button", name="Next").click()
    first = explorer.labels.index(7)
    status = page.locator(".latent-status")
    assert status.text_content() == f"Test image {first + 1} of 447, class 7"
    terms = explorer.terms(explorer.x[first])
    shown = numbers(page, ".latent-term .vb-number")
    expected = [terms.expected_log_lik.item(), -terms.kl.item(), terms.elbo.item()]
    assert shown == pytest.approx(expected, abs=0.006)
    kls = numbers(page, ".latent-kl .vb-number")
    assert kls == pytest.approx(terms.kl_per_latent[0].tolist(), abs=0.006)
    page.get_by_role("button", name="Previous").click()
    assert status.text_content().endswith("class 7")
    page.get_by_role("button", name="Reset").click()
    assert status.text_content().startswith("Test image 1 ")


@pytest.mark.browser
def test_drawing_a_digit_by_mouse_and_by_keys(show):
    explorer = make_latent(2)
    page = show(explorer).page
    page.get_by_role("button", name="Clear").click()
    assert page.locator(".latent-status").text_content() == "Your drawing"
    box = page.locator(".latent-editor").bounding_box()
    cell = box["width"] / 8
    page.mouse.move(box["x"] + 3.5 * cell, box["y"] + 1.5 * cell)
    page.mouse.down()
    page.mouse.move(box["x"] + 3.5 * cell, box["y"] + 5.5 * cell, steps=8)
    page.mouse.up()
    for key in ("ArrowRight", "Space", "ArrowDown", "Space", "Space"):
        page.keyboard.press(key)
    lit = page.locator('.latent-cell[aria-selected="true"]')
    drawn = sorted(int(d) for d in lit.evaluate_all("(e) => e.map((c) => c.dataset.d)"))
    assert drawn == [11, 12, 19, 27, 35, 43]
    x = torch.zeros(64)
    x[drawn] = 1
    terms = explorer.terms(x)
    assert numbers(page) == pytest.approx(terms.mu[0].tolist(), abs=0.006)
    assert numbers(page, ".latent-term-elbo .vb-number") == pytest.approx(
        [terms.elbo.item()], abs=0.006
    )
    page.get_by_role("button", name="Undo edits").click()
    assert (
        page.locator(".latent-status").text_content() == "Test image 1 of 447, class 3"
    )


@pytest.mark.browser
def test_the_mosaic_follows_the_latents_held(show):
    page = show(make_latent(8)).page
    points = canvas_bytes(page, ".latent-pad canvas")
    page.locator(".vb-check input").check()
    mosaic = canvas_bytes(page, ".latent-pad canvas")
    assert mosaic != points
    page.locator(".vb-slider input").nth(5).press("PageUp")
    assert canvas_bytes(page, ".latent-pad canvas") != mosaic


@pytest.mark.browser
def test_two_copies_do_not_clash(show):
    first, second = make_latent(2, preset_z=[0, 0]), make_latent(2, preset_z=[0, 0])
    visit = show(first, second)
    visit.page.wait_for_function("document.querySelectorAll('.vb').length === 2")
    visit.page.locator(".vb-handle").nth(0).press("ArrowRight")
    assert numbers(visit.page) == [0.1, 0, 0, 0]
    assert visit.page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


MOVES = """async () => {
  const pad = document.querySelector(".latent-pad");
  const box = pad.getBoundingClientRect();
  const fire = (type, k) => pad.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: 1, pointerType: "mouse", button: 0,
    clientX: box.left + box.width * (0.2 + 0.01 * k),
    clientY: box.top + box.height * (0.5 + 0.3 * Math.sin(k / 5)),
  }));
  fire("pointerdown", 0);
  for (let k = 1; k <= 60; k++) {
    await new Promise(requestAnimationFrame);
    fire("pointermove", k);
  }
  fire("pointerup", 60);
}"""


@pytest.mark.browser
@pytest.mark.parametrize("latent_dim", [2, 8])
def test_a_pointer_move_is_painted_within_a_frame(latent_dim, show):
    page = show(make_latent(latent_dim), device_scale_factor=2).page
    before = numbers(page)
    each = work_per_move(page, MOVES)
    print(f"a pointer move, decoded and painted: {each:.1f} ms of processor time")
    assert numbers(page) != before
    assert each <= 16


@pytest.mark.browser
def test_colours_follow_the_theme(show):
    page = show(make_latent(2)).page
    light = [
        canvas_bytes(page, f".latent-{where} canvas") for where in ("pad", "decode")
    ]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(50)
    dark = [
        canvas_bytes(page, f".latent-{where} canvas") for where in ("pad", "decode")
    ]
    corners = [
        np.array(Image.open(io.BytesIO(b)))[0, 0, :3] for b in (light[1], dark[1])
    ]
    assert corners[0].mean() > 200 and corners[1].mean() < 60
    assert light[0] != dark[0]


@pytest.mark.browser
def test_it_may_be_rendered_before_it_is_in_the_page(show):
    page = show(make_latent(2)).page
    page.evaluate(STAND_IN)
    page.evaluate("""() => {
      m.el = document.createElement("div");
      m.module.default.render({ model: m.model, el: m.el });
      m.model.set("z", [0.5, 1]);
      document.querySelector("main").replaceChildren(m.el);
    }""")
    page.wait_for_function("document.querySelector('.vb-number').textContent !== ''")
    assert numbers(page) == [0.5, 1]


@pytest.mark.browser
def test_every_control_shows_its_focus(show):
    page = show(make_latent(8)).page
    names = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        focus = page.evaluate("""() => {
          const el = document.activeElement;
          const style = getComputedStyle(el);
          return [el.className || el.tagName, style.outlineStyle, style.outlineWidth];
        }""")
        if focus[0] == "BODY":
            break
        names.add(focus[0])
        assert focus[1] != "none" and focus[2] != "0px", focus
    assert {"vb-handle", "vb-button", "vb-class", "latent-cell", "SELECT"} <= names


@pytest.mark.browser
def test_a_drag_that_comes_back_to_a_digit_does_not_pick_it(show):
    explorer = make_latent(2)
    page = show(explorer).page
    mu = explorer.terms(explorer.x).mu
    alone = torch.cdist(mu, mu).fill_diagonal_(9).min(1).values.argmax().item()
    assert alone != 0
    bound, box = explorer.bound, page.locator(".latent-pad").bounding_box()
    w, h = box["width"] - 38, box["height"] - 34
    z1, z2 = mu[alone].tolist()
    x = box["x"] + 30 + w * (z1 + bound) / (2 * bound)
    y = box["y"] + 8 + h * (bound - z2) / (2 * bound)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 40, y, steps=4)
    page.mouse.move(x, y, steps=4)
    page.mouse.up()
    assert page.locator(".latent-status").text_content().startswith("Test image 1 ")


@pytest.mark.browser
def test_a_drawing_from_python_is_shown(show):
    page = show(make_latent(2)).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.evaluate("m.model.set('selected', -1)")
    page.evaluate("m.model.set('drawing', Array.from({ length: 64 }, () => 1))")
    assert page.locator('.latent-cell[aria-selected="true"]').count() == 64


@pytest.mark.browser
def test_home_and_end_lead_along_a_row_of_cells(show):
    page = show(make_latent(2)).page
    page.locator('.latent-cell[tabindex="0"]').focus()
    for key, cell in (("ArrowDown", 8), ("End", 15), ("Home", 8)):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.dataset.d") == str(cell)


@pytest.mark.browser
def test_a_button_that_is_done_hands_the_focus_on(show):
    page = show(make_latent(2)).page
    page.get_by_role("button", name="Clear").click()
    undo = page.get_by_role("button", name="Undo edits")
    undo.press("Enter")
    assert undo.is_disabled()
    following = page.get_by_role("button", name="Next")
    assert following.evaluate("(el) => el === document.activeElement")


@pytest.mark.browser
def test_starting_over_forgets_the_drawing(show):
    page = show(make_latent(2)).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    for name in ("Clear", "Reset"):
        page.get_by_role("button", name=name).click()
    assert page.evaluate("m.model.get('drawing')") == []


@pytest.mark.browser
def test_the_image_on_show_is_scored_once(show):
    """Not again for a class, an axis or the mosaic."""
    page = show(make_latent(8)).page
    page.evaluate("""() => {
      window.spoken = 0;
      const status = document.querySelector(".latent-status");
      new MutationObserver(() => (window.spoken += 1))
        .observe(status, { childList: true, characterData: true, subtree: true });
    }""")
    page.get_by_role("button", name="Show only class 7").click()
    page.locator(".vb-check input").check()
    page.locator(".vb-menu select").first.select_option("4")
    assert page.evaluate("spoken") == 0
    page.get_by_role("button", name="Next").click()
    assert page.evaluate("spoken") == 1
