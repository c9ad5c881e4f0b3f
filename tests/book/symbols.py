r"""The symbols of a formula: its letters, each with what stands on it.

``\hat\sigma_x^2`` holds ``\hat\sigma`` and ``x``; ``\mathcal L`` is one symbol, and so
are ``\mathcal N``, ``\mathrm{KL}``, ``\Gamma``. A prime makes another symbol, and so
does a star. What is text or the name of a function is none.
"""

import re

ON_TOP = ("hat", "tilde", "bar", "overline", "mathcal", "mathbb", "mathbf")
GREEK = set(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi pi "
    "rho sigma tau phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi "
    "Psi Omega ell nabla".split()
)
TEXT = re.compile(
    r"\\(?:text|mathrm|operatorname|begin|end|underbrace|tag|label|eqref)\*?\s*"
    r"\{[^{}]*\}"
)
CALCULUS = re.compile(r"(?<![A-Za-z\\])d(?=\s*(?:[a-z](?![A-Za-z])|\\[a-z]))(?![_^(])")
TOKEN = re.compile(r"\\([A-Za-z]+)|([A-Za-z])|(.)", re.S)


def symbols(tex):
    """The set of symbols in a piece of TeX."""
    tex = re.sub(r"\\(?:text|mathrm)\{KL\}", " ", tex)
    tex = re.sub(r"\\underbrace\{", "{", tex)
    while TEXT.search(tex):
        tex = TEXT.sub(" ", tex)
    found, top = set(), ""
    for command, letter, other in TOKEN.findall(tex):
        if command in ON_TOP:
            top += f"\\{command} "
        elif command in GREEK:
            found.add(top + "\\" + command)
            top = ""
        elif letter:
            found.add(top + letter)
            top = ""
        elif command or other not in " {\n":
            top = ""
    return found


def displays(page):
    """The formulas of a page that stand by themselves."""
    return re.findall(r"\$\$(.*?)\$\$", page, re.S)


def formulas(page):
    """All formulas of a page, those of its lines too."""
    lines = re.sub(r"\$\$.*?\$\$", " ", page, flags=re.S)
    return displays(page) + re.findall(r"\$([^$]+)\$", lines)


CHAPTERS = {"all": range(14)}


def numbers(cell):
    """The chapters that a cell such as ``0, 4-10`` names."""
    if cell in CHAPTERS:
        return set(CHAPTERS[cell])
    found = set()
    for part in cell.split(","):
        first, _, last = part.strip().partition("\N{EN DASH}")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def rows(page):
    """(chapters, written forms) of each row of the tables of symbols."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 5 and cells[0].startswith("$"):
            yield numbers(cells[1]), re.findall(r"\$([^$]*)\$", cells[0])
