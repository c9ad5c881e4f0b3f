"""The spectrum's page weighs noise as Python does."""

import numpy as np
import pytest
from browser.drive import STAND_IN
from explore.made import make_spectrum
from explore.spectrum.oracle import at_noise, noise_worth


def random_noises(count):
    noise, (low, high) = np.random.default_rng(5), make_spectrum().frame["var"]
    variances = np.exp(noise.uniform(np.log(low), np.log(high), count))
    latents = noise.integers(1, 21, count)
    return [[int(k), float(v)] for k, v in zip(latents, variances, strict=True)]


@pytest.mark.browser
def test_the_page_weighs_noise_as_python_does(show):
    visit, settings = show(make_spectrum(), make_spectrum()), random_noises(60)
    visit.page.evaluate(STAND_IN)
    page = visit.page.evaluate(
        """(settings) => settings.map(([count, noise]) => {
          const { bestNoise, readData, reconstruct, terms } = m.module;
          const data = readData(m.traits);
          const pictures = [0, 1, 2].flatMap((k) => reconstruct(data, k, count, noise));
          const best = bestNoise(data, count);
          return { ...terms(data, count, noise), best, pictures };
        })""",
        settings,
    )
    explorer, gaps = make_spectrum(), []
    for one, setting in zip(page, settings, strict=True):
        expected = noise_worth(at_noise(explorer, *setting))
        pixels = explorer.now.reconstructions().flatten().numpy()
        np.testing.assert_allclose(one.pop("pictures"), pixels, atol=1e-4)
        assert one == pytest.approx(expected, abs=1e-5)
        gaps.append(one["logEvidence"] - one["expectedLogLik"] + one["kl"])
    assert np.abs(gaps).max() < 1e-9 and len({one["alive"] for one in page}) > 8
    data = visit.page.evaluate("m.module.readData(m.traits).digits")
    np.testing.assert_allclose(data, explorer.now.digits, atol=2e-5)
    assert visit.problems == []
