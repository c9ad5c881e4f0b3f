"""The latent explorer's page computes what Python computes."""

import numpy as np
import pytest
import torch
from browser.drive import STAND_IN
from explore.made import make_latent

from vaebook.explore import LatentExplorer
from vaebook.vae import VAE

EVALUATE = """([zs, xs]) => {
  const { decode, elboTerms, readModel, sigmoid } = m.module;
  const { net, eps } = readModel(m.traits);
  const terms = xs.map((x) => elboTerms(net, x, eps));
  const list = (key) => terms.map((t) => Array.from(t[key]));
  const number = (key) => terms.map((t) => t[key]);
  return {
    logits: zs.map((z) => Array.from(decode(net, z))),
    probabilities: zs.map((z) => Array.from(decode(net, z), sigmoid)),
    mu: list("mu"), log_var: list("logVar"), kl_per_latent: list("klPerLatent"),
    kl: number("kl"), expected_log_lik: number("expectedLogLik"), elbo: number("elbo"),
  };
}"""


@pytest.mark.browser
@pytest.mark.parametrize("latent_dim", [1, 2, 8])
def test_the_page_equals_python(latent_dim, show):
    explorer = make_latent(latent_dim)
    visit = show(explorer)
    visit.page.evaluate(STAND_IN)
    noise = np.random.default_rng(3)
    zs = 2 * noise.normal(size=(100, latent_dim))
    xs = (noise.random((100, 64)) < noise.random((100, 1))).astype(float)
    page = visit.page.evaluate(EVALUATE, [zs.tolist(), xs.tolist()])
    terms = explorer.terms(torch.from_numpy(xs))._asdict()
    with torch.no_grad():
        terms["logits"] = explorer.model.decoder(torch.from_numpy(zs))
    terms["probabilities"] = terms["logits"].sigmoid()
    for name, expected in terms.items():
        np.testing.assert_allclose(page[name], expected, rtol=0, atol=1e-5)
    assert np.min(page["kl_per_latent"]) >= 0
    assert visit.problems == []


@pytest.mark.browser
def test_the_page_equals_python_on_larger_images(show):
    rng = torch.Generator().manual_seed(0)
    x = (torch.rand(5, 784, generator=rng) < 0.3).float()
    model = VAE(784, (32,), 3, rng=rng)
    explorer = LatentExplorer(model, x, torch.arange(5), rng=rng)
    visit = show(explorer)
    visit.page.evaluate(STAND_IN)
    page = visit.page.evaluate(EVALUATE, [[[1, 0, -1]], x.tolist()])
    expected = explorer.terms(x).elbo
    np.testing.assert_allclose(page["elbo"], expected, rtol=0, atol=1e-5)
    assert visit.page.locator(".latent-cell").count() == 784
    assert visit.problems == []
