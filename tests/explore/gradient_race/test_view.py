"""The race of two gradients on a page: sliders, menus, histograms."""

import numpy as np
import pytest
from browser.drive import (
    COUNT_SAVES,
    RENDER,
    SCROLL_DOWN,
    STAND_IN,
    drawn,
    numbers,
    settled,
    work_per_move,
)
from explore.gradient_race.oracle import BINS, RACES
from explore.made import make_gradients
from scipy import stats

from vaebook.explore import GradientRace

HALF_AXIS = {"square": 20, "cos x": 3, "cos 2x": 4, "cos 4x": 5}


def counted(values, half, bins):
    """Numbers of values in equal bins; those beyond are in the first and last."""
    edges = np.linspace(-half, half, bins + 1)
    return np.histogram(values.clip(-half, half).numpy(), edges)[0]


def race_shown(page):
    """What the page says: verdict, note, and the numbers of either estimator."""
    numbers = page.locator(".vb-gradient-race dd").all_text_contents()
    return page.locator(".gradient-race-verdict").text_content(), numbers


def expected_race(race):
    truth, words = race.now.truth(), race.now.verdict()
    numbers = []
    for exact, values in zip(truth[2:], race.now.estimates(), strict=True):
        spread = race.batch * values.var().item()
        numbers += [exact, spread, (exact / race.batch) ** 0.5]
    return f"{words[0].upper()}{words[1:]}.", [f"{v:.2f}" for v in numbers]


def set_race(page, race):
    for name in ("theta", "batch", "baseline", "target"):
        given = [name, getattr(race, name)]
        page.evaluate("([name, value]) => m.model.set(name, value)", given)


@pytest.mark.browser
def test_sliders_and_menus_move_the_race(show):
    race = GradientRace()
    page = show(race).page
    theta, batch = page.get_by_role("slider").all()
    functions, baselines = page.locator(".vb-gradient-race select").all()
    assert race_shown(page) == expected_race(race)
    note = page.locator(".vb-gradient-race .vb-note")
    assert note.text_content() == (
        "Draws for the same accuracy, at a true gradient of 2.00 and b = 0.00"
    )
    theta.press("ArrowRight")
    race.theta = 1.1
    assert race_shown(page) == expected_race(race)
    assert theta.get_attribute("aria-valuetext") == (
        "\u03b8 1.1, the score function needs 8.4 times as many draws"
    )
    batch.press("End")
    race.batch = 100
    assert race_shown(page) == expected_race(race)
    spoken = batch.get_attribute("aria-valuetext")
    assert spoken == "100 draws a batch, standard deviations 0.20 and 0.58"
    baselines.select_option("optimal")
    race.baseline = "optimal"
    assert race_shown(page) == expected_race(race)
    assert note.text_content().endswith("of 2.20 and b = 4.21")
    functions.select_option("cos 2x")
    race.target = "cos 2x"
    assert race_shown(page) == expected_race(race)
    ending = f"of {race.now.truth().gradient:.4f} and b = {race.now.truth().b:.4f}"
    assert note.text_content().endswith(ending.replace("-", "\u2212"))
    for key, value in (("Home", -3.0), ("End", 3.0)):
        theta.press(key)
        race.theta = value
        assert race_shown(page) == expected_race(race)


@pytest.mark.browser
def test_a_kernel_moves_the_race_and_hears_of_it(show):
    race = make_gradients(2.0, 10, "mean", "cos x")
    page = show(race).page
    assert race_shown(page) == expected_race(race)
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    race.theta, race.batch, race.baseline, race.target = -1.7, 5, "optimal", "cos 4x"
    set_race(page, race)
    assert race_shown(page) == expected_race(race)
    menus = page.locator(".vb-gradient-race select")
    chosen = menus.evaluate_all("all => all.map((one) => one.value)")
    assert chosen == ["cos 4x", "optimal"]
    assert numbers(page) == [-1.7, 5]
    page.evaluate(COUNT_SAVES)
    page.get_by_role("slider").first.press("End")
    page.get_by_role("slider").last.press("ArrowRight")
    menus.first.select_option("square")
    menus.last.select_option("none")
    names = ["theta", "batch", "baseline", "target"]
    found = [page.evaluate(f"m.model.get('{name}')") for name in names]
    assert found == [3, 10, "none", "square"] and page.evaluate("m.saves") == 4


def bars_drawn(page, kind, top):
    """Number of batches in each bar of a histogram; cut bars are as high as drawn."""
    points = drawn(page, f".gradient-race-{kind} .vb-race-bars path")
    return points[1:-1:2, 0], top * points[1:-1:2, 1]


@pytest.mark.browser
@pytest.mark.parametrize("setting", [*RACES[:4], [3.0, 1, "none", "square"]])
def test_the_race_is_drawn_to_scale(setting, show):
    race = make_gradients(*setting)
    page = show(race).page
    settled(page)
    truth, half, bins = race.now.truth(), HALF_AXIS[race.target], BINS[race.batch]
    exact = dict(zip(("pathwise", "score"), truth[2:], strict=True))
    for (kind, variance), values in zip(
        exact.items(), race.now.estimates(), strict=True
    ):
        sd, counts = (variance / race.batch) ** 0.5, counted(values, half, bins)
        peak = 1000 * (2 * half / bins) * stats.norm.pdf(0, scale=sd)
        curve = drawn(page, f".gradient-race-{kind} .vb-race-normal path")
        x, up = curve.T
        x, top = 2 * half * x - half, peak / up.max()
        normal = stats.norm.pdf(x, truth.gradient, sd) * peak / stats.norm.pdf(0, 0, sd)
        np.testing.assert_allclose(top * up, normal, atol=0.01 * top)
        left, heights = bars_drawn(page, kind, top)
        np.testing.assert_allclose(left, np.arange(bins) / bins, atol=1e-4)
        np.testing.assert_allclose(heights, counts, atol=0.002 * counts.max())
        tallest = counts[1:-1].max()
        assert top >= 1.04 * min(max(tallest, peak), 2.5 * peak)
        assert top <= 1.35 * np.clip(tallest, peak, 2.5 * peak)
        band = (
            2 * half * drawn(page, f".gradient-race-{kind} .vb-race-band path")[:, 0]
            - half
        )
        edges = [truth.gradient - sd, truth.gradient + sd]
        np.testing.assert_allclose(band[1:3], edges, atol=0.001 * half)
        line = drawn(page, f".gradient-race-{kind} .vb-race-truth path")
        assert 2 * half * line[0, 0] - half == pytest.approx(
            truth.gradient, abs=0.001 * half
        )
        beyond = [(values < -half).sum().item(), (values > half).sum().item()]
        names = [f"{count} beyond" for count in beyond if count]
        names += [f"{tallest} \u2191"] if tallest > top else []
        found = page.locator(
            f".gradient-race-{kind} .vb-race-names text"
        ).all_text_contents()
        assert found == names


@pytest.mark.browser
def test_the_axis_of_the_race_belongs_to_the_function(show):
    page = show(make_gradients(0.0, 1, "none", "cos x")).page
    axis = page.locator(
        ".gradient-race-score .vb-plot > svg > g text[text-anchor=middle]"
    )
    ticks = axis.all_text_contents()
    assert ticks[0] == "\u22123" and "3" in ticks
    for slider in page.get_by_role("slider").all():
        slider.press("End")
        assert axis.all_text_contents() == ticks
    page.get_by_label("baseline b").select_option("mean")
    assert axis.all_text_contents() == ticks
    page.locator(".vb-gradient-race select").first.select_option("square")
    above = page.locator(
        ".gradient-race-pathwise .vb-plot > svg > g text[text-anchor=middle]"
    )
    assert axis.all_text_contents()[:5] == ["\u221220", "\u221210", "0", "10", "20"]
    assert above.all_text_contents()[:5] == axis.all_text_contents()[:5]


WORDS_MEET = """() => [...m.el.querySelectorAll(".vb-plot")].some((plot) => {
  const axes = plot.querySelector("svg svg").getBoundingClientRect();
  const all = [...plot.querySelectorAll(".vb-race-names text")];
  const boxes = all.map((one) => one.getBoundingClientRect());
  const meet = (a, b) => a.left < b.right && b.left < a.right;
  return boxes.some((a, i) => a.left < axes.left || a.right > axes.right
    || boxes.slice(i + 1).some((b) => meet(a, b)));
}) || [...m.el.querySelectorAll("dt, dd")]
  .some((one) => one.scrollWidth > one.clientWidth)"""


@pytest.mark.browser
def test_two_races_of_gradients_do_not_clash(show):
    visit = show(GradientRace(), GradientRace(theta=0.5))
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function(
        "document.querySelectorAll('.vb-gradient-race').length === 2"
    )
    page.locator(".vb-gradient-race").first.get_by_role("slider").first.press("Home")
    thetas = page.locator(
        ".vb-gradient-race .vb-slider:first-child .vb-number"
    ).all_text_contents()
    assert thetas == ["\u22123.00", "0.50"]
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_words_stay_apart_and_nothing_jumps(width, show):
    visit = show(make_gradients(), width=width)
    page = visit.page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.wait_for_timeout(50)
    heights = set()
    for setting in RACES[:12]:
        set_race(page, make_gradients(*setting))
        heights.add(page.locator(".vb-gradient-race").bounding_box()["height"])
        assert not page.evaluate(WORDS_MEET), setting
    assert len(heights) == 1
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_ink_follows_the_theme(theme, show):
    page = show(make_gradients()).page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    ink = page.locator(".vb-race-truth path").first.evaluate(
        "(el) => getComputedStyle(el).stroke"
    )
    assert ink == ("rgb(29, 39, 51)" if theme == "light" else "rgb(230, 235, 240)")


SLID_GRADIENT = """async () => {
  const [theta] = document.querySelectorAll(".vb-gradient-race input");
  for (let k = 1; k <= 60; k++) {
    await new Promise(requestAnimationFrame);
    theta.value = 3 * Math.sin(k / 9);
    theta.dispatchEvent(new Event("input"));
  }
}"""


@pytest.mark.browser
def test_a_slide_over_all_batches_is_painted_within_a_frame(show):
    page = show(make_gradients(batch=100)).page
    each = work_per_move(page, SLID_GRADIENT)
    print(f"a hundred thousand draws averaged and drawn: {each:.1f} ms")
    assert each <= 16
