r"""What a page shows where a widget goes when nothing runs: a picture with alt text.

A widget displayed in a notebook offers two forms: the ordinary widget view, which
Jupyter takes, and HTML with the same view beside a picture, which the site takes.
``chapters/_static/widget-host.js`` hides the picture once the widget is live.
"""

import base64
import html
import io
import json

import anywidget
from PIL import Image

VIEW = "application/vnd.jupyter.widget-view+json"


class PicturedWidget(anywidget.AnyWidget):
    """An anywidget with a still picture of itself, for print and without JavaScript."""

    def snapshot(self) -> bytes:
        """WebP bytes of the present state."""
        raise NotImplementedError

    def describe(self) -> str:
        """Alt text of the snapshot."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict] | None:
        """The widget view, and the same view in HTML beside the picture."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            data = bundle[0]
            data["text/html"] = static_html(
                data[VIEW], self.snapshot(), self.describe()
            )
        return bundle


def static_html(view: dict, picture: bytes, alt: str) -> str:
    """HTML of a widget view and its picture, as the host script expects them.

    Parameters
    ----------
    view : dict
        The widget-view mime data: ``model_id`` and the version.
    picture : bytes
        WebP.
    alt : str
        What the picture shows.

    Returns
    -------
    str
        A ``div`` holding the view's script and the picture.
    """
    with Image.open(io.BytesIO(picture)) as image:
        width, height = image.size
    source = "data:image/webp;base64," + base64.b64encode(picture).decode()
    spec = json.dumps(view).replace("</", "<\\/")
    return (
        f'<div class="vb-widget"><script type="{VIEW}">{spec}</script>'
        f'<img class="vb-still" src="{source}" alt="{html.escape(alt)}" '
        f'width="{width // 2}" height="{height // 2}" '
        f'style="max-width: 100%; height: auto"></div>'
    )
