"""Every page of the built book, as a reader's browser shows it."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.book import ROOT, Site, book_pages
from browser.chromium import Visit, fresh_page
from browser.halves import served_in_halves
from bs4 import BeautifulSoup
from PIL import Image

from vaebook.site.fingerprints import normalised

# Of a page, compressed: before anybody scrolls, and scrolled to its end
FIRST_KB, WHOLE_KB = 250, 420


THEMES = ("light", "dark")


BOOK = book_pages()


ROOT_PAGE = "index.html"


SHOWN = ["search.html", *BOOK]


PAGES = [ROOT_PAGE, *SHOWN]


SOURCES = {page: ROOT / page.replace(".html", ".md") for page in BOOK}


NOTEBOOKS = [p for p in BOOK if "{code-cell}" in SOURCES[p].read_text("utf-8")]


every_page = pytest.mark.parametrize("page", PAGES)


class Html(HTMLParser):
    """Language, description, headings, ids, links and images of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.language = self.description = ""
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if named.get("id"):
            self.ids.append(named["id"])
        if tag == "html":
            self.language = named.get("lang", "")
        elif tag == "meta" and named.get("name") == "description":
            self.description = named.get("content", "")
        elif tag == "img":
            self.images.append(named)
        elif tag in ("a", "link", "script") and (named.get("href") or named.get("src")):
            self.links.append(named.get("href") or named["src"])
        elif re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))


def test_the_site_holds_exactly_the_pages_of_the_table_of_contents(built_site: Path):
    found = {p.relative_to(built_site).as_posix() for p in built_site.rglob("*.html")}
    assert {p for p in found if not p.startswith("_")} == set(PAGES)


@every_page
def test_language_description_headings_and_alt_text(built_site: Path, page: str):
    html = Html(built_site / page)
    assert html.language == "en"
    assert 20 <= len(html.description) <= 160
    assert html.headings.count(1) == 1
    steps = zip(html.headings, html.headings[1:], strict=False)
    assert all(b - a <= 1 for a, b in steps), f"a heading is skipped: {html.headings}"
    silent = [i["src"][:80] for i in html.images if not (i.get("alt") or "").strip()]
    assert not silent, f"images without alt text: {silent}"


@every_page
def test_every_link_leads_somewhere(built_site: Path, page: str):
    html, broken = Html(built_site / page), []
    assert len(set(html.ids)) == len(html.ids), "an id is used twice"
    for link in html.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            assert parts.scheme in ("https", "mailto"), link
        elif not _resolves(built_site, page, html, link):
            broken.append(link)
    assert not broken


def _resolves(folder: Path, page: str, html: Html, link: str) -> bool:
    path, _, anchor = urljoin(page, link).partition("#")
    target = folder / unquote(path.partition("?")[0])
    if not target.is_file():
        return False
    known = html.ids if target == folder / page else None
    if anchor and known is None and target.suffix == ".html":
        known = Html(target).ids
    return not anchor or known is None or unquote(anchor) in known


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["http", "file"])
def test_the_root_leads_to_the_first_page(page_factory, site: Site, kind: str):
    visit = page_factory()
    visit.page.goto(getattr(site, kind)(ROOT_PAGE))
    visit.page.wait_for_url(f"**/{BOOK[0]}")
    assert visit.problems == []


# A page opened once, for all that looks at it; what moves it comes last


@pytest.fixture(scope="module", params=SHOWN)
def desktop(browser, site: Site, request) -> Iterator[Visit]:
    """A page at 1280 pixels, opened in the light theme, scrolled past every figure."""
    with fresh_page(browser, 1280, 900, color_scheme="light") as visit:
        visit.name = request.param
        visit.open(site.http(visit.name))
        visit.asked = list(visit.requests)
        yield visit


@pytest.fixture(scope="module", params=SHOWN)
def phone(browser, site: Site, request) -> Iterator[Visit]:
    """The same at 360 pixels, under a finger, opened in the dark theme."""
    options = {"color_scheme": "dark", "has_touch": True}
    with fresh_page(browser, 360, 740, **options) as visit:
        visit.open(site.http(request.param))
        yield visit


@pytest.fixture(scope="module", params=SHOWN)
def from_disk(browser, site: Site, request) -> Iterator[Visit]:
    """The page opened as a file."""
    with fresh_page(browser, 1280, 900) as visit:
        visit.name = request.param
        visit.open(site.file(visit.name))
        yield visit


def violations(visit: Visit, theme: str) -> list[str]:
    """What axe finds in a theme, to which the page is switched as its system would."""
    visit.page.emulate_media(color_scheme=theme)
    visit.page.wait_for_function(
        "theme => document.documentElement.dataset.theme === theme", arg=theme
    )
    visit.page.wait_for_function(  # colours fade from one theme into the other
        "document.getAnimations().every((one) => one.playState !== 'running')"
    )
    found = Axe().run(visit.page).response["violations"]
    return [_violation(one) for one in found]


def _violation(found: dict) -> str:
    nodes = [f"{n['target']}: {n['failureSummary']}" for n in found["nodes"]]
    return f"{found['id']}: {found['help']}\n" + "\n".join(nodes)


@pytest.mark.browser
def test_weight(desktop: Visit, record_property):
    first = kilobytes(desktop.asked[: desktop.unscrolled])
    whole = kilobytes(desktop.asked)
    record_property("weight_kb", {"first": first, "whole": whole})
    print(f"{desktop.name:28} {first:6.0f} KB, scrolled to the end {whole:6.0f} KB")
    assert first <= FIRST_KB
    assert whole <= WHOLE_KB


def kilobytes(requests: list) -> float:
    """What the site sent, as it was sent."""
    sent = [r for r in requests if urlsplit(r.url).scheme == "http"]
    return sum(r.sizes()["responseBodySize"] for r in sent) / 1000


@pytest.mark.browser
@pytest.mark.parametrize("theme", THEMES)
def test_no_problem_and_no_barrier(desktop: Visit, theme: str):
    assert violations(desktop, theme) == []
    assert desktop.problems == []


def assert_still(visit: Visit) -> None:
    """Nothing but an explorer moved on arrival; scrolled past, as good as nothing.

    A section that comes near is laid out, and may be some pixels off its measured room.
    """
    shifts = visit.page.evaluate("window.shifts")
    assert sum(one["value"] for one in shifts) <= 0.02, shifts
    on_arrival = [s for s in shifts if s["scrollY"] == 0 and s["value"] > 5e-4]
    assert [s for s in on_arrival if s["outside"]] == []


@pytest.mark.browser
def test_nothing_moves_on_a_desktop(desktop: Visit):
    assert_still(desktop)


@pytest.mark.browser
def test_nothing_moves_on_a_phone(phone: Visit):
    assert_still(phone)


@pytest.mark.browser
@pytest.mark.parametrize("page", [BOOK[2], BOOK[-1]])
def test_nothing_moves_where_a_page_stops_within_its_header(page_factory, site, page):
    visit = page_factory(360, 740, has_touch=True)
    with served_in_halves(site.folder, b'<button class="btn btn-sm nav-link') as url:
        visit.page.goto(f"{url}/{page}")
        visit.page.wait_for_timeout(200)
        assert_still(visit)


# When the page is first shown: how many of its fonts are loaded by then
SHOWN_WITH = """new MutationObserver(() => {
  const root = document.documentElement;
  if (!root.classList.contains("unset") && window.waited && !window.fontsThen)
    window.fontsThen = [...document.fonts].map((font) => font.status);
  window.waited ||= root.classList.contains("unset");
}).observe(document, {
  attributes: true,
  subtree: true,
  attributeFilter: ["class"],
});"""


@pytest.mark.browser
def test_a_page_is_shown_when_its_fonts_are_loaded(page_factory, site: Site):
    page = page_factory().page
    page.add_init_script(SHOWN_WITH)
    page.goto(site.http("chapters/notation.html"))
    page.wait_for_function("window.fontsThen")
    fonts = page.evaluate("fontsThen")
    assert len(fonts) > 5
    assert set(fonts) == {"loaded"}


@pytest.mark.browser
def test_a_page_is_shown_without_fonts_that_never_come(page_factory, site: Site):
    page = page_factory().page
    page.add_init_script("""Object.defineProperty(document.fonts, "ready", {
      get: () => new Promise(() => {}),
    });""")
    page.goto(site.http("chapters/notation.html"))
    heading = page.get_by_role("heading", level=1)
    heading.wait_for(state="visible", timeout=5_000)


def assert_room(visit: Visit) -> None:
    """What is reserved for each explorer holds it, and not much more."""
    visit.page.wait_for_function(ALL_LIVE)
    for room, height in visit.page.evaluate(ROOMS):
        assert height <= room <= height + 12


@pytest.mark.browser
def test_explorers_have_the_room_they_need_on_a_desktop(desktop: Visit):
    assert_room(desktop)


@pytest.mark.browser
def test_explorers_have_the_room_they_need_under_a_finger(phone: Visit):
    assert_room(phone)


ALL_LIVE = """() => [...document.querySelectorAll(".vb-widget")]
  .every((box) => box.querySelector(":scope > .vb-live > .vb"))"""
ROOMS = """() => [...document.querySelectorAll(".vb-widget")].map((box) => [
  parseFloat(getComputedStyle(box).minHeight),
  box.querySelector(".vb-live").getBoundingClientRect().height,
])"""


@pytest.mark.browser
def test_every_icon_is_drawn(desktop: Visit):
    """No icon font is loaded, so each icon must have a drawing of its own."""
    assert desktop.page.evaluate(UNDRAWN_ICONS) == []


UNDRAWN_ICONS = r"""() => {
  const missing = [];
  for (const element of document.querySelectorAll("body *:not(mjx-container *)")) {
    const icon = [...element.classList].some((name) => /^fa-(?!solid$|lg$)/.test(name));
    if (icon && getComputedStyle(element).maskImage === "none")
      missing.push(element.className);
    for (const part of ["::before", "::after"])
      if (/[\ue000-\uf8ff]/.test(getComputedStyle(element, part).content))
        missing.push(element.tagName + "." + element.className + part);
  }
  return missing;
}"""


@pytest.mark.browser
def test_every_slider_moves_without_a_kernel(desktop: Visit, site: Site):
    assert_sliders_move(desktop, site)


@pytest.mark.browser
def test_the_notebook_can_be_downloaded(desktop: Visit):
    offer = desktop.page.get_by_role("link", name="This page as a notebook")
    if desktop.name not in NOTEBOOKS:
        assert offer.count() == 0
        return
    desktop.page.get_by_role("button", name="Download").click()
    with desktop.page.expect_download() as download:
        offer.click()
    notebook = nbformat.read(download.value.path(), as_version=4)
    nbformat.validate(notebook)
    cells = [c for c in notebook.cells if c.cell_type == "code"]
    source = SOURCES[desktop.name].read_text(encoding="utf-8")
    assert len(cells) == source.count("```{code-cell}")
    assert [c.execution_count for c in cells] == list(range(1, len(cells) + 1))


@pytest.mark.browser
@pytest.mark.parametrize("theme", THEMES)
def test_a_phone_shows_the_whole_width(phone: Visit, theme: str):
    assert violations(phone, theme) == []
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert phone.problems == []


@pytest.mark.browser
def test_a_page_works_from_the_disk(from_disk: Visit):
    assert from_disk.problems == []


@pytest.mark.browser
def test_every_slider_moves_from_the_disk(from_disk: Visit, site: Site):
    assert_sliders_move(from_disk, site)


def assert_sliders_move(visit: Visit, site: Site) -> None:
    """A key press moves each slider; where there are figures, there is a slider."""
    views = (site.folder / visit.name).read_text("utf-8").count("widget-view+json")
    sliders = visit.page.locator("article input[type=range]:visible")
    assert sliders.count() >= min(views, 1)
    for slider in sliders.all():
        before = slider.input_value()
        slider.focus()
        slider.press("Home" if float(before) > float(_least(slider)) else "End")
        assert slider.input_value() != before
    assert visit.problems == []


# Single pages


@every_page
def test_images_have_a_size_and_come_when_near(built_site: Path, page: str):
    html = Html(built_site / page)
    named = [i for i in html.images if "_images" in i["src"] or "widgets" in i["src"]]
    assert all(int(i["width"]) > 0 and int(i["height"]) > 0 for i in named)
    assert all(i["loading"] == "lazy" for i in named)
    text = (built_site / page).read_text(encoding="utf-8")
    assert text.count('<img class="drawn"') == text.count("<picture>")
    for address in re.findall(r'<source [^>]*srcset="([^"]+)"', text):
        assert (built_site / page).parent.joinpath(address).is_file()


GROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.mark.browser
@pytest.mark.parametrize("theme", THEMES)
def test_a_figure_s_paper_is_the_page_s_own_ground(page_factory, site: Site, theme):
    visit = page_factory(color_scheme=theme)
    visit.arrive(site.http("chapters/05_variational.html"))
    figure = visit.page.locator("img.drawn").first
    figure.scroll_into_view_if_needed()
    figure.evaluate("(one) => one.decode()")
    shown = Image.open(io.BytesIO(figure.screenshot())).convert("RGB")
    ground = [int(n) for n in re.findall(r"\d+", visit.page.evaluate(GROUND))]
    assert (
        max(abs(a - b) for a, b in zip(shown.getpixel((3, 3)), ground, strict=True))
        <= 2
    )
    tones = [sum(colour) for _, colour in shown.getcolors(1 << 20)]
    assert (max(tones) > 500) and (min(tones) < 250), "ink stands out from the ground"


@pytest.mark.browser
def test_a_phone_is_shown_a_figure_s_narrow_form(phone: Visit):
    shown = phone.page.evaluate("""() => [...document.querySelectorAll("picture")]
      .filter((one) => one.querySelector("source"))
      .map((one) => [one.querySelector("source").srcset, one.lastChild.currentSrc])""")
    for narrow, current in shown:
        assert current.endswith(narrow.rpartition("/")[2])


def test_the_zip_holds_notebooks_site_and_code(built_site: Path):
    (archive,) = (built_site / "_downloads").glob("*.zip")
    names = {n.partition("/")[2] for n in zipfile.ZipFile(archive).namelist()}
    wanted = {f"site/{p}" for p in PAGES} | {"requirements.txt", "README.md"}
    wanted |= {f"notebooks/{Path(p).stem}.ipynb" for p in NOTEBOOKS}
    assert wanted <= names
    assert "src/vaebook/site/__init__.py" in names


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["http", "file"])
def test_search_finds_a_chapter(page_factory, site: Site, kind: str):
    visit = page_factory()
    visit.open(getattr(site, kind)(BOOK[0]))
    visit.page.keyboard.press("Control+k")
    visit.page.locator("#pst-search-dialog input").fill("notation")
    visit.page.keyboard.press("Enter")
    result = visit.page.locator("#search-results a", has_text="Notation").first
    result.wait_for(timeout=10_000)
    result.click()
    visit.page.wait_for_url("**/notation.html*")
    assert visit.problems == []


def _least(slider) -> str:
    return slider.evaluate("(element) => element.min || '0'")


@pytest.mark.browser
def test_the_theme_switch_switches(page_factory, site: Site):
    visit = page_factory(color_scheme="light")
    visit.open(site.http(BOOK[0]))
    seen = set()
    for _ in range(3):
        visit.page.get_by_role("button", name="Color mode").click()
        seen.add(visit.page.evaluate("document.documentElement.dataset.theme"))
    assert seen == {"light", "dark"}


@pytest.mark.browser
def test_paper_is_light_whatever_the_theme(page_factory, site: Site):
    visit = page_factory(color_scheme="dark")
    visit.open(site.http(BOOK[0]))
    themes = visit.page.evaluate("""() => ["beforeprint", "afterprint"].map((name) => {
      dispatchEvent(new Event(name));
      return document.documentElement.dataset.theme;
    })""")
    assert themes == ["light", "dark"]


def test_each_tested_equation_leads_to_its_claim(built_site: Path):
    marks = 0
    for page in BOOK:
        text = (built_site / page).read_text(encoding="utf-8")
        marks += text.count('class="check-mark reference internal"')
    claims = (built_site / "chapters/claims.html").read_text(encoding="utf-8")
    assert marks == len(set(re.findall(r'id="(claim-eq-[\w-]+)"', claims))) > 0


def formulas(page: Path, kind: str) -> dict[str, str]:
    """What stands in the display at the anchor ``kind`` of each labelled equation."""
    anchor, tex = rf'id="{kind}-(?P<label>eq-[\w-]+)"', 'data-tex="(?P<tex>[^"]*)"'
    order = rf"{tex} {anchor}" if kind == "equation" else rf"{anchor}.*?{tex}"
    found = re.finditer(order, page.read_text(encoding="utf-8"), re.DOTALL)
    return {one["label"]: normalised(unescape(one["tex"])) for one in found}


def test_each_claim_shows_the_formula_that_its_chapter_prints(built_site: Path):
    printed = {}
    for page in BOOK:
        printed |= formulas(built_site / page, "equation")
    assert printed
    assert formulas(built_site / "chapters/claims.html", "claim") == printed


def test_the_formulas_of_the_claims_have_no_number_of_their_own(built_site: Path):
    claims = (built_site / "chapters/claims.html").read_text(encoding="utf-8")
    assert claims.count('class="math') > 0
    assert claims.count('class="eqno"') == claims.count('class="check-mark') == 0


@pytest.mark.browser
def test_a_phone_shows_each_formula_of_the_claims(page_factory, site: Site):
    """The table is wider than the phone; what a formula lacks it scrolls to itself."""
    visit = page_factory(width=360, height=740)
    visit.open(site.http("chapters/claims.html"))
    edges = visit.page.locator("tr.formula mjx-container").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().right)"
    )
    assert len(edges) > 0
    assert max(edges) <= 360


def test_each_view_names_the_file_of_its_state(built_site: Path):
    for page in BOOK:
        text = (built_site / page).read_text(encoding="utf-8")
        assert "widget-state+json" not in text
        for found in re.findall(r'widget-view\+json">(.*?)</script>', text):
            view = json.loads(found)
            script = (built_site / page).parent / view["state"]
            assert f'"{view["model_id"]}":{{' in script.read_text(encoding="utf-8")


CHILDREN = {"mfrac": 2, "msup": 2, "msub": 2, "msubsup": 3, "munder": 2, "mover": 2}


def test_each_formula_s_mathml_is_whole(built_site: Path):
    """The claims hold each labelled formula of the book once more."""
    text = (built_site / "chapters/claims.html").read_text(encoding="utf-8")
    formulas = re.findall(r"<math\b.*?</math>", text, re.DOTALL)
    assert len(formulas) > 100
    for formula in formulas:
        found = BeautifulSoup(formula, "html.parser").find_all(list(CHILDREN))
        counts = [(one.name, len(one.find_all(recursive=False))) for one in found]
        assert [(name, n) for name, n in counts if n != CHILDREN[name]] == []


def test_each_check_mark_says_which_equation_it_is_of(built_site: Path):
    for page in BOOK:
        text = (built_site / page).read_text(encoding="utf-8")
        marks = text.count('class="check-mark reference internal"')
        says = r'<span class="spoken">(Equation [\d.]+ is tested: see how)</span>'
        assert len(set(re.findall(says, text))) == marks


@pytest.mark.browser
def test_a_fold_is_spoken_as_it_is_read(page_factory, site: Site):
    visit = page_factory()
    visit.arrive(site.http("chapters/05_variational.html"))
    for fold in visit.page.locator("article summary:visible").all():
        assert fold.get_attribute("aria-label") is None
        assert fold.text_content().strip()


def test_no_formula_is_left_to_the_reader_s_browser(built_site: Path):
    """Each is typeset and spoken, and carries its TeX for whoever copies it."""
    for page in SHOWN:
        text = (built_site / page).read_text(encoding="utf-8")
        places = len(re.findall(r'<(?:span|div) class="math\b', text))
        assert places == len(re.findall(r' data-tex="[^"]', text))
        typeset = text.count("<mjx-container")
        assert typeset == text.count("<math ") >= places
        assert not re.search(r"<script[^>]*mathjax", text, re.IGNORECASE)
        shown = re.sub(r'data-tex="[^"]*"', "", text)
        assert not re.search(r"\\[([]", shown), "TeX that waits for a script"


# A network that rests says nothing of an image that was delivered and not yet read
WITHOUT_SCRIPTS = """async () => {
  const images = [...document.images];
  await Promise.allSettled(images.map((one) => one.decode()));
  return {
    undrawn: images
      .filter((one) => !one.naturalWidth)
      .map((one) => one.src),
    unset: [...document.querySelectorAll(".math")]
      .filter((one) => !one.querySelector("mjx-math")?.getClientRects().length)
      .map((one) => one.textContent),
    figures: images.length,
  };
}"""


@pytest.mark.browser
@pytest.mark.parametrize("page", BOOK)
def test_every_formula_and_figure_is_there_without_scripts(
    page_factory, site: Site, page: str
):
    visit = page_factory(java_script_enabled=False)
    visit.page.goto(site.http(page), wait_until="networkidle")
    found = visit.page.evaluate(WITHOUT_SCRIPTS)
    assert found["undrawn"] == found["unset"] == []
    text = (site.folder / page).read_text(encoding="utf-8")
    assert found["figures"] >= text.count("widget-view+json")


@pytest.mark.browser
def test_a_copied_formula_is_its_tex(page_factory, site: Site):
    visit = page_factory(permissions=["clipboard-read", "clipboard-write"])
    visit.arrive(site.http("chapters/05_variational.html"))
    formula = visit.page.locator("div.math").first
    formula.locator("mjx-container").first.dblclick()
    visit.page.keyboard.press("Control+c")
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == f"$${formula.get_attribute('data-tex')}$$"

    paragraph = visit.page.locator("article p:has(.math)").first
    paragraph.evaluate("(one) => getSelection().selectAllChildren(one)")
    visit.page.keyboard.press("Control+c")
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    inside = paragraph.locator(".math").evaluate_all(
        "(all) => all.map((one) => one.dataset.tex)"
    )
    assert re.findall(r"\$(.*?)\$", copied) == inside
    assert visit.problems == []
