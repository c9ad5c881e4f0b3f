"""The two posteriors and any q over them, by scipy and dense sums."""

import numpy as np
import pytest
from scipy import stats

ELLIPSES = [  # (mean, standard deviations along the axes, angle of the first)
    ([0.3, 1.0], [0.7, 0.35], 15.0),
    ([-1.4, -0.6], [0.15, 1.7], 130.0),
    ([0.9, 0.9], [1.0, 0.23], -45.0),
]
each_target = pytest.mark.parametrize("target", ["gaussian", "banana"])


def random_ellipses(count=60):
    noise = np.random.default_rng(11)
    mu = noise.uniform(-2.5, 2.5, (count, 2))
    lengths = np.exp(noise.uniform(np.log(0.15), np.log(1.8), (count, 2)))
    angles = noise.uniform(-180, 180, count)
    return list(zip(mu.tolist(), lengths.tolist(), angles.tolist(), strict=True))


def lay(explorer, mu, lengths, angle):
    explorer.mu, explorer.lengths, explorer.angle = mu, lengths, angle
    return explorer


def scipy_q(mu, lengths, angle):
    turn = np.radians(angle)
    first = np.array([np.cos(turn), np.sin(turn)])
    second = np.array([-np.sin(turn), np.cos(turn)])
    cov = lengths[0] ** 2 * np.outer(first, first)
    cov += lengths[1] ** 2 * np.outer(second, second)
    return stats.multivariate_normal(mu, cov)


def scipy_joint(target, z):
    curve = (
        z[..., 0] + z[..., 1] if target == "gaussian" else z[..., 1] + z[..., 0] ** 2
    )
    x, sigma = (1.9, 1 / 3) if target == "gaussian" else (2, 0.5)
    return stats.norm.logpdf(z).sum(-1) + stats.norm.logpdf(x, curve, sigma)


def dense(target, half=6.5, count=241):
    """Points of a fine grid, what one is worth, and the log-posterior there."""
    axis = np.linspace(-half, half, count)
    z = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    cell, joint = (axis[1] - axis[0]) ** 2, scipy_joint(target, z)
    return z, cell, joint - np.log(np.exp(joint).sum() * cell)


def grid_forward_kl(target, ellipses):
    z, cell, log_p = dense(target)
    p = np.exp(log_p) * cell
    return [p @ (log_p - scipy_q(*one).logpdf(z)) for one in ellipses]


def grid_reverse_kl(target, ellipses):
    z, _, log_p = dense(target)
    log_p_x = scipy_joint(target, z[0]) - log_p[0]
    axis = np.linspace(-8, 8, 81)
    eps = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    weights = stats.norm.pdf(eps).prod(1) * 0.2**2

    def kl(q):
        z = q.mean + eps @ np.linalg.cholesky(q.cov).T
        return weights @ (q.logpdf(z) + log_p_x - scipy_joint(target, z))

    return [kl(scipy_q(*one)) for one in ellipses]


# gap of the best q: forward or reverse, all or diagonal
BEST = {
    ("gaussian", "reverse"): (0, -0.5 * np.log(1 - 0.81)),
    ("gaussian", "forward"): (0, 0.5 * np.log(1 / (1 - 0.81))),
    ("banana", "reverse"): (0.80615, 0.95311),
    ("banana", "forward"): (0.84649, 0.84649),
}
MIRRORED = ("banana", "reverse", "")
