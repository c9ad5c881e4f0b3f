"""The race of two gradients runs in the page as in Python."""

import numpy as np
import pytest
from browser.drive import STAND_IN
from explore.gradient_race.oracle import RACES
from explore.made import make_gradients

NOISE = """() => [...m.module.noise(3, m.traits.get("shape"))]
  .filter((_, n) => n % 7 === 0)"""
RACED = """(settings) => {
  const { estimates, exact, noise, variance, verdict } = m.module;
  const { seed, shape, verdicts } = m.traits.pick("seed", "shape", "verdicts");
  const eps = noise(seed, shape);
  return settings.map(([theta, batch, baseline, target]) => {
    const setting = { theta, batch, baseline, target, ...shape };
    const truth = exact(setting);
    const found = estimates(eps, setting, truth.b);
    return {
      truth: ["gradient", "b", "pathwise", "score"].map((name) => truth[name]),
      path: [...found.pathwise].slice(0, 50), score: [...found.score].slice(0, 50),
      words: verdict(truth, verdicts),
      variances: [variance(found.pathwise), variance(found.score)],
    };
  });
}"""


@pytest.mark.browser
@pytest.mark.usefixtures("one_thread")
def test_estimates_and_variances_of_the_page_equal_python(show):
    race = make_gradients(seed=3)
    visit = show(race)
    visit.page.evaluate(STAND_IN)
    eps = visit.page.evaluate(NOISE)
    np.testing.assert_allclose(eps, race.eps.ravel()[::7], rtol=1e-9)
    page = visit.page.evaluate(RACED, RACES)
    for place, (setting, found) in enumerate(zip(RACES, page, strict=True)):
        race = make_gradients(*setting, seed=3)
        path, score = race.now.estimates()
        close = {"rtol": 1e-9, "atol": 1e-9}
        np.testing.assert_allclose(found["truth"], race.now.truth(), **close)
        np.testing.assert_allclose(found["path"], path[:50], **close)
        np.testing.assert_allclose(found["score"], score[:50], **close)
        variances = [path.var().item(), score.var().item()]
        np.testing.assert_allclose(found["variances"], variances, rtol=1e-9)
        assert place >= 12 or found["words"] == race.now.verdict()
    assert visit.problems == []


@pytest.mark.browser
def test_bins_of_the_page_equal_numpy(show):
    page = show(make_gradients()).page
    page.evaluate(STAND_IN)
    found = page.evaluate(
        "m.module.tally([-9, -4, -3.9, -1, 0, 0.1, 3.9, 4.5, 7, 99], 4, 8)"
    )
    assert found == {"counts": [3, 0, 0, 1, 2, 0, 0, 4], "below": 1, "above": 3}
    assert page.evaluate("Object.keys(m.module.tally([0], 1, 2)).length") == 3
