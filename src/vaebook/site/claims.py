"""Which equations the chapters state, and which tests say that they check them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"\s*(`{3,}[^`]*|~{3,}.*|:{3,}.*)$")
DOLLARS = re.compile(r"\$\$\s*\((eq-[^)\s]+)\)\s*$")
MATH = re.compile(r"\s*(?:`{3,}|~{3,}|:{3,})\{math\}")
OPTION = re.compile(r"\s*:label:\s*(eq-\S+)\s*$")


class Equation(NamedTuple):
    """A labelled equation: its chapter's stem and title, and the label's line."""

    label: str
    chapter: str
    title: str
    line: int


class Claim(NamedTuple):
    """A test's mark: the label it checks, and what it is compared with.

    ``file`` is the path of the test file below the folder of the tests.
    """

    label: str
    file: str
    function: str
    against: str
    line: int

    @property
    def test(self) -> str:
        """The name by which pytest runs it."""
        return f"tests/{self.file}::{self.function}"


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Numbered lines of a MyST page outside its code; directives are prose."""
    fences = []
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        mark = line.strip()
        if fence and fences and _closes(mark, fences[-1]):
            fences.pop()
        elif fences and _is_code(fences[-1]):
            continue
        elif fence and not (fences and _is_math(fences[-1])):
            fences.append(mark)
            if not _is_code(mark):
                yield number, line
        else:
            yield number, line


def equations(chapters_dir: Path) -> list[Equation]:
    """Every label ``eq-...`` of the pages in a folder, page by page.

    Both ways to write one count: ``$$ ... $$ (eq-x-y)``, and the directive ``{math}``
    with ``:label: eq-x-y``. Labels in code are not equations.
    """
    pages = sorted(Path(chapters_dir).glob("*.md"))
    return [equation for page in pages for equation in _equations(page)]


def claims(tests_dir: Path) -> list[Claim]:
    """Every ``@pytest.mark.equation("eq-x-y", against="...")`` below a folder.

    Without ``against`` it is empty. Nothing is imported or run.

    Raises
    ------
    ValueError
        If a label or an ``against`` is not written out as a string.
    """
    folder = Path(tests_dir)
    files = sorted(folder.rglob("test_*.py"))
    found = [claim for file in files for claim in _claims(file, folder)]
    return sorted(found, key=lambda claim: (claim.file, claim.line))


def _closes(mark: str, opener: str) -> bool:
    return set(mark) == {opener[0]} and len(mark) >= _width(opener)


def _width(opener: str) -> int:
    return len(opener) - len(opener.lstrip(opener[0]))


def _is_code(opener: str) -> bool:
    info = opener.lstrip(opener[0]).strip()
    return info.startswith("{code") or (opener[0] != ":" and not info.startswith("{"))


def _is_math(opener: str) -> bool:
    return MATH.match(opener) is not None


def _equations(page: Path) -> Iterator[Equation]:
    lines = list(prose(page.read_text(encoding="utf-8")))
    titles = (line[2:].strip() for _, line in lines if line.startswith("# "))
    title = next(titles, page.stem)
    in_math = False
    for number, line in lines:
        found = DOLLARS.search(line) or (in_math and OPTION.match(line))
        if found:
            yield Equation(found[1], page.stem, title, number)
        in_math = bool(MATH.match(line)) or (in_math and line.strip()[:1] == ":")


def _claims(file: Path, folder: Path) -> Iterator[Claim]:
    place = file.relative_to(folder).as_posix()
    for test in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(test, ast.FunctionDef):
            marks = (node for mark in test.decorator_list for node in ast.walk(mark))
            for call in marks:
                if isinstance(call, ast.Call) and _names_equation(call):
                    against, label = _written(call, file)
                    yield Claim(label, place, test.name, against, call.lineno)


def _names_equation(call: ast.Call) -> bool:
    return ast.unparse(call.func) == "pytest.mark.equation"


def _written(call: ast.Call, file: Path) -> tuple[str, str]:
    named = {word.arg: word.value for word in call.keywords}
    named |= dict(zip(("label", "against"), call.args, strict=False))
    try:
        return tuple(
            ast.literal_eval(named[name]) if name in named else ""
            for name in ("against", "label")
        )
    except ValueError:
        place = f"{file.name}, line {call.lineno}"
        message = f"{place}: label and against must be strings, received "
        raise ValueError(message + ast.unparse(call)) from None
