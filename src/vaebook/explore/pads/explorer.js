// Two latent pads: where draws of the prior land among two models' codes,
// and what is decoded there.
// State lives in the traits z (a point for each model), draw (the set on show) and source.
import { button, hint, menu, note } from "../parts/controls.js";
import { explorer, h, palette, say } from "../parts/dom.js";
import { s } from "../parts/plot.js";
import { mounted } from "../parts/state.js";
import { imageOf, inside, nearest, readPads } from "./maths.js";
import { Side } from "./side.js";

export { imageOf, inside, nearest, readPads };

const PLUS = "M3 8H13M8 3V13";
const CROSS = "M4 4L12 12M12 4L4 12";
const CIRCLE = "M2 8A6 6 0 1 1 14 8A6 6 0 1 1 2 8";

// A mark and its name
const keyed = (kind, d, style, words) =>
  h(
    "span",
    {},
    s(
      "svg",
      { class: `pads-${kind}`, viewBox: "0 0 16 16", "aria-hidden": "true" },
      s("path", { d, style }),
    ),
    words,
  );

class Pads {
  constructor(state) {
    Object.assign(this, { state, data: readPads(state), count: state.get("num_draws") });
    this.sets = this.data[0].sources.prior.draws.length / this.count;
    this.build();
    this.root = this.layout();
    this.colours = palette(this.root, ["paper", "ink"], () => this.draw(), state.signal);
    this.wire();
  }

  build() {
    const { count, data, state } = this;
    const { labels, picture, side, words } = state.pick("labels", "picture", "side", "words");
    const shared = { labels, side, count, ...picture, signal: state.signal };
    this.sides = data.map(
      (one, k) =>
        new Side({
          ...shared,
          data: one,
          draw: () => this.draw(),
          onMove: (...z) => this.moveTo(k, z),
        }),
    );
    const sources = Object.entries(words).map(([source, { name }]) => [source, name]);
    this.source = menu("Draw from", sources);
    this.sample = button(words.prior.button);
    this.status = note();
    this.status.setAttribute("aria-live", "polite");
  }

  layout() {
    const { sample, sides, source, status } = this;
    return explorer(
      "pads",
      hint("Drag a ring to decode a point. Sample, and see where the draws land."),
      this.keys(),
      h(
        "div",
        { class: "vb-body" },
        h("div", { class: "pads-controls" }, source.el, sample, status),
        ...sides.map((one) => one.el),
      ),
    );
  }

  keys() {
    const { dashes } = this.state.get("picture");
    const dash = (source) => `stroke-dasharray: ${dashes[source].join(" ") || "none"}`;
    const classes = this.sides[0].classes.map((label, k) =>
      h(
        "span",
        {},
        h("i", { class: "pads-dot", style: `background: var(--vb-class-${k % 10})` }),
        String(label),
      ),
    );
    return h(
      "p",
      { class: "pads-keys" },
      keyed("near", PLUS, "", "draw"),
      keyed("lost", CROSS, "", "draw where no code is"),
      keyed("prior", CIRCLE, dash("prior"), "N(0, I): 1\u03c3, 2\u03c3"),
      keyed("fitted", CIRCLE, dash("fitted"), "fitted: 1\u03c3, 2\u03c3"),
      h("span", { class: "pads-classes" }, "codes:", ...classes),
    );
  }

  wire() {
    const { sample, sets, source, state } = this;
    state.bind("source", source);
    state.listen(sample, "click", () => state.put({ draw: (state.get("draw") + 1) % sets }));
    state.watch(["z"], () => this.drawRings());
    state.watch(["draw", "source"], () => this.drawSets());
  }

  moveTo(k, z) {
    this.state.put({ z: this.state.get("z").map((old, j) => (j === k ? z : old)) });
  }

  draw() {
    for (const side of this.sides) side.drawCodes();
    this.drawSets();
    this.drawRings();
  }

  drawRings() {
    const z = this.state.get("z");
    const colours = this.colours();
    if (colours) this.sides.forEach((side, k) => side.drawRing(z[k], colours));
  }

  drawSets() {
    const { count, data, sample, sets, sides, source, state, status } = this;
    const { draw: set, source: from, words } = state.pick("draw", "source", "words");
    const colours = this.colours();
    if (!colours) return;

    source.show(from);
    sample.textContent = words[from].button;
    const lost = sides.map((side) => side.drawSet(from, set * count, colours));
    const found = lost.map((number, k) => `${number} of ${count} for the ${data[k].name}`);
    say(status, `Set ${set + 1} of ${sets}. Where no code is: ${found.join(", ")}.`);
  }
}

export default { render: mounted(Pads) };
