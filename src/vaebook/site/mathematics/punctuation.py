"""No formula parts from its punctuation: ", ." and ")" never start a line.

A browser may break a line on either side of a formula, whatever stands there. So what
is written together, with no space and no dash between, is kept together.
"""

import re
from collections.abc import Iterable, Iterator

from docutils import nodes
from sphinx.application import Sphinx

# A space, or what ends at a dash, or what ends where a space or another node begins.
DASH = r"\-\N{EN DASH}\N{EM DASH}"
PIECE = re.compile(rf"\s+|[^\s{DASH}]*[{DASH}]|[^\s{DASH}]+")
ENDS = re.compile(rf"(\s|.*[{DASH}])\Z", re.DOTALL)


def connect(app: Sphinx) -> None:
    app.connect("doctree-resolved", _keep)


def _keep(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    keep(doctree)


def keep(tree: nodes.Element) -> None:
    """Wrap each formula of ``tree`` with what touches it; change no text."""
    holders = {id(holder): holder for holder in map(_holder, tree.findall(nodes.math))}
    for holder in holders.values():
        holder.children = list(_together(words(holder.children)))
        for child in holder.children:
            child.parent = holder


def _holder(math: nodes.math) -> nodes.Element:
    """Where a formula's neighbours stand; not in a phrase that is only a formula."""
    outer = math.parent
    while isinstance(outer, nodes.Inline) and len(outer) == 1:
        outer = outer.parent
    return outer


def words(children: Iterable[nodes.Node]) -> Iterator[list[nodes.Node]]:
    """The children in lists within which no line may end; texts are cut for it."""
    word: list[nodes.Node] = []
    for child in children:
        pieces = PIECE.findall(child) if isinstance(child, nodes.Text) else [child]
        for piece in pieces:
            node = nodes.Text(piece) if isinstance(piece, str) else piece
            word.append(node)
            if isinstance(piece, str) and ENDS.match(piece):
                yield word
                word = []
    if word:
        yield word


def _together(found: Iterable[list[nodes.Node]]) -> Iterator[nodes.Node]:
    """Words with a formula and more in them are wrapped; other texts are joined."""
    loose = ""
    for word in found:
        for node in _kept(word):
            if isinstance(node, nodes.Text):
                loose += node
            else:
                yield from _text(loose)
                loose = ""
                yield node
    yield from _text(loose)


def _kept(word: list[nodes.Node]) -> list[nodes.Node]:
    space = [word.pop()] if word[-1].astext().isspace() else []
    if len(word) > 1 and any(_is_formula(node) for node in word):
        word = [nodes.inline("", "", *word, classes=["kept"])]
    return word + space


def _is_formula(node: nodes.Node) -> bool:
    """A formula, or a phrase with nothing else in it."""
    if isinstance(node, nodes.math):
        return True
    return isinstance(node, nodes.Inline) and len(node) == 1 and _is_formula(node[0])


def _text(loose: str) -> list[nodes.Node]:
    return [nodes.Text(loose)] if loose else []
