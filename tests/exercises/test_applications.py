"""Exercises of chapter 12 against numpy, scipy, scikit-learn and joint Gaussians."""

import numpy as np
import pytest
import torch
from exercises.answers import assert_recognised
from scipy import optimize, special, stats
from sklearn.metrics import mutual_info_score


def by_squared_errors():
    """Of a mean with a squared error of 10^-1.7."""
    return float(-10 * np.log10(2 * 10**-1.7))


def by_least_squares(x, y, factor):
    """The least move under the constraints, by numpy's pseudo-inverse."""
    height, width = x.shape
    rows = []
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            row = np.zeros((height, width))
            row[i * factor : (i + 1) * factor, j * factor : (j + 1) * factor] = 1
            rows.append(row.ravel() / factor**2)
    a = np.array(rows)
    short = y.numpy().ravel() - a @ x.numpy().ravel()
    moved = x.numpy().ravel() + np.linalg.pinv(a) @ short
    return torch.from_numpy(moved.reshape(height, width))


def by_numpy_ratio(joint_new, joint_old, q_new, q_old):
    wide = [
        v.numpy().astype(np.longdouble) for v in (joint_new, joint_old, q_new, q_old)
    ]
    gain = (wide[0] - wide[1]) - (wide[2] - wide[3])
    return torch.from_numpy(np.exp(np.minimum(gain, 0)).astype(float))


def by_joint(f, weights, y, var, sigma):
    """Conditioning the joint Gaussian of image and measurement, by its blocks."""
    f, a, y, var = (v.numpy() for v in (f, weights, y, var))
    image = np.diag(var)
    seen = a @ image @ a.T + sigma**2 * np.eye(len(a))
    return torch.from_numpy(f + image @ a.T @ np.linalg.inv(seen) @ (y - a @ f))


def held_by_counting(draws, truth):
    inside = [
        2 <= sum(d < t for d in column) <= len(column) - 2
        for column, t in zip(draws.T.tolist(), truth.tolist(), strict=True)
    ]
    return float(np.mean(inside))


def by_a_paired_test(ours, theirs):
    """The mean, and the standard error that a paired t-test divides it by."""
    gain = (ours - theirs).numpy()
    return torch.tensor([gain.mean(), stats.sem(gain)])


def by_entropies(bounds, rho):
    """With the KL by scipy."""
    rho = rho.numpy()
    return float(rho @ bounds.numpy() - stats.entropy(rho, np.ones(len(rho))))


def by_climbing(bounds):
    """The largest bound over beliefs, by scipy, from equal ones."""
    bounds = bounds.numpy()

    def minus_bound(scores):
        rho = special.softmax(scores)
        return -(rho @ (bounds - bounds.max()) + special.entr(rho).sum())

    found = optimize.minimize(minus_bound, np.zeros(len(bounds)), tol=1e-14)
    return torch.from_numpy(special.softmax(found.x))


def by_sklearn(counts):
    """Digits counted one by one, fractions of none."""
    rows, columns = np.nonzero(counts.numpy())
    times = counts.numpy()[rows, columns].astype(int)
    return mutual_info_score(rows.repeat(times), columns.repeat(times))


ORACLES = {
    "applications.1": by_squared_errors,
    "applications.2": by_least_squares,
    "applications.3": by_numpy_ratio,
    "applications.4": by_joint,
    "applications.5": held_by_counting,
    "applications.6": by_a_paired_test,
    "applications.7": by_entropies,
    "applications.8": by_climbing,
    "applications.9": by_sklearn,
}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("applications.1", 14),
        ("applications.1", 13.99),
        (
            "applications.2",
            lambda x, y, f: (
                x
                + torch.kron(y, torch.ones(f, f))
                - torch.kron(
                    torch.nn.functional.avg_pool2d(x[None], f)[0], torch.ones(f, f)
                )
            ),
        ),
        (
            "applications.3",
            lambda a, b, c, d: torch.exp(torch.fmin(a - b - c + d, 0 * a)),
        ),
        ("applications.5", lambda d, t: np.float64(held_by_counting(d, t))),
        (
            "applications.8",
            lambda b: (b - b.max()).exp() / (b - b.max()).exp().sum(),
        ),
        ("applications.9", lambda c: np.float64(by_sklearn(c))),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        ("applications.1", 17, "the spread of the posterior on top"),
        ("applications.1", 20.01, "the other sign"),
        ("applications.1", 10.98, "the squared error is doubled"),
        (
            "applications.2",
            lambda x, y, f: torch.kron(y, torch.ones(f, f)),
            "within them is to stay",
        ),
        (
            "applications.3",
            lambda a, b, c, d: torch.exp(a - b + c - d).clamp(max=1),
            "changed places",
        ),
        (
            "applications.4",
            lambda f, a, y, v, s: (
                f + (a * v).T @ torch.linalg.inv((a * v) @ a.T) @ (y - a @ f)
            ),
            "believed too much",
        ),
        (
            "applications.5",
            lambda d, t: ((d.min(0)[0] < t) & (t < d.max(0)[0])).double().mean(),
            "the second of each",
        ),
        (
            "applications.6",
            lambda a, b: torch.tensor(
                [(a - b).mean(), np.std((a - b).numpy(), ddof=1)]
            ),
            "a mean of P varies by",
        ),
        ("applications.7", lambda b, r: r @ b, "cost is missing"),
        ("applications.8", lambda b: b - b.logsumexp(0), "exponentiate"),
        (
            "applications.9",
            lambda c: by_sklearn(c) / np.log(2),
            "take the natural logarithm",
        ),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    assert_recognised(said(name, answer), advice)
