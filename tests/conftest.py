"""What many tests share: noise, a model with known answers, a browser, the site."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch
from scipy import stats

from vaebook.site.serve import server

ROOT = Path(__file__).parents[1]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOW_TO_INSTALL = (
    "Chromium was not found. On Debian: apt-get install chromium. "
    "Elsewhere: .venv/bin/python -m playwright install chromium"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser tests come last: they are slow, and the others explain them."""
    items.sort(key=lambda item: "browser" in item.keywords)


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


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """A headless Chromium; without one a skip that says so, in CI a failure."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = [shutil.which(name) for name in CHROMIUM_NAMES]
        path = next(filter(None, found), playwright.chromium.executable_path)
        if not Path(path).exists():
            (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_INSTALL)
        running = playwright.chromium.launch(
            executable_path=path, args=list(CHROMIUM_FLAGS)
        )
        yield running
        running.close()


@dataclass
class Visit:
    """A browser page and everything that went wrong on it so far."""

    page: object
    problems: list[str] = field(default_factory=list)
    requests: list = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", self._request)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)

    def open(self, url: str) -> None:
        """Load ``url``, wait for its mathematics, and scroll past every figure."""
        self.page.goto(url, wait_until="load")
        self.page.evaluate("() => window.MathJax?.startup?.promise.then(() => null)")
        self.page.evaluate(SCROLL)
        self.page.wait_for_load_state("networkidle")

    def _console(self, message) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console {message.type}: {message.text}")

    def _request(self, request) -> None:
        self.requests.append(request)
        parts = urlsplit(request.url)
        local = parts.hostname == "127.0.0.1" or parts.scheme in LOCAL_SCHEMES
        if not local:
            self.problems.append(f"request off the site: {request.url}")

    def _failed(self, request) -> None:
        """A request that a click on a link cut short is no problem."""
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"request failed: {request.url} {request.failure}")

    def _response(self, response) -> None:
        if response.status >= 400:
            self.problems.append(f"status {response.status}: {response.url}")


LOCAL_SCHEMES = ("file", "data", "blob", "about")
SCROLL = """async () => {
  const pause = () => new Promise((done) => setTimeout(done, 40));
  for (let y = 0; y < document.body.scrollHeight; y += 600) {
    window.scrollTo(0, y);
    await pause();
  }
  window.scrollTo(0, 0);
  await pause();
}"""


@pytest.fixture
def page_factory(browser) -> Iterator[Callable[..., Visit]]:
    """``page_factory(width=1280, height=900, color_scheme="light", ...)`` -> Visit.

    Further keywords go to Playwright's ``new_context`` (``has_touch=True``, ...).
    """
    contexts = []

    def make(width: int = 1280, height: int = 900, **options) -> Visit:
        size = {"width": width, "height": height}
        contexts.append(browser.new_context(viewport=size, **options))
        visit = Visit(contexts[-1].new_page())
        visit.watch()
        return visit

    yield make
    for context in contexts:
        context.close()


@dataclass(frozen=True)
class Site:
    """The built book: its folder, and the address at which it is served."""

    folder: Path
    url: str

    def http(self, page: str) -> str:
        return f"{self.url}/{page}"

    def file(self, page: str) -> str:
        return (self.folder / page).as_uri()


def build_book(folder: Path) -> subprocess.CompletedProcess:
    """Run the README's command in ``folder``, its output captured."""
    tool = shutil.which("jupyter-book", path=str(Path(sys.executable).parent))
    command = [tool, "build", ".", "-W", "-n", "--keep-going"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture(scope="session")
def built_site() -> Path:
    """Folder of the site, brought up to date by the command of the README."""
    build = build_book(ROOT)
    if build.returncode:
        pytest.fail(f"the book does not build:\n{build.stdout[-2000:]}{build.stderr}")
    return ROOT / "_build" / "html"


@pytest.fixture(scope="session")
def site(built_site: Path) -> Iterator[Site]:
    """The site, served compressed on a free port of the loopback address."""
    running = server(built_site)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield Site(built_site, f"http://127.0.0.1:{running.server_port}")
    running.shutdown()
    running.server_close()
    thread.join()
