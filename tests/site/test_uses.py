"""The picture of the three uses is drawn from its record, and what it shows."""

import re
from xml.etree import ElementTree

from house.trees import ROOT

from vaebook.datasets import load_digits
from vaebook.results import load
from vaebook.site.uses import PATH, Place, drawn, images, squares

SVG = "{http://www.w3.org/2000/svg}"


def test_the_file_is_what_the_record_gives():
    assert PATH == ROOT / "chapters" / "_static" / "uses.svg"
    assert PATH.read_text("utf-8") == drawn(load("uses"))


def test_the_picture_names_itself_and_its_panels():
    root = ElementTree.parse(PATH).getroot()
    named = root.get("aria-labelledby").split()
    assert [part.get("id") for part in root[:2]] == named
    words = [text.text for text in root.iter(f"{SVG}text")]
    for word in ("represent", "generate", "restore", "true", "seen", "four answers"):
        assert word in words
    assert sum(word in set("0123456789") for word in words) == 224


def test_true_digits_are_those_of_the_test_set():
    x = load_digits().test.x[[3, 20, 65, 88]]
    found = images(load("uses").pictures["true"])
    assert [list(image) for image in found] == (255 * x).int().tolist()


def test_a_square_for_each_lit_pixel_in_its_place():
    image = bytes([0] * 9 + [255] + [0] * 53 + [128])
    frame, grey, black = squares(image, Place(10.0, 20.0))
    assert 'x="10.0" y="20.0"' in frame
    assert re.findall(r"M([\d.]+) ([\d.]+)", black) == [("13.4", "23.4")]
    assert re.findall(r"M([\d.]+) ([\d.]+)", grey) == [("33.8", "43.8")]
    assert "#000000" in black and "#7f7f7f" in grey


def test_the_readme_shows_it_with_words():
    text = (ROOT / "README.md").read_text("utf-8")
    (picture,) = re.findall(r'<img src="chapters/_static/uses.svg"[^>]*>', text)
    alt = re.search(r'alt="([^"]*)"', picture)[1]
    assert len(alt) > 80
