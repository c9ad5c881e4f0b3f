"""What the tests of the gap ledger share: a q per image, and scipy's own numbers."""

import numpy as np
from scipy import special, stats

MOVED = (
    ([0.3, -0.4], [0.5, 0.2]),
    ([-1.1, 0.7], [0.06, 1.3]),
    ([0.0, 0.0], [1.0, 1.0]),
)


def numpy_joint(case, z):
    """log p(x, z) of codes (..., 2), by numpy from the decoder's own weights."""
    h = np.asarray(z)
    layers = list(case.decoder)[::2]
    for k, layer in enumerate(layers):
        h = h @ layer.weight.numpy().T + layer.bias.numpy()
        h = h * special.expit(h) if k < len(layers) - 1 else h
    pixels = case.x.numpy()
    log_lik = -np.logaddexp(0, np.where(pixels > 0, -h, h)).sum(-1)
    return log_lik + stats.norm.logpdf(z).sum(-1)


def numpy_log_weights(case, mu, sigma, eps):
    z = np.array(mu) + np.array(sigma) * eps
    return numpy_joint(case, z) - stats.norm.logpdf(z, mu, sigma).sum(-1)
