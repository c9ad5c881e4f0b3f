"""A headless Chromium, and pages of it that record all that goes wrong."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

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


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What drives every browser of a worker; a thread can run one only."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A headless Chromium; without one a skip that says so, in CI a failure."""
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
    """A browser page and everything that went wrong on it so far.

    ``name`` is the page's, where it was noted; ``asked`` are the requests of its
    opening, of which ``unscrolled`` came before anybody scrolled.
    """

    page: Page
    problems: list[str] = field(default_factory=list)
    requests: list = field(default_factory=list)
    name: str = ""
    unscrolled: int = 0
    asked: list = field(default_factory=list)

    def watch(self) -> None:
        self.page.add_init_script(NOTE_SHIFTS)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", self._request)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)

    def open(self, url: str) -> None:
        """Load ``url``, scroll past every figure; wait each time for what is asked."""
        self.arrive(url)
        self.page.wait_for_load_state("networkidle")
        self.unscrolled = len(self.requests)
        self.page.evaluate(SCROLL)
        self.page.wait_for_load_state("networkidle")

    def arrive(self, url: str) -> None:
        """Load ``url`` until it is drawn.

        A busy machine's Chromium has been seen to leave a page undrawn for ever: no
        frame came, and so nothing that waits for one. It is loaded again.
        """
        for _ in range(3):
            self.page.goto(url, wait_until="load")
            if self.page.evaluate(DRAWN):
                return
        raise AssertionError(f"the browser draws no frame of {url}")

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


DRAWN = """() => new Promise((done) => {
  requestAnimationFrame(() => done(true));
  setTimeout(() => done(false), 10000);
})"""
# In window.shifts: how much moved at once, and the outlines of what did
NOTE_SHIFTS = """window.shifts = [];
if (PerformanceObserver.supportedEntryTypes.includes("layout-shift"))
  new PerformanceObserver((list) => {
    const outer = (node) => (node?.nodeType === 1 ? node : node?.parentElement);
    for (const { value, sources, startTime } of list.getEntries())
      window.shifts.push({
        value,
        startTime,
        scrollY,
        outside: sources
          .map(({ node, previousRect, currentRect }) =>
            [outer(node), previousRect.top, currentRect.top])
          .filter(([one]) => one && !one.closest(".vb-widget"))
          .map(([one, ...tops]) => [one.cloneNode().outerHTML.slice(0, 100), ...tops]),
      });
  }).observe({ type: "layout-shift", buffered: true });"""
LOCAL_SCHEMES = ("file", "data", "blob", "about")
# Screen by screen, as a finger would: what is not far below has time to be laid out.
# A frame that doesn't come is not waited for.
SCROLL = """async () => {
  const pause = () => new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done, 15));
    setTimeout(done, 500);
  });
  for (let y = 0; y < document.body.scrollHeight; y += 0.4 * innerHeight) {
    window.scrollTo(0, y);
    await pause();
  }
  window.scrollTo(0, 0);
  await pause();
}"""


@contextmanager
def fresh_page(
    browser: Browser, width: int, height: int, **options: object
) -> Iterator:
    """A page in a context of its own, watched; further options are Playwright's."""
    size = {"width": width, "height": height}
    context = browser.new_context(viewport=size, **options)
    visit = Visit(context.new_page())
    visit.watch()
    yield visit
    context.close()


@pytest.fixture
def page_factory(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """``page_factory(width=1280, height=900, color_scheme="light", ...)`` -> Visit.

    Further keywords go to Playwright's ``new_context`` (``has_touch=True``, ...).
    """
    with ExitStack() as stack:

        def make(width: int = 1280, height: int = 900, **options: object) -> Visit:
            return stack.enter_context(fresh_page(browser, width, height, **options))

        yield make
