r"""One text per widget: the small JavaScript modules written into their root."""

import re
from pathlib import Path

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.M)
NAME = re.compile(r"^export (?:async )?(?:function|const|let|class) (\w+)", re.M)


def bundle(root: str, folder: Path = HERE) -> str:
    """Text of an ES module with its relative imports written into it.

    Each imported module becomes a function called once, in the order of need, so
    names that it does not export stay private to it.

    Parameters
    ----------
    root : str
        File name of the root module; its own exports stay exports.
    folder : Path
        Where the modules lie.

    Returns
    -------
    str
        A module that imports nothing, without comment lines and indentation.

    Raises
    ------
    ValueError
        If a form of import or export is used that is not understood here, a name
        is imported which the module does not export, modules import in a ring, or
        a template literal spans lines.
    """
    parts: list[str] = []
    text = _inline(root, folder, parts, ())
    return _lean("".join([*parts, text]))


def stylesheet(*names: str) -> str:
    """One style sheet of several in this folder; a later one may build on a former."""
    return "".join((HERE / name).read_text(encoding="utf-8") for name in names)


def _inline(name: str, folder: Path, parts: list[str], path: tuple[str, ...]) -> str:
    """Text of one module; appends the modules it needs to ``parts`` first."""
    if name in path:
        raise ValueError(f"modules import in a ring: {' -> '.join([*path, name])}")
    text = (folder / name).read_text(encoding="utf-8")
    for names, child in IMPORT.findall(text):
        _require(names, child, name, folder)
        opening = f"const {_variable(child)} = "
        if not any(part.startswith(opening) for part in parts):
            body = _inline(child, folder, parts, (*path, name))
            parts.append(opening + _module(body))
    text = IMPORT.sub(_destructure, text)
    if re.search(r"^import\b", text, re.MULTILINE):
        raise ValueError(f'{name}: write imports as import {{ a }} from "./b.js";')
    return text


def _module(body: str) -> str:
    """A module body as a function that returns its exports."""
    names = ", ".join(NAME.findall(body))
    body = EXPORT.sub("", body)
    if re.search(r"^export\b", body, re.MULTILINE):
        raise ValueError("write exports before const, let, function or class")
    return f"(() => {{\n{body}return {{ {names} }};\n}})();\n"


def _require(names: str, child: str, parent: str, folder: Path) -> None:
    """Raise ValueError if ``child`` does not export every name asked of it."""
    offered = NAME.findall((folder / child).read_text(encoding="utf-8"))
    for name in re.findall(r"\w+", names):
        if name not in offered:
            raise ValueError(f"{parent} imports {name}, which {child} does not export")


def _destructure(match: re.Match) -> str:
    """``import { a } from "./b.js"`` as a line that takes ``a`` from b's exports."""
    return f"const {{{match[1]}}} = {_variable(match[2])};\n"


def _variable(name: str) -> str:
    """The constant holding a module's exports."""
    return "module_" + re.sub(r"\W", "_", name.removesuffix(".js"))


def _lean(text: str) -> str:
    """A script without comment lines, empty lines and indentation."""
    text = re.sub(r"^\s*(?://.*\n\s*)*", "", text, flags=re.MULTILINE)
    for line in text.splitlines():
        if line.count("`") % 2:
            raise ValueError(f"end a template literal on its line; received {line}")
    return text
