// Restoration: hide squares of a digit, make them larger or paint them, and see what images fit.
// State lives in the traits selected (a row, or -1), factor, seen and ink (of one's own image).
import { among, button, buttons, choice, hint, panel, slider, sliders } from "../parts/controls.js";
import { nearestNumber, status } from "../parts/controls.js";
import { explorer, format, h, palette, say } from "../parts/dom.js";
import { Player } from "../parts/player.js";
import { mounted } from "../parts/state.js";
import { Answer } from "./answer.js";
import { Random } from "../parts/random.js";
import { blocksOf, imageAt, measured, moved, pooled, psnr, readModel, Run } from "./maths.js";
import { Seen } from "./seen.js";

export { imageAt, measured, moved, pooled, psnr, Random, readModel, Run };

const TRAITS = ["selected", "factor", "seen", "ink"];
const PAUSE = 60; // milliseconds between pictures
const A_PICTURE = 5; // steps
const A_RUN = 400; // steps

class Explorer {
  constructor(state) {
    Object.assign(this, { state, model: readModel(state), seed: 1, brush: "mask" });
    this.build();
    this.root = this.layout();
    this.colours = palette(this.root, ["paper", "ink"], () => this.draw(), state.signal);
    this.wire();
  }

  build() {
    const { model, state } = this;
    const { count, factors } = state.pick("count", "factors");
    const { signal } = state;
    this.grids = Object.fromEntries(
      factors.map((factor) => [
        factor,
        new Seen({
          across: model.side / factor,
          brush: () => this.brush,
          onMask: (b, value) => this.mask(b, value),
          onInk: (b, value) => this.paint(b, value),
          signal,
        }),
      ]),
    );
    this.held = h("div", { class: "restoration-held" });
    this.size = slider({
      name: "Pixels along a square",
      label: ["square"],
      track: among(factors, nearestNumber),
      words: (v) => `${v} \u00d7 ${v}`,
      spoken: (v) => `squares of ${v} by ${v} pixels`,
    });
    this.brushes = choice("Brush", [
      ["mask", "Hide or show"],
      ["ink", "Ink"],
    ]);
    this.digits = { previous: button("\u2039 Previous"), next: button("Next \u203a") };
    this.masks = { all: button("See all"), half: button("Hide lower half") };
    this.blank = button("Blank page");
    this.player = new Player({
      words: ["More images", "Pause"],
      pause: PAUSE,
      begin: () => {},
      step: () => this.walk(A_PICTURE),
      finish: () => this.finish(),
      onStop: () => this.tell(),
      signal,
    });
    this.answer = new Answer({ side: model.side, count, player: this.player.el });
    this.status = status();
  }

  layout() {
    const { answer, blank, brushes, digits, held, masks, size } = this;
    return explorer(
      "restoration",
      hint(
        "Hide squares with a finger, the mouse or the keys, or make all of them larger. " +
          "The images on the other side fit what is left.",
      ),
      h(
        "div",
        { class: "vb-body" },
        panel(
          "What is seen",
          held,
          sliders([size]),
          brushes.el,
          buttons(masks.all, masks.half),
          buttons(digits.previous, digits.next, blank),
          this.status,
        ),
        answer.el,
      ),
    );
  }

  wire() {
    const { blank, brushes, digits, masks, size, state } = this;
    brushes.onChange(state.listen, (brush) => {
      this.brush = brush;
      brushes.show(brush);
    });
    size.onChange(state.listen, (factor) => this.resize(factor));
    state.listen(digits.previous, "click", () => this.take(-1));
    state.listen(digits.next, "click", () => this.take(1));
    state.listen(masks.all, "click", () => state.put({ seen: this.seenWhere(() => 1) }));
    state.listen(masks.half, "click", () => this.hideHalf());
    state.listen(blank, "click", () => this.clear());
    state.watch(TRAITS, () => this.restart());
  }

  get across() {
    return this.model.side / this.state.get("factor");
  }

  // The image that is measured: a test image, or the reader's own in even squares
  image() {
    const { factor, ink, selected } = this.state.pick("factor", "ink", "selected");
    const { images, side } = this.model;
    if (selected >= 0) return images[selected];
    const block = blocksOf(side, factor);
    return Float64Array.from(block, (b) => ink[b]);
  }

  ink() {
    const { factor, ink, selected } = this.state.pick("factor", "ink", "selected");
    return selected >= 0 ? [...pooled(this.image(), this.model.side, factor)] : ink;
  }

  seenWhere(test, across = this.across) {
    return Array.from({ length: across * across }, (_, b) => test(Math.floor(b / across)));
  }

  // What the reader does
  mask(b, value) {
    const seen = this.state.get("seen").map((old, k) => (k === b ? value : old));
    if (!seen.some(Boolean)) {
      say(this.status, "One square must stay in sight.");
      return;
    }
    this.state.put({ seen });
  }

  paint(b, value) {
    const put = (list) => list.map((old, k) => (k === b ? value : old));
    const seen = this.state.get("seen").map((old, k) => (k === b ? 1 : old));
    this.state.put({ ink: put(this.ink()), seen, selected: -1 });
  }

  resize(factor) {
    const { selected } = this.state.pick("selected");
    const { side } = this.model;
    const ink = selected >= 0 ? [] : [...pooled(this.image(), side, factor)];
    this.state.put({ factor, ink, seen: this.seenWhere(() => 1, side / factor) });
  }

  hideHalf() {
    const { across } = this;
    if (across === 1) {
      say(this.status, "One square must stay in sight.");
      return;
    }
    this.state.put({ seen: this.seenWhere((row) => (row < across / 2 ? 1 : 0)) });
  }

  take(step) {
    const { selected } = this.state.pick("selected");
    const count = this.model.labels.length;
    const from = selected < 0 && step < 0 ? 0 : selected;
    this.state.put({ selected: (from + step + count) % count, ink: [] });
  }

  clear() {
    this.choose("ink");
    const squares = this.across ** 2;
    this.state.put({
      selected: -1,
      ink: Array.from({ length: squares }, () => 0),
      seen: this.seenWhere(() => 1),
    });
  }

  choose(brush) {
    this.brush = brush;
    this.brushes.show(brush);
  }

  // Chains
  begin() {
    const { model, state } = this;
    const { count, factor, seen } = state.pick("count", "factor", "seen");
    const task = measured(model, factor, seen, this.ink());
    this.run = new Run({ model, task, count, seed: this.seed });
    this.left = A_RUN;
  }

  walk(steps) {
    if (this.left <= 0) this.left = A_RUN;
    for (let k = 0; k < steps; k++) this.run.step();
    this.run.look();
    this.left -= steps;
    this.showAnswer();
    return this.left > 0;
  }

  finish() {
    this.walk(A_RUN);
    this.tell();
  }

  // After a change: anew, and on its way unless motion is unwelcome
  restart() {
    this.player.stop();
    this.begin();
    this.draw();
    say(this.status, `${this.what()}: looking for images that fit.`);
    this.player.start();
  }

  // The image, and how much of it is seen
  what() {
    const { seen, selected } = this.state.pick("seen", "selected");
    const one = selected >= 0 ? `Test image of class ${this.model.labels[selected]}` : "Your image";
    return `${one}, ${seen.filter(Boolean).length} of ${seen.length} squares seen`;
  }

  tell() {
    const { selected } = this.state.pick("selected");
    const apart = `two images differ by ${format(this.numbers.apart)}`;
    const near = selected >= 0 ? `, and the mean is at ${format(this.numbers.mean, 1)} dB` : "";
    say(this.status, `${this.what()}: ${apart}${near}.`);
  }

  draw() {
    const { brush, brushes, grids, held, size, state } = this;
    const { factor, seen } = state.pick("factor", "seen");
    const grid = grids[factor];
    if (held.firstChild !== grid.el) held.replaceChildren(grid.el);
    grid.show(seen, this.ink());
    size.show(factor);
    brushes.show(brush);
    if (!this.run) {
      this.begin();
      for (let k = 0; k < A_RUN; k++) this.run.step();
    }
    this.showAnswer();
    if (!this.status.textContent) this.tell();
  }

  // In Jupyter the first drawing comes before the colours are known.
  showAnswer() {
    const truth = this.state.get("selected") >= 0 ? this.image() : null;
    this.numbers = this.answer.tell(this.run, truth);
    const colours = this.colours?.();
    if (colours) this.answer.show(this.run, truth, colours);
  }
}

export default { render: mounted(Explorer) };
