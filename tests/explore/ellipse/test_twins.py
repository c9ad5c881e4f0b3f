"""The ELBO ellipse's page weighs q as Python does."""

import numpy as np
import pytest
import torch
from browser.drive import STAND_IN
from explore.ellipse.oracle import (
    each_target,
    grid_forward_kl,
    lay,
    random_ellipses,
    scipy_q,
)
from explore.made import make_ellipse

from vaebook.bayes import laplace
from vaebook.likelihood import FullGaussian
from vaebook.variational import Banana, full_gaussian_kl

PAGE_TERMS = """(ellipses) => {
  const target = m.model.get("targets")[m.model.get("target")];
  const one = ([mu, lengths, angle]) => ({ mu, lengths, angle });
  return ellipses.map((e) => ({
    ...m.module.terms(target, one(e)), cov: m.module.covOf(one(e)),
  }));
}"""


@pytest.mark.browser
@each_target
def test_the_page_weighs_q_as_python_does(target, show):
    visit, ellipses = show(make_ellipse(target)), random_ellipses()
    visit.page.evaluate(STAND_IN)
    page = visit.page.evaluate(PAGE_TERMS, ellipses)
    page = {key: np.array([one[key] for one in page]) for key in page[0]}
    explorer = make_ellipse(target)
    expected = {"elbo": [], "kl": [], "forwardKl": [], "entropy": [], "klPrior": []}
    prior = FullGaussian(torch.zeros(2).double(), torch.eye(2).double())
    for one in ellipses:
        laid = lay(explorer, *one)
        expected["elbo"].append(laid.now.elbo())
        expected["kl"].append(laid.now.kl())
        expected["forwardKl"].append(laid.now.forward_kl())
        expected["entropy"].append(scipy_q(*one).entropy())
        expected["klPrior"].append(full_gaussian_kl(laid.now.q, prior).item())
    close = {"rtol": 1e-9, "atol": 1e-5}
    for key, values in expected.items():
        np.testing.assert_allclose(page[key], values, **close, err_msg=key)
    whole = page["elbo"] + page["kl"]
    np.testing.assert_allclose(whole, explorer.now.log_evidence(), rtol=0, atol=1e-9)
    split = [page["expectedLogLik"] - page["klPrior"], page["energy"] + page["entropy"]]
    np.testing.assert_allclose(split, [page["elbo"]] * 2, rtol=1e-12, atol=1e-9)
    covs = [scipy_q(*one).cov for one in ellipses]
    np.testing.assert_allclose(page["cov"], covs, rtol=0, atol=1e-12)
    grid = grid_forward_kl(target, ellipses)
    np.testing.assert_allclose(page["forwardKl"], grid, **close)
    assert page["kl"].min() > 0 and page["forwardKl"].min() > 0
    assert visit.problems == []


@pytest.mark.browser
@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"target": "gaussian"}, [1, 1, 1]),
        ({}, [2, 1, 1]),
        ({"banana": Banana(-1.5, 0.8, 0.4)}, [1, 1, 1]),
    ],
)
def test_posterior_contours_lie_at_their_drops(options, count, show):
    explorer = make_ellipse(**options)
    page = show(explorer).page
    page.evaluate(STAND_IN)
    log_joint = explorer.now.target.log_joint
    axis = torch.linspace(-4, 4, 401, dtype=torch.float64)
    z = torch.cartesian_prod(axis, axis)
    start = z[log_joint(z).argmax()]
    top = log_joint(laplace(log_joint, start).gaussian.mu)
    for drop, number in zip((0.5, 2, 4.5), count, strict=True):
        curves = page.evaluate(
            """(drop) => m.module.contours(
              m.model.get("targets")[m.model.get("target")], drop)""",
            drop,
        )
        assert len(curves) == number
        points = torch.from_numpy(np.concatenate(curves))
        below = top - log_joint(points)
        np.testing.assert_allclose(below, drop, atol=1e-6)
        inside = z[log_joint(z) > top - drop]
        for edge in ("amin", "amax"):
            reach = getattr(points, edge)(0)
            np.testing.assert_allclose(reach, getattr(inside, edge)(0), atol=0.03)
