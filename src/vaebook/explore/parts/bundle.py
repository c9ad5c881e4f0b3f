r"""One text per widget: the small JavaScript modules written into their root."""

import re
from pathlib import Path, PurePosixPath

from rjsmin import jsmin

from vaebook.explore.parts.colours import custom_properties

EXPLORE = Path(__file__).parents[1]
THEME = "parts/theme.css"
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.\.?/[\w./]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.M)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
NESTED = re.compile(r"^.*`[^`]*\$\{[^}`]*`.*$", re.M)
NAME = re.compile(r"^export (?:async )?(?:function|const|let|class) (\w+)", re.M)


def bundle(root: str, folder: Path = EXPLORE) -> str:
    """Text of an ES module with its relative imports written into it.

    Each imported module becomes a function called once, in the order of need, so
    names that it does not export stay private to it.

    Parameters
    ----------
    root : str
        Path of the root module below ``folder``; its own exports stay exports.
    folder : Path
        What no import may lead out of.

    Returns
    -------
    str
        A module that imports nothing, without comments and needless white space.

    Raises
    ------
    ValueError
        If a form of import or export is used that is not understood here, a name
        is imported which the module does not export, an import leads out of the
        folder, modules import in a ring, or a template literal holds another.
    """
    parts: list[str] = []
    text = _inline(root, folder, parts, ())
    return jsmin("".join([*parts, text]))


def stylesheet(*paths: str) -> str:
    """The colours and the theme of every explorer, then style sheets of one.

    ``paths`` lie below ``explore``; the last is the explorer's own. Its rules hold for
    its folder alone, and over shared ones wherever these stand: on a page of several
    explorers the theme follows the sheets of those before.
    """
    *shared, own = paths
    sheets = [(EXPLORE / path).read_text("utf-8") for path in (THEME, *shared)]
    text = COMMENT.sub("", "".join([custom_properties(), *sheets, _own(own)]))
    return re.sub(r"\s*\n\s*", "", text)


def _own(path: str) -> str:
    """A sheet nested in its explorer's root, written by two classes to outweigh all."""
    root = f".vb-{path.split('/')[0].replace('_', '-')}"
    text = (EXPLORE / path).read_text("utf-8")
    nested = re.sub(rf"{re.escape(root)}(?![\w-])", "&", text)
    return f".vb{root} {{\n{nested}}}\n"


def _inline(path: str, folder: Path, parts: list[str], above: tuple[str, ...]) -> str:
    """Text of one module; appends the modules it needs to ``parts`` first."""
    if path in above:
        raise ValueError(f"modules import in a ring: {' -> '.join([*above, path])}")
    text = (folder / path).read_text(encoding="utf-8")

    for names, target in IMPORT.findall(text):
        child = _resolved(target, path)
        _require(names, child, path, folder)
        opening = f"const {_variable(child)} = "
        if not any(part.startswith(opening) for part in parts):
            body = _inline(child, folder, parts, (*above, path))
            parts.append(opening + _module(body))

    text = IMPORT.sub(lambda found: _destructured(found, path), text)
    if re.search(r"^import\b", text, re.MULTILINE):
        raise ValueError(f'{path}: write imports as import {{ a }} from "./b.js";')
    nested = NESTED.search(text)  # in which white space would be taken for needless
    if nested:
        raise ValueError(
            f"{path}: write no template in a template: {nested[0].strip()}"
        )
    return text


def _resolved(target: str, importer: str) -> str:
    """Path below the folder of what ``importer`` names ``./b.js`` or ``../a/b.js``."""
    steps: list[str] = []
    for step in (PurePosixPath(importer).parent / target).parts:
        if step != "..":
            steps.append(step)
        elif steps:
            steps.pop()
        else:
            raise ValueError(f"{importer} imports {target}, which is out of the folder")
    return "/".join(steps)


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


def _destructured(found: re.Match, importer: str) -> str:
    """``import { a } from "./b.js"`` as a line that takes ``a`` from b's exports."""
    names, child = found[1], _resolved(found[2], importer)
    return f"const {{{names}}} = {_variable(child)};\n"


def _variable(path: str) -> str:
    """The constant holding a module's exports: no two paths share one."""
    return "module_" + path.removesuffix(".js").replace("/", "$")
