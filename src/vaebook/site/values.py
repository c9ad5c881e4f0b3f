"""Numbers of the running text that come from the run: the role ``{value}``.

Between its backquotes stands what an f-string has between its braces, an expression and
its format: ``{value}`gain.mean:.2f```. The kernel works it out when the cells above it
have run (in a caption or an alt text: when its own cell has), and the page shows what
came out. With ``03_em#`` before it, the value is one that page 03_em shows itself.
"""

import ast
import re
from collections.abc import Iterator, Mapping

from docutils import nodes
from jupyter_client import AsyncKernelClient
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

from vaebook.figures import with_minus

ROLE = re.compile(r"\{value\}`([^`]+)`")
FENCE = re.compile(r"\s*(?P<marks>`{3,}|~{3,})(?P<rest>[^`]*)")
SECONDS = 60  # that the values below one cell may take

Values = Mapping[str, str]


def wanted(notebook: NotebookNode) -> dict[int, list[str]]:
    """What the text asks for, by the index of the cell after which it is worked out.

    Values of other pages are left out: those show them.

    Raises
    ------
    ValueError
        If a text asks before the first cell of code.
    """
    found: dict[int, list[str]] = {}
    last = None
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            last = index
        asked = [text for text in asked_by(cell) if "#" not in text]
        if asked and last is None:
            raise ValueError(f"{asked[0]!r} is asked for before the first cell of code")
        if asked:
            found.setdefault(last, []).extend(asked)
    return found


def asked_by(cell: NotebookNode) -> Iterator[str]:
    """The contents of the roles in a cell's text, or in a figure's caption and alt."""
    if cell.cell_type == "code":
        options = cell.metadata.get("mystnb", {})
        texts = [
            options.get("figure", {}).get("caption", ""),
            options.get("image", {}).get("alt", ""),
        ]
    else:
        texts = ["\n".join(without_code(cell.source))]
    for text in texts:
        yield from ROLE.findall(text)


def without_code(source: str) -> Iterator[str]:
    """The lines of a text that are not shown as code.

    A fence with a name in braces holds text, and may hold other fences; any other holds
    code. A fence ends at the first bare one that is at least as long.
    """
    inside: list[tuple[str, bool]] = []  # the marks of each fence, and if it holds code
    for line in source.splitlines():
        fence = FENCE.fullmatch(line)
        in_code = bool(inside) and inside[-1][1]
        if fence and inside and _ends(fence, inside[-1][0]):
            inside.pop()
        elif fence and not in_code:
            inside.append((fence["marks"], not fence["rest"].startswith("{")))
        elif not in_code:
            yield line


def _ends(fence: re.Match, opened: str) -> bool:
    return fence["marks"].startswith(opened) and not fence["rest"].strip()


async def worked_out(texts: list[str], client: AsyncKernelClient) -> dict[str, str]:
    """What an f-string makes of each text, in a kernel as it now stands.

    Raises
    ------
    ValueError
        If one of them fails; the message gives it, and the kernel's complaint.
    """
    asked = {str(n): f"f'''{{{text}}}'''" for n, text in enumerate(texts)}
    reply = await client.execute_interactive(
        "",
        silent=True,
        store_history=False,
        user_expressions=asked,
        allow_stdin=False,
        output_hook=lambda message: None,
        timeout=SECONDS,
    )
    found = {}
    for number, answer in reply["content"]["user_expressions"].items():
        text = texts[int(number)]
        if answer["status"] != "ok":
            raise ValueError(f"{text!r}: {answer['ename']}: {answer['evalue']}")
        found[text] = ast.literal_eval(answer["data"]["text/plain"])
    return found


def merge(values: dict[str, str], more: Values) -> None:
    """Add values to those of the cells above.

    Raises
    ------
    ValueError
        If an expression had another value above: a page needs two names then.
    """
    for text, value in more.items():
        if values.setdefault(text, value) != value:
            first = values[text]
            raise ValueError(f"{text!r} is {first} first and {value} later: two names")


def put_in(text: str, values: Values) -> str:
    """A text with each role replaced by its value, where that is known."""
    return ROLE.sub(
        lambda role: with_minus(values[role[1]]) if role[1] in values else role[0], text
    )


def put_into_cells(cells: list[dict], values: Values) -> None:
    """Each role of a notebook's texts, captions and alt texts becomes its value.

    The texts of a stored notebook are lists of lines.
    """
    for cell in cells:
        if cell["cell_type"] == "markdown":
            text = put_in("".join(cell["source"]), values)
            cell["source"] = text.splitlines(keepends=True)
        for options in cell["metadata"].get("mystnb", {}).values():
            for name in {"caption", "alt"} & options.keys():
                options[name] = put_in(options[name], values)


class Value(SphinxRole):
    """``{value}`` followed by an expression and its format, in backquotes."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        value = known(self.env, self.env.docname).get(self.text)
        if value is None:
            message = f"no cell of this page gave {self.text!r} a value"
            problem = self.inliner.reporter.error(message, line=self.lineno)
            return [nodes.problematic(self.rawtext, self.rawtext)], [problem]
        return [nodes.inline(self.rawtext, with_minus(value), classes=["value"])], []


def connect(app: Sphinx) -> None:
    app.add_role("value", Value())
    app.connect("doctree-read", _put_into_alt_texts)


def keep(env: object, docname: str, values: Values) -> None:
    """Remember what the run of a page gave."""
    if not hasattr(env, "vaebook_values"):
        env.vaebook_values = {}
    env.vaebook_values[docname] = dict(values)


def known(env: object, docname: str) -> dict[str, str]:
    """The values of a page, and those of other pages after their names."""
    pages = getattr(env, "vaebook_values", {})
    others = {
        f"{name.rpartition('/')[2]}#{text}": value
        for name, values in pages.items()
        for text, value in values.items()
    }
    return others | pages.get(docname, {})


def _put_into_alt_texts(app: Sphinx, doctree: nodes.document) -> None:
    values = known(app.env, app.env.docname)
    for image in doctree.findall(nodes.image):
        image["alt"] = put_in(image.get("alt", ""), values)
