"""Figures that belong to the page: sharp, of known size, asked for when they are near.

A cell's figure brings two forms (``vaebook.pictures``); a page shows the one that fits
it, and knows the size of either before it has come. The style sheet turns what is drawn
in ink on paper into light on dark where the theme is dark.
"""

import base64
import hashlib
import re
from html import escape
from pathlib import Path

from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer
from sphinx.application import Sphinx

PHONE = "(max-width: 600px)"
IMAGE = re.compile(r'<img\b[^>]* src="(?P<folder>[^"]*_images/)(?P<name>[^"]+)"[^>]*>')


class Figure:
    """myst-nb plugin: take a figure's forms and alt text from its output's metadata."""

    mime_priority_overrides = ()

    @staticmethod
    def handle_mime(
        renderer: NbElementRenderer, data: MimeData, inline: bool
    ) -> list[nodes.Element] | None:
        if not data.mime_type.startswith("image/"):
            return None
        own = data.output_metadata.get(data.mime_type, {})
        alt = own.get("alt") or data.output_metadata.get("alt")
        (image,) = renderer.render_image(data)
        if alt:
            image["alt"] = alt
        if forms := own.get("forms"):
            image["forms"] = [_written(form, renderer) for form in forms]
            for side in ("width", "height"):  # of the notebook's picture
                image.attributes.pop(side, None)
        return [image]


def _written(form: dict, renderer: NbElementRenderer) -> dict:
    """A form with the address of its file in place of its data."""
    data = base64.b64decode(form["data"])
    name = hashlib.sha256(data).hexdigest()[:16] + form["suffix"]
    uri = renderer.write_file([name], data, exists_ok=True)
    return {"uri": uri, "width": form["width"], "height": form["height"]}


def connect(app: Sphinx) -> None:
    app.connect("html-page-context", _choose, priority=880)


def _choose(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict,
    doctree: nodes.document | None,
) -> None:
    """Put the forms of each figure where its picture for notebooks stands."""
    images = doctree.findall(nodes.image) if doctree else ()
    figures = {Path(i["uri"]).name: i for i in images if "forms" in i}

    def picture(found: re.Match) -> str:
        image = figures.get(found["name"])
        return _picture(app, image, found["folder"]) if image else found[0]

    context["body"] = IMAGE.sub(picture, context.get("body", ""))


def _picture(app: Sphinx, image: nodes.image, folder: str) -> str:
    page, *phone = [_copied(app, form, folder) for form in image["forms"]]
    sources = [
        f'<source media="{PHONE}" srcset="{address}" {size}>' for address, size in phone
    ]
    address, size = page
    alt = escape(image.get("alt", ""), quote=True)
    img = (
        f'<img class="drawn" src="{address}" alt="{alt}" {size} '
        'loading="lazy" decoding="async">'
    )
    return f"<picture>{''.join(sources)}{img}</picture>"


def _copied(app: Sphinx, form: dict, folder: str) -> tuple[str, str]:
    """The address of a form in the site, and its size as attributes."""
    source = Path(app.srcdir, form["uri"].lstrip("/"))
    target = Path(app.outdir, "_images", source.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())
    size = f'width="{form["width"]}" height="{form["height"]}"'
    return folder + source.name, size
