"""MathJax's fonts inside the style sheet, with what the formulas print and no more."""

import base64
import io
import re

import pytest
from fontTools.ttLib import TTFont

from vaebook.site.mathematics.fonts import FOLDER, characters, embedded, subset
from vaebook.site.mathematics.typeset import Formula, typeset

TEX = r"\mathcal{L}(\theta) = \mathbb{E}\Bigl[\sum_k \log\frac{p}{q}\Bigr]"


@pytest.fixture(scope="module")
def css() -> str:
    return typeset([Formula(TEX, display=True)]).css


def faces(css: str) -> dict[str, TTFont]:
    data = (
        r"@font-face\{font-family:([\w-]+);src:url\(\"data:font/woff2;base64,([^\"]+)"
    )
    return {
        family: TTFont(io.BytesIO(base64.b64decode(font)))
        for family, font in re.findall(data, css)
    }


def test_a_rule_names_the_font_that_prints_its_text(css):
    found = characters(css)
    assert found["MJXTEX-C"] == {"L"}
    assert found["MJXTEX-A"] == {"E"}
    assert {"θ", "p", "q", "k"} <= found["MJXTEX-I"]
    assert {"l", "o", "g", "(", "="} <= found["MJXTEX"]
    assert "[" in found["MJXTEX-S2"]
    assert "∑" in found["MJXTEX-S2"]


def test_each_font_in_use_is_embedded_with_its_characters(css):
    wanted, found = characters(css), faces(embedded(css))
    assert set(found) == {*wanted, "MJXZERO"}
    whole = TTFont(FOLDER / "MathJax_Zero.woff").getBestCmap()
    assert found["MJXZERO"].getBestCmap() == whole
    for family, text in wanted.items():
        glyphs = found[family].getBestCmap()
        missing = {c for c in text if ord(c) not in glyphs}
        assert missing <= {"\u2061"}, family  # an invisible sign, in no font


def test_no_address_of_a_font_is_left(css):
    assert css.count("url(") > 20
    assert re.sub(r'url\("data:[^"]+"\)', "", embedded(css)).count("url(") == 0


def test_a_subset_draws_its_characters_as_the_whole_font_does():
    whole = (FOLDER / "MathJax_Main-Regular.woff").read_bytes()
    part = subset(whole, "ab")
    assert len(part) < len(whole) / 10
    before, after = TTFont(io.BytesIO(whole)), TTFont(io.BytesIO(part))
    assert set(after.getBestCmap()) == {ord("a"), ord("b")}
    for letter in "ab":
        old, new = (f.getBestCmap()[ord(letter)] for f in (before, after))
        assert before["hmtx"][old] == after["hmtx"][new]
    assert before["head"].unitsPerEm == after["head"].unitsPerEm
