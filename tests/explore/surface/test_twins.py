"""The likelihood surface's page computes what Python computes."""

import numpy as np
import pytest
import torch
from browser.drive import STAND_IN, numbers
from explore.made import make_surface
from explore.surface.oracle import petal_log_lik

from vaebook.likelihood import gradient_ascent


@pytest.mark.browser
def test_log_likelihoods_of_the_page_equal_python(show):
    visit = show(make_surface())
    visit.page.evaluate(STAND_IN)
    noise = np.random.default_rng(5)
    mu, log_sigma = noise.uniform(0, 8, 100), noise.uniform(np.log(0.3), np.log(9), 100)
    page = visit.page.evaluate(
        """(points) => {
          const fit = m.module.summarise(m.model.get("x"));
          return points.map((at) => m.module.logLik(fit, at));
        }""",
        np.stack([mu, np.exp(log_sigma)], 1).tolist(),
    )
    expected = petal_log_lik(torch.from_numpy(np.stack([mu, log_sigma], 1)))
    np.testing.assert_allclose(page, expected, rtol=1e-5)
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("start", [(5.5, 0.8), (1.0, 4.0), (7.5, 2.0), (3.0, 0.9)])
def test_climbing_in_the_page_is_gradient_ascent(start, show):
    explorer = make_surface(start=start, num_steps=30)
    page = show(explorer, reduced_motion="reduce").page
    page.evaluate(STAND_IN)
    walked = page.evaluate("""() => {
      const fit = m.module.summarise(m.model.get("x"));
      const path = [m.model.get("start")];
      const step = (at) => m.module.gradientStep(fit, at, m.model.get("rate"));
      for (let k = 0; k < 30; k++) path.push(step(path[k]));
      return path;
    }""")
    theta = torch.tensor([start[0], np.log(start[1])], dtype=torch.float64)
    path = gradient_ascent(
        lambda p: petal_log_lik(p) / 150, theta, rate=0.1, num_steps=30
    )
    path[:, 1] = path[:, 1].exp()
    np.testing.assert_allclose(walked, path, rtol=0, atol=1e-5)
    page.get_by_role("button", name="Climb").click()
    assert numbers(page) == pytest.approx(path[-1].tolist(), abs=0.006)
    assert page.locator(".vb-walk path").count() == 31
    assert page.locator(".vb-status").text_content() == "30 gradient steps taken"


@pytest.mark.browser
def test_contours_lie_at_their_drops(show):
    page = show(make_surface()).page
    page.evaluate(STAND_IN)
    for drop in (2, 10, 30, 100, 300):
        curve = page.evaluate(
            """(drop) => {
              const fit = m.module.summarise(m.model.get("x"));
              return m.module.contour(fit, drop, [0.01, 200]);
            }""",
            drop,
        )
        points = torch.tensor(curve, dtype=torch.float64)
        points[:, 1] = points[:, 1].log()
        below = -297.5870528889 - petal_log_lik(points)
        np.testing.assert_allclose(below, drop, rtol=1e-4)
        assert points[0, 1] < np.log(1.7594) < points[48, 1]
