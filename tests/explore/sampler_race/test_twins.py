"""The race of samplers reads in the page what Python estimated."""

import numpy as np
import pytest
from browser.drive import STAND_IN
from explore.made import log_weights, make_race
from explore.sampler_race.oracle import every_start


@pytest.mark.browser
def test_estimates_of_the_page_equal_python(show):
    race = make_race()
    visit = show(race)
    visit.page.evaluate(STAND_IN)
    page = visit.page.evaluate(
        """() => m.module.readRows(m.traits).map((runs) => runs.map((rows) => rows.map(
          ({ size, value, error, se, ess }) => [value, se, ess, error, size])))"""
    )
    expected, page = every_start(log_weights(), race.sizes), np.array(page)
    np.testing.assert_allclose(page[..., :2], expected[..., :2], rtol=0, atol=1e-6)
    np.testing.assert_allclose(page[..., 2], expected[..., 2], rtol=1e-5)
    np.testing.assert_allclose(page[..., 3], expected[..., 0] - race.truth, atol=1e-6)
    np.testing.assert_array_equal(page[..., 4], np.broadcast_to(race.sizes, (3, 5, 31)))
    assert visit.problems == []
