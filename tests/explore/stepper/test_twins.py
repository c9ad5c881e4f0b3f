"""EM in the page is EM in Python, to its collapses."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from browser.drive import STAND_IN
from explore.made import make_stepper, petals
from explore.stepper.oracle import PAGE_RUN, POSITIONS, RUNS, run_from

from vaebook.em import (
    CollapsedComponentError,
    GaussianMixture,
    e_step,
    fit_em,
    gaussian_start,
    lower_bound,
)


@pytest.mark.browser
@pytest.mark.parametrize("start", RUNS, ids=lambda start: str(start[0]))
def test_em_in_the_page_equals_python(start, show):
    visit = show(make_stepper())
    visit.page.evaluate(STAND_IN)
    page = visit.page.evaluate(PAGE_RUN, [start, POSITIONS])
    run, log_lik, bounds = run_from(start)
    close = {"rtol": 0, "atol": 1e-9}
    for name in ("weights", "mu", "cov"):
        theirs = np.array([mixture[name] for mixture in page["path"]])
        ours = torch.stack([getattr(mixture, name) for mixture in run.path])
        np.testing.assert_allclose(theirs, ours, **close)
    np.testing.assert_allclose(page["logLik"], log_lik, **close)
    np.testing.assert_allclose(page["bounds"], [log_lik[0], *bounds], **close)
    assert page["end"] == ("converged" if run.converged else "steps")
    ends = zip(pairwise(run.path), page["slices"], strict=True)
    for (a, b), rows in ends:
        np.testing.assert_allclose(rows, heights_between(a, b), **close)
        bound = {s: height for s, _, height in rows}
        assert max(bound.values()) == bound[1]


def clumped(share):
    """Thirty rows, and ten whose least variance is that share of the whole's."""
    angle = 2 * np.pi * np.arange(10)[:, None] / 10
    circle = np.hstack([np.cos(angle), np.sin(angle)])  # variance one half
    wide, middle = np.random.default_rng(0).normal(size=(30, 2)), np.full((10, 2), 6)
    whole = np.concatenate([wide, middle]).var(0).max()
    x = np.concatenate([wide, middle + np.sqrt(2 * share * whole) * circle])
    return torch.from_numpy(x * [1, 100])


def in_page_and_python(show, x, means):
    """EM in the page, and ``fit_em`` with so many steps: both from ``means`` on x."""
    page = show(make_stepper()).page
    page.evaluate(STAND_IN)
    page.evaluate("(x) => m.model.set('x', x)", x.tolist())
    start = gaussian_start(x, torch.tensor(means, dtype=torch.float64))

    def run(max_steps=40):
        return fit_em(x, start, tol=1e-4 / len(x), max_steps=max_steps)

    return page.evaluate(PAGE_RUN, [means, []]), run


@pytest.mark.browser
def test_a_clump_collapses_at_the_step_where_python_says_so(show):
    page, run = in_page_and_python(show, clumped(0.5e-10), [[0, 0], [6, 600]])
    steps = len(page["path"])
    assert page.get("fault") == {"k": 1, "kind": "flat"} and steps > 2
    assert len(run(steps - 2).path) == steps - 1
    with pytest.raises(CollapsedComponentError, match=r"component 1: .* 5e-11 of"):
        run(steps - 1)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("x", "means"),
    [(clumped(2e-10), [[0, 0], [6, 600]]), (petals(), [[3e5, 3e5], [3e5, 3e5]])],
    ids=["a tight clump", "a start far away"],
)
def test_what_python_fits_is_no_collapse(x, means, show):
    page, run = in_page_and_python(show, x, means)
    expected = run()
    assert page["end"] == "converged" and expected.converged
    log_lik = len(x) * expected.objective[-1]
    assert page["logLik"][-1] == pytest.approx(log_lik, abs=1e-3)


def heights_between(a, b):
    """Rows (s, log-likelihood, bound that touches at a) where a mixture lies."""
    x, rows = petals(), []
    log_resp = e_step(a, x).log_resp
    for s in POSITIONS:
        at = GaussianMixture(*(torch.lerp(p, q, s) for p, q in zip(a, b, strict=True)))
        if (at.weights > 0).all() and (torch.linalg.eigvalsh(at.cov) > 0).all():
            log_lik = e_step(at, x).log_evidence.sum()
            rows.append([s, log_lik, lower_bound(at, x, log_resp).sum()])
    return rows


SHIPPED = """() => m.module.readRuns(m.traits).map(({ path, ...rest }) => {
  const of = (name) => path.map((mixture) => mixture[name]);
  return { ...rest, weights: of("weights"), mu: of("mu"), cov: of("cov") };
})"""


@pytest.mark.browser
def test_the_page_reads_the_runs_that_python_shipped(show):
    stepper = make_stepper(RUNS[2], presets={"poor": RUNS[3]})
    visit = show(stepper)
    visit.page.evaluate(STAND_IN)
    for found, start in zip(visit.page.evaluate(SHIPPED), RUNS[2:4], strict=True):
        run, log_lik, bounds = run_from(start)
        for name in ("weights", "mu", "cov"):
            ours = torch.stack([getattr(mixture, name) for mixture in run.path])
            np.testing.assert_allclose(found[name], ours, rtol=1e-12)
        np.testing.assert_allclose(found["logLik"], log_lik, rtol=1e-12)
        np.testing.assert_allclose(found["bounds"], [log_lik[0], *bounds], rtol=1e-12)
        assert found["end"] == ("converged" if run.converged else "steps")
