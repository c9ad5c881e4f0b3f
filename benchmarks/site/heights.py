"""Measure how high the explorers and the sections of the built site are.

``make heights`` runs it after the book was built, with Chromium, and writes what
``vaebook.site.heights`` reserves for them before they are there.
"""

import json
import re
import shutil
import sys
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from vaebook.site.heights import RECORD

SITE = Path(__file__).parents[2] / "_build" / "html"
# From the narrowest phone on; close where the column grows, then where type changes.
STEPS = (*range(320, 721, 4), 769, 900, 991, 992, 1100, 1199, 1200)
EXACT = (320, 360, 375, 390, 393, 412, 414, 430, 768, 1280)  # as many screens have
WIDTHS = sorted({*STEPS, *EXACT})
EXPLORER, SECTION = 4, 24  # pixels by which a height may be off what is recorded

ALL_LAID_OUT = "article section { content-visibility: visible !important }"
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
  const named = (selector, name) => Object.fromEntries(
    [...document.querySelectorAll(selector)].map((one, k) =>
      [name(one, k), Math.ceil(one.getBoundingClientRect().height)]));
  return {
    explorers: named(".vb-widget > .vb-live", (_, k) => k),
    sections: named(".bd-article > section > section[id]", (one) => one.id),
  };
}"""


def measured(page: Page) -> list[dict[str, dict[str, int]]]:
    """For each width the heights of a page's explorers and sections."""
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate(LIVE)
    page.add_style_tag(content=ALL_LAID_OUT)
    rows = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        rows.append(page.evaluate(HEIGHTS))
    return rows


def lines(rows: list, kind: str, tolerance: int) -> dict[str, list[tuple[int, int]]]:
    """By the name of each of a kind, its heights over the widths, thinned out."""
    found = {}
    for name in rows[0][kind]:
        heights = [row[kind][name] for row in rows]
        points = list(zip(WIDTHS, heights, strict=True))
        found[name] = points[:1]
        for start, end in pairwise(WIDTHS.index(width) for width in EXACT):
            found[name] += knots(points[start : end + 1], tolerance)[1:]
    return found


def knots(points: list[tuple[int, int]], tolerance: int) -> list[tuple[int, int]]:
    """The fewest of the points whose straight connection stays near all of them."""
    (x0, y0), *between, (x1, y1) = points
    slope = (y1 - y0) / (x1 - x0)
    off = [abs(y - y0 - slope * (x - x0)) for x, y in between]
    if max(off, default=0) <= tolerance:
        return [points[0], points[-1]]
    split = off.index(max(off)) + 1
    before, after = points[: split + 1], points[split:]
    return knots(before, tolerance)[:-1] + knots(after, tolerance)


def written(record: dict[str, dict[str, dict]]) -> str:
    """The record as JSON, one line an explorer or section."""
    text = json.dumps(record, indent=1)
    return (
        re.sub(r"\s+(?=[\d\]]|\[\s+\d)", " ", text)
        .replace("[ ", "[")
        .replace(" ]", "]")
        + "\n"
    )


def main() -> None:
    record = {"explorers": {}, "touched": {}, "sections": {}}
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--headless", "--no-sandbox"]
        )
        page = browser.new_page()
        touched = browser.new_page(has_touch=True)
        for path in sorted(SITE.glob("chapters/*.html")):
            name = path.relative_to(SITE).with_suffix("").as_posix()
            for one in (page, touched):
                one.goto(path.as_uri())
            rows, under_finger = measured(page), measured(touched)
            record["explorers"][name] = lines(rows, "explorers", EXPLORER)
            record["touched"][name] = lines(under_finger, "explorers", EXPLORER)
            record["sections"][name] = lines(rows, "sections", SECTION)
            print(name, len(rows[0]["explorers"]), "explorers", file=sys.stderr)
        browser.close()
    RECORD.write_text(written(record), encoding="utf-8")


if __name__ == "__main__":
    main()
