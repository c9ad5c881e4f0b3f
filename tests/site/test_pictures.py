"""Lighter pictures that look the same."""

import io

from PIL import Image

from vaebook.site import pictures


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()


def test_a_lighter_picture_shows_the_same():
    """Two colours on a see-through ground: the ground turns white, the rest stays."""
    image = Image.effect_noise((64, 64), 80).convert("RGBA")
    image.paste((10, 111, 133, 255), (0, 0, 64, 20))
    image.paste((0, 0, 0, 0), (0, 20, 64, 40))
    before = png(image)
    after = pictures.lighter(before)
    shown = Image.open(io.BytesIO(after)).convert("RGB")
    assert len(after) < len(before) and shown.size == (64, 64)
    near = zip(shown.getpixel((5, 5)), (10, 111, 133), strict=True)
    assert all(abs(found - drawn) <= 4 for found, drawn in near)
    assert min(shown.getpixel((5, 30))) >= 251
    assert pictures.lighter(after) == after
