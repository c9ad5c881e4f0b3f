"""Estimates of log p(x) by hand, weight by weight."""

import numpy as np


def by_hand(log_w):
    """Estimate, standard error by the delta method and ESS of weights (S,)."""
    w = np.exp(log_w.numpy())
    error = w.std(ddof=1) / np.sqrt(len(w)) / w.mean()
    return np.log(w.mean()), error, w.sum() ** 2 / (w**2).sum()


def every_start(log_w, sizes):
    """The same of the first s draws: (samplers, runs, sizes, 3)."""
    return np.array(
        [
            [[by_hand(one[:s, r]) for s in sizes] for r in range(one.shape[1])]
            for one in log_w.values()
        ]
    )
