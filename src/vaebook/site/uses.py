"""The picture of the three uses, from its record: ``python -m vaebook.site.uses``.

It is drawn as SVG, which is small and sharp, for the README and whoever has no notebook
at hand. Nothing is trained here: the record holds what the model gave.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vaebook.figures import CLASS_COLOURS
from vaebook.files import write_whole
from vaebook.generation.studies.uses import SEEN
from vaebook.results import Record, load

PATH = Path(__file__).parents[3] / "chapters" / "_static" / "uses.svg"
SIDE = 8  # pixels of a digit
UNIT = 3.4  # of the picture, for each of them
PANEL, HEIGHT, TOP = 232, 250, 34
TEXT = (
    "Three panels. Represent: test digits as numerals on a map of two latents, most"
    " classes in a region of their own. Generate: six rows of four digits drawn by the"
    " decoder from the prior. Restore: four rows; a true digit, the sixteen of its"
    " pixels that are seen, and four answers, which differ where those leave it open."
)


class Place(NamedTuple):
    """Upper left corner of an image."""

    left: float
    top: float


def drawn(record: Record) -> str:
    """The whole picture."""
    panels = {
        "represent": numerals(record),
        "generate": sheet(record.pictures["drawn"], 4),
        "restore": restored(record),
    }
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {3 * PANEL} {HEIGHT}"'
        ' role="img" aria-labelledby="uses-title uses-text"'
        ' font-family="sans-serif">',
        '<title id="uses-title">What a variational autoencoder is for</title>',
        f'<desc id="uses-text">{TEXT}</desc>',
        f'<rect width="{3 * PANEL}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for place, (name, panel) in enumerate(panels.items()):
        parts.append(f'<g transform="translate({place * PANEL + 8} 0)">')
        parts.append(f'<text y="20" font-size="15" fill="#222">{name}</text>')
        parts += [*panel, "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def numerals(record: Record) -> Iterator[str]:
    """Every second test digit where its posterior mean is."""
    places = bytes.fromhex(record.pictures["map.places"])
    classes = bytes.fromhex(record.pictures["map.classes"])
    for n in range(0, len(classes), 2):
        across, down = places[2 * n], 255 - places[2 * n + 1]
        colour = CLASS_COLOURS[classes[n]]
        yield (
            f'<text x="{across * 0.82:.1f}" y="{TOP + 8 + down * 0.8:.1f}"'
            f' font-size="9" fill="{colour}">{classes[n]}</text>'
        )


def sheet(ink: str, columns: int) -> Iterator[str]:
    """Images in rows, side by side."""
    step = (SIDE + 1.5) * UNIT
    for n, image in enumerate(images(ink)):
        row, column = divmod(n, columns)
        yield from squares(image, Place(34 + column * step, TOP + row * step))


def restored(record: Record) -> Iterator[str]:
    """Each digit, what was seen of it, its answers: rows."""
    step = (SIDE + 2) * UNIT
    for left, word in ((0, "true"), (step, "seen"), (2 * step + 6, "four answers")):
        yield f'<text x="{left:.1f}" y="{TOP + 10}" font-size="9">{word}</text>'
    true, found = (images(record.pictures[name]) for name in ("true", "answers"))
    seen = SEEN.flatten().tolist()
    for row, image in enumerate(true):
        told = bytes(
            ink if there else 70 for ink, there in zip(image, seen, strict=True)
        )
        answers = found[4 * row : 4 * row + 4]
        for column, one in enumerate((image, told, *answers)):
            left = column * step + 6 * (column > 1)
            yield from squares(one, Place(left, TOP + 16 + row * (step + 12)))


def images(ink: str) -> list[bytes]:
    """Pixels of each image, a byte each."""
    whole, size = bytes.fromhex(ink), SIDE * SIDE
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def squares(image: bytes, at: Place) -> Iterator[str]:
    """A frame, and a square for each pixel with some ink."""
    width = SIDE * UNIT
    corner = f'x="{at.left:.1f}" y="{at.top:.1f}"'
    yield (
        f'<rect {corner} width="{width:.1f}" height="{width:.1f}" fill="#fff"'
        ' stroke="#bbb" stroke-width=".6"/>'
    )
    for level in sorted({32 * round(ink / 32) for ink in image} - {0}):
        path = "".join(
            f"M{at.left + n % SIDE * UNIT:.1f} {at.top + n // SIDE * UNIT:.1f}"
            f"h{UNIT}v{UNIT}h-{UNIT}z"
            for n, ink in enumerate(image)
            if 32 * round(ink / 32) == level
        )
        grey = 255 - min(level, 255)
        yield f'<path fill="#{grey:02x}{grey:02x}{grey:02x}" d="{path}"/>'


if __name__ == "__main__":
    print(f"written to {write_whole(PATH, drawn(load('uses')).encode()) or PATH}")
