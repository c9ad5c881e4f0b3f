"""Which equations the chapters state, and which tests say that they check them."""

import ast
import re
from collections.abc import Iterator
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"\s*(`{3,}[^`]*|~{3,}.*|:{3,}.*)$")
DOLLARS = re.compile(r"\$\$\s*\((eq-[^)\s]+)\)\s*$")
MATH = re.compile(r"\s*(?:`{3,}|~{3,}|:{3,})\{math\}")
OPTION = re.compile(r"\s*:label:\s*(eq-\S+)\s*$")
WORDS = ("label", "against", "body")

Line = tuple[int, str]
Labelled = tuple[int, str, str]  # line of the label, label, formula


class Equation(NamedTuple):
    """A labelled equation: its chapter's stem and title, the label's line, its TeX."""

    label: str
    chapter: str
    title: str
    line: int
    body: str


class Claim(NamedTuple):
    """A test's mark: the label it checks, and what it is compared with.

    ``file`` is the path of the test file below the folder of the tests, ``body`` the
    fingerprint of the formula for which the test was written.
    """

    label: str
    file: str
    function: str
    against: str
    body: str
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
    """Every ``@pytest.mark.equation("eq-x-y", against="...", body="...")`` of a folder.

    Without ``against`` or ``body`` these are empty. Nothing is imported or run.

    Raises
    ------
    ValueError
        If one of the three is not written out as a string.
    """
    folder = Path(tests_dir)
    found = [claim for file in files(folder) for claim in _claims(file, folder)]
    return sorted(found, key=lambda claim: (claim.file, claim.line))


def files(tests_dir: Path) -> list[Path]:
    """The files of tests below a folder."""
    return sorted(Path(tests_dir).rglob("test_*.py"))


def marks(module: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Each mark of an equation in the decorators of a test, after the test's name."""
    for test in ast.walk(module):
        if isinstance(test, ast.FunctionDef):
            parts = (node for mark in test.decorator_list for node in ast.walk(mark))
            for part in parts:
                if isinstance(part, ast.Call) and _names_equation(part):
                    yield test.name, part


def arguments(mark: ast.Call) -> dict[str, ast.expr]:
    """What a mark is given, by name."""
    named = {word.arg: word.value for word in mark.keywords}
    return named | dict(zip(WORDS, mark.args, strict=False))


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
    text = page.read_text(encoding="utf-8")
    lines = list(prose(text))
    titles = (line[2:].strip() for _, line in lines if line.startswith("# "))
    title = next(titles, page.stem)
    found = [*_between_dollars(lines), *_in_directives(lines, text.splitlines())]
    for number, label, body in sorted(found):
        yield Equation(label, page.stem, title, number, body)


def _between_dollars(lines: list[Line]) -> Iterator[Labelled]:
    """A formula ends before its label, and starts after the dollars before that."""
    before = ""
    for number, line in lines:
        end = DOLLARS.search(line)
        if end:
            body = (before + line[: end.start()]).rpartition("$$")[2]
            yield number, end[1], body.strip()
        before += line + "\n"


def _in_directives(lines: list[Line], page: list[str]) -> Iterator[Labelled]:
    opener = ""
    for number, line in lines:
        option = OPTION.match(line)
        if MATH.match(line):
            opener = line.strip()
        elif opener and option:
            yield number, option[1], _inside(opener, page[number:])
        elif line.strip()[:1] != ":":
            opener = ""


def _inside(opener: str, after: list[str]) -> str:
    """What a directive holds: its argument, and the lines below its options."""
    argument = opener.partition("{math}")[2]
    inside = takewhile(lambda line: not _closes(line.strip(), opener), after)
    content = dropwhile(lambda line: line.strip()[:1] == ":", inside)
    return "\n".join([argument, *content]).strip()


def _claims(file: Path, folder: Path) -> Iterator[Claim]:
    place = file.relative_to(folder).as_posix()
    for test, mark in marks(ast.parse(file.read_text(encoding="utf-8"))):
        label, against, body = _written(mark, file)
        yield Claim(label, place, test, against, body, mark.lineno)


def _names_equation(call: ast.Call) -> bool:
    return ast.unparse(call.func) == "pytest.mark.equation"


def _written(mark: ast.Call, file: Path) -> list[str]:
    named = arguments(mark)
    try:
        return [
            ast.literal_eval(named[word]) if word in named else "" for word in WORDS
        ]
    except ValueError:
        place = f"{file.name}, line {mark.lineno}"
        message = f"{place}: label, against and body must be strings, received "
        raise ValueError(message + ast.unparse(mark)) from None
