"""A notice, never a failure, for each file of the library past 300 lines of code.

It asks one question: is it one idea? The answer goes into the change. Docstrings,
comments and blank lines don't count. ``make check`` prints it.
"""

import ast
import io
import tokenize
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "vaebook"
MOST = 300
SILENT = (
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
)


def python_lines(text: str) -> int:
    """Lines of Python that hold code."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    spans = [(t.start[0], t.end[0]) for t in tokens if t.type not in SILENT]
    lines = {line for first, last in spans for line in range(first, last + 1)}
    return len(lines - docstring_lines(ast.parse(text)))


def docstring_lines(tree: ast.Module) -> set[int]:
    """Numbers of the lines that docstrings take."""
    texts = [
        node.body[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and ast.get_docstring(node, clean=False) is not None
    ]
    return {line for text in texts for line in range(text.lineno, text.end_lineno + 1)}


def script_lines(text: str) -> int:
    """Lines of JavaScript that hold code."""
    lines = [line.strip() for line in text.splitlines()]
    return sum(bool(line) and not line.startswith("//") for line in lines)


COUNTED = {".py": python_lines, ".js": script_lines}


def long_files(folder: Path, most: int = MOST) -> dict[str, int]:
    """Files of more than ``most`` lines of code, and how many they have."""
    counts = {
        path.relative_to(folder).as_posix(): COUNTED[path.suffix](
            path.read_text("utf-8")
        )
        for path in sorted(folder.rglob("*"))
        if path.suffix in COUNTED
    }
    return {name: count for name, count in counts.items() if count > most}


if __name__ == "__main__":
    for name, count in long_files(SOURCE).items():
        print(f"notice: {name} has {count} lines of code: is it one idea?")
