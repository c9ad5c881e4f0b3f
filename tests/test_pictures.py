"""A figure's picture for a notebook, and its forms for a page and a phone."""

import base64
import io

import matplotlib
import numpy as np
import pytest
from PIL import Image

matplotlib.use("agg")
import matplotlib.pyplot as plt

from vaebook import figures, pictures


@pytest.fixture(autouse=True)
def book_style():
    with plt.style.context(figures.STYLE):
        yield
    plt.close("all")


def curves(columns: int = 1, **options):
    fig, axes = plt.subplots(1, columns, squeeze=False, **options)
    for k, ax in enumerate(axes[0]):
        ax.plot(np.linspace(0, 1, 50), np.linspace(0, 1, 50) ** (k + 1))
        ax.set(xlabel="step", ylabel="nats per image")
    return fig


def noise(**options):
    fig, ax = plt.subplots(**options)
    ax.imshow(np.random.default_rng(0).random((8, 8)), cmap="gray_r")
    ax.set_axis_off()
    return fig


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_notebook_s_picture_has_two_pixels_for_each_shown():
    data, metadata = pictures.mimebundle(curves())
    picture = opened(base64.b64decode(data["image/png"]))
    shown = metadata["image/png"]
    assert abs(picture.width - 2 * shown["width"]) <= 1
    assert abs(picture.height - 2 * shown["height"]) <= 1
    assert 600 < shown["width"] < 700


def test_a_wide_figure_has_a_form_as_narrow_as_a_phone_s_column():
    page, phone = pictures.forms_of(curves())
    assert 600 < page.width < 700
    assert abs(phone.width - pictures.PHONE_COLUMN) < 20
    assert phone.height > 0.6 * phone.width


def test_a_narrow_figure_has_one_form():
    assert len(pictures.forms_of(curves(figsize=(3.5, 2)))) == 1


def test_curves_are_drawings_and_images_pixels():
    assert pictures.lightest(curves(), 100).suffix == ".svg"
    assert pictures.lightest(noise(), 100).suffix == ".webp"


def test_the_form_taken_is_no_heavier_than_the_notebook_s_picture():
    for fig in (curves(), noise()):
        form = pictures.lightest(fig, pictures.PAGE_DPI)
        if form.suffix == ".webp":
            assert len(form.data) < len(pictures.png(fig, pictures.PAGE_DPI))
        else:
            assert form.data.startswith(b"<?xml")


def test_a_drawing_is_the_same_whenever_it_is_drawn():
    assert pictures.svg(curves()) == pictures.svg(curves())


def test_panels_that_would_be_too_small_stand_below_one_another():
    fig = curves(2, figsize=(6, 2.8))
    left, right = fig.axes
    with pictures.narrowed(fig):
        fig.draw_without_rendering()
        upper, lower = left.get_position(), right.get_position()
        assert upper.y0 > lower.y1
        assert upper.width > 0.6
        assert fig.get_figwidth() == pictures.NARROW
    fig.draw_without_rendering()
    assert tuple(fig.get_size_inches()) == (6, 2.8)
    assert left.get_position().x1 < right.get_position().x0


def test_a_panel_without_scales_takes_less_of_the_height():
    fig, (image, curve) = plt.subplots(1, 2)
    image.imshow(np.eye(3), aspect="auto")
    image.set_axis_off()
    curve.plot([0, 1], [0, 1])
    with pictures.narrowed(fig):
        fig.draw_without_rendering()
        assert image.get_position().height < 0.8 * curve.get_position().height


def test_panels_without_scales_stay_side_by_side():
    fig, axes = plt.subplots(1, 2, figsize=(5, 2.5))
    for ax in axes:
        ax.imshow(np.eye(3))
        ax.set(xticks=[], yticks=[])
    with pictures.narrowed(fig):
        fig.draw_without_rendering()
        assert axes[0].get_position().x1 < axes[1].get_position().x0
        assert fig.get_figheight() == pytest.approx(2.5 * pictures.NARROW / 5)


def test_letters_too_small_for_a_phone_are_refused():
    fig = curves()
    fig.axes[0].set_title("tiny", fontsize=7)
    with pytest.raises(pictures.LetteringError, match=r"'tiny' would be 8\.6 CSS"):
        pictures.mimebundle(fig)


def test_letters_of_the_book_s_style_are_legible_on_a_phone():
    fig = curves()
    fig.axes[0].plot([0, 1], [0, 1], label="curve")
    fig.axes[0].legend()
    fig.axes[0].set_title("title")
    pictures.check_lettering(fig, pictures.NARROW)


def test_outside_of_a_notebook_nothing_is_changed():
    assert pictures.show_sharp() is None
