"""Leave nothing of an earlier build in the site: no page, no picture, no state."""

import re
from pathlib import Path

from sphinx.application import Sphinx

from vaebook.site.widgets import FOLDER


def connect(app: Sphinx) -> None:
    app.connect("build-finished", _prune, priority=700)


def _prune(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    pages = {site / app.builder.get_target_uri(name) for name in app.env.found_docs}
    kept = pages | {site / name for page in pages for name in _asked_for(page)}
    folders = ("chapters/*.html", "_images/*", f"{FOLDER}/*")
    for path in (path for folder in folders for path in site.glob(folder)):
        if path not in kept:
            path.unlink()


def _asked_for(page: Path) -> list[str]:
    """The pictures and widgets of a page, by their places in the site."""
    return re.findall(rf"(?:_images|{FOLDER})/[\w.-]+", page.read_text("utf-8"))
