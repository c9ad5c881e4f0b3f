"""Widgets without a kernel: their state once a page, compact, after the prose."""

import json

from docutils import nodes
from sphinx.application import Sphinx

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
MODEL_REFERENCE = "IPY_MODEL_"


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


def _place(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict,
    doctree: nodes.document | None,
) -> None:
    """Take the state out of the head; the template puts it after the article."""
    files = context.get("script_files", [])
    states = [f for f in files if getattr(f, "attributes", {}).get("type") == STATE]
    context["script_files"] = [f for f in files if f not in states]
    views = [_model_id(part) for part in context.get("body", "").split(VIEW)[1:]]
    if states and views:
        embedded = json.loads(states[-1].attributes["body"])
        embedded["state"] = reachable(embedded["state"], views)
        text = json.dumps(embedded, separators=(",", ":"), ensure_ascii=False)
        context["widget_state"] = text.replace("</", r"<\/")


def _model_id(html: str) -> str:
    """Model shown by the view script whose type is what ``html`` continues."""
    content = html.partition(">")[2].partition("</script>")[0]
    return json.loads(content)["model_id"]
