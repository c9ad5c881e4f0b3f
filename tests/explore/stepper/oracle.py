"""Runs of EM by the book's own functions, and by those of the page."""

from itertools import pairwise

import numpy as np
import torch
from explore.made import GOOD, make_stepper, petals

from vaebook.em import e_step, fit_em, gaussian_start, lower_bound

POOR = [[5.2, 2.3], [1.6, 0.2]]
COLLAPSING = [[2.17, 1.92], [5.02, 1.74]]
RUNS = [  # starts on the petals; in the last the means nearly agree
    GOOD,
    POOR,
    [[1.5, 0.3], [4.3, 1.3], [5.6, 2.0]],
    [[2.45, 0.8], [5.72, 2.15], [5.39, 0.67]],
    [[4.0, 1.3], [4.0, 1.31]],
]


def make_choice():
    return make_stepper(presets={"good": GOOD, "poor": POOR})


def run_from(start, num_steps=40):
    """EM by the book's own functions, and the bound that each M-step reached."""
    x = petals()
    first = gaussian_start(x, torch.tensor(start, dtype=torch.float64))
    run = fit_em(x, first, tol=1e-4 / 150, max_steps=num_steps)
    bounds = [
        lower_bound(to, x, e_step(at, x).log_resp).sum().item()
        for at, to in pairwise(run.path)
    ]
    return run, 150 * np.array(run.objective), np.array(bounds)


PAGE_RUN = """([start, positions]) => {
  const { eStep, fitEm, sliceHeights, startFrom } = m.module;
  const x = m.model.get("x");
  const { least_gain: leastGain, limits } = m.traits.pick("least_gain", "limits");
  const settings = { maxSteps: 40, leastGain, limits };
  const run = fitEm(x, startFrom(x, start), settings);
  const slices = run.path.slice(0, -1).map((from, t) =>
    sliceHeights(x, [from, run.path[t + 1]], [eStep(from, x)], positions));
  return { ...run, slices };
}"""
POSITIONS = [-0.3, -0.1, 0, 0.35, 0.8, 1, 1.2, 1.5]
