"""The two latent pads' page computes what Python computes."""

import numpy as np
import pytest
import torch
from browser.drive import STAND_IN
from explore.made import make_pads
from scipy.spatial import cKDTree

from vaebook.explore.pads.maths import WORDS
from vaebook.vae import VAE


@pytest.mark.browser
@pytest.mark.parametrize("hidden", [None, (5,), (3, 4)])
def test_pads_of_the_page_equal_python(hidden, show):
    """Nets of few weights too: an odd number of them, and more than one layer."""
    rng = torch.Generator().manual_seed(1)
    models = hidden and {name: VAE(64, hidden, 2, rng=rng) for name in ("a", "b")}
    pads = make_pads(models)
    visit = show(pads)
    visit.page.evaluate(STAND_IN)
    noise = np.random.default_rng(11)
    centre, spread = pads.now.codes.mean(1), pads.now.codes.std(1)
    eps = torch.from_numpy(noise.normal(size=(2, 50, 2)))
    zs = centre[:, None] + spread[:, None] * eps
    page = visit.page.evaluate(
        """(zs) => m.module.readPads(m.traits).map((data, k) => {
          const { imageOf, inside, nearest } = m.module;
          const { radius } = m.traits.get("picture");
          const of = (f) => (from) => f(data.sources[from]);
          const both = (f) => ["prior", "fitted"].map(of(f));
          return {
            codes: data.codes,
            images: zs[k].map((z) => Array.from(imageOf(data, z))),
            nearest: zs[k].map((z) => nearest(data, z)),
            inside: both((source) => inside(data, source, radius)),
            draws: both(({ draws }) => draws),
            lost: both(({ draws }) => draws.map((z) => nearest(data, z).lost)),
            strips: both(({ draws }) => draws.map((z) => Array.from(imageOf(data, z)))),
          };
        })""",
        zs.tolist(),
    )
    exact = {"rtol": 0, "atol": 1e-5}
    for k, found in enumerate(page):
        np.testing.assert_array_equal(found["codes"], pads.now.codes[k])
        images = pads.now.probabilities(k, zs[k])
        np.testing.assert_allclose(found["images"], images, **exact)
        distance, _ = cKDTree(pads.now.codes[k]).query(zs[k])
        here = found["nearest"]
        np.testing.assert_allclose([n["distance"] for n in here], distance, **exact)
        away = (zs[k] - pads.now.codes[k][[n["row"] for n in here]]).norm(dim=1)
        np.testing.assert_allclose(away, distance, **exact)
        for j, source in enumerate(WORDS):
            draws = pads.now.draws(source)[k].flatten(0, 1)
            np.testing.assert_allclose(found["draws"][j], draws, **exact)
            strips = pads.now.probabilities(k, draws)
            np.testing.assert_allclose(found["strips"][j], strips, **exact)
            lost = pads.now.where_no_code_is(source)[k].flatten()
            assert found["lost"][j] == lost.tolist()
            assert found["inside"][j] == pads.now.codes_inside(source)[k]
    assert visit.problems == []
