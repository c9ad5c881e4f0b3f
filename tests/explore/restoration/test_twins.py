"""The page walks the chain that the library walks, given the same noise."""

import numpy as np
import pytest
import torch
from browser.drive import STAND_IN
from explore.made import make_restoration
from scipy import stats

from vaebook.applications import gibbs, psnr, squared_error
from vaebook.explore.restoration.maths import r_hat_of_images

WALK = """(given) => {
  const { imageAt, measured, moved, pooled, readModel } = m.module;
  const model = readModel(m.traits);
  const [factor, seen] = [m.model.get("factor"), m.model.get("seen")];
  const ink = pooled(model.images[0], model.side, factor);
  const task = measured(model, factor, seen, ink);
  let z = Float64Array.from(given.start);
  return given.noise.map((noise) => {
    const one = moved(model, task, z, noise, given.corrected);
    z = one.z;
    return { z: [...z], accept: one.accept, image: [...imageAt(model, task, z)] };
  });
}"""


def noise_of(seed, num_steps, task):
    """What ``gibbs`` draws, in its order, for one chain of one image."""
    rng = torch.Generator().manual_seed(seed)

    def normal(count):
        return torch.empty(1, 1, count, dtype=torch.float64).normal_(generator=rng)

    steps = []
    for _ in range(num_steps):
        x, _, z = normal(64), normal(len(task.weights)), normal(task.model.latent_dim)
        u = torch.empty(1, 1, dtype=torch.float64).uniform_(generator=rng)
        steps.append(
            {"x": x.flatten().tolist(), "z": z.flatten().tolist(), "u": u.item()}
        )
    return steps


@pytest.mark.browser
@pytest.mark.parametrize("corrected", [True, False])
@pytest.mark.parametrize("factor", [1, 2, 8])
def test_the_page_walks_as_the_library_does(show, factor, corrected):
    hidden = torch.arange((8 // factor) ** 2) % 3 == 1
    widget = make_restoration(factor=factor, hidden=hidden)
    task = widget.blocks.task(widget.model)
    start = widget.model.prior_draws(1, rng=torch.Generator().manual_seed(5))[None]
    rng = torch.Generator().manual_seed(6)
    chain = gibbs(task, start, 40, corrected=corrected, rng=rng)
    visit = show(widget)
    visit.page.evaluate(STAND_IN)
    given = {
        "start": start.flatten().tolist(),
        "noise": noise_of(6, 40, task),
        "corrected": corrected,
    }
    page = visit.page.evaluate(WALK, given)
    z = chain.z[:, 0, 0]
    np.testing.assert_allclose([one["z"] for one in page], z, rtol=0, atol=1e-5)
    with torch.no_grad():
        images = task.mean_image(z[:, None])[:, 0]
    np.testing.assert_allclose(
        [one["image"] for one in page], images, rtol=0, atol=1e-5
    )
    mean = np.mean([one["accept"] for one in page])
    assert mean == pytest.approx(chain.accept.item(), abs=1e-5)
    if corrected:
        assert len({tuple(one["z"]) for one in page}) < 40
    assert visit.problems == []


RUN = """(seed) => {
  const { Run, measured, pooled, psnr, readModel } = m.module;
  const model = readModel(m.traits);
  const [factor, seen] = [m.model.get("factor"), m.model.get("seen")];
  const task = measured(model, factor, seen, pooled(model.images[0], 8, factor));
  const run = new Run({ model, task, count: 8, seed });
  const first = { mean: [...run.spread.mean], sd: [...run.spread.sd] };
  const started = run.images.map((one) => [...one]);
  const kept = [];
  for (let k = 0; k < 600; k++) {
    run.step();
    if (run.steps > 50) kept.push(...run.images.map((one) => [...one]));
  }
  const { mean, sd } = run.spread;
  return { first, started, kept, mean: [...mean], sd: [...sd],
    acceptance: run.acceptance, agreement: run.agreement,
    near: psnr(mean, model.images[0]) };
}"""


@pytest.mark.browser
def test_a_run_averages_what_it_keeps_and_finds_the_library_s_mean(show):
    widget = make_restoration(factor=2, hidden=torch.zeros(16) > 0)
    visit = show(widget)
    visit.page.evaluate(STAND_IN)
    found = visit.page.evaluate(RUN, 3)
    started, kept = np.array(found["started"]), np.array(found["kept"])
    np.testing.assert_allclose(found["first"]["mean"], started.mean(0))
    np.testing.assert_allclose(found["first"]["sd"], started.std(0))
    np.testing.assert_allclose(found["mean"], kept.mean(0))
    np.testing.assert_allclose(found["sd"], kept.std(0), atol=1e-7)

    by_chain = torch.from_numpy(kept).view(-1, 8, 64)
    assert found["agreement"] == pytest.approx(r_hat_of_images(by_chain), rel=1e-6)

    answer = widget.restored()
    np.testing.assert_allclose(found["mean"], answer.mean, atol=0.04)
    np.testing.assert_allclose(found["sd"], answer.sd, atol=0.04)
    z = widget.model.prior_draws(8, rng=torch.Generator().manual_seed(0))[:, None]
    rng, task = torch.Generator().manual_seed(1), widget.blocks.task(widget.model)
    late = gibbs(task, z, 600, rng=rng).accept.item()
    assert found["acceptance"] == pytest.approx(late, abs=0.05)
    mean = torch.tensor(found["mean"]).expand(2, -1)
    assert found["near"] == pytest.approx(
        psnr(squared_error(mean, widget.x[:1])).mean, abs=1e-6
    )


RANDOM = """(seed) => {
  const one = new m.module.Random(seed);
  const uniform = Array.from({ length: 20000 }, () => one.uniform());
  const again = new m.module.Random(seed).uniform();
  return { uniform, normal: [...one.normals(20000)], again };
}"""


@pytest.mark.browser
def test_random_numbers_are_those_of_their_law(show):
    visit = show(make_restoration())
    visit.page.evaluate(STAND_IN)
    found = visit.page.evaluate(RANDOM, 7)
    assert stats.kstest(found["uniform"], "uniform").pvalue > 0.001
    assert stats.kstest(found["normal"], "norm").pvalue > 0.001
    for values in (found["uniform"], found["normal"]):
        lag = np.corrcoef(values[1:], values[:-1])[0, 1]
        assert abs(lag) < 5 / np.sqrt(len(values))
    assert found["again"] == found["uniform"][0]
    # the first number of seed 1, as others print it who implement mulberry32
    assert visit.page.evaluate(RANDOM, 1)["again"] == 0.6270739405881613
    other = visit.page.evaluate(RANDOM, 8)
    assert abs(np.corrcoef(found["normal"], other["normal"])[0, 1]) < 0.036
