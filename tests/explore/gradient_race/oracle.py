"""Settings of the race of two gradients, and its functions with their slopes."""

import numpy as np

FUNCTIONS = {  # f and its derivative
    "square": (lambda x: x**2, lambda x: 2 * x),
    "cos x": (lambda x: np.cos(x), lambda x: -np.sin(x)),
    "cos 2x": (lambda x: np.cos(2 * x), lambda x: -2 * np.sin(2 * x)),
    "cos 4x": (lambda x: np.cos(4 * x), lambda x: -4 * np.sin(4 * x)),
}
BINS = {1: 80, 2: 80, 5: 160, 10: 160, 20: 160, 50: 320, 100: 320}
RACES = [  # theta, batch, baseline, target: every choice with every target
    [round(float(theta), 1), int(batch), baseline, target]
    for (target, baseline), theta, batch in zip(
        [(t, b) for t in FUNCTIONS for b in ("none", "mean", "optimal")] * 5,
        np.random.default_rng(5).uniform(-3, 3, 60),
        np.random.default_rng(6).choice(list(BINS), 60),
        strict=True,
    )
]
