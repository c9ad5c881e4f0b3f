"""What the draws are worth in the page is what they are worth in Python."""

import numpy as np
import pytest
import torch
from browser.drive import STAND_IN
from explore.made import make_proposal

from vaebook.monte_carlo import (
    effective_sample_size,
    self_normalized_estimate,
    tail_index,
)

SUMMARIES = """(settings) => settings.map(([mean, sd, count]) => {
  const q = { mean, sd, target: m.model.get("target_sd") };
  const eps = m.module.readNoise(m.traits).slice(0, count);
  const fewest = m.traits.get("picture").fewest_for_tail;
  const { z, ess, largest, square, tail } = m.module.summarise(eps, q, fewest);
  const last = m.module.logWeights(eps, q).at(-1);
  const { value, se } = square;
  return [z.at(-1), last, ess, largest, value, se, tail, m.module.limit(q)];
})"""


@pytest.mark.browser
@pytest.mark.parametrize("target_sd", [1, 0.7])
def test_what_the_draws_are_worth_in_the_page_equals_python(target_sd, show):
    explorer = make_proposal(0, 1, target_sd=target_sd)
    visit = show(explorer)
    visit.page.evaluate(STAND_IN)
    noise = np.random.default_rng(4)
    settings = [
        [target_sd * noise.uniform(-4, 4), target_sd * np.exp(log_sd), int(count)]
        for log_sd, count in zip(
            noise.uniform(np.log(0.1), np.log(5), 100),
            [10, 24, 25, 2000, *np.exp(noise.uniform(np.log(10), np.log(2000), 96))],
            strict=True,
        )
    ]
    page = visit.page.evaluate(SUMMARIES, settings)
    for setting, found in zip(settings, page, strict=True):
        explorer.mean, explorer.sd, explorer.num_samples = setting
        z, log_w = explorer.now.draws(), explorer.now.log_w()
        square = self_normalized_estimate(z**2, log_w)
        few = setting[-1] < 25
        expected = [
            z[-1],
            log_w[-1],
            effective_sample_size(log_w),
            torch.softmax(log_w, 0).max(),
            square.mean,
            square.standard_error,
            None if few else tail_index(log_w),
            explorer.now.ess_limit(),
        ]
        if few:
            assert found.pop(6) is expected.pop(6) is None
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert visit.problems == []
