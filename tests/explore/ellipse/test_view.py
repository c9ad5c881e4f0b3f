"""The ELBO ellipse on a page: handles, sliders, buttons, and the bar."""

import re

import numpy as np
import pytest
from browser.drive import (
    DRAGGED,
    RENDER,
    SCROLL_DOWN,
    STAND_IN,
    boxes,
    drag,
    drawn,
    numbers,
    press,
    settled,
    work_per_move,
)
from browser.page import THEME
from explore.ellipse.oracle import (
    BEST,
    ELLIPSES,
    MIRRORED,
    each_target,
    lay,
    random_ellipses,
    scipy_joint,
    scipy_q,
)
from explore.made import make_ellipse, make_surface


def plane_points(page, selector):
    """Vertices of a path over the plane of q, as (z1, z2)."""
    box = boxes(page)[0]
    half = np.array([3.5, 3.5 * box["height"] / box["width"]])
    return (2 * drawn(page, selector) - 1) * half


@pytest.mark.browser
@each_target
def test_q_its_handles_and_the_posterior_are_drawn_to_scale(target, show):
    page = show(make_ellipse(target)).page
    settled(page)
    box = boxes(page)[0]
    assert box["height"] == pytest.approx(box["width"], rel=0.03)
    page.add_style_tag(content=".vb.vb-ellipse .vb-plot { aspect-ratio: 1.2 }")
    page.wait_for_function(
        "(height) => document.querySelector('svg').viewBox.baseVal.height < height",
        arg=box["height"],
    )
    box = boxes(page)[0]
    scale = box["width"] / 7
    mu, lengths, angle = ELLIPSES[0]
    q = scipy_q(mu, lengths, angle)
    for k, size in enumerate((2, 1)):
        z = plane_points(page, f".vb-el-q path >> nth={k}") - mu
        mahalanobis = np.einsum("ni,ij,nj->n", z, np.linalg.inv(q.cov), z)
        np.testing.assert_allclose(mahalanobis, size**2, rtol=0.05)
    turn = np.radians(angle)
    tips = [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)], [0, 0]]
    centre = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    for k, (ring, tip) in enumerate(
        zip(page.locator(".vb-handle").all(), tips, strict=True)
    ):
        place = ring.bounding_box()
        at = np.array([place["x"] + 22, place["y"] + 22]) - centre
        expected = mu + 2 * [*lengths, 0][k] * np.array(tip)
        np.testing.assert_allclose(at * [1, -1] / scale, expected, atol=0.02)
    z = plane_points(page, ".vb-el-p path >> nth=0")
    height = scipy_joint(target, z)
    np.testing.assert_allclose(height, height[0], atol=0.2)


def shown_sum(page):
    return numbers(page, ".vb-sum dd")


def goal(page):
    text = page.locator(".ellipse-goal dd").text_content()
    return float(text.removesuffix(" nats").replace("\u2212", "-"))


def splits(page):
    texts = page.locator(".vb-part .vb-reading dd").all_text_contents()[:2]
    clean = (re.sub(r"([+\u2212]) ", r"\1", text) for text in texts)
    return [[float(n.replace("\u2212", "-")) for n in t.split(" ")] for t in clean]


def q_shown(page):
    """The five numbers beside the sliders, the angle in degrees."""
    texts = page.locator(".vb-slider .vb-number").all_text_contents()
    return [float(text.replace("\u2212", "-").rstrip("\u00b0")) for text in texts]


def expect_q(page, target, mu, lengths, angle, *, direction="reverse"):
    """Every number on the page is that of this q."""
    explorer = lay(make_ellipse(target, direction=direction), mu, lengths, angle)
    assert q_shown(page)[:4] == pytest.approx([*mu, *lengths], abs=0.006)
    assert q_shown(page)[4] == pytest.approx(angle, abs=0.6)
    whole, elbo, kl = shown_sum(page)
    worth = [explorer.now.log_evidence(), explorer.now.elbo(), explorer.now.kl()]
    assert [whole, elbo, kl] == pytest.approx(worth, abs=0.0011)
    assert whole == pytest.approx(elbo + kl, abs=1e-9)
    (fit, kl_prior), (energy, entropy) = splits(page)
    assert elbo == pytest.approx(fit + kl_prior) == pytest.approx(energy + entropy)
    assert entropy == pytest.approx(scipy_q(mu, lengths, angle).entropy(), abs=0.002)
    forward = direction == "forward"
    least = explorer.now.forward_kl() if forward else explorer.now.kl()
    assert goal(page) == pytest.approx(least, abs=0.0006)


HOME = ([0.3, 1.0], [0.7, 0.35], 15)


@pytest.mark.browser
@each_target
def test_log_evidence_is_the_sum_wherever_q_goes(target, show):
    page = show(make_ellipse(target)).page
    expect_q(page, target, *HOME)
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    for k, (mu, lengths, angle) in enumerate(random_ellipses(6)):
        values = [["mu", mu], ["lengths", lengths], ["angle", angle]]
        for pair in values[k % 3 :] + values[: k % 3]:
            page.evaluate("([name, value]) => m.model.set(name, value)", pair)
        expect_q(page, target, mu, lengths, angle)


@pytest.mark.browser
def test_dragging_the_mean_and_the_ends_of_the_axes(show):
    page = show(make_ellipse()).page
    settled(page)
    unit = boxes(page)[0]["width"] / 7
    first, second, mean = page.locator(".vb-handle").all()
    drag(page, mean, -unit, unit / 2, grip=(6, 3))
    expect_near(page, [-0.7, 0.5], [0.7, 0.35], 15)
    turn = np.radians([15, 75])
    tip = 1.4 * np.array([np.cos(turn[0]), np.sin(turn[0])])
    to = 2.4 * np.array([np.cos(turn[1]), np.sin(turn[1])])
    drag(page, first, *(unit * (to - tip) * [1, -1]), grip=(-5, 4))
    expect_near(page, [-0.7, 0.5], [1.2, 0.35], 75)
    tip = 0.7 * np.array([-np.sin(turn[1]), np.cos(turn[1])])
    drag(page, second, *(unit * (np.array([0.4, -2]) - tip) * [1, -1]))
    angle = np.degrees(np.arctan2(-2, 0.4)) - 90
    expect_near(page, [-0.7, 0.5], [1.2, np.hypot(2, 0.4) / 2], angle)


def expect_near(page, mu, lengths, angle):
    """Where a pointer took q, to a pixel; the numbers are those of where it is."""
    shown = q_shown(page)
    assert shown[:4] == pytest.approx([*mu, *lengths], abs=0.03)
    assert shown[4] == pytest.approx(angle, abs=2)
    whole, elbo, kl = shown_sum(page)
    assert whole == pytest.approx(elbo + kl, abs=1e-9)
    explorer = lay(make_ellipse(), shown[:2], shown[2:4], shown[4])
    assert kl == pytest.approx(explorer.now.kl(), rel=0.1)


@pytest.mark.browser
def test_the_nearest_handle_takes_a_press_where_they_overlap(show):
    explorer = make_ellipse(start=((0, 0), (0.2, 0.2), 0))
    page = show(explorer).page
    settled(page)
    unit = boxes(page)[0]["width"] / 7
    first, second, mean = page.locator(".vb-handle").all()
    drag(page, first, unit, 0)  # 18 pixels beside the mean, under its ring
    expect_near(page, [0, 0], [0.7, 0.2], 0)
    drag(page, mean, 0, -unit)
    expect_near(page, [0, 1], [0.7, 0.2], 0)
    drag(page, second, 0, -unit)
    expect_near(page, [0, 1], [0.7, 0.7], 0)
    drag(page, mean, -2 * unit, unit, grip=(-60, 60))  # beside every handle
    expect_near(page, [0, 1], [0.7, 0.7], 0)


@pytest.mark.browser
def test_keys_move_turn_and_stretch_q(show):
    page = show(make_ellipse()).page
    first, second, mean = page.locator(".vb-handle").all()
    for key in ("ArrowRight", "Shift+ArrowDown"):
        mean.press(key)
    step = 3.5 / 60
    mu = [0.3 + step, 1 - 5 * step]
    expect_q(page, "banana", mu, *HOME[1:])
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp"):
        first.press(key)
    expect_q(page, "banana", mu, [0.7 * 1.04, 0.35], 21)
    for key in ("ArrowRight", "Shift+ArrowDown"):
        second.press(key)
    expect_q(page, "banana", mu, [0.7 * 1.04, 0.35 / 1.04**5], 18)
    spoken = second.get_attribute("aria-valuetext")
    kl = shown_sum(page)[2]
    words = "standard deviation 0.29 at 108 degrees"
    assert spoken == f"{words}, KL(q \u2016 p) {kl:.3f} nats"
    second.press("Home")
    expect_q(page, "banana", mu, [0.7 * 1.04, 0.35], 15)
    first.press("Home")
    mean.press("Home")
    expect_q(page, "banana", *HOME)
    assert mean.get_attribute("aria-valuetext").startswith("z1 0.30, z2 1.00, KL(q")
    for _ in range(8):
        first.press("Shift+ArrowUp")
    assert q_shown(page)[2:] == [2, 0.35, 15]
    for _ in range(15):
        mean.press("Shift+ArrowLeft")
    assert q_shown(page) == [-3.5, 1, 2, 0.35, 15]


@pytest.mark.browser
def test_sliders_move_one_number_each(show):
    page = show(make_ellipse("gaussian")).page
    values = [0.3, 1.0, 0.7, 0.35, 15.0]
    ends = [3.5, -3.5, 2.0, 0.1, -180.0]
    keys = ["End", "Home", "End", "Home", "Home"]
    spoken = ["mean z1", "mean z2", "first standard deviation"]
    spoken += ["second standard deviation", "angle"]
    for k, slider in enumerate(page.locator(".vb-slider input").all()):
        assert slider.get_attribute("aria-label") == spoken[k]
        slider.press(keys[k])
        values[k] = ends[k]
        expect_q(page, "gaussian", values[:2], values[2:4], values[4])
        words = slider.get_attribute("aria-valuetext")
        assert words.startswith(f"{spoken[k]} ") and words.endswith(" nats")
    slider.press("ArrowRight")
    assert q_shown(page)[4] == -179


def pressed(page, name):
    button = page.get_by_role("button", name=name, exact=True)
    return button.get_attribute("aria-pressed") == "true"


REVERSE, FORWARD = "KL(q \u2016 p)", "KL(p \u2016 q)"


@pytest.mark.browser
@each_target
@pytest.mark.parametrize("direction", ["reverse", "forward"])
def test_buttons_go_to_the_best_q(target, direction, show):
    page = show(make_ellipse(target, direction=direction)).page
    best = make_ellipse().targets[target]["best"]
    for name, kind in (("Best without rotation", " diagonal"), ("Best q", "")):
        press(page, name)
        expect_q(page, target, *best[direction + kind][0], direction=direction)
        assert goal(page) == pytest.approx(
            BEST[target, direction][bool(kind)], abs=6e-4
        )
        status = page.locator(".vb-status").text_content()
        words = "Gaussian without rotation" if kind else "Gaussian"
        assert f"No {words} comes closer" in status
    mirrored = (target, direction, "") == MIRRORED
    assert ("mirror image is as good" in status) == mirrored
    assert ("It is not the gap in the bar" in status) == (direction == "forward")
    press(page, "Start over")
    expect_q(page, target, *HOME, direction=direction)
    assert "comes closer" not in page.locator(".vb-status").text_content()


@pytest.mark.browser
def test_the_nearer_of_two_best_is_taken(show):
    page = show(make_ellipse(start=((-0.3, 1), (0.5, 0.5), 0))).page
    press(page, "Best q")
    assert q_shown(page) == [-0.88, 0.82, 0.86, 0.23, 63]
    page.locator(".vb-handle").last.press("Home")
    for _ in range(2):
        page.locator(".vb-handle").last.press("Shift+ArrowRight")
    press(page, "Best q")
    assert q_shown(page) == [0.88, 0.82, 0.86, 0.23, -63]


@pytest.mark.browser
def test_switching_posterior_and_divergence_leaves_q(show):
    page = show(make_ellipse("gaussian")).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    assert pressed(page, "Correlated Gaussian") and pressed(page, REVERSE)
    before = drawn(page, ".vb-el-p path >> nth=0")
    press(page, "Banana")
    expect_q(page, "banana", *HOME)
    assert pressed(page, "Banana") and not pressed(page, "Correlated Gaussian")
    assert drawn(page, ".vb-el-p path >> nth=0").tolist() != before.tolist()
    press(page, FORWARD)
    expect_q(page, "banana", *HOME, direction="forward")
    assert page.locator(".ellipse-goal dt").text_content() == FORWARD
    state = "['target', 'direction', 'mu', 'angle'].map((k) => m.model.get(k))"
    assert page.evaluate(state) == ["banana", "forward", [0.3, 1], 15]
    assert FORWARD in page.locator(".vb-handle").first.get_attribute("aria-valuetext")
    page.evaluate("m.model.set('direction', 'reverse')")
    page.evaluate("m.model.set('target', 'gaussian')")
    expect_q(page, "gaussian", *HOME)
    assert page.locator(".ellipse-goal dt").text_content() == REVERSE
    page.locator(".vb-handle").last.press("ArrowRight")
    assert page.evaluate("m.model.get('mu')") == pytest.approx([0.3 + 3.5 / 60, 1])


def bar_points(page, name, target):
    """Ends of a block of the bar, in nats."""
    box = drawn(page, f".vb-el-{name} path >> nth=0")[:, 0]
    low = make_ellipse(target).now.log_evidence() - 6
    return [low + 6.9 * box.min(), low + 6.9 * box.max()]


@pytest.mark.browser
@each_target
def test_the_bar_always_ends_at_the_log_evidence(target, show):
    explorer = make_ellipse(target)
    page, whole = show(explorer).page, explorer.now.log_evidence()
    settled(page)
    for move in ("Start over", "Best q", "Best without rotation"):
        press(page, move)
        elbo = shown_sum(page)[1]
        close = {"abs": 0.01}
        assert bar_points(page, "below", target) == pytest.approx(
            [whole - 6, elbo], **close
        )
        assert bar_points(page, "gap", target) == pytest.approx([elbo, whole], **close)
        assert bar_points(page, "end", target) == pytest.approx([whole] * 2, **close)
        assert page.locator(".vb-el-more path").count() == 0
        words = " ".join(page.locator(".vb-el-words text").all_text_contents())
        for name, value in zip(
            ("log p(x)", "ELBO", "KL"), shown_sum(page), strict=True
        ):
            assert f"{name} {value:.3f}".replace("-", "\u2212") in words
    page.locator(".vb-slider input").nth(1).press("Home")
    assert shown_sum(page)[1] < whole - 6
    assert bar_points(page, "gap", target) == pytest.approx([whole - 6, whole], **close)
    assert page.locator(".vb-el-more path").count() == 1
    assert page.locator(".vb-el-words .elbo").text_content().startswith("\u25c2 ELBO")


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_words_of_the_bar_stay_apart_and_nothing_jumps(width, show):
    page = show(make_ellipse(), width=width).page
    page.add_style_tag(content=THEME)
    settled(page)
    heights = set()
    actions = ["Best without rotation", "Best q", FORWARD, "Best q"]
    actions += ["Best without rotation", "Start over", "Correlated Gaussian", "Best q"]
    for name in [*actions, REVERSE]:
        press(page, name)
        heights.add(page.locator(".vb-ellipse").bounding_box()["height"])
        apart(page)
    for key in ("Home", "PageUp", "PageUp", "PageUp", "PageUp", "End"):
        page.locator(".vb-slider input").first.press(key)
        heights.add(page.locator(".vb-ellipse").bounding_box()["height"])
        apart(page)
    assert len(heights) == 1


@pytest.mark.browser
@pytest.mark.parametrize(
    ("width", "style"),
    [(360, ""), (1280, ".vb-ellipse .vb-reading { letter-spacing: 0.06em }")],
)
def test_a_far_q_wraps_words_without_a_jump(width, style, show):
    page = show(make_ellipse("gaussian", seen=(5, 0.2)), width=width).page
    page.add_style_tag(content=THEME + style)
    settled(page)
    press(page, "Best q")
    heights, lines = set(), set()
    label = "(el) => { const range = document.createRange(); range.selectNode(el);"
    label += " return range.getBoundingClientRect().height > 28; }"
    for key in ("ArrowRight", "End", "Home"):
        for slider in page.locator(".vb-slider input").all()[:2]:
            slider.press(key)
            heights.add(page.locator(".vb-ellipse").bounding_box()["height"])
            words = page.locator(".vb-part .vb-reading dt").first
            lines.add(words.evaluate(label))
    assert shown_sum(page)[1] < -1000 and len(heights) == 1
    assert lines == {False, True}


def apart(page):
    """No two words of the bar, nor a word and the side of the panel, collide."""
    words = [one.bounding_box() for one in page.locator(".vb-el-words text").all()]
    part = page.locator(".vb-part").nth(1).bounding_box()
    for inside in page.locator(".vb-el-words .inside").all():
        word, gap = inside.bounding_box(), page.locator(".vb-el-gap").bounding_box()
        assert gap["x"] < word["x"]
        assert word["x"] + word["width"] < gap["x"] + gap["width"]
    for k, a in enumerate(words):
        assert part["x"] - 1 <= a["x"]
        assert a["x"] + a["width"] <= part["x"] + part["width"] + 1
        for b in words[:k]:
            beside = a["x"] >= b["x"] + b["width"] or b["x"] >= a["x"] + a["width"]
            over = a["y"] >= b["y"] + b["height"] or b["y"] >= a["y"] + a["height"]
            assert beside or over


@pytest.mark.browser
def test_a_finger_drags_an_end_and_has_room(show):
    page = show(make_ellipse(), width=360, height=900, has_touch=True).page
    settled(page)
    touch = "(el) => getComputedStyle(el).touchAction"
    assert page.locator(".vb-plot").first.evaluate(touch) == "auto"
    for ring in page.locator(".vb-handle").all():
        assert ring.evaluate(touch) == "none"
    for control in page.locator(".vb-ellipse :is(button, input)").all():
        assert control.bounding_box()["height"] >= 44
    page.evaluate(
        """() => {
          const ring = document.querySelectorAll(".vb-handle")[0];
          const { left, top } = ring.getBoundingClientRect();
          const fire = (type, dx) => ring.dispatchEvent(new PointerEvent(type, {
            bubbles: true, pointerId: 1, pointerType: "touch", button: 0,
            clientX: left + 22 + dx, clientY: top + 22 }));
          fire("pointerdown", 0); fire("pointermove", 40); fire("pointerup", 40);
        }"""
    )
    box = boxes(page)[0]
    tip = 1.4 * np.array([np.cos(np.radians(15)), np.sin(np.radians(15))])
    tip += [40 * 7 / box["width"], 0]
    angle = np.degrees(np.arctan2(tip[1], tip[0]))
    expect_near(page, [0.3, 1], [np.hypot(*tip) / 2, 0.35], angle)


@pytest.mark.browser
def test_two_ellipses_do_not_clash(show):
    visit = show(make_ellipse(), make_ellipse("gaussian"), make_surface())
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.vb').length === 3")
    first, second = (page.locator(".vb-ellipse").nth(k) for k in (0, 1))
    second.get_by_role("button", name="Best q").click()
    expect_q(first, "banana", *HOME)
    best = make_ellipse().targets["gaussian"]["best"]["reverse"][0]
    expect_q(second, "gaussian", *best)
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_plane_and_bar_are_side_by_side_where_there_is_room(width, show):
    page = show(make_ellipse(), width=width).page
    press(page, "Best q")
    plane, bar = boxes(page)
    assert (plane["y"] > bar["y"] - 100) == (width > 600)


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_ink_follows_the_theme(theme, show):
    page = show(make_ellipse()).page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    ink = page.locator(".vb-el-end path").first.evaluate(
        "(el) => getComputedStyle(el).stroke"
    )
    assert ink == ("rgb(29, 39, 51)" if theme == "light" else "rgb(230, 235, 240)")


@pytest.mark.browser
def test_a_dragged_end_is_weighed_and_drawn_within_a_frame(show):
    page = show(make_ellipse()).page
    before = q_shown(page)
    each = work_per_move(page, DRAGGED)
    print(f"a dragged q, weighed and drawn: {each:.1f} ms of processor time")
    assert q_shown(page) != before
    assert each <= 16


@pytest.mark.browser
def test_choices_are_groups_with_a_name(show):
    page = show(make_ellipse()).page
    for name in ("Posterior", "Make small"):
        group = page.get_by_role("group", name=name, exact=True)
        assert group.get_by_role("button").count() == 2


@pytest.mark.browser
def test_a_note_of_the_best_q_ends_when_python_moves_it(show):
    page = show(make_ellipse()).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    press(page, "Best q")
    status = page.locator(".vb-status")
    assert "comes closer" in status.text_content()
    page.evaluate("m.model.set('angle', 77)")
    assert "comes closer" not in status.text_content()
