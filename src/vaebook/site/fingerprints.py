"""Fingerprints of printed formulas, beside the tests that were written for them.

A formula was edited on purpose? Read its tests again, then renew what they carry:
``python -m vaebook.site.fingerprints eq-em-bound`` in the folder of the book.
"""

import argparse
import ast
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from vaebook.site.claims import arguments, equations, files, marks

# A control word, a control symbol, a comment, white space, any other character
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|%[^\n]*|\s+|.", re.DOTALL)


class Renewal(NamedTuple):
    """A test, and its fingerprint of an equation before and now."""

    test: str
    label: str
    old: str
    new: str


class Edit(NamedTuple):
    """Bytes to put in place of others."""

    start: int
    end: int
    new: bytes


def normalised(body: str) -> str:
    r"""The tokens of a formula, a blank between them.

    White space and comments are left out, as TeX ignores them in mathematics; commands
    that make space, such as ``\,`` and ``\quad``, are tokens. Within ``\text`` white
    space prints, but changes no formula: it is left out too.
    """
    tokens = TOKEN.findall(body)
    kept = (one for one in tokens if one[0] != "%" and not one.isspace())
    return " ".join(kept).replace("\n", " ")  # a control space may end a line


def fingerprint(body: str) -> str:
    """The first eight hexadecimal digits of the SHA-256 of a normalised formula."""
    return hashlib.sha256(normalised(body).encode()).hexdigest()[:8]


def renew(labels: list[str], root: Path) -> list[Renewal]:
    """Write the fingerprints of formulas into the marks of their tests.

    Parameters
    ----------
    labels : list of str
        Those of the equations whose tests were read again.
    root : Path
        The folder that holds ``chapters`` and ``tests``.

    Returns
    -------
    list of Renewal
        One for each mark that has changed.

    Raises
    ------
    ValueError
        If no chapter states one of the labels.
    """
    printed = {one.label: fingerprint(one.body) for one in equations(root / "chapters")}
    unknown = [label for label in labels if label not in printed]
    if unknown:
        raise ValueError(f"no chapter states {', '.join(unknown)}")
    wanted = {label: printed[label] for label in labels}
    found = (_renew_file(file, root, wanted) for file in files(root / "tests"))
    return [renewal for renewals in found for renewal in renewals]


def main(given: list[str] | None = None, root: Path = Path()) -> None:
    """Renew and report; ``given`` are the arguments of the shell by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", nargs="+", metavar="eq-chapter-name")
    try:
        renewals = renew(parser.parse_args(given).labels, root)
    except ValueError as error:
        parser.error(str(error))
    for one in renewals:
        print(f"{one.test}  {one.label}  {one.old or 'none'} → {one.new}")
    print("Read these tests before you commit." if renewals else "Nothing to renew.")


def _renew_file(file: Path, root: Path, wanted: Mapping[str, str]) -> list[Renewal]:
    source = file.read_bytes()
    place = file.relative_to(root).as_posix()
    starts = _line_starts(source)

    renewals, edits = [], []
    for test, mark in marks(ast.parse(source)):
        label, old = (_string(arguments(mark), word) for word in ("label", "body"))
        if label in wanted and wanted[label] != old:
            renewals.append(Renewal(f"{place}::{test}", label, old, wanted[label]))
            edits.append(_edit(mark, wanted[label], starts))

    for edit in sorted(edits, reverse=True):  # the last first: places before it stay
        source = source[: edit.start] + edit.new + source[edit.end :]
    if edits:
        file.write_bytes(source)
    return renewals


def _line_starts(source: bytes) -> list[int]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _string(named: Mapping[str, ast.expr], word: str) -> str:
    return ast.literal_eval(named[word]) if word in named else ""


def _edit(mark: ast.Call, new: str, starts: list[int]) -> Edit:
    """The old string replaced, or the keyword put after the last argument."""
    body = arguments(mark).get("body")
    if body:
        start = starts[body.lineno - 1] + body.col_offset
        return Edit(start, _end(body, starts), f'"{new}"'.encode())
    end = max(_end(one, starts) for one in [*mark.args, *mark.keywords])
    return Edit(end, end, f', body="{new}"'.encode())


def _end(node: ast.expr | ast.keyword, starts: list[int]) -> int:
    return starts[node.end_lineno - 1] + node.end_col_offset


if __name__ == "__main__":
    main()
