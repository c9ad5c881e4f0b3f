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
import numpy as np
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


def to_webp(rgba: np.ndarray, *, quality: int = 60, colours: int = 64) -> bytes:
    """WebP bytes of a picture: lossy, or lossless in few colours if that is smaller.

    Line drawings have few colours and stay crisp; photographs and maps go lossy.

    Parameters
    ----------
    rgba : array (height, width, 4)
        8-bit pixels; the alpha channel is dropped.
    quality : int
        Of the lossy candidate, 0 to 100.
    colours : int
        Size of the lossless candidate's palette.

    Returns
    -------
    bytes
        The shorter of the two encodings.
    """
    image = Image.fromarray(rgba).convert("RGB")
    drawn = image.quantize(colours, dither=Image.Dither.NONE).convert("RGB")
    lossy = _encode(image, quality=quality)
    return min(lossy, _encode(drawn, lossless=True), key=len)


def _encode(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", **options)
    return buffer.getvalue()
