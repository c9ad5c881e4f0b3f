// Two latent pads: where draws of the prior land among two models' codes,
// and what is decoded there.
// State lives in the traits z (a point for each model), draw (the set on show) and source.
import { imageOf, inside, nearest, readPads } from "./maths.js";
import { button } from "../parts/controls.js";
import { h, mounted, onThemeChange, OWN_KEYS, themeColours } from "../parts/dom.js";
import { Side } from "./side.js";
import { s } from "../parts/plot.js";

export { imageOf, inside, nearest, readPads };

const SOURCES = {
  prior: ["N(0, I)", "Sample the prior"],
  fitted: ["a Gaussian fitted to the codes", "Sample the Gaussian"],
};
const CIRCLE = "M2 8A6 6 0 1 1 14 8A6 6 0 1 1 2 8";
const MARKS = [
  ["near", "M3 8H13M8 3V13", "draw"],
  ["lost", "M4 4L12 12M12 4L4 12", "draw where no code is"],
  ["prior", CIRCLE, "N(0, I): 1\u03c3, 2\u03c3"],
  ["fitted", CIRCLE, "fitted: 1\u03c3, 2\u03c3"],
];

class Pads {
  constructor(model, el, signal) {
    Object.assign(this, { model, signal, data: readPads(model), count: model.get("num_draws") });
    this.sets = this.data[0].sources.prior.draws.length / this.count;
    this.build(el);
    this.wire();
    this.recolour();
  }

  build(el) {
    const { count, data, model, signal } = this;
    const labels = model.get("labels");
    const side = model.get("side");
    const draw = () => (this.colours ? this.draw() : this.recolour());
    this.sides = data.map(
      (one, k) =>
        new Side({
          data: one,
          labels,
          side,
          count,
          draw,
          signal,
          onMove: (...z) => this.moveTo(k, z),
        }),
    );

    const options = Object.entries(SOURCES).map(([value, [name]]) => h("option", { value }, name));
    this.source = h("select", {}, ...options);
    this.sample = button(SOURCES.prior[1]);
    this.status = h("p", { class: "lx-note", "aria-live": "polite" });
    const controls = h(
      "div",
      { class: "la-controls" },
      h("label", { class: "lx-menu" }, "Draw from", this.source),
      this.sample,
      this.status,
    );

    this.root = h(
      "div",
      { class: "lx la", ...OWN_KEYS },
      h(
        "p",
        { class: "lx-hint" },
        "Drag a ring to decode a point. Sample, and see where the draws land.",
      ),
      this.keys(),
      h("div", { class: "la-body" }, controls, ...this.sides.map((one) => one.el)),
    );
    el.append(this.root);
  }

  keys() {
    const marks = MARKS.map(([kind, d, words]) =>
      h(
        "span",
        {},
        s(
          "svg",
          { class: `la-${kind}`, viewBox: "0 0 16 16", "aria-hidden": "true" },
          s("path", { d }),
        ),
        words,
      ),
    );
    const classes = this.sides[0].classes.map((label, k) =>
      h(
        "span",
        {},
        h("i", { class: "la-dot", style: `background: var(--lx-class-${k % 10})` }),
        String(label),
      ),
    );
    return h(
      "p",
      { class: "la-keys" },
      ...marks,
      h("span", { class: "la-classes" }, "codes:", ...classes),
    );
  }

  wire() {
    const { model, sample, sets, signal, source } = this;
    const on = (el, type, action) => el.addEventListener(type, action, { signal });
    on(sample, "click", () => this.put("draw", (model.get("draw") + 1) % sets));
    on(source, "change", () => this.put("source", source.value));
    onThemeChange(() => this.recolour(), signal);

    const rings = () => this.drawRings();
    const draws = () => this.drawSets();
    for (const [name, action] of [
      ["change:z", rings],
      ["change:draw", draws],
      ["change:source", draws],
    ]) {
      model.on(name, action);
      signal.addEventListener("abort", () => model.off(name, action));
    }
  }

  put(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  moveTo(k, z) {
    const moved = this.model.get("z").map((old, j) => (j === k ? z : old));
    this.put("z", moved);
  }

  // Colours are known only in the page; in Jupyter render comes before that.
  recolour() {
    if (!this.root.isConnected) return;
    this.colours = themeColours(this.root, ["paper", "ink"]);
    this.draw();
  }

  draw() {
    for (const side of this.sides) side.drawCodes();
    this.drawSets();
    this.drawRings();
  }

  drawRings() {
    const z = this.model.get("z");
    if (this.colours) this.sides.forEach((side, k) => side.drawRing(z[k], this.colours));
  }

  drawSets() {
    if (!this.colours) return;
    const { colours, count, data, model, sample, sets, sides, source, status } = this;
    const from = model.get("source");
    const set = model.get("draw");
    source.value = from;
    sample.textContent = SOURCES[from][1];
    const lost = sides.map((side) => side.drawSet(from, set * count, colours));
    const words = lost.map((number, k) => `${number} of ${count} for the ${data[k].name}`);
    status.textContent = `Set ${set + 1} of ${sets}. Where no code is: ${words.join(", ")}.`;
  }
}

export default { render: mounted(Pads) };
