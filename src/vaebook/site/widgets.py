"""Widgets without a kernel: what one needs lies in a file, asked for when it is near.

myst-nb embeds the state of all widgets in the page, in Jupyter's standard format. Here
each view gets a script of its own with the models that it shows, and its still picture
a file: scripts and pictures, unlike data, also load beside a page opened from the disk.
"""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx

from vaebook.site.heights import explorer_rules, of_explorers, section_rules

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
MODEL_REFERENCE = "IPY_MODEL_"
FOLDER = "_static/widgets"
BOX = '<div class="vb-widget'

VIEW_SCRIPT = re.compile(
    rf'(<script type="{re.escape(VIEW)}">)(.*?)(</script>)', re.DOTALL
)
EMBEDDED_PICTURE = re.compile(r'src="data:image/(\w+);base64,([^"]+)"')


def connect(app: Sphinx) -> None:
    app.connect("html-page-context", _place, priority=900)


def reachable(state: dict[str, dict], roots: list[str]) -> dict[str, dict]:
    """The models of ``state`` that ``roots`` show, directly or through a container."""
    kept = {}
    queue = [model for model in roots if model in state]
    while queue:
        model = queue.pop()
        if model not in kept:
            kept[model] = state[model]
            queue += [r for r in _references(state[model].get("state")) if r in state]
    return kept


def _references(value: object) -> list[str]:
    if isinstance(value, str):
        mark = value.startswith(MODEL_REFERENCE)
        return [value.removeprefix(MODEL_REFERENCE)] if mark else []
    if isinstance(value, dict):
        value = list(value.values())
    return [r for v in value for r in _references(v)] if isinstance(value, list) else []


class Beside(NamedTuple):
    """Writes files into the site, named by their contents, for one of its pages."""

    site: Path
    pagename: str

    def write(self, content: bytes, suffix: str) -> str:
        """The address of a file with this content, seen from the page."""
        name = f"{FOLDER}/{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
        path = self.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return "../" * self.pagename.count("/") + name


def _place(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict,
    doctree: nodes.document | None,
) -> None:
    """Take the state out of the head, and give each view of the page its own file."""
    context["estimated"] = section_rules(pagename)
    files = context.get("script_files", [])
    states = [f for f in files if getattr(f, "attributes", {}).get("type") == STATE]
    context["script_files"] = [f for f in files if f not in states]
    body = context.get("body", "")
    if states and VIEW in body:
        saved = json.loads(states[-1].attributes["body"])["state"]
        beside = Beside(Path(app.outdir), pagename)
        body = VIEW_SCRIPT.sub(lambda found: _view(found, saved, beside), body)
        body = _with_room(body, pagename)
        body = EMBEDDED_PICTURE.sub(lambda found: _picture(found, beside), body)
        context["body"] = body
        context["has_widgets"] = True


def _view(found: re.Match, saved: dict[str, dict], beside: Beside) -> str:
    """The view's script, which now also names the file of its state."""
    start, text, end = found.groups()
    view = json.loads(text)
    models = json.dumps(
        reachable(saved, [view["model_id"]]), separators=(",", ":"), ensure_ascii=False
    )
    script = f"Object.assign((globalThis.vaebookState??={{}}),{models});"
    view["state"] = beside.write(script.encode(), ".js")
    return start + json.dumps(view) + end


def _with_room(body: str, pagename: str) -> str:
    """The body with rules before each explorer that reserve its height."""
    rooms = enumerate(of_explorers(pagename))

    def box(found: re.Match) -> str:
        k, knots = next(rooms, (0, None))
        if knots is None:
            return found[0]
        css = explorer_rules(f".vb-room-{k}", *knots)
        return f"<style>{css}</style>{BOX} vb-room-{k}"

    return re.sub(BOX, box, body)


def _picture(found: re.Match, beside: Beside) -> str:
    kind, data = found.groups()
    address = beside.write(base64.b64decode(data), f".{kind}")
    return f'loading="lazy" src="{address}"'
