"""Of all widgets' state a page carries what it shows."""

import base64
import json
import re

from vaebook.site import widgets


def test_only_models_that_a_page_shows_are_embedded():
    state = {
        "box": {"state": {"children": ["IPY_MODEL_a"], "layout": "IPY_MODEL_l"}},
        "a": {"state": {"value": 1}},
        "l": {"state": {}},
        "forgotten": {"state": {"layout": "IPY_MODEL_l"}},
    }
    assert set(widgets.reachable(state, ["box"])) == {"box", "a", "l"}


def test_each_view_gets_the_models_that_it_shows_in_a_script(tmp_path):
    saved = {"a": {"state": {"value": "</script>"}}, "b": {"state": {}}}
    beside = widgets.Beside(tmp_path, "chapters/x")
    view = f'<script type="{widgets.VIEW}">{{"model_id": "a"}}</script>'
    found = widgets.VIEW_SCRIPT.sub(lambda f: widgets._view(f, saved, beside), view)
    spec = json.loads(found.partition(">")[2].removesuffix("</script>"))
    assert spec["model_id"] == "a"
    assert spec["state"].startswith("../_static/widgets/")
    script = (tmp_path / spec["state"].removeprefix("../")).read_text("utf-8")
    held = script.partition("{}),")[2].removesuffix(");")
    assert json.loads(held) == {"a": saved["a"]}


def test_a_picture_gets_a_file(tmp_path):
    beside = widgets.Beside(tmp_path, "index")
    data = base64.b64encode(b"picture").decode()
    body = f'<img class="vb-still" src="data:image/webp;base64,{data}" alt="a">'
    found = widgets.EMBEDDED_PICTURE.sub(lambda f: widgets._picture(f, beside), body)
    address = re.search(r'loading="lazy" src="([^"]+\.webp)"', found)[1]
    assert (tmp_path / address).read_bytes() == b"picture"


KNOTS = [[320, 90], [1280, 80]]


def test_room_is_reserved_for_the_explorers_that_were_measured(monkeypatch):
    monkeypatch.setattr(widgets, "of_explorers", {"p": [(KNOTS, KNOTS)]}.get)
    body = f'{widgets.BOX}">one</div>{widgets.BOX}">two</div>'
    found = widgets._with_room(body, "p")
    assert found.count("<style>") == 1
    assert f'</style>{widgets.BOX} vb-room-0">one</div>{widgets.BOX}">two' in found
