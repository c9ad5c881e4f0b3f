"""Measure how high the explorers and the sections of the built site are.

``make heights`` runs it after the book was built, with Chromium, and writes what
``vaebook.site.heights`` reserves for them before they are there.
"""

import json
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from vaebook.site.heights import DESKTOP, PHONE, RECORD

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
ALL_LAID_OUT = "article section { content-visibility: visible !important }"
SECTIONS = """() => Object.fromEntries(
  [...document.querySelectorAll(".bd-article > section > section[id]")].map((one) => [
    one.id, Math.ceil(one.getBoundingClientRect().height),
  ]),
)"""
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


def sections(page: Page) -> dict[str, list[int]]:
    """By its anchor each section's height, on a phone and on a desktop."""
    page.add_style_tag(content=ALL_LAID_OUT)
    found = []
    for width in (PHONE, DESKTOP):
        page.set_viewport_size({"width": width, "height": 800})
        found.append(page.evaluate(SECTIONS))
    return {anchor: [one[anchor] for one in found] for anchor in found[0]}


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
    record = {"explorers": {}, "sections": {}}
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--headless", "--no-sandbox"]
        )
        page = browser.new_page()
        for path in sorted(SITE.glob("chapters/*.html")):
            name = path.relative_to(SITE).with_suffix("").as_posix()
            page.goto(path.as_uri())
            columns = zip(*measured(page), strict=True)
            curves = [list(zip(WIDTHS, one, strict=True)) for one in columns]
            record["explorers"][name] = [knots(curve) for curve in curves]
            record["sections"][name] = sections(page)
            print(name, len(curves), "explorers", file=sys.stderr)
        browser.close()
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
