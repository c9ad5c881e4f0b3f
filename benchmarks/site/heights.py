"""Measure how high each explorer of the built site is, at every width of a page.

``make heights`` runs it after the book was built, with Chromium, and writes what
``vaebook.site.heights`` reserves for the explorers before they are there.
"""

import json
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from vaebook.site.heights import RECORD

SITE = Path(__file__).parents[2] / "_build" / "html"
# The narrowest phone to where the column no longer grows; where the type changes; wide.
WIDTHS = (*range(320, 721, 4), 768, 769, 1280)
TOLERANCE = 4  # pixels by which a height may be above or below what is recorded

LIVE = """async () => {
  const boxes = [...document.querySelectorAll(".vb-widget")];
  for (const box of boxes) {
    box.scrollIntoView();
    while (!box.querySelector(":scope > .vb-live > .vb")) {
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}"""
HEIGHTS = """async () => {
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)));
  const live = [...document.querySelectorAll(".vb-widget > .vb-live")];
  return live.map((one) => Math.ceil(one.getBoundingClientRect().height));
}"""


def measured(page: Page) -> list[list[int]]:
    """For each width the heights of a page's explorers, in their order."""
    page.evaluate(LIVE)
    rows = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        rows.append(page.evaluate(HEIGHTS))
    return rows


def knots(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The fewest of the points whose straight connection stays near all of them."""
    (x0, y0), *between, (x1, y1) = points
    slope = (y1 - y0) / (x1 - x0)
    off = [abs(y - y0 - slope * (x - x0)) for x, y in between]
    if max(off, default=0) <= TOLERANCE:
        return [points[0], points[-1]]
    split = off.index(max(off)) + 1
    return knots(points[: split + 1])[:-1] + knots(points[split:])


def main() -> None:
    record = {}
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--headless", "--no-sandbox"]
        )
        page = browser.new_page()
        for path in sorted(SITE.glob("chapters/*.html")):
            if 'class="vb-widget' not in path.read_text(encoding="utf-8"):
                continue
            page.goto(path.as_uri())
            columns = zip(*measured(page), strict=True)
            curves = [list(zip(WIDTHS, one, strict=True)) for one in columns]
            name = path.relative_to(SITE).with_suffix("").as_posix()
            record[name] = [knots(curve) for curve in curves]
            print(name, [len(one) for one in record[name]], file=sys.stderr)
        browser.close()
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
