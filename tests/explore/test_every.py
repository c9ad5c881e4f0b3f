"""What every explorer owes its readers, whatever it shows."""

import html
import io
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from anywidget import AnyWidget
from axe_playwright_python.sync_playwright import Axe
from browser.drive import SCROLL_DOWN, STAND_IN, press
from browser.page import LIVE, embedded, shown
from explore.made import (
    make_ellipse,
    make_frames,
    make_gradients,
    make_latent,
    make_ledger,
    make_pads,
    make_posterior,
    make_proposal,
    make_race,
    make_restoration,
    make_spectrum,
    make_stepper,
    make_surface,
)
from explore.stepper.oracle import RUNS
from PIL import Image

import vaebook.explore
from vaebook.explore import SamplerRace
from vaebook.vae import VAE, GaussianVAE


class Owing(NamedTuple):
    """An explorer, what a reader does before it is judged, and what it may weigh."""

    make: Callable
    stir: Callable = lambda page: None
    most: int = 45_000  # characters of its state in a page
    heaviest: Callable | None = None  # with all the data that it takes; as made if None
    most_picture: int = 20_000  # bytes


def choose_threes(page):
    page.get_by_role("button", name="Show only class 3").click()


def sliders(*moves):
    """What presses keys on sliders, or sets them, each by its place."""

    def stir(page):
        for k, to in moves:
            slider = page.locator(".vb-slider input").nth(k)
            slider.press(to) if isinstance(to, str) else slider.fill(str(to))

    return stir


def pads_of_large_nets():
    rng = torch.Generator().manual_seed(0)
    models = {name: VAE(64, (128, 128), 2, rng=rng) for name in ("one", "other")}
    return make_pads(models)


def restoration_of_large_nets():
    model = GaussianVAE(64, (96, 96), 16, rng=torch.Generator().manual_seed(0))
    return make_restoration(num=10, model=model)


def four_samplers():
    rng = torch.Generator().manual_seed(0)
    log_w = torch.randn(4, 10_000, 8, generator=rng)
    return SamplerRace({f"sampler {k}": log_w[k] for k in range(4)}, 0.5)


def stepper_of_three():
    return make_stepper(RUNS[2], presets={"poor": RUNS[3]})


AT_ONE_END = ((3, "End"), (1, "Home"), (0, "Home"), (2, "Home"), (3, "ArrowLeft"))
EVERY = {
    "ellipse": Owing(make_ellipse, lambda page: press(page, "Best q")),
    "frames": Owing(make_frames, most=60_000),
    "gradient_race": Owing(make_gradients),
    "latent": Owing(make_latent, choose_threes, most=90_000, most_picture=40_000),
    "latent, eight": Owing(
        partial(make_latent, 8), choose_threes, most=90_000, most_picture=40_000
    ),
    "ledger": Owing(
        make_ledger, lambda page: press(page, "5", "Refine q"), most=90_000
    ),
    "pads": Owing(make_pads, most=150_000, heaviest=pads_of_large_nets),
    "posterior": Owing(make_posterior, sliders(*AT_ONE_END), most=40_000),
    "proposal": Owing(partial(make_proposal, 0, 0.5)),
    "restoration": Owing(
        make_restoration,
        lambda page: press(page, "See all"),
        most=115_000,
        heaviest=restoration_of_large_nets,
    ),
    "sampler_race": Owing(partial(make_race, 8), heaviest=four_samplers),
    "spectrum": Owing(make_spectrum, sliders((1, "End"), (0, 250))),
    "stepper": Owing(
        stepper_of_three, lambda page: press(page, *["Step"] * 3), most=60_000
    ),
    "surface": Owing(make_surface, lambda page: press(page, "Climb"), most=40_000),
}
each_explorer = pytest.mark.parametrize("explorer", EVERY.values(), ids=EVERY)


@pytest.fixture(scope="module")
def one_of_each():
    return [explorer.make() for explorer in EVERY.values()]


def test_no_explorer_is_forgotten(one_of_each):
    offered = [getattr(vaebook.explore, name) for name in vaebook.explore.__all__]
    kinds = [one for one in offered if isinstance(one, type)]
    explorers = [kind for kind in kinds if issubclass(kind, AnyWidget)]
    forgotten = [
        kind.__name__
        for kind in explorers
        if not any(isinstance(one, kind) for one in one_of_each)
    ]
    assert explorers and forgotten == []


def test_every_folder_hands_its_explorer_on(one_of_each):
    root = Path(vaebook.explore.__file__).parent
    folders = {path.parent.name for path in root.glob("*/explorer.py")}
    assert {type(one).__module__.split(".")[2] for one in one_of_each} == folders


@each_explorer
def test_its_state_is_light(explorer):
    heaviest = explorer.heaviest or explorer.make
    assert len(embedded(heaviest())) < explorer.most


@each_explorer
def test_its_still_is_light_and_says_something(explorer):
    widget = explorer.make()
    picture, words = widget.snapshot(), widget.describe()
    assert len(picture) <= explorer.most_picture
    assert Image.open(io.BytesIO(picture)).format == "WEBP"
    assert words.strip() == words != "" and not re.search(r"\bnan\b", words)
    assert words in html.unescape(shown(widget))


LISTENERS = """() => {
  window.alive = 0;
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, f, options) {
    if (this instanceof AbortSignal) return add.call(this, type, f, options);
    alive += 1;
    options?.signal?.addEventListener("abort", () => (alive -= 1));
    return add.call(this, type, f, options);
  };
  for (const name of ["MutationObserver", "ResizeObserver"]) {
    const { observe, disconnect } = window[name].prototype;
    const watching = new Set();
    window[name].prototype.observe = function (...given) {
      if (!watching.has(this)) alive += 1;
      watching.add(this);
      return observe.apply(this, given);
    };
    window[name].prototype.disconnect = function () {
      if (watching.delete(this)) alive -= 1;
      return disconnect.call(this);
    };
  }
  const count = (owner, open, close) => {
    const [start, end, held] = [owner[open], owner[close], new Set()];
    owner[open] = (...given) => {
      const one = start.apply(owner, given);
      held.add(one);
      alive += 1;
      return one;
    };
    owner[close] = (one) => {
      if (held.delete(one)) alive -= 1;
      return end.call(owner, one);
    };
  };
  count(window, "setInterval", "clearInterval");
  count(URL, "createObjectURL", "revokeObjectURL");
}"""
PLAY = """() => {
  const names = ["Play", "Climb"];
  const all = [...m.el.querySelectorAll("button")];
  all.filter((one) => names.includes(one.textContent)).forEach((one) => one.click());
}"""


@pytest.mark.browser
@each_explorer
def test_keys_belong_to_what_is_in_focus(explorer, show):
    """JupyterLab looks for the mark on the element itself before it takes the key."""
    page = show(explorer.make()).page
    focusable = page.locator(f":is({LIVE}) :is(input, button, select, [tabindex])")
    assert focusable.count() > 0
    marks = "all => all.map(one => one.dataset.lmSuppressShortcuts)"
    assert set(focusable.evaluate_all(marks)) == {"true"}


@pytest.mark.browser
@each_explorer
def test_cleaning_up_leaves_nothing_behind(explorer, show):
    page = show(explorer.make()).page
    page.evaluate(STAND_IN)
    page.evaluate(LISTENERS)
    page.evaluate("""() => {
      m.el = document.body.appendChild(document.createElement("div"));
      m.cleanUp = m.module.default.render({ model: m.model, el: m.el });
    }""")
    assert page.evaluate("alive") > 0
    page.evaluate(PLAY)
    page.evaluate("m.cleanUp()")
    assert page.evaluate("alive") == 0
    assert page.evaluate("m.el.childElementCount") == 0
    assert page.evaluate("[...m.handlers.values()].every((set) => set.size === 0)")


@pytest.mark.browser
@each_explorer
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_is_accessible_and_fits(explorer, theme, width, show):
    visit = show(explorer.make(), width=width, reduced_motion="reduce")
    page = visit.page
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    explorer.stir(page)
    found = Axe().run(page).response["violations"]
    assert found == [], [(v["id"], v["nodes"][0]["html"]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.problems == []


@pytest.mark.browser
@each_explorer
def test_two_on_a_page_share_no_name(explorer, show):
    visit = show(explorer.make(), explorer.make())
    page = visit.page
    page.evaluate(SCROLL_DOWN)
    page.wait_for_function(f"document.querySelectorAll('{LIVE}').length === 2")
    assert page.locator("[id], input[name]").count() == 0
    assert visit.problems == []


LOOKS = """() => [...document.querySelectorAll(".vb, .vb *")].flatMap((el) =>
  [null, "::before"].map((part) => {
    const style = getComputedStyle(el, part);
    const values = [...style].map((name) => `${name}: ${style.getPropertyValue(name)}`);
    return [el.tagName, el.getAttribute("class"), part, values.join("; ")].join(" | ");
  }))"""


@pytest.mark.browser
@each_explorer
@pytest.mark.parametrize("width", [360, 1280])
def test_it_looks_the_same_beside_any_other(explorer, width, one_of_each, show):
    """A page takes the sheets of its explorers one after the other."""
    page = show(explorer.make(), width=width, reduced_motion="reduce").page
    explorer.stir(page)
    page.wait_for_timeout(300)
    alone = page.evaluate(LOOKS)
    for other in one_of_each:
        page.add_style_tag(content=other._css)
    page.wait_for_timeout(300)
    beside = page.evaluate(LOOKS)
    differ = [pair for pair in zip(alone, beside, strict=True) if pair[0] != pair[1]]
    assert differ == [], differ[0]
