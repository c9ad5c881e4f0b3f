"""The built book: brought up to date once, whoever needs it, and served."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from vaebook.site.serve import server

ROOT = Path(__file__).parents[2]


def book_pages() -> list[str]:
    """The pages of the table of contents, by their place in the site."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [f"{p}.html" for p in (toc["root"], *(c["file"] for c in toc["chapters"]))]


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
def built_site(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """Folder of the site, brought up to date by the command of the README.

    Of several workers the first builds, under a lock; the others wait for it and find
    its word that it is done, or the words of its failure.
    """
    shared = tmp_path_factory.getbasetemp().parent
    report = shared / f"book-{testrun_uid}.txt"
    with FileLock(f"{report}.lock"):
        if not report.exists():
            build = build_book(ROOT)
            words = f"{build.stdout[-2000:]}{build.stderr}" if build.returncode else ""
            report.write_text(words, encoding="utf-8")
    failed = report.read_text(encoding="utf-8")
    if failed:
        pytest.fail(f"the book does not build:\n{failed}")
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
