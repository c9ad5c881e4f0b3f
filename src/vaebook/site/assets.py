"""What a page loads: no icon font, no loader from elsewhere, scripts where needed.

The theme ships a 1.5 MB icon script, three web fonts and scripts for services this
book does not use. The icons in use are drawn in ``chapters/_static/icons.css``.
"""

import re
import shutil
from pathlib import Path

from docutils import nodes
from rjsmin import jsmin
from sphinx.application import Sphinx
from sphinx.builders.html._assets import _JavaScript
from sphinx.config import Config
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
TEMPLATES = Path(__file__).parent / "templates"

NEEDED_BY = {
    "clipboard.min.js": 'class="highlight',
    "copybutton.js": 'class="highlight',
    "design-tabs.js": "sd-tab-set",
}
SCROLLERS = re.compile(r'\["pre","\.nboutput[^\]]*\]')
# Asked for by ``book.js`` when a reader first moves; each needs those before it.
LATE = ("doctools.js", "sphinx_highlight.js", "clipboard.min.js", "copybutton.js")
MINIFIED = ("book.js", "widget-host.js")
UNUSED = (
    "vendor/fontawesome",
    "scripts/fontawesome.js*",
    "scripts/*.map",
    "styles/*.map",
    "locales",
    "images/logo_*",
)
ICON_FONT_RULES = re.compile(
    r'(?:\.fa-[\w-]+:{1,2}before,?)+\{content:"[^"]*"\}|@font-face\{[^}]*fontawesome[^}]*\}'
)


def connect(app: Sphinx) -> None:
    # Jupyter Book sets this one even where the extension that reads it is left out.
    app.add_config_value("comments_config", {}, "")
    app.connect("config-inited", _configure)
    app.connect("html-page-context", _choose_scripts, priority=950)
    app.connect("build-finished", _finish, priority=600)


def _configure(app: Sphinx, config: Config) -> None:
    config.templates_path.insert(0, str(TEMPLATES))


def _choose_scripts(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict,
    doctree: nodes.document | None,
) -> None:
    body = context.get("body", "")
    chosen = [f for f in context.get("script_files", []) if _is_needed(f, body)]
    if pagename != "search":  # whose own script needs the others at once
        late = [f for f in chosen if f.filename and Path(f.filename).name in LATE]
        chosen = [f for f in chosen if f not in late]
        for script in chosen:
            if script.filename:
                script.attributes.setdefault("defer", "defer")
        context["late_scripts"] = [f.filename for f in late]
    context["script_files"] = chosen


def _is_needed(script: _JavaScript, body: str) -> bool:
    if not script.filename:
        return "DOCUMENTATION_OPTIONS." not in script.attributes.get("body", "")
    return NEEDED_BY.get(Path(script.filename).name, "") in body


def _finish(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        static = Path(app.outdir, "_static")
        _remove_unused(static)
        _leave_scrollers_alone(static)
        for name in MINIFIED:
            script = static / name
            script.write_text(jsmin(script.read_text(encoding="utf-8")), "utf-8")


def _remove_unused(static: Path) -> None:
    for pattern in UNUSED:
        for path in static.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    theme = static / "styles" / "pydata-sphinx-theme.css"
    slim = ICON_FONT_RULES.sub("", theme.read_text(encoding="utf-8"))
    theme.with_name("pydata-without-icons.css").write_text(slim, encoding="utf-8")
    theme.unlink()


def _leave_scrollers_alone(static: Path) -> None:
    """What scrolls sideways is ``book.js``'s: it measures what is near, all at once.

    The theme measures every box of the page in turn and writes between, so that a
    phone lays a long chapter out a hundred times.
    """
    script = static / "scripts" / "pydata-sphinx-theme.js"
    text, found = SCROLLERS.subn('["none"]', script.read_text(encoding="utf-8"))
    script.write_text(text, encoding="utf-8")
    if found != 1:
        LOGGER.warning("%s measures scrollers otherwise", script.name, type="vaebook")
