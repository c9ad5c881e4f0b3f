"""A headless Firefox as Debian ships it, driven by Playwright over WebDriver BiDi."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright

FIREFOX_NAMES = ("firefox-esr", "firefox")
AS_READERS_HAVE_IT = {"security.fileuri.strict_origin_policy": True}
HOW_TO_INSTALL = (
    "Firefox was not found. "
    "On Debian: apt-get install --no-install-recommends firefox-esr"
)


@pytest.fixture(scope="session")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    """A headless Firefox; without one a skip that says so, in CI a failure.

    The channel ``moz-firefox`` speaks to a Firefox as released, not to a build of
    Playwright's own.
    """
    path = next(filter(None, map(shutil.which, FIREFOX_NAMES)), None)
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_INSTALL)
    running = playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=path,
        firefox_user_prefs=AS_READERS_HAVE_IT,
    )
    yield running
    running.close()
