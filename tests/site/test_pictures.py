"""The forms of a cell's figure on a page."""

import base64
from types import SimpleNamespace

import pytest
from docutils import nodes

from vaebook.site import pictures


@pytest.fixture
def app(tmp_path):
    """A book whose picture has been drawn wide and narrow."""
    for name in ("wide.svg", "narrow.webp"):
        (tmp_path / name).write_bytes(name.encode())
    return SimpleNamespace(srcdir=tmp_path, outdir=tmp_path / "html")


def page(app, body: str, *forms: dict) -> str:
    """A page with this body and one figure, of these forms."""
    image = nodes.image(uri="../_images/a.png", alt='A "curve" < 1')
    if forms:
        image["forms"] = list(forms)
    context = {"body": body}
    tree = nodes.container("", image)
    pictures._choose(app, "chapters/x", "page.html", context, tree)
    return context["body"]


WIDE = {"uri": "/wide.svg", "width": 640, "height": 360}
NARROW = {"uri": "/narrow.webp", "width": 328, "height": 280}
IMAGE = '<p><img alt="a" src="../_images/a.png" /></p>'


def test_a_page_chooses_between_a_figure_s_forms(app):
    body = page(app, IMAGE, WIDE, NARROW)
    assert body == (
        '<p><picture><source media="(max-width: 600px)" '
        'srcset="../_images/narrow.webp" width="328" height="280">'
        '<img class="drawn" src="../_images/wide.svg" '
        'alt="A &quot;curve&quot; &lt; 1" width="640" height="360" '
        'loading="lazy" decoding="async"></picture></p>'
    )
    assert (app.outdir / "_images/wide.svg").read_bytes() == b"wide.svg"
    assert (app.outdir / "_images/narrow.webp").read_bytes() == b"narrow.webp"


def test_one_form_needs_no_choice(app):
    body = page(app, IMAGE, WIDE)
    assert "<source" not in body
    assert 'src="../_images/wide.svg"' in body


@pytest.mark.parametrize("body", ['<img src="../_images/b.png">', "<p>words</p>"])
def test_other_pictures_stay_as_they_are(app, body):
    assert page(app, body, WIDE, NARROW) == body


def test_a_picture_without_forms_stays_as_it_is(app):
    assert page(app, IMAGE) == IMAGE


def test_alt_text_and_forms_come_from_the_output(tmp_path):
    """The forms' data go to files; the size of the notebook's picture is not taken."""
    written = {}

    def write_file(path, content, exists_ok):
        written[path[0]] = content
        return "/" + path[0]

    def render_image(data):
        return [nodes.image(uri="a.png", width="9px", height="9px")]

    form = {"suffix": ".svg", "width": 6, "height": 4}
    form["data"] = base64.b64encode(b"<svg/>").decode()
    data = SimpleNamespace(
        mime_type="image/png",
        output_metadata={"image/png": {"alt": "A curve", "forms": [form]}},
    )
    renderer = SimpleNamespace(write_file=write_file, render_image=render_image)
    (image,) = pictures.Figure.handle_mime(renderer, data, False)
    ((name, content),) = written.items()
    assert (image["alt"], content) == ("A curve", b"<svg/>")
    assert image["forms"] == [{"uri": f"/{name}", "width": 6, "height": 4}]
    assert "width" not in image and "height" not in image
    assert (
        pictures.Figure.handle_mime(
            renderer, SimpleNamespace(mime_type="text/html"), False
        )
        is None
    )
