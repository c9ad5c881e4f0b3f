"""Importance sampling by hand on a page: sliders, words, stems."""

import re

import numpy as np
import pytest
import torch
from browser.drive import (
    COUNT_SAVES,
    RENDER,
    STAND_IN,
    boxes,
    drawn,
    numbers,
    of_axes,
    settled,
    work_per_move,
)
from explore.made import make_proposal
from scipy import stats

from vaebook.monte_carlo import (
    effective_sample_size,
    self_normalized_estimate,
    tail_index,
)


def proposal_readings(page):
    return page.locator(".vb-proposal .vb-reading dd").all_text_contents()


def expected_worth(explorer):
    z, log_w = explorer.now.draws(), explorer.now.log_w()
    square = self_normalized_estimate(z**2, log_w)
    tail = tail_index(log_w).item() if len(z) >= 25 else None
    return [
        f"{effective_sample_size(log_w):,.1f} of {len(z):,}",
        f"{100 * torch.softmax(log_w, 0).max():.1f}%",
        str(square),
        "\u2013"
        if tail is None
        else f"{tail:.2f}{', variance infinite' if tail > 0.5 else ''}",
    ]


@pytest.mark.browser
def test_sliders_move_the_proposal_and_words_follow(show):
    explorer = make_proposal(0, 0.7)
    page = show(explorer).page
    status, remark = (
        page.locator(".vb-status"),
        "The weights have infinite variance here",
    )
    width, offset, draws = page.get_by_role("slider").all()
    assert numbers(page, ".vb-slider:nth-child(-n + 2) .vb-number") == [0.7, 0]
    assert proposal_readings(page) == expected_worth(explorer)
    assert status.text_content() == f"{remark}, and these draws do not show it."
    width.press("Home")
    explorer.sd = 0.1
    assert proposal_readings(page) == expected_worth(explorer)
    assert status.text_content() == f"{remark}: trust no \u00b1."
    assert width.get_attribute("aria-valuetext") == "width \u03c3 0.10"
    draws.press("Home")
    explorer.num_samples = 10
    assert proposal_readings(page) == expected_worth(explorer)
    assert proposal_readings(page)[-1] == "\u2013"
    assert status.text_content() == f"{remark}; the tail index needs 25 draws."
    width.press("End")
    explorer.sd = 5.0
    assert proposal_readings(page) == expected_worth(explorer)
    assert status.text_content() == "The tail index needs 25 draws."
    draws.press("End")
    offset.press("End")
    explorer.num_samples, explorer.mean = 2000, 4.0
    assert proposal_readings(page) == expected_worth(explorer)
    assert status.text_content() == ""
    assert draws.get_attribute("aria-valuetext") == "draws 2,000"
    assert offset.get_attribute("aria-valuetext") == "offset m 4.00"
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    explorer.mean, explorer.sd, explorer.num_samples = -3.5, 0.9, 77
    for name in ("mean", "sd", "num_samples"):
        value = getattr(explorer, name)
        page.evaluate("([name, value]) => m.model.set(name, value)", [name, value])
    assert proposal_readings(page) == expected_worth(explorer)
    assert status.text_content().startswith("The variance is finite, but larger")
    assert page.locator(".vb-number").nth(2).text_content() == "77"
    page.evaluate(COUNT_SAVES)
    for slider in (width, offset, draws):
        slider.press("Home")
    assert page.evaluate("m.saves") == 3
    found = [
        page.evaluate(f"m.model.get('{n}')") for n in ("sd", "mean", "num_samples")
    ]
    assert found == pytest.approx([0.1, -4, 10])
    explorer.mean, explorer.sd, explorer.num_samples = 0.0, 1.05, 2000
    for name in ("mean", "sd", "num_samples"):
        value = getattr(explorer, name)
        page.evaluate("([name, value]) => m.model.set(name, value)", [name, value])
    assert proposal_readings(page) == expected_worth(explorer)
    assert re.match(r"1,9\d\d\.\d of 2,000$", proposal_readings(page)[0])


@pytest.mark.browser
def test_densities_stems_and_worth_are_drawn_to_scale(show):
    explorer = make_proposal(1.0, 0.8, target_sd=1.5, num_samples=200)
    page = show(explorer).page
    settled(page)
    for name, (mean, sd) in {"p": (0, 1.5), "q": (1, 0.8)}.items():
        x, up = drawn(page, f".vb-prop-{name} path").T
        peak = 1.12 * stats.norm.pdf(0, scale=0.8)
        density = stats.norm.pdf(18 * x - 9, mean, sd) / peak
        np.testing.assert_allclose(up, density, atol=0.002)
    share = torch.softmax(explorer.now.log_w(), 0).numpy()
    x, up = stems(page, ".vb-prop-stems path").T
    np.testing.assert_allclose(18 * x - 9, explorer.now.draws(), atol=0.005)
    np.testing.assert_allclose(up, share / (1.08 * share.max()), atol=0.002)
    np.testing.assert_allclose(stems(page, ".vb-prop-rug path", "v")[:, 0], x)
    ticks = page.locator(".vb-plot").nth(1).locator("[text-anchor=end]")
    top = max(map(float, ticks.all_text_contents()))
    assert 100 * share.max() / 2 < top < 108 * share.max()
    (x, up), edge = drawn(page, ".vb-prop-curve path").T, np.log(5.5 / 0.09)
    widths = 0.135 * np.exp(edge * x)
    expected = [explorer.now.of_width(sd).ess_share() for sd in widths]
    np.testing.assert_allclose(1.08 * up - 0.04, expected, atol=0.003)
    limits = 1.08 * drawn(page, ".vb-prop-limit path")[:, 1] - 0.04
    expected = [explorer.now.of_width(sd).ess_limit() for sd in widths]
    np.testing.assert_allclose(limits, expected, atol=0.003)
    shade = drawn(page, ".vb-prop-infinite path")
    assert shade[2, 0] == pytest.approx(np.log(1.5 * 0.5**0.5 / 0.135) / edge, abs=1e-3)
    np.testing.assert_allclose(shade[:, 1], [0, 1, 1, 0], atol=1e-3)
    x, up = page.locator(".vb-prop-now circle").evaluate("""(el) => {
      const { width, height } = el.ownerSVGElement;
      return [el.cx.baseVal.value / width.baseVal.value,
        1 - el.cy.baseVal.value / height.baseVal.value];
    }""")
    assert x == pytest.approx(np.log(0.8 / 0.135) / edge, abs=1e-3)
    assert 1.08 * up - 0.04 == pytest.approx(explorer.now.ess_share(), abs=1e-3)


def stems(page, selector, letter="V"):
    """Foot and height of upright strokes, as fractions of the axes: (N, 2)."""
    path = page.locator(selector)
    found = re.findall(rf"M([-\d.]+) [-\d.]+{letter}([-\d.]+)", path.get_attribute("d"))
    return of_axes(path, found)


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_jumps_and_panels_are_side_by_side_where_there_is_room(width, show):
    visit = show(make_proposal(0, 0.5), width=width)
    page = visit.page
    density, _, worth = boxes(page)
    assert (density["y"] == worth["y"]) == (width > 600)
    heights = set()
    for slider in page.get_by_role("slider").all():
        for key in ("Home", "End"):
            slider.press(key)
            heights.add(page.locator("main").bounding_box()["height"])
    assert len(heights) == 1
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_ink_follows_the_theme(theme, show):
    page = show(make_proposal(0, 0.5)).page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    ink = page.locator(".vb-prop-p path").first.evaluate(
        "(el) => getComputedStyle(el).stroke"
    )
    assert ink == ("rgb(29, 39, 51)" if theme == "light" else "rgb(230, 235, 240)")


SLID = """async () => {
  const [width] = document.querySelectorAll(".vb-proposal input");
  for (let k = 1; k <= 60; k++) {
    await new Promise(requestAnimationFrame);
    width.value = 1.5 * Math.sin(k / 9);
    width.dispatchEvent(new Event("input"));
  }
}"""


@pytest.mark.browser
def test_a_slide_over_all_draws_is_painted_within_a_frame(show):
    page = show(make_proposal(num_samples=2000)).page
    each = work_per_move(page, SLID)
    print(f"two thousand draws weighed and drawn: {each:.1f} ms of processor time")
    assert each <= 16
