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
    images = {site / "_images" / name for _, name in app.env.images.values()}
    images |= {site / "_images" / name for name in app.builder.images.values()}
    widgets = {site / name for page in pages for name in _widgets(page)}
    kept = pages | images | widgets
    folders = ("chapters/*.html", "_images/*", f"{FOLDER}/*")
    for path in (path for folder in folders for path in site.glob(folder)):
        if path not in kept:
            path.unlink()


def _widgets(page: Path) -> list[str]:
    """The files for which a page asks when a widget comes near."""
    return re.findall(rf"{FOLDER}/[\w.]+", page.read_text(encoding="utf-8"))
