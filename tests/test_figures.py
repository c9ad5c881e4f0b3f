"""Drawings and tables: what was given is on the page, in place and in order."""

import inspect
import re

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("agg")
import matplotlib.pyplot as plt

from vaebook import figures
from vaebook.likelihood import bernoulli_log_prob
from vaebook.monte_carlo import Estimate, estimate
from vaebook.training import Epoch


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


def test_grid_puts_images_left_to_right_then_down(ax):
    images = torch.arange(6.0)[:, None].expand(6, 4) / 6
    figures.draw_grid(ax, images, columns=3, gap=1)
    sheet = ax.images[0].get_array()
    assert sheet.shape == (8, 12)
    np.testing.assert_allclose(sheet[1::4, 1::4] * 6, [[0, 1, 2], [3, 4, 5]])
    assert not sheet[0].any() and not sheet[:, 0].any()


def test_grid_keeps_each_image_upright(ax):
    image = torch.arange(16.0)[None] / 16
    figures.draw_grid(ax, image, columns=1, gap=0)
    np.testing.assert_allclose(ax.images[0].get_array(), image.reshape(4, 4))


def test_ink_is_dark_and_the_scale_is_fixed(ax):
    figures.draw_image(ax, torch.full((16,), 0.5))
    shown = ax.images[0]
    assert shown.get_cmap().name == "gray_r"
    assert shown.get_clim() == (0, 1)


def test_images_must_fill_their_rows(ax):
    with pytest.raises(ValueError, match="5 images do not fill rows of 3"):
        figures.draw_grid(ax, torch.zeros(5, 4), columns=3)


def test_rows_are_named_in_order():
    fig = figures.draw_rows({"a": torch.zeros(3, 4), "b": torch.ones(3, 4)})
    assert [ax.texts[0].get_text() for ax in fig.axes] == ["a", "b"]
    assert fig.axes[1].images[0].get_array().max() == 1
    plt.close(fig)


def test_a_portrait_has_a_curve_for_each_name_and_a_row_of_images_for_each():
    losses = {"one": torch.tensor([3.0, 1.0]), "other": torch.tensor([4.0, 2.0])}
    rows = {"given": torch.zeros(5, 4), "made": torch.ones(5, 4)}
    fig = figures.portrait(losses, rows)
    left, right = fig.axes
    assert [line.get_label() for line in left.lines] == ["one", "other"]
    assert [line.get_ydata().tolist() for line in left.lines] == [[3, 1], [4, 2]]
    sheet = right.images[0].get_array()
    assert sheet.shape == (8, 20)  # two rows of five, each 2 + 2 pixels
    assert sheet[:4].max() == 0 and sheet[4:].max() == 1
    plt.close(fig)


def test_codes_stand_at_their_means(ax):
    mu, y = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]), torch.tensor([7, 3, 7])
    figures.draw_codes(ax, mu, y)
    drawn = [c.get_offsets().data.tolist() for c in ax.collections]
    assert drawn == [[[2.0, 3.0]], [[0.0, 1.0], [4.0, 5.0]]]


def test_history_draws_the_terms_with_their_signs(ax):
    figures.draw_history(ax, [Epoch(-20.0, 3.0, -25.0), Epoch(-18.0, 4.0, -24.0)])
    curves = {line.get_label(): line.get_ydata().tolist() for line in ax.lines}
    assert curves["ELBO, training"] == [-23.0, -22.0]
    assert curves["ELBO, validation"] == [-25.0, -24.0]
    assert curves["$-$KL, training"] == [-3.0, -4.0]


def test_source_is_shown_without_its_docstring():
    shown = figures.show_source(bernoulli_log_prob).data
    assert shown.startswith("def bernoulli_log_prob(")
    assert "softplus(logits" in shown and '"""' not in shown


def test_source_has_its_docstring_where_that_is_wanted():
    shown = figures.show_source(bernoulli_log_prob, docstring=True).data
    assert shown == inspect.getsource(bernoulli_log_prob).strip()
    assert '"""' in shown


def test_source_of_a_function_without_docstring_is_whole():
    def bare(x):
        return x

    assert figures.show_source(bare).data == "def bare(x):\n    return x"


def shown_cells(table):
    """Side and text of each cell of a table, row by row, as Jupyter gets it."""
    cell = re.compile(r'<t([hd])(?: style="text-align: (\w+);")?>\s*(.*?)\s*</t[hd]>')
    lines = [cell.findall(line) for line in table._repr_html_().split("<tr>")]
    return [[(side or "left", text) for _, side, text in line] for line in lines[1:]]


def test_table_writes_each_column_in_its_format():
    values = estimate(torch.tensor([1.0, 2.0, 3.0]))
    rows = [("a", 2, torch.tensor(0.125), values), ("b", 10, "infinite", "")]
    table = figures.table(rows, ["who", "K", "nats", "score"], ["", "", ".2f", ""])
    texts = [[text for _, text in line] for line in shown_cells(table)]
    assert texts == [
        ["who", "K", "nats", "score"],
        ["a", "2", "0.12", "2.000 ± 0.577"],
        ["b", "10", "infinite", ""],
    ]


def test_table_puts_names_left_and_numbers_right():
    sides = [side for side, _ in shown_cells(figures.table([("a", 1)], "xy"))[1]]
    assert sides == ["left", "right"]
    mixed = figures.table([(1e4, 1.0), ("mean", 2.0)], ["lambda", "error"], "g")
    assert {side for line in shown_cells(mixed) for side, _ in line} == {"right"}


def test_table_shows_numbers_as_written_and_signs_as_signs():
    table = figures.table(iter([("1e3", 1e4), ("2.50", 3)]), ["a<b", "c"], "g")
    texts = [text for line in shown_cells(table) for _, text in line]
    assert texts == ["a&lt;b", "c", "1e3", "10000", "2.50", "3"]


@pytest.mark.parametrize(("row", "formats"), [((1,), "g"), ((1, 2), ["g"])])
def test_table_refuses_a_row_or_formats_that_do_not_fit_its_headers(row, formats):
    with pytest.raises(ValueError, match="zip"):
        figures.table([row], ["a", "b"], formats)


def test_style_is_loadable():
    with plt.style.context(figures.STYLE):
        assert plt.rcParams["axes.spines.top"] is False


def test_a_number_has_a_minus_and_what_rounds_to_zero_has_none():
    rows = [("-a", -1.25, torch.tensor(-0.001)), ("b", 1e-9, Estimate(-0.5, 0.25, 9))]
    shown = figures.table(rows, ["name", "g", "f"], ["", "g", ".2f"])
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", shown)
    minus = "\N{MINUS SIGN}"
    found = [cell.strip() for cell in cells]
    assert found == ["-a", f"{minus}1.25", "0.00", "b", "1e-09", f"{minus}0.50 ± 0.25"]
