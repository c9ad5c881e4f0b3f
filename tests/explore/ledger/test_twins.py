"""The gap ledger's page computes what Python does, to 1e-5."""

import numpy as np
import pytest
import torch
from browser.drive import STAND_IN
from explore.ledger.oracle import MOVED
from explore.made import make_ledger

from vaebook.explore.ledger.maths import Q

PAGE = """(given) => {
  const ledger = m.module.readLedger(m.traits);
  return ledger.cases.map((one) => given.map(([mu, sigma]) => {
    const q = { mu, sigma };
    const climb = new m.module.Climb({
      ledger, x: one.x, adam: m.model.get("adam"), reach: m.model.get("reach"), q });
    while (climb.more) climb.next();
    return {
      joint: m.module.logJoint(ledger.net, one.x, mu),
      slope: m.module.slopeAt(ledger.net, one.x, mu),
      bounds: m.model.get("choices").map(
        (draws) => m.module.weightedBound(ledger, one.x, q, draws)),
      gaps: m.module.gapsOf(ledger, one, q, 4),
      refined: [...climb.q.mu, ...climb.q.sigma],
    };
  }));
}"""


@pytest.mark.browser
def test_the_page_measures_and_refines_q_as_python_does(show):
    widget = make_ledger()
    visit = show(widget)
    visit.page.evaluate(STAND_IN)
    page = visit.page.evaluate(PAGE, [list(pair) for pair in MOVED])
    for case, found in zip(widget.ledgers, page, strict=True):
        for (mu, sigma), one in zip(MOVED, found, strict=True):
            q, close = Q(mu, sigma), {"rtol": 0, "atol": 1e-5}
            z = torch.tensor(mu, dtype=torch.float64, requires_grad=True)
            joint = case.log_joint(z)
            assert one["joint"] == pytest.approx(joint.item(), abs=1e-5)
            (slope,) = torch.autograd.grad(joint, z)
            np.testing.assert_allclose(one["slope"], slope, **close)

            gaps = case.gaps(q, 4, widget.measure)
            names = ("logEvidence", "elbo", "amortisation", "approximation", "weighted")
            shown = [one["gaps"][name] for name in names]
            np.testing.assert_allclose(shown, gaps, **close)
            bounds = [
                case.weighted_bound(q, draws, widget.measure)
                for draws in widget.choices
            ]
            np.testing.assert_allclose(one["bounds"], bounds, **close)
            last = case.refined(q, widget.measure)[-1]
            np.testing.assert_allclose(one["refined"], [*last.mu, *last.sigma], **close)
    assert visit.problems == []
