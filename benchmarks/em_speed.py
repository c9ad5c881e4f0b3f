"""One EM iteration, full covariances: ours and scikit-learn's, side by side.

Both take the same start through one E-step and one M-step, with the same number of
threads, and must come to the same likelihood and the same mixture. The rounds
alternate inside one run, so the ratios can be trusted where the absolute figures, on
a machine that does other work, cannot.

Run: python benchmarks/em_speed.py
"""

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from sklearn.mixture import GaussianMixture as SklearnMixture
from threadpoolctl import threadpool_limits

from vaebook.em import GaussianMixture, em_step

ROWS, COMPONENTS, ROUNDS = 200_000, 16, 7
MANY_ROWS = 2_000_000
PAUSE = 0.5  # seconds; idle threads of a pool spin for a while, on a core of the other
Result = tuple[tuple[np.ndarray, ...], float]


def make_rows(num_rows: int, dim: int) -> np.ndarray:
    """Draws from ``COMPONENTS`` correlated Gaussians that overlap, shuffled."""
    noise = np.random.default_rng(0)
    x = noise.normal(size=(num_rows, dim))
    for part in np.array_split(x, COMPONENTS):
        part[:] = part @ (np.eye(dim) + 0.3 * noise.normal(size=(dim, dim)) / dim**0.5)
        part += 1.5 * noise.normal(size=dim)
    noise.shuffle(x)
    return x


def make_start(x: np.ndarray) -> GaussianMixture:
    """Sixteen rows as centres, half the covariance of all the data around each."""
    weights = np.full(COMPONENTS, 1 / COMPONENTS)
    cov = np.stack([np.cov(x.T) / 2] * COMPONENTS)
    return GaussianMixture(*map(torch.from_numpy, (weights, x[:COMPONENTS], cov)))


def ours(x: np.ndarray, start: GaussianMixture) -> Result:
    after, objective = em_step(start, torch.from_numpy(x))
    return tuple(value.numpy() for value in after), objective


def theirs(x: np.ndarray, start: GaussianMixture) -> Result:
    weights, mu, cov = (value.numpy() for value in start)
    model = SklearnMixture(COMPONENTS, reg_covar=0)
    model.weights_, model.means_, model.covariances_ = weights, mu, cov
    model.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(cov))
    objective, log_resp = model._e_step(x)
    model._m_step(x, log_resp)
    return (model.weights_, model.means_, model.covariances_), objective


def check(one: Result, other: Result) -> None:
    """The same likelihood to ten digits, the same mixture to nine."""
    np.testing.assert_allclose(one[1], other[1], rtol=1e-10)
    for mine, given in zip(one[0], other[0], strict=True):
        np.testing.assert_allclose(mine, given, rtol=1e-9, atol=1e-9)


def seconds(step: Callable, x: np.ndarray, start: GaussianMixture) -> float:
    """Wall time of one iteration, once the other contender's threads are asleep."""
    time.sleep(PAUSE)
    began = time.perf_counter()
    step(x, start)
    return time.perf_counter() - began


def compare(dim: int, threads: int) -> str:
    x = make_rows(ROWS, dim)
    start = make_start(x)
    torch.set_num_threads(threads)
    with threadpool_limits(threads):
        check(ours(x, start), theirs(x, start))
        rounds = [
            [seconds(step, x, start) for step in (ours, theirs)] for _ in range(ROUNDS)
        ]
    mine, given = map(statistics.median, zip(*rounds, strict=True))
    ratio = statistics.median(given / mine for mine, given in rounds)
    return f"{threads:7} {dim:8} {mine:8.3f} {given:13.3f} {ratio:6.1f}"


def peak_memory(contender: str) -> None:
    """Print the peak of this process, one iteration on two million rows included."""
    x = make_rows(MANY_ROWS, 8)
    {"ours": ours, "theirs": theirs}[contender](x, make_start(x))
    unit = 1 if sys.platform == "darwin" else 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    size = x.nbytes / 2**30
    print(f"  {contender}: peak {used / 2**30:.2f} GiB, of it the data {size:.2f} GiB")


def main() -> None:
    print(
        f"{ROWS} rows, {COMPONENTS} components, median of {ROUNDS} alternating rounds"
    )
    print("threads  columns  ours, s  scikit-learn, s  ratio")
    for threads in (1, 2):
        for dim in (8, 16, 32, 64):
            print(compare(dim, threads), flush=True)
    print(f"One iteration on {MANY_ROWS} rows of 8 columns, each in its own process:")
    for contender in ("ours", "theirs"):
        subprocess.run([sys.executable, __file__, contender], check=True)


if __name__ == "__main__":
    peak_memory(sys.argv[1]) if len(sys.argv) > 1 else main()
