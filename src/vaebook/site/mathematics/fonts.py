"""MathJax's fonts, cut to the characters that the book prints, inside its style sheet.

A formula's font then comes with the rules that need it: nothing is drawn late, and
nothing is asked for that a file opened from the disk could not have.
"""

import base64
import io
import re
from collections import defaultdict

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from vaebook.site.mathematics.typeset import MATHJAX

FOLDER = MATHJAX / "output" / "chtml" / "fonts" / "woff-v2"
FACE = re.compile(
    r"@font-face[^{]*\{\s*font-family: (?P<family>\w[\w-]*);"
    r'\s*src: url\("/(?P<file>[^"]+)"\)[^}]*\}'
)
CONTENT = re.compile(r'(?P<selector>[^{}]+)\{[^{}]*content: "(?P<text>[^"]*)"')
DEFAULT = "MJXTEX"
EVERYWHERE = "MJXZERO"  # gives a line no height of its own
STRETCHED = ("MJXTEX-S1", "MJXTEX-S4", "MJXTEX", "MJXTEX-A")


def characters(css: str) -> dict[str, set[str]]:
    """What each font family of MathJax's ``css`` prints.

    A rule names its font by a class (``TEX-I``), by none (the default), or by standing
    for a piece of a stretched delimiter, which is looked for in four of them.
    """
    found = defaultdict(set)
    for rule in CONTENT.finditer(css):
        for family in _families(rule["selector"]):
            found[family] |= set(_unescaped(rule["text"]))
    return dict(found)


def _families(selector: str) -> tuple[str, ...]:
    if "mjx-stretchy" in selector:
        return STRETCHED
    named = re.search(r"\.(TEX-\w+)", selector)
    return (f"MJX{named[1]}",) if named else (DEFAULT,)


def _unescaped(text: str) -> str:
    r"""A CSS string without its escapes: ``\3B1`` is a Greek alpha."""
    return re.sub(r"\\([0-9A-F]+) ?", lambda hexed: chr(int(hexed[1], 16)), text)


def subset(font: bytes, text: str) -> bytes:
    """A WOFF 2 font with the glyphs of ``text`` alone, where it has them."""
    options = Options(hinting=False, notdef_outline=True)
    options.drop_tables += ["FFTM"]  # when the font was made
    cut = TTFont(io.BytesIO(font))
    cutter = Subsetter(options)
    cutter.populate(text=text)
    cutter.subset(cut)
    return _woff2(cut)


def _woff2(font: TTFont) -> bytes:
    saved = io.BytesIO()
    font.flavor = "woff2"
    font.save(saved)
    return saved.getvalue()


def embedded(css: str) -> str:
    """MathJax's ``css`` with each font in use inside it, and no other named."""
    used = characters(css)

    def face(found: re.Match) -> str:
        family = found["family"]
        if family != EVERYWHERE and family not in used:
            return ""
        font = (FOLDER / found["file"]).read_bytes()
        if family == EVERYWHERE:
            font = _woff2(TTFont(io.BytesIO(font)))
        else:
            font = subset(font, "".join(sorted(used[family])))
        data = base64.b64encode(font).decode()
        source = f'url("data:font/woff2;base64,{data}") format("woff2")'
        return f"@font-face{{font-family:{family};src:{source}}}"

    return FACE.sub(face, css)
