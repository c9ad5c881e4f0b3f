"""Never show an output, or pass a page, that the present sources would not give.

Sphinx and jupyter-cache know when a chapter changed. They do not know that the
package it imports changed, nor that the build before this one failed.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

PACKAGE = Path(__file__).parents[1]
LOGGER = logging.getLogger(__name__)


def connect(app: Sphinx) -> None:
    app.connect("config-inited", _open_build)
    app.connect("build-finished", _close_build, priority=990)


def digest(paths: list[Path], root: Path) -> str:
    """SHA-256 of the names and contents of ``paths``, named relative to ``root``."""
    sha = hashlib.sha256(sys.version.encode())
    for path in sorted(paths):
        sha.update(path.relative_to(root).as_posix().encode() + b"\0")
        sha.update(path.read_bytes())
    return sha.hexdigest()


def sources(srcdir: Path) -> dict[str, str]:
    """Digests of what cell outputs depend on and of what pages depend on."""
    files = [p for p in PACKAGE.rglob("*") if p.is_file() and p.suffix != ".pyc"]
    site = [p for p in files if p.is_relative_to(PACKAGE / "site")]
    lock = srcdir / "requirements.txt"
    # part of the site, and of what cells give to the pages
    how = {PACKAGE / "site" / name for name in ("execution.py", "values.py")}
    outputs = [p for p in files if p not in site or p in how]
    locked = hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else ""
    return {
        "outputs": digest(outputs, PACKAGE) + locked,
        "pages": digest([*site, *srcdir.glob("_*.yml")], Path(srcdir.anchor)),
    }


def _open_build(app: Sphinx, config: Config) -> None:
    state_file = _state_file(app)
    now = sources(Path(app.srcdir))
    before = json.loads(state_file.read_text()) if state_file.exists() else {}
    if before.get("outputs") != now["outputs"]:
        LOGGER.info("the package changed: every notebook will be executed again")
        shutil.rmtree(state_file.parent / ".jupyter_cache", ignore_errors=True)
    if before != {**now, "clean": True}:
        shutil.rmtree(app.doctreedir, ignore_errors=True)
        Path(app.doctreedir).mkdir(parents=True)
    state_file.parent.mkdir(parents=True, exist_ok=True)
    state_file.write_text(json.dumps({**now, "clean": False}))


def _close_build(app: Sphinx, exception: Exception | None) -> None:
    """Mark the build as clean; one with a warning leaves no doctree to hide it."""
    if exception is None and app._warncount == 0:
        state_file = _state_file(app)
        state = json.loads(state_file.read_text())
        state_file.write_text(json.dumps({**state, "clean": True}))


def _state_file(app: Sphinx) -> Path:
    return Path(app.outdir).parent / ".vaebook-state.json"
