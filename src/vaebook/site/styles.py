"""Of the style sheets of theme and tools the site keeps the rules that can apply.

A rule applies only where each class and id of its selector occurs: in a page, or as a
word of a script, which may set it. All other rules are dropped, and so are custom
properties that no sheet, page or script reads.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import tinycss2
from sphinx.application import Sphinx
from tinycss2.ast import AtRule, Node, QualifiedRule

WORD = re.compile(r"[\w-]+")
# What need not be there: alternatives, and what is forbidden or only an attribute.
LOOSE = re.compile(r":(?:not|is|where|has)\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\]")
NAME = re.compile(r"[.#](-?[A-Za-z_][\w-]*)")
READ = re.compile(r"var\(\s*(--[\w-]+)")
GROUPS = ("media", "supports", "layer", "container")


def connect(app: Sphinx) -> None:
    app.connect("build-finished", _slim, priority=720)


def words(texts: Iterable[str]) -> set[str]:
    """All that could be a class or an id in these pages and scripts."""
    return {word for text in texts for word in WORD.findall(text)}


def read(sheets: Iterable[str]) -> set[str]:
    """The custom properties that these sheets read."""
    return {name for css in sheets for name in READ.findall(css)}


def all_slimmed(sheets: Mapping[Path, str], known: set[str]) -> Mapping[Path, str]:
    """Every sheet slimmed, until what is left reads all that it declares."""
    while True:
        able = known | read(sheets.values())
        left = {path: slimmed(css, able) for path, css in sheets.items()}
        if left == sheets:
            return left
        sheets = left


def slimmed(css: str, known: set[str]) -> str:
    """What can apply of ``css``, if these words are known.

    Rules whose classes and ids are all among them, and of custom properties those that
    are.
    """
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return "".join(_kept(rules, known))


def _kept(rules: list[Node], known: set[str]) -> Iterable[str]:
    for rule in rules:
        if isinstance(rule, QualifiedRule):
            yield _rule(rule, known)
        elif isinstance(rule, AtRule) and rule.lower_at_keyword in GROUPS:
            yield _group(rule, known)
        else:
            yield rule.serialize()


def _rule(rule: QualifiedRule, known: set[str]) -> str:
    kept = [s for s in _parts(rule.prelude, ",") if _names(s) <= known]
    body = ";".join(d for d in _parts(rule.content, ";") if _is_read(d, known))
    return f"{','.join(kept)}{{{body}}}" if kept and body else ""


def _is_read(declaration: str, known: set[str]) -> bool:
    """Whether something is declared, and no custom property that nobody reads."""
    name = declaration.partition(":")[0].strip()
    return bool(name) and (not name.startswith("--") or name in known)


def _group(rule: AtRule, known: set[str]) -> str:
    """An at-rule with rules inside; dropped if none of them is left."""
    if rule.content is None:
        return rule.serialize()
    inner = tinycss2.parse_rule_list(
        rule.content, skip_comments=True, skip_whitespace=True
    )
    body = "".join(_kept(inner, known))
    prelude = tinycss2.serialize(rule.prelude).strip()
    return f"@{rule.at_keyword} {prelude}{{{body}}}" if body else ""


def _parts(tokens: list[Node], mark: str) -> list[str]:
    """What the mark divides, but for marks in parentheses, strings and addresses."""
    found: list[list[Node]] = [[]]
    for token in tokens:
        if token == mark:
            found.append([])
        else:
            found[-1].append(token)
    return [tinycss2.serialize(one).strip() for one in found]


def _names(selector: str) -> set[str]:
    """Classes and ids that must be there for the selector to apply."""
    return set(NAME.findall(LOOSE.sub("", selector)))


def _slim(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    sources = [*site.glob("*.html"), *site.glob("chapters/*.html")]
    sources += site.glob("_static/**/*.js")
    known = words(path.read_text(encoding="utf-8") for path in sources)
    sheets = {
        path: path.read_text(encoding="utf-8") for path in site.glob("_static/**/*.css")
    }
    for path, css in all_slimmed(sheets, known).items():
        path.write_text(css, encoding="utf-8")
