"""What a notebook that a reader takes home does not carry."""

import json

from vaebook.site import downloads


def cell(*outputs: dict, tags: tuple[str, ...] = ()) -> dict:
    metadata = {"execution": {"shell.execute_reply": "12:00"}, "tags": list(tags)}
    return {"cell_type": "code", "metadata": metadata, "outputs": list(outputs)}


def taken_home(tmp_path, *cells: dict) -> list[dict]:
    path = tmp_path / "executed.ipynb"
    path.write_text(json.dumps({"cells": list(cells)}), encoding="utf-8")
    return json.loads(downloads.notebook(path, {"n": "-3"}))["cells"]


def test_a_figure_leaves_the_forms_of_the_pages_behind(tmp_path):
    shown = {"width": 640, "height": 360}
    figure = {
        "output_type": "display_data",
        "data": {"image/png": "aaaa"},
        "metadata": {"image/png": {**shown, "forms": [{"data": "bbbb"}]}, "alt": "a"},
    }
    (found,) = taken_home(tmp_path, cell(figure))
    assert found["outputs"][0]["metadata"] == {"image/png": shown, "alt": "a"}
    assert found["outputs"][0]["data"] == figure["data"]


def test_the_times_of_its_run_and_the_bars_of_its_progress_stay_behind(tmp_path):
    bar = {"output_type": "stream", "name": "stdout", "text": "12 %"}
    text = {"output_type": "execute_result", "data": {}, "metadata": {}}
    quiet, loud = taken_home(
        tmp_path, cell(bar, text, tags=("remove-stdout",)), cell(bar)
    )
    assert quiet["outputs"] == [text]
    assert loud["outputs"] == [bar]
    assert "execution" not in quiet["metadata"]


def test_texts_and_captions_carry_the_values_of_the_run(tmp_path):
    drawn = cell()
    drawn["metadata"]["mystnb"] = {
        "figure": {"caption": "Falls to {value}`n`.", "name": "a"},
        "image": {"alt": "A line at {value}`n`."},
    }
    said = {
        "cell_type": "markdown",
        "metadata": {},
        "source": ["One\n", "falls to {value}`n`\n", "and {value}`m`."],
    }
    found, text = taken_home(tmp_path, drawn, said)
    minus = "\N{MINUS SIGN}3"
    assert found["metadata"]["mystnb"] == {
        "figure": {"caption": f"Falls to {minus}.", "name": "a"},
        "image": {"alt": f"A line at {minus}."},
    }
    assert text["source"] == ["One\n", f"falls to {minus}\n", "and {value}`m`."]
