"""The race of samplers on a page: its table, its lines and bands."""

import re

import numpy as np
import pytest
import torch
from browser.drive import (
    COUNT_SAVES,
    INNER_SIZE,
    RENDER,
    SCROLL_DOWN,
    STAND_IN,
    drawn,
    numbers,
    settled,
)
from explore.made import log_weights, make_proposal, make_race
from explore.sampler_race.oracle import by_hand
from scipy import stats

from vaebook.explore import SamplerRace


def race_table(page):
    """Estimate, standard error, error in standard errors and ESS of each sampler."""
    cells = page.locator(
        ".vb-sampler-race tbody tr:not(.sampler-race-exact) td"
    ).all_text_contents()
    texts = " ".join(cells).replace("\u2212", "-").replace(",", "")
    return np.array(re.findall(r"[-+]?[\d.]+", texts), dtype=float).reshape(-1, 4)


def check_table(page, run, size):
    expected = [by_hand(one[:size, run]) for one in log_weights().values()]
    truth = stats.norm.logpdf(2, scale=2**0.5)
    rows = [[v, se, (v - truth) / se, ess] for v, se, ess in expected]
    assert np.all(np.abs(race_table(page) - rows) <= [6e-5, 6e-5, 0.051, 0.51])
    spoken = page.get_by_role("slider").get_attribute("aria-valuetext")
    assert spoken == f"Draws {size:,}"
    assert page.locator(".vb-slider .vb-number").text_content() == f"{size:,}"
    assert (
        page.locator(".sampler-race-run span").text_content() == f"Run {run + 1} of 5"
    )


@pytest.mark.browser
def test_the_table_follows_the_slider_and_the_run(show):
    race = make_race(num_samples=1000)
    page = show(race).page
    slider, again = page.get_by_role("slider"), page.get_by_role("button")
    check_table(page, 0, 1000)
    slider.press("End")
    check_table(page, 0, 10_000)
    again.click()
    check_table(page, 1, 10_000)
    slider.press("ArrowLeft")
    check_table(page, 1, race.sizes[-2])
    for _ in range(4):
        again.press("Enter")
    slider.press("Home")
    check_table(page, 0, 10)
    exact = page.locator(".sampler-race-exact td").first.text_content()
    assert exact == "\u22122.2655"
    page.evaluate(STAND_IN)
    page.evaluate(RENDER)
    page.evaluate("m.model.set('num_samples', 1000)")
    page.evaluate("m.model.set('run', 2)")
    check_table(page, 2, 1000)
    page.evaluate(COUNT_SAVES)
    again.click()
    slider.press("End")
    page.get_by_role("checkbox", name="narrow").uncheck()
    names = ("run", "num_samples", "shown")
    assert [page.evaluate(f"m.model.get('{name}')") for name in names] == [
        3,
        10_000,
        ["wide", "the prior"],
    ]
    assert page.evaluate("m.saves") == 3


@pytest.mark.browser
def test_lines_and_bands_are_drawn_to_scale(show):
    race = make_race(8, num_samples=1000)
    race.run = 2
    page = show(race).page
    settled(page)
    (low, high), sizes = race.frame, np.array(race.sizes)
    place, now = in_frame(sizes), race.sizes.index(1000) + 1
    for k, path in enumerate(race.paths.of.values()):
        value, error = (column[:, 2].numpy() for column in path[:2])
        line = drawn(page, f".vb-race-lines .sampler-race-{k}:not(.rest)")
        rest = drawn(page, f".vb-race-lines .rest.sampler-race-{k}")
        band = drawn(page, f".vb-race-bands .sampler-race-{k}")
        up = (value - low) / (high - low), 2 * error / (high - low)
        np.testing.assert_allclose(line.T, [place[:now], up[0][:now]], atol=1e-3)
        np.testing.assert_allclose(
            rest.T, [place[now - 1 :], up[0][now - 1 :]], atol=1e-3
        )
        sides = np.concatenate([(up[0] + up[1])[:now], (up[0] - up[1])[:now][::-1]])
        np.testing.assert_allclose(band[:, 1], sides, atol=1e-3)
        np.testing.assert_allclose(band[:now, 0], place[:now], atol=1e-3)
        out = ((up[0] < 0) | (up[0] > 1))[:now].sum()
        assert page.locator(f".vb-race-ends path.sampler-race-{k}").count() == out
    exact = drawn(page, ".vb-race-exact path")
    expected = (race.truth - low) / (high - low)
    np.testing.assert_allclose(exact, [[0, expected], [1, expected]], atol=1e-3)
    assert page.locator(".vb-race-ends path").count() > 0
    assert page.locator(".vb-race-ends circle").count() == 3


def in_frame(sizes):
    """Places on the axis of 10 to 10,000 draws, which has room for a mark at an end."""
    room = np.log(1.15)
    return (np.log(sizes / 10) + room) / (np.log(1000) + 2 * room)


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_marks_at_the_ends_are_whole_and_one_estimate_has_a_bar(width, show):
    race = make_race()
    page = show(race, width=width).page
    settled(page)
    (low, high), slider = race.frame, page.get_by_role("slider")
    frame = page.locator(".vb-plot svg svg").evaluate(INNER_SIZE)[0]
    read = (
        "all => all.map((one) => { const b = one.getBBox(); return [b.x, b.width]; })"
    )
    for key in ("Home", "End"):
        slider.press(key)
        for left, across in page.locator(".vb-race-ends > *").evaluate_all(read):
            assert left >= 0 and left + across <= frame
        if key == "End":
            continue
        for k, path in enumerate(race.paths.of.values()):
            value, error = (column[0, 0].item() for column in path[:2])
            bar = drawn(page, f".vb-race-bands .sampler-race-{k}")
            sides = (value + 2 * error * np.array([1, 1, -1, -1]) - low) / (high - low)
            np.testing.assert_allclose(bar[:, 1], sides, atol=1e-3)
            assert bar[:2, 0].mean() == pytest.approx(in_frame(10), abs=1e-3)
            assert 2 < frame * np.ptp(bar[:, 0]) < 14


@pytest.mark.browser
def test_a_sampler_can_be_hidden(show):
    page = show(make_race()).page
    box = page.get_by_role("checkbox", name="the prior")
    assert box.is_checked() and page.locator(".vb-race-bands path").count() == 3
    box.press("Space")
    kinds = "all => all.map((one) => one.getAttribute('class'))"
    assert page.locator(".vb-race-bands path").evaluate_all(kinds) == [
        "sampler-race-0",
        "sampler-race-1",
    ]
    assert page.locator(".vb-race-ends circle").count() == 2
    page.locator(".vb-sampler-race tr.sampler-race-0 label").click()
    assert page.locator(".vb-race-bands path").evaluate_all(kinds) == ["sampler-race-1"]
    box.press("Space")
    assert page.locator(".vb-race-bands path").evaluate_all(kinds) == [
        "sampler-race-1",
        "sampler-race-2",
    ]


@pytest.mark.browser
def test_a_sampler_without_error_says_so(show):
    race = SamplerRace({"exact": torch.full((200, 2), -1.25)}, -1.25)
    page = show(race).page
    cells = (
        page.locator(".vb-sampler-race tbody tr")
        .first.locator("td")
        .all_text_contents()
    )
    assert cells == ["\u22121.2500 \u00b1 0.0000", "\u2013", str(race.num_samples)]


@pytest.mark.browser
def test_two_races_and_two_proposals_share_a_page(show):
    visit = show(make_race(), make_race(), make_proposal(), make_proposal(1, 2))
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function("document.querySelectorAll('.vb').length === 4")
    page.locator(".vb-sampler-race").nth(1).get_by_role("button").click()
    page.locator(".vb-sampler-race").nth(1).get_by_role("checkbox").first.uncheck()
    assert page.locator(".sampler-race-run span").all_text_contents() == [
        f"Run {k} of 5" for k in (1, 2)
    ]
    assert (
        page.locator(".vb-sampler-race").first.locator(".vb-race-bands path").count()
        == 3
    )
    page.locator(".vb-proposal").first.get_by_role("slider").first.press("Home")
    widths = numbers(page, ".vb-proposal .vb-slider:first-child .vb-number")
    assert widths == [0.1, 2]
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_its_table_fits_and_nothing_jumps(width, show):
    visit = show(make_race(8), width=width)
    page = visit.page
    for table in page.locator(".vb-sampler-race table, .vb-sampler-race td").all():
        assert table.evaluate("(el) => el.scrollWidth <= el.clientWidth")
    heights = set()
    for key in ("Home", "End"):
        page.get_by_role("slider").press(key)
        heights.add(page.locator("main").bounding_box()["height"])
    assert len(heights) == 1
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_ink_follows_the_theme(theme, show):
    page = show(make_race(8)).page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    ink = page.locator(".vb-race-exact path").first.evaluate(
        "(el) => getComputedStyle(el).stroke"
    )
    assert ink == ("rgb(29, 39, 51)" if theme == "light" else "rgb(230, 235, 240)")
