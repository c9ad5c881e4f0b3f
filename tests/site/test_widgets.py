"""Of all widgets' state a page carries what it shows."""

from vaebook.site import widgets


def test_only_models_that_a_page_shows_are_embedded():
    state = {
        "box": {"state": {"children": ["IPY_MODEL_a"], "layout": "IPY_MODEL_l"}},
        "a": {"state": {"value": 1}},
        "l": {"state": {}},
        "forgotten": {"state": {"layout": "IPY_MODEL_l"}},
    }
    assert set(widgets.reachable(state, ["box"])) == {"box", "a", "l"}
