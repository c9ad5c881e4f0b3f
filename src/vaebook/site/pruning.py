"""Leave nothing of an earlier build in the site: no page, no picture."""

from pathlib import Path

from sphinx.application import Sphinx


def connect(app: Sphinx) -> None:
    app.connect("build-finished", _prune, priority=700)


def _prune(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    pages = {site / app.builder.get_target_uri(name) for name in app.env.found_docs}
    images = {site / "_images" / name for _, name in app.env.images.values()}
    images |= {site / "_images" / name for name in app.builder.images.values()}
    kept = pages | images
    for path in [*site.glob("chapters/*.html"), *site.glob("_images/*")]:
        if path not in kept:
            path.unlink()
