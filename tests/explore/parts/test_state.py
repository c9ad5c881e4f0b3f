"""A view and its widget's traits: one redraw a change, and nothing left at the end."""

import json

import pytest
from playwright.sync_api import Page

from vaebook.explore.parts.bundle import EXPLORE, bundle

# A module that logs what a State does, and a model that says when it is set
VIEW = """import { atEnd, mounted } from "./state.js";
export class Model {
  constructor(values) {
    Object.assign(this, { values, handlers: new Map(), saves: 0 });
  }
  get(name) {
    return this.values[name];
  }
  set(name, value) {
    const changed = this.values[name] !== value;
    this.values[name] = value;
    if (changed) this.handlers.get(`change:${name}`)?.forEach((handler) => handler());
  }
  on(name, handler) {
    this.handlers.set(name, (this.handlers.get(name) ?? new Set()).add(handler));
  }
  off(name, handler) {
    this.handlers.get(name)?.delete(handler);
  }
  save_changes() {
    this.saves += 1;
  }
  count() {
    return [...this.handlers.values()].reduce((sum, set) => sum + set.size, 0);
  }
}
export class View {
  constructor(state) {
    Object.assign(this, { state, log: [] });
    this.root = document.createElement("button");
    state.listen(this.root, "click", () => state.put({ a: 1, b: 2 }));
    state.watch(["a", "b"], (names) => this.draw(names));
    state.watch(["c"], () => this.log.push("c alone"));
    atEnd(state.signal, () => this.log.push("end"));
    globalThis.view = this;
  }
  draw(names) {
    this.log.push(names ? `${names.join()} a=${this.state.get("a")}` : "first");
  }
}
export default { render: mounted(View) };
"""


@pytest.fixture
def view(page_factory, tmp_path) -> Page:
    """A page with ``model``, ``view`` and ``end()``."""
    (tmp_path / "state.js").write_text((EXPLORE / "parts" / "state.js").read_text())
    (tmp_path / "view.js").write_text(VIEW)
    page = page_factory().page
    page.goto("about:blank")
    page.evaluate(
        """async (text) => {
          const script = new Blob([text], { type: "text/javascript" });
          const module = await import(URL.createObjectURL(script));
          window.model = new module.Model({ a: 0, b: 0, c: 0 });
          window.end = module.default.render({ model, el: document.body });
        }""",
        bundle("view.js", tmp_path),
    )
    return page


def log(page):
    """What was drawn since the last look."""
    return json.loads(page.evaluate("JSON.stringify(view.log.splice(0))"))


@pytest.mark.browser
def test_a_view_is_put_into_the_page_and_drawn_once(view):
    assert view.locator("button").count() == 1
    assert log(view) == ["first"]


@pytest.mark.browser
def test_traits_written_together_redraw_once_and_are_sent_once(view):
    log(view)
    view.locator("button").click()
    assert log(view) == ["a,b a=1"]
    assert view.evaluate("model.saves") == 1
    view.locator("button").click()
    assert log(view) == ["a,b a=1"]  # for a control that may have moved


@pytest.mark.browser
def test_a_change_from_python_redraws_what_watches_it(view):
    log(view)
    view.evaluate("model.set('b', 5)")
    assert log(view) == ["b a=0"]
    view.evaluate("model.set('c', 5)")
    assert log(view) == ["c alone"]
    assert view.evaluate("model.saves") == 0


@pytest.mark.browser
def test_after_the_reader_python_is_heard_again(view):
    view.locator("button").click()
    log(view)
    view.evaluate("model.set('b', 7)")
    assert log(view) == ["b a=1"]


@pytest.mark.browser
def test_a_drawing_is_told_which_of_its_traits_were_written(view):
    log(view)
    view.evaluate("view.state.put({ b: 4, d: 5 })")
    assert log(view) == ["b a=0"]
    view.evaluate("view.state.put({ d: 6 })")
    assert log(view) == []


@pytest.mark.browser
def test_at_the_end_nothing_listens_any_more(view):
    log(view)
    view.evaluate("window.root = view.root")
    view.evaluate("end()")
    assert log(view) == ["end"]
    assert view.locator("button").count() == 0
    assert view.evaluate("model.count()") == 0
    view.evaluate("root.click()")
    view.evaluate("model.set('a', 9)")
    assert log(view) == []


@pytest.mark.browser
def test_one_view_that_ends_leaves_another_alone(view):
    view.evaluate("""async () => {
      window.first = view;
      window.second = first.constructor;
      window.other = new AbortController();
      new second(new first.state.constructor(model, other.signal));
    }""")
    view.evaluate("other.abort()")
    view.evaluate("first.log.splice(0)")
    view.evaluate("model.set('a', 3)")
    assert view.evaluate("first.log") == ["a a=3"]
