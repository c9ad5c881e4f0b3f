"""Learning in the page is learning in Python."""

import numpy as np
import pytest
from browser.drive import STAND_IN
from explore.made import make_posterior
from explore.posterior.oracle import page_numbers, with_prior


@pytest.mark.browser
def test_learning_in_the_page_equals_python(show):
    visit = show(make_posterior())
    visit.page.evaluate(STAND_IN)
    noise, explorer = np.random.default_rng(8), make_posterior()
    settings = [
        [noise.uniform(0, 8), *np.exp(noise.uniform([-3, -2], [4, 1])), int(seen)]
        for seen in noise.integers(0, 50, 100)
    ]
    page = visit.page.evaluate(
        """(settings) => settings.map(([mu0, tau, sigma, seen]) => {
          const { learn, logDensity, predictive } = m.module;
          const x = m.model.get("x");
          const run = learn(x, [mu0, tau], sigma);
          const { posterior, logEvidence, best } = run[seen];
          const ahead = predictive(posterior, sigma);
          const home = learn(x, [4, 1], sigma)[seen].logEvidence;
          return [...posterior, ...ahead, logDensity(x[seen], ahead),
            best, best - logEvidence, logEvidence, logEvidence - home];
        })""",
        settings,
    )
    expected = [page_numbers(with_prior(explorer, *setting)) for setting in settings]
    np.testing.assert_allclose(page, expected, rtol=1e-9, atol=1e-5)
    assert visit.problems == []
