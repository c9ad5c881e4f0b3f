"""What many tests share: noise, tolerances, a model whose answers are known."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy import stats

pytest_plugins = ("browser.chromium", "browser.firefox", "browser.book")


def pytest_xdist_auto_num_workers() -> int:
    """``-n auto``: two more than cores, as half of a browser's time is waiting."""
    return (os.cpu_count() or 1) + 2


def pytest_configure() -> None:
    """Workers side by side take a core each: what is this small is fastest so."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the built book are marked as such; they come last, after the browser's.

    What is slow is so explained by what is quick.
    """
    for item in items:
        if "built_site" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.book)
    items.sort(key=lambda item: ("book" in item.keywords, "browser" in item.keywords))


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> torch.Generator:
    """Seed 0; ``@pytest.mark.parametrize("rng", range(5), indirect=True)`` for more."""
    return torch.Generator().manual_seed(getattr(request, "param", 0))


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """What is this small is fastest so, and far slower with two on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def apart() -> Callable[..., object]:
    """``apart(call, *args)``: called in a thread of its own, where no event loop runs.

    Playwright keeps one running in a worker's own thread.
    """

    def call(
        function: Callable[..., object], *given: object, **named: object
    ) -> object:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(function, *given, **named).result()

    return call


@pytest.fixture
def assert_within() -> Callable[..., None]:
    """``assert_within(estimate, truth, se, k=5)``: within k standard errors, each."""

    def check(estimate, truth, se, k: float = 5.0) -> None:
        estimate, truth, se = (
            np.asarray(v, dtype=float) for v in (estimate, truth, se)
        )
        assert np.all(np.isfinite(se)) and np.all(se > 0), f"standard errors {se}"
        distance = np.abs(estimate - truth) / se
        assert np.all(distance <= k), (
            f"{estimate} is {distance.max():.2f} standard errors from {truth}; "
            f"{k:g} are allowed"
        )

    return check


@dataclass(frozen=True)
class LinearGaussian:
    """z ~ N(0, I), x | z ~ N(W z + b, sigma^2 I): all of it known in closed form.

    Tensors of float64: ``W`` (D, L), ``b`` (D,), ``x`` (N, D), ``log_evidence`` (N,),
    ``posterior_mu`` (N, L), ``posterior_cov`` (L, L) and its inverse
    ``posterior_precision``; ``sigma`` is a float.
    """

    W: torch.Tensor
    b: torch.Tensor
    sigma: float
    x: torch.Tensor
    log_evidence: torch.Tensor
    posterior_mu: torch.Tensor
    posterior_cov: torch.Tensor

    @property
    def posterior_precision(self) -> torch.Tensor:
        return torch.linalg.inv(self.posterior_cov)


@pytest.fixture(scope="session")
def linear_gaussian() -> LinearGaussian:
    """Six data of five dimensions, two latents; answers by numpy and scipy alone.

    The posterior is read off the joint Gaussian of (z, x); no formula of the book
    is used.
    """
    noise, sigma = np.random.default_rng(7), 0.6
    W, b = noise.normal(size=(5, 2)), noise.normal(size=5)
    marginal = W @ W.T + sigma**2 * np.eye(5)
    x = noise.multivariate_normal(b, marginal, size=6)
    gain = np.linalg.solve(marginal, W).T
    return LinearGaussian(
        W=torch.from_numpy(W),
        b=torch.from_numpy(b),
        sigma=sigma,
        x=torch.from_numpy(x),
        log_evidence=torch.from_numpy(stats.multivariate_normal(b, marginal).logpdf(x)),
        posterior_mu=torch.from_numpy((x - b) @ gain.T),
        posterior_cov=torch.from_numpy(np.eye(2) - gain @ W),
    )
