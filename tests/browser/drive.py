"""What a reader does to an explorer's page, and what the page then shows."""

import base64
import io
import re

import numpy as np
from PIL import Image

# Scripts that stand in for a kernel

# A kernel's model inside the page: m.model, m.traits (what reads them), m.module, m.el
STAND_IN = """async () => {
  const state = JSON.parse(document.querySelector('script[type*="widget-state"]').text);
  const record = Object.values(state.state).find((r) => r.state._esm);
  const values = { ...record.state };
  for (const { path, data } of record.buffers || []) {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    values[path[0]] = new DataView(bytes.buffer);
  }
  const url = URL.createObjectURL(new Blob([values._esm], { type: "text/javascript" }));
  const handlers = new Map();
  const model = {
    get: (key) => values[key],
    set: (key, value) => {
      values[key] = value;
      handlers.get(`change:${key}`)?.forEach((handler) => handler());
    },
    on: (name, f) => handlers.set(name, (handlers.get(name) || new Set()).add(f)),
    off: (name, f) => handlers.get(name)?.delete(f),
    save_changes() {},
  };
  const pair = (name) => [name, values[name]];
  const pick = (...names) => Object.fromEntries(names.map(pair));
  const traits = { get: model.get, pick };
  window.m = { model, traits, handlers, module: await import(url) };
}"""

# Shows the module again, with that model
RENDER = """() => {
  m.el = document.createElement("div");
  m.module.default.render({ model: m.model, el: m.el });
  document.querySelector("main").replaceChildren(m.el);
}"""

# Counts in m.saves what the page sends to the kernel
COUNT_SAVES = """() => {
  m.saves = 0;
  m.model.save_changes = () => (m.saves += 1);
}"""


# What a reader does

SCROLL_DOWN = "window.scrollTo(0, document.body.scrollHeight)"

# Drags the second ring by sixty moves
DRAGGED = """async () => {
  const ring = document.querySelectorAll(".vb-handle")[1];
  const box = ring.getBoundingClientRect();
  const fire = (type, k) => ring.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: 1, pointerType: "mouse", button: 0,
    clientX: box.left + 22 + 60 * Math.sin(k / 9),
    clientY: box.top + 22 + 40 * Math.sin(k / 5),
  }));
  fire("pointerdown", 0);
  for (let k = 1; k <= 60; k++) {
    await new Promise(requestAnimationFrame);
    fire("pointermove", k);
  }
  fire("pointerup", 60);
}"""


def press(page, *names):
    """Press buttons, one after the other, by their words."""
    for name in names:
        page.get_by_role("button", name=name, exact=True).click()


def drag(page, ring, dx, dy, *, grip=(0, 0)):
    """Drag a ring by so many pixels, gripped so far from its centre."""
    box = ring.bounding_box()
    x, y = box["x"] + 22 + grip[0], box["y"] + 22 + grip[1]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=3)
    page.mouse.up()
    page.mouse.move(x, y)


# A fixed piece of work of a move's kinds, by which a machine's pace is known
YARDSTICK = """async () => {
  const SVG = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(SVG, "svg");
  document.body.append(svg);
  for (let k = 1; k <= 60; k++) {
    await new Promise(requestAnimationFrame);
    let total = 0;
    for (let n = 0; n < 100000; n++) total += Math.exp(-((n * k) % 7));
    const dots = Array.from({ length: 200 }, (_, n) => {
      const dot = document.createElementNS(SVG, "circle");
      const share = (n * k) % 100;
      dot.setAttribute("r", 3 + total / 1e9);
      dot.setAttribute("style", `fill: color-mix(in srgb, red ${share}%, blue)`);
      return dot;
    });
    svg.replaceChildren(...dots);
  }
  svg.remove();
}"""
# Milliseconds of it a frame where the limits of the tests were set
PACE = 7.0


def work_per_move(page, moves, enough=16):
    """Milliseconds of the page's main thread per move of 60, whatever else runs.

    They are those of a machine that takes ``PACE`` for a frame of the yardstick, which
    is measured in the same page: a slow machine is no fault of the page. The least of
    three rounds; of up to ten, while it is more than ``enough``: a busy neighbour on
    the same core makes a round longer, never shorter.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    work, pace = [], []
    while len(work) < 4 or (len(work) < 11 and _least(work, pace) > enough):
        pace.append(_busy_while(session, page, YARDSTICK))
        work.append(_busy_while(session, page, moves))
    return _least(work, pace)


def _busy_while(session, page, moves):
    """Milliseconds a move."""
    before = _busy_seconds(session)
    page.evaluate(moves)
    return 1000 * (_busy_seconds(session) - before) / 60


def _busy_seconds(session):
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(m["value"] for m in metrics if m["name"] == "TaskDuration")


def _least(work, pace):
    """Of the rounds but the first, which warms up."""
    return PACE * min(work[1:]) / min(pace[1:])


# What the page shows

INNER_SIZE = "(el) => ['width', 'height'].map((k) => el[k].baseVal.value)"


def settled(page):
    """Wait until the plots have their final size."""
    page.wait_for_function(
        "document.querySelector('.vb-plot svg').viewBox.baseVal.width !== 360"
    )


def numbers(page, selector=".vb-slider .vb-number"):
    """What the sliders, or other places, show, as numbers."""
    texts = page.locator(selector).all_text_contents()
    return [float(text.replace("\u2212", "-").replace(" ", "")) for text in texts]


def boxes(page):
    """Where the two plots have their axes, in CSS pixels."""
    return [
        rect.bounding_box() for rect in page.locator(".vb-plot > svg > g > rect").all()
    ]


def drawn(page, selector):
    """Vertices of a path in a plot, as fractions of its axes: (N, 2), up positive."""
    path = page.locator(selector)
    points = re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path.get_attribute("d"))
    return of_axes(path, points)


def of_axes(shape, points):
    """Points of a plot as fractions of its axes: (N, 2), up positive."""
    inner = shape.evaluate(
        "(el) => ['width', 'height'].map((k) => el.ownerSVGElement[k].baseVal.value)"
    )
    return np.array(points, dtype=float) / inner * [1, -1] + [0, 1]


def place_of(page, selector):
    """Centre of a mark in the second plot, as its data."""
    return page.locator(selector).evaluate("""(el) => {
      const { width, height } = el.ownerSVGElement;
      return [el.cx.baseVal.value / width.baseVal.value * 1.8 - 0.3,
        el.cy.baseVal.value, height.baseVal.value];
    }""")


def inks(pictures):
    """Probabilities of ink that canvases show, (N, D), in the light theme."""
    urls = pictures.evaluate_all("(all) => all.map((one) => one.toDataURL())")
    files = [io.BytesIO(base64.b64decode(url.partition(",")[2])) for url in urls]
    reds = [np.array(Image.open(file).convert("RGB"))[..., 0].ravel() for file in files]
    return (255.0 - np.array(reds)) / (255 - 29)
