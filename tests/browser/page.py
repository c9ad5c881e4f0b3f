"""A page of widgets alone, written as the pages of the book carry them."""

import json
from pathlib import Path

from ipywidgets.embed import dependency_state, embed_data

from vaebook.explore.parts.widget import VIEW

HOST = Path(__file__).parents[2] / "chapters" / "_static" / "widget-host.js"
STATE = "application/vnd.jupyter.widget-state+json"
LIVE = ".vb"  # what a widget that runs puts on its page
STYLE = """html { font-family: system-ui, sans-serif; }
html[data-theme=dark] { background: #14181e; color: #ced6dd; }
body { margin: 0 auto; max-width: 752px; padding: 16px; }"""
# Of the site's theme, where it concerns what explorers are made of
THEME = """dl[class]:not(.option-list,.field-list) { margin-bottom: 3rem }
dl[class]:not(.option-list,.field-list) dd { margin-left: 2rem }
dd { margin-top: 3px; margin-bottom: 10px; margin-left: 30px }"""


def shown(widget):
    """The output that the site takes: HTML where offered, else the view's script."""
    bundled = widget._repr_mimebundle_()
    data = bundled[0] if isinstance(bundled, tuple) else bundled
    script = f'<div><script type="{VIEW}">{json.dumps(data[VIEW])}</script></div>'
    return data.get("text/html", script)


def embedded(*widgets):
    """Their state as text, as a page carries it."""
    used = dependency_state(widgets, drop_defaults=False)
    state = embed_data(views=widgets, state=used)["manager_state"]
    return json.dumps(state).replace("</", "<\\/")


def write_page(folder, *widgets):
    """A page that embeds widgets as the book's pages do."""
    state = embedded(*widgets)
    views = "".join(shown(widget) for widget in widgets)
    (folder / "widget-host.js").write_text(HOST.read_text("utf-8"), "utf-8")
    page = folder / "page.html"
    page.write_text(
        '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Page</title>'
        '<link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head><body><main><h1>Page</h1>{views}</main>"
        f'<script type="{STATE}">{state}</script>'
        '<script defer src="widget-host.js"></script></body></html>',
        encoding="utf-8",
    )
    return page
