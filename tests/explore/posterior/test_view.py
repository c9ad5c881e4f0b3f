"""The posterior of a mean on a page: drawn to scale, learned flower by flower."""

import re

import numpy as np
import pytest
from browser.drive import (
    INNER_SIZE,
    RENDER,
    SCROLL_DOWN,
    STAND_IN,
    boxes,
    drawn,
    numbers,
    of_axes,
    settled,
)
from browser.page import THEME
from explore.made import make_posterior, make_surface, versicolor
from explore.posterior.oracle import PRIORS, page_numbers, with_prior
from scipy import stats

MOVE_PRIOR = """(values) => ["mu0", "tau", "sigma", "num_seen"].forEach(
  (name, k) => m.model.set(name, values[k]))"""


@pytest.mark.browser
def test_numbers_on_the_page_are_those_of_the_setting(show):
    page, explorer = show(make_posterior()).page, make_posterior()
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    for setting in PRIORS:
        page.evaluate(MOVE_PRIOR, setting)
        assert numbers(page) == list(setting)
        expected = page_numbers(with_prior(explorer, *setting))
        texts = page.locator(".vb-reading dd").all_text_contents()
        if setting[-1] == 50:
            assert texts.pop(2) == "all seen"
            expected.remove(None)
        shown = re.findall(r"-?\d+\.\d+", " ".join(texts).replace("\u2212", "-"))
        np.testing.assert_allclose(
            [float(n) for n in shown[:4]], expected[:4], atol=6e-4
        )
        np.testing.assert_allclose(
            [float(n) for n in shown[4:]], expected[4:], atol=0.011
        )
        best, price, log_evidence, gain = map(float, shown[-4:])
        assert best - price == pytest.approx(log_evidence, abs=1e-9)
        word = page.locator(".posterior-evidence .vb-posterior-word")
        assert word.text_content() == (f"price {price:.2f}" if setting[-1] else "")
        assert texts[-1].startswith("+") == (gain > 0)
    status = page.locator(".vb-status").text_content()
    explorer.num_seen -= 1
    paid = f"{explorer.now.log_predictive():.2f}".replace("-", "\u2212")
    value = f"{explorer.x[explorer.num_seen]:.1f}"
    assert (
        status == f"The last value, {value}, had log p {paid} nats before it was seen."
    )


def to_scale(page, selector, low, high):
    """Vertices of a path, in data units: x between low and high."""
    points = drawn(page, selector)
    points[:, 0] = low + (high - low) * points[:, 0]
    return points


def is_density(points, mean, sigma):
    """Whether heights are proportional to a Gaussian's density; the factor."""
    expected = stats.norm.pdf(points[:, 0], mean, sigma)
    factor = points[:, 1].max() / expected.max()
    np.testing.assert_allclose(points[:, 1], factor * expected, atol=0.02)
    return factor


DRAWN = [PRIORS[0], PRIORS[3], (2, 0.5, 0.1, 49)]


def gaussians(explorer):
    """Mean and standard deviation of each curve, from the present setting."""
    now = explorer.now
    posterior, predictive = now.posterior(), now.predictive()
    x = now.seen
    return {
        "prior": (explorer.mu0, explorer.tau),
        "likelihood": (x.mean().item(), explorer.sigma / len(x) ** 0.5),
        "posterior": (posterior.mu.item(), posterior.var.sqrt().item()),
        "predictive": (predictive.mu.item(), predictive.var.sqrt().item()),
    }


def curve_of(name):
    return f".vb-posterior-{name} path"


@pytest.fixture(params=DRAWN, ids=str)
def posterior_page(request, show):
    """The explorer at a setting, and its page once the plots have their size."""
    explorer = with_prior(make_posterior(), *request.param)
    page = show(explorer).page
    settled(page)
    return explorer, page


@pytest.mark.browser
def test_each_curve_is_the_density_of_its_gaussian(posterior_page):
    explorer, page = posterior_page
    for name, gaussian in gaussians(explorer).items():
        points = to_scale(page, curve_of(name), *explorer.frame["mu"])
        is_density(points, *gaussian)


@pytest.mark.browser
def test_prior_likelihood_and_posterior_share_one_axis(posterior_page):
    """In units of density, so that the likelihood has area 1 like the others."""
    explorer, page = posterior_page
    factors = {
        name: is_density(
            to_scale(page, curve_of(name), *explorer.frame["mu"]), *gaussian
        )
        for name, gaussian in gaussians(explorer).items()
    }
    assert factors["prior"] == pytest.approx(factors["likelihood"], rel=0.01)
    assert factors["posterior"] == pytest.approx(factors["likelihood"], rel=0.01)


@pytest.mark.browser
def test_the_axis_reaches_just_above_the_peak_of_the_posterior(posterior_page):
    _, page = posterior_page
    heights = drawn(page, curve_of("posterior"))[:, 1]
    assert heights.max() == pytest.approx(1 / 1.1, abs=1e-3)


@pytest.mark.browser
def test_the_axis_of_the_forecast_fits_a_known_mean(posterior_page):
    explorer, page = posterior_page
    points = to_scale(page, curve_of("predictive"), *explorer.frame["mu"])
    factor = is_density(points, *gaussians(explorer)["predictive"])
    tallest = stats.norm.pdf(0, scale=explorer.sigma)
    assert factor == pytest.approx(1 / (1.25 * tallest), rel=0.01)


@pytest.mark.browser
def test_a_narrow_posterior_has_no_corners(posterior_page):
    _, page = posterior_page
    heights = drawn(page, curve_of("posterior"))[:, 1]
    assert np.abs(np.diff(heights)).max() < 0.08


@pytest.mark.browser
def test_a_fill_lies_between_its_curve_and_the_axis(posterior_page):
    _, page = posterior_page
    for k, name in enumerate(("posterior", "predictive")):
        fill = drawn(page, f".vb-posterior-fill path >> nth={k}")
        np.testing.assert_allclose(fill[[0, -1]], [[0, 0], [1, 0]], atol=1e-3)
        np.testing.assert_array_equal(fill[1:-1], drawn(page, curve_of(name)))


@pytest.mark.browser
def test_the_next_value_stands_on_its_predictive_density(posterior_page):
    explorer, page = posterior_page
    value = explorer.x[explorer.num_seen]
    low, high = explorer.frame["mu"]
    tallest = 1.25 * stats.norm.pdf(0, scale=explorer.sigma)
    height = np.exp(explorer.now.log_predictive()) / tallest

    dot = page.locator(".vb-posterior-dot circle")
    place = dot.evaluate("(el) => [el.cx.baseVal.value, el.cy.baseVal.value]")
    [(across, up)] = of_axes(dot, [place])
    assert across == pytest.approx((value - low) / (high - low))
    assert up == pytest.approx(height, abs=0.005)

    words = page.locator(".posterior-forecast .vb-posterior-word").text_content()
    assert words == f"next: {value:.1f}"


def evidence_heights(page, layer, bottom, top):
    """A curve of the evidence panel, in nats."""
    return bottom + (top - bottom) * drawn(page, f".vb-posterior-{layer} path")[:, 1]


@pytest.mark.browser
def test_the_evidence_is_drawn_beside_the_best_mean_and_the_start(show):
    explorer = make_posterior()
    with_prior(explorer, 2.5, 0.3, 0.6, 30)
    page = show(explorer).page
    page.wait_for_timeout(100)
    whole = explorer.now.model.history(versicolor())
    home = explorer.now.model._replace(mu0=4, tau=1).history(versicolor())[0]
    measure = page.get_by_label("Measure from the best mean")
    assert measure.is_checked()
    for base in (whole[1], 0 * home):
        curves = {"evidence": whole[0], "start": home, "best": whole[1]}
        curves = {name: (curve - base).numpy() for name, curve in curves.items()}
        low = min(curve.min() for curve in curves.values())
        axis = (1.08 * low, -0.12 * low)
        if not measure.is_checked():
            shown = evidence_heights(page, "best", *axis)
            np.testing.assert_allclose(shown, curves["best"][:31], atol=0.1)
        else:
            np.testing.assert_allclose(
                evidence_heights(page, "best", *axis), [0, 0], atol=0.1
            )
        for name in ("evidence", "start"):
            shown = evidence_heights(page, name, *axis)
            np.testing.assert_allclose(shown, curves[name][:31], atol=-0.01 * low)
        ends = evidence_heights(page, "price", *axis)
        expected = [curves["best"][30], curves["evidence"][30]]
        np.testing.assert_allclose(ends, expected, atol=-0.01 * low)
        across = to_scale(page, ".vb-posterior-evidence path", -1, 51)[:, 0]
        np.testing.assert_allclose(across, range(31), atol=0.01)
        measure.uncheck()
    best, log_evidence = explorer.now.best_log_lik(), explorer.now.log_evidence()
    price = round(best, 2) - round(log_evidence, 2)
    words = page.locator(".posterior-evidence .vb-posterior-word").text_content()
    assert words == f"price {price:.2f}"


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("relative", [True, False])
def test_the_word_of_a_small_price_lies_above_the_curves(relative, width, show):
    explorer = make_posterior((1.0, 0.2), num_seen=45)
    explorer.mu0, explorer.tau, explorer.relative = 4.0, 0.5, relative
    page = show(explorer, width=width).page
    page.wait_for_timeout(100)
    slider = page.locator(".vb-slider input").nth(3)
    for key in ("ArrowLeft", "End", "Home", "ArrowRight", "ArrowRight"):
        slider.press(key)
        if key == "Home":
            continue
        inside, word, *curves = page.evaluate(
            """() => ["price", "word text", "evidence path", "start path", "best path"]
            .map((name) => `.posterior-evidence .vb-posterior-${name}`)
            .map((place) => document.querySelector(place))
            .map((el, k) => k === 0 ? el.ownerSVGElement.width.baseVal.value
              : k === 1 ? ["x", "y", "width", "height"].map((key) => el.getBBox()[key])
              : el.getAttribute("d").match(/[-\\d.]+/g).map(Number))"""
        )
        left, top, across, down = word
        assert top > -6 and left + across < inside
        for curve in curves:
            x, y = np.array(curve).reshape(-1, 2).T
            at = np.interp(np.linspace(left, left + across, 50), x, y, np.inf, np.inf)
            assert top + 0.75 * down < at.min()


@pytest.mark.browser
def test_values_pile_up_and_darken_when_they_are_seen(show):
    explorer = make_posterior()
    page = show(explorer).page
    page.wait_for_timeout(100)
    marks = {
        name: page.locator(f".vb-posterior-{name} path") for name in ("seen", "to-come")
    }
    assert [m.count() for m in marks.values()] == [5, 45]
    low, high = explorer.frame["mu"]
    width, height = page.locator(".vb-plot svg svg").nth(1).evaluate(INNER_SIZE)
    read = "all => all.map(e => e.getAttribute('d').match(/[\\d.]+/g).map(Number))"
    places = np.array(
        marks["seen"].evaluate_all(read) + marks["to-come"].evaluate_all(read)
    )
    values = low + (high - low) * places[:, 0] / width
    np.testing.assert_allclose(values, explorer.x, atol=0.01)
    feet = (height - 2 - places[:, 1]) / (height - 2 - places[:, 1]).max()
    x = np.array(explorer.x)
    ranks = np.array([(x[:k] == x[k]).sum() for k in range(50)])
    np.testing.assert_allclose(feet, ranks / ranks.max(), atol=0.01)
    page.get_by_role("button", name="Add a flower").click()
    assert [m.count() for m in marks.values()] == [6, 44]


@pytest.mark.browser
def test_flowers_are_added_until_all_are_seen_and_start_over(show):
    page = show(make_posterior(labels=("petal length, cm", "an iris"))).page
    once, ten = (page.get_by_role("button", name=f"Add {n}") for n in ("an", "ten"))
    once.click()
    assert numbers(page) == [4, 1, 0.47, 6]
    for expected in (16, 26, 36, 46, 50, 50):
        ten.click(force=True)
        assert numbers(page)[3] == expected
    once.click(force=True)
    assert (
        numbers(page)[3] == 50 and page.locator(".vb-posterior-dot circle").count() == 0
    )
    assert once.get_attribute("aria-disabled") == "true"
    assert ten.get_attribute("aria-disabled") == "true"
    for slider in page.locator(".vb-slider input").all()[:3]:
        slider.press("ArrowRight")
    measure = page.get_by_label("Measure from the best mean")
    measure.uncheck()
    again = page.get_by_role("button", name="Start over")
    again.click()
    assert numbers(page) == [4, 1, 0.47, 5] and measure.is_checked()
    assert once.get_attribute("aria-disabled") == "false"
    assert ten.get_attribute("aria-disabled") == "false"


@pytest.mark.browser
def test_keys_and_a_finger_move_the_prior(show):
    page = show(make_posterior(), width=360, has_touch=True).page
    mean, width, noise, seen = page.locator(".vb-slider input").all()
    mean.press("ArrowRight")
    assert numbers(page)[0] == 4.02
    assert mean.get_attribute("aria-valuetext") == "prior mean \u03bc\u2080 4.02"
    for slider, key, expected in (
        (mean, "Home", [1, 1, 0.47, 5]),
        (width, "End", [1, 50, 0.47, 5]),
        (noise, "Home", [1, 50, 0.1, 5]),
        (seen, "ArrowLeft", [1, 50, 0.1, 4]),
    ):
        slider.press(key)
        assert numbers(page) == expected
    assert seen.get_attribute("aria-valuetext") == "4 of 50 seen"
    box = width.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert numbers(page)[1] == pytest.approx((0.05 * 50) ** 0.5, rel=0.05)


@pytest.mark.browser
def test_a_kernel_hears_of_the_prior_and_the_data(show):
    page = show(make_posterior()).page
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.evaluate("m.model.set('relative', false)")
    page.evaluate("m.model.set('tau', 3)")
    measure = page.get_by_label("Measure from the best mean")
    assert not measure.is_checked() and numbers(page)[1] == 3
    measure.check()
    page.locator(".vb-slider input").nth(3).press("End")
    page.locator(".vb-slider input").nth(1).press("Home")
    read = "['mu0', 'tau', 'sigma', 'num_seen', 'relative'].map((n) => m.model.get(n))"
    assert page.evaluate(read) == pytest.approx([4, 0.05, 0.47, 50, True])


@pytest.mark.browser
def test_two_posteriors_and_a_surface_share_a_page(show):
    alone = show(make_surface()).page
    places = """(root) => [...root.querySelectorAll("*")].map(
      (el) => el.getBoundingClientRect().width)"""
    expected = alone.locator(".vb-surface").evaluate(places)
    visit = show(make_posterior(), make_posterior(), make_surface())
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.vb').length === 3")
    page.wait_for_timeout(100)
    assert page.locator(".vb-surface").evaluate(places) == expected
    page.locator(".vb-posterior").nth(1).get_by_role("button", name="Add ten").click()
    first, second = (numbers(page.locator(".vb-posterior").nth(k)) for k in (0, 1))
    assert first == [4, 1, 0.47, 5] and second == [4, 1, 0.47, 15]
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_jumps_and_panels_are_side_by_side_where_there_is_room(width, show):
    visit = show(make_posterior(num_seen=0), width=width)
    page = visit.page
    page.add_style_tag(content=THEME)
    page.evaluate(SCROLL_DOWN)
    found = {page.locator(".vb-posterior").bounding_box()["height"]}
    for k, key in [(3, "End"), (1, "Home"), (0, "Home"), (2, "Home"), (3, "ArrowLeft")]:
        page.locator(".vb-slider input").nth(k).press(key)
        found.add(page.locator(".vb-posterior").bounding_box()["height"])
    assert len(found) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    mean, value, _ = boxes(page)
    assert (mean["y"] == value["y"]) == (width > 600)
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_ink_follows_the_theme(theme, show):
    page = show(make_posterior()).page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    ink = page.locator(".vb-posterior-prior path").first.evaluate(
        "(el) => getComputedStyle(el).stroke"
    )
    assert ink == ("rgb(29, 39, 51)" if theme == "light" else "rgb(230, 235, 240)")
