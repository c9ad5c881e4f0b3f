"""Every page of the built book opens in Firefox, and nothing goes wrong on it."""

import re

import pytest
from browser.book import Site, book_pages
from browser.chromium import SCROLL, Visit, fresh_page

# Of a long page Firefox may lay out a part when a fraction's denominator has not come
# yet, and complains of it; ``test_each_formula_s_mathml_is_whole`` looks at the page.
HALF_READ = re.compile(r"error: Incorrect number of children for <m\w+/> tag\.$")


def open_whole(visit: Visit, url: str) -> None:
    """Load ``url``, scroll past every figure, and wait for fonts and images.

    That the network is idle cannot be waited for: on a busy machine Playwright now and
    then misses the end of a request of Firefox's.
    """
    visit.arrive(url)
    visit.page.evaluate(SCROLL)
    visit.page.evaluate(ASK_FOR_ALL)
    visit.page.wait_for_function(ALL_IS_THERE)


@pytest.mark.browser
@pytest.mark.parametrize("page", ["search.html", *book_pages()])
def test_a_page_opens_in_firefox(firefox, site: Site, page: str):
    with fresh_page(firefox, 1280, 900) as visit:
        open_whole(visit, site.http(page))
        assert [p for p in visit.problems if not HALF_READ.match(p)] == []


@pytest.mark.browser
def test_a_page_opens_in_firefox_from_the_disk(firefox, site: Site):
    """Firefox tells nobody of a file that it lacks, so the page itself must."""
    with fresh_page(firefox, 1280, 900) as visit:
        visit.page.add_init_script(REPORT_WHAT_IS_NOT_LOADED)
        open_whole(visit, site.file("chapters/05_variational.html"))
        assert visit.problems == []
        assert visit.page.evaluate(FONTS_NOT_LOADED) == []


# Scrolled past in a hurry, an image may not have come near enough to be asked for
ASK_FOR_ALL = """() => {
  for (const image of document.images) image.loading = "eager";
}"""
ALL_IS_THERE = """() => document.fonts.status === "loaded"
  && [...document.images].every((image) => image.complete)"""
REPORT_WHAT_IS_NOT_LOADED = """addEventListener("error", ({ target }) => {
  if (target !== window) console.error("not loaded: " + target.outerHTML);
}, true);"""
FONTS_NOT_LOADED = """[...document.fonts]
  .filter((font) => font.status === "error")
  .map((font) => font.family)"""
