// The ELBO ellipse: a Gaussian q over a posterior in the plane, and log p(x) = ELBO + KL(q || p).
// State lives in the traits target, direction, mu, lengths and angle.
import { button, panel, reading } from "../parts/controls.js";
import { format, h, mounted, OWN_KEYS, symbol } from "../parts/dom.js";
import { Bar } from "./bar.js";
import { Plane } from "./plane.js";
import { contours, covOf, nearest, terms } from "./maths.js";
import { linear, logarithmic } from "../parts/plot.js";

export { contours, covOf, nearest, terms };

const NAMES = { reverse: "KL(q \u2016 p)", forward: "KL(p \u2016 q)" };
const MEANING = {
  reverse: "It is the gap in the bar: what lifts the ELBO lowers it.",
  forward: "It is not the gap in the bar: it averages over the posterior, not over q.",
};

// label: children; name: as spoken. The track has so many steps of a scale.
function slider({ label, name, scale, steps, words = format }) {
  const input = h("input", { type: "range", min: 0, max: steps, step: 1, "aria-label": name });
  const number = h("span", { class: "lx-number", "aria-hidden": "true" });
  const show = (value, worth) => {
    input.value = steps * scale.at(value);
    number.textContent = words(value);
    input.setAttribute("aria-valuetext", `${name} ${words(value)}, ${worth}`);
  };
  const el = h("label", { class: "lx-slider" }, h("span", {}, ...label), input, number);
  return { el, input, show, value: () => scale.value(input.value / steps) };
}

function sliders(bound, [low, high]) {
  const mean = (k) =>
    slider({
      label: ["mean ", symbol("z", k)],
      name: `mean z${k}`,
      scale: linear(-bound, bound),
      steps: 100 * bound,
    });
  const length = (label, name) =>
    slider({
      label: [`${label} std. dev.`],
      name: `${name} standard deviation`,
      scale: logarithmic(low, high),
      steps: 300,
    });
  const angle = slider({
    label: ["angle"],
    name: "angle",
    scale: linear(-180, 180),
    steps: 360,
    words: (v) => `${format(v, 0)}\u00b0`,
  });
  return [mean(1), mean(2), length("1st", "first"), length("2nd", "second"), angle];
}

// Buttons of which one is pressed: [[value, text], ..]
const choices = (name, options) => {
  const buttons = options.map(([value, text]) => ({ value, el: button(text) }));
  const el = h(
    "div",
    { class: "lq-choice", role: "group", "aria-label": name },
    h("span", {}, `${name}:`),
    ...buttons.map((one) => one.el),
  );
  return { buttons, el };
};

class Explorer {
  constructor(model, el, signal) {
    Object.assign(this, { model, signal, note: "" });
    this.build(el);
    this.wire();
    this.draw();
  }

  q() {
    const [mu, lengths, angle] = ["mu", "lengths", "angle"].map((name) => this.model.get(name));
    return { mu, lengths, angle };
  }

  target() {
    return this.model.get("targets")[this.model.get("target")];
  }

  build(el) {
    const { model, signal } = this;
    const bound = model.get("bound");
    const reach = model.get("reach");
    const [mu, lengths, angle] = model.get("start");
    const draw = () => this.draw();

    this.plane = new Plane({
      bound,
      reach,
      home: { mu, lengths, angle },
      now: () => this.q(),
      onMove: (q) => this.move(q),
      draw,
      signal,
    });
    this.bar = new Bar({ draw, signal });

    this.sliders = sliders(bound, reach);
    this.choices = {
      target: choices(
        "Posterior",
        Object.entries(model.get("targets")).map(([name, { label }]) => [name, label]),
      ),
      direction: choices("Make small", Object.entries(NAMES)),
    };
    this.goal = reading();
    this.actions = ["Best q", "Best without rotation", "Start over"].map(button);
    this.status = h("p", { class: "lx-note lq-status", "aria-live": "polite" });

    this.root = this.layout();
    el.append(this.root);
  }

  layout() {
    const {
      actions,
      bar,
      choices: { direction, target },
      goal,
      plane,
      status,
    } = this;
    return h(
      "div",
      { class: "lx lq", ...OWN_KEYS },
      h(
        "p",
        { class: "lx-hint" },
        "Move, stretch and turn ",
        h("i", {}, "q"),
        " by its three handles. The sum in the bar never moves.",
      ),
      target.el,
      h(
        "div",
        { class: "lq-body" },
        panel("Posterior and q", plane.plot.el),
        panel(
          "log p(x) = ELBO + KL(q \u2016 p)",
          bar.plot.el,
          bar.equation,
          h("p", { class: "lx-note" }, "The ELBO, split in two ways, nats"),
          bar.details,
        ),
        panel(
          "Divergence",
          direction.el,
          h("div", { class: "lq-goal" }, h("dl", {}, goal.el)),
          status,
          h("div", { class: "lq-buttons" }, ...actions),
        ),
        panel(
          "Gaussian q",
          h("div", { class: "lx-sliders" }, ...this.sliders.map((one) => one.el)),
        ),
      ),
    );
  }

  wire() {
    const { actions, model, signal } = this;
    const on = (el, type, action) => el.addEventListener(type, action, { signal });
    for (const [trait, { buttons }] of Object.entries(this.choices)) {
      for (const { el, value } of buttons) on(el, "click", () => this.put({ [trait]: value }));
    }
    this.sliders.forEach(({ input, value }, k) => on(input, "input", () => this.slide(k, value())));
    on(actions[0], "click", () => this.best(false));
    on(actions[1], "click", () => this.best(true));
    on(actions[2], "click", () => this.take(model.get("start")));

    const changed = () => this.batching || this.draw();
    for (const name of ["target", "direction", "mu", "lengths", "angle"]) {
      model.on(`change:${name}`, changed);
      signal.addEventListener("abort", () => model.off(`change:${name}`, changed));
    }
  }

  // What the reader does. Each writes the traits and then redraws once.
  put(changes, note = "") {
    this.batching = true;
    for (const [name, value] of Object.entries(changes)) this.model.set(name, value);
    this.batching = false;
    this.note = note;
    this.draw();
    this.model.save_changes();
  }

  move(changes) {
    this.put(changes);
  }

  slide(k, value) {
    const { mu, lengths } = this.q();
    if (k < 2) this.move({ mu: mu.map((old, i) => (i === k ? value : old)) });
    else if (k < 4) this.move({ lengths: lengths.map((old, i) => (i === k - 2 ? value : old)) });
    else this.move({ angle: value });
  }

  take([mu, lengths, angle], note) {
    this.put({ mu: [...mu], lengths: [...lengths], angle }, note);
  }

  best(diagonal) {
    const direction = this.model.get("direction");
    const fits = this.target().best[direction + (diagonal ? " diagonal" : "")];
    const kind = diagonal ? "Gaussian without rotation" : "Gaussian";
    const mirror = fits.length > 1 ? "; its mirror image is as good" : "";
    this.take(nearest(fits, this.q().mu), ` No ${kind} comes closer${mirror}.`);
  }

  draw() {
    const { model } = this;
    const q = this.q();
    const target = this.target();
    const worth = terms(target, q);
    const direction = model.get("direction");
    const value = format(direction === "reverse" ? worth.kl : worth.forwardKl, 3);
    const spoken = `${NAMES[direction]} ${value} nats`;

    this.plane.draw(target, q, spoken);
    this.bar.draw(target, worth);
    [...q.mu, ...q.lengths, q.angle].forEach((v, k) => this.sliders[k].show(v, spoken));
    for (const [trait, { buttons }] of Object.entries(this.choices)) {
      for (const one of buttons)
        one.el.setAttribute("aria-pressed", one.value === model.get(trait));
    }

    this.goal.el.firstChild.textContent = NAMES[direction];
    this.goal.number.textContent = `${value} nats`;
    const status = MEANING[direction] + this.note;
    if (this.status.textContent !== status) this.status.textContent = status;
  }
}

export default { render: mounted(Explorer) };
