"""How code is written: words for what is public, one statement a line, air for eyes.

Statements, branches, arguments and annotations are counted by ruff (pyproject.toml);
here stands what it does not count. Lines are not.
"""

import ast
import re

import pytest
from house.notice import long_files
from house.trees import (
    BOOK,
    FILES,
    MODULES,
    ROOT,
    SOURCE,
    chapter_of,
    module_of,
    relative,
    tree,
)

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COLUMNS = 100  # of a line of JavaScript
EVERY_PYTHON = sorted(
    path
    for place in ("src", "tests", "benchmarks")
    for path in ROOT.glob(f"{place}/**/*.py")
)
SCRIPTS = sorted([*SOURCE.rglob("*.js"), *(ROOT / "chapters/_static").glob("*.js")])

each_file = pytest.mark.parametrize("path", FILES, ids=relative)


def squeezed(node: ast.Module) -> list[str]:
    """Statements that are tuples, and literals starred to dodge the formatter."""
    found = []
    for part in ast.walk(node):
        if isinstance(part, ast.Expr) and isinstance(part.value, ast.Tuple):
            found.append(f"{part.lineno}: a tuple as a statement")
        if isinstance(part, (ast.Tuple, ast.List, ast.Set)):
            starred = [one.value for one in part.elts if isinstance(one, ast.Starred)]
            if any(isinstance(one, (ast.Tuple, ast.List)) for one in starred):
                found.append(f"{part.lineno}: a literal starred into another")
    return found


@pytest.mark.parametrize("path", EVERY_PYTHON, ids=relative)
def test_nothing_is_squeezed(path):
    assert squeezed(tree(path)) == []


def test_what_is_squeezed_is_found():
    assert squeezed(ast.parse("a(), b()")) == ["1: a tuple as a statement"]
    assert len(squeezed(ast.parse("x = (*(1, 2), 3)"))) == 1
    assert squeezed(ast.parse("x = [*[i, i]]")) != []
    assert squeezed(ast.parse("x = [*names, 3]\na, b = b, a\n(a, *b) = x")) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_a_line_of_javascript_can_be_read_whole(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    wide = [
        f"{number}: {len(line)}"
        for number, line in enumerate(lines, 1)
        if len(line) > COLUMNS
    ]
    assert wide == []


def undocumented(node):
    """Public functions and classes at the top of a module without a docstring."""
    named = [part for part in node.body if isinstance(part, (*FUNCTIONS, ast.ClassDef))]
    public = [part for part in named if not part.name.startswith("_")]
    return [part.name for part in public if not ast.get_docstring(part)]


@pytest.mark.parametrize(
    "module", sorted(name for name in MODULES if chapter_of(name) in BOOK)
)
def test_public_names_of_a_chapter_are_documented(module):
    assert undocumented(tree(MODULES[module])) == []


def test_a_missing_docstring_is_found():
    assert undocumented(ast.parse("def f(): ...\ndef _g(): ...")) == ["f"]


@each_file
def test_a_file_says_in_its_first_line_what_it_is(path):
    words = ast.get_docstring(tree(path)) or ""
    assert re.match(r"[A-Z`{].*[.:]", words.replace("\n", " ")), words[:80]


# Packages

PACKAGES = sorted(
    module_of(path)
    for path in FILES
    if path.name == "__init__.py"
    and chapter_of(module_of(path)) in {*BOOK, "training", "datasets"}
)


def defines(node: ast.Module) -> list[str]:
    """What a package's face does besides handing names on."""
    allowed = (ast.ImportFrom, ast.Expr)
    own = [part for part in node.body if not isinstance(part, allowed)]
    return [ast.unparse(part)[:60] for part in own if not _hands_on(part)]


def _hands_on(part: ast.stmt) -> bool:
    return isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "__all__"


def handed_on(node: ast.Module) -> list[str]:
    """The names in ``__all__``."""
    lists = [ast.literal_eval(part.value) for part in node.body if _hands_on(part)]
    return [name for names in lists for name in names]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_only_hands_names_on(package):
    face = tree(MODULES[package])
    imported = {
        a.name
        for part in face.body
        if isinstance(part, ast.ImportFrom)
        for a in part.names
    }
    assert defines(face) == []
    assert set(handed_on(face)) == imported


def clashes(package: str) -> list[str]:
    """Files of a package that bear the name of a thing which it hands on."""
    folder = MODULES[package].parent
    names = {
        alias.asname or alias.name
        for part in tree(MODULES[package]).body
        if isinstance(part, ast.ImportFrom)
        for alias in part.names
        if part.module != package
    }
    return sorted(names & {path.stem for path in folder.glob("*.py")})


@pytest.mark.parametrize(
    "package",
    sorted(name for name, path in MODULES.items() if path.name == "__init__.py"),
)
def test_no_file_bears_the_name_of_a_thing_its_package_hands_on(package):
    assert clashes(package) == []


# The notice


def test_lines_of_code_are_counted_without_words_and_air(tmp_path):
    (tmp_path / "a.py").write_text(
        '"""Doc.\n\nMore."""\n\n# Why\nx = [\n    1,\n]\n\n\n'
        'def f():\n    """D."""\n    return x\n'
    )
    (tmp_path / "b.js").write_text("// why\n\nconst a = 1;\n  // more\nf(a);\n")
    assert long_files(tmp_path, most=0) == {"a.py": 5, "b.js": 2}
    assert long_files(tmp_path, most=2) == {"a.py": 5}
