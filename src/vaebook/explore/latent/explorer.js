// The latent explorer: one trained VAE, moved by hand. State lives in the widget's traits
// z, selected and drawing; everything on screen is redrawn from them.
import { button, hint } from "../parts/controls.js";
import { explorer, h, palette } from "../parts/dom.js";
import { decode, elboTerms, encode, sigmoid } from "../parts/mlp.js";
import { mounted } from "../parts/state.js";
import { Decoded } from "./decoded.js";
import { blank } from "./editor.js";
import { LatentMap } from "./map.js";
import { Scored } from "./scored.js";
import { readModel } from "./shipped.js";

export { decode, elboTerms, encode, readModel, sigmoid };

const COLOURS = [
  "paper",
  "ink",
  "surface",
  "line",
  "muted",
  "accent",
  ...Array.from({ length: 10 }, (_, k) => `class-${k}`),
];

class Explorer {
  constructor(state) {
    Object.assign(this, { state, shipped: readModel(state), terms: null, scoredImage: null });
    this.build();
    this.root = this.layout();
    this.root.style.setProperty("--fill", `${100 * state.get("picture").fill}%`);
    this.colours = palette(this.root, COLOURS, () => this.draw(), state.signal);
    this.wire();
  }

  build() {
    const { shipped, state } = this;
    const { bound, scale, selected } = state.pick("bound", "scale", "selected");
    const { fill } = state.get("picture");
    // The image to which "Undo edits" leads back
    this.origin = Math.max(selected, 0);
    this.reset = button("Reset");
    this.map = new LatentMap({
      shipped,
      bound,
      fill,
      reset: this.reset,
      draw: () => this.draw(),
      onMove: (z) => state.put({ z }),
      onPick: (row) => this.pick(row),
      signal: state.signal,
    });
    this.decoded = new Decoded({
      shipped,
      bound,
      onMove: (z) => state.put({ z }),
      listen: state.listen,
    });
    this.scored = new Scored({
      shipped,
      scale,
      onPaint: (pixels) => this.paint(pixels),
      signal: state.signal,
    });
  }

  layout() {
    const { decoded, map, scored } = this;
    return explorer(
      "latent",
      hint(
        "Drag the ring to decode a point. " +
          "Tap a digit, or paint one below, to encode it and fill the bars.",
      ),
      h("div", { class: "vb-body" }, map.el, decoded.el, scored.el),
    );
  }

  wire() {
    const { reset, scored, shipped, state } = this;
    const { clear, next, previous, undo } = scored.buttons;
    state.listen(reset, "click", () => this.startOver());
    state.listen(previous, "click", () => this.step(-1));
    state.listen(next, "click", () => this.step(1));
    state.listen(undo, "click", () => this.pick(this.origin));
    state.listen(clear, "click", () => this.paint(blank(shipped.side)));
    state.watch(["z", "selected", "drawing"], (changed) => this.follow(changed));
  }

  // What the reader does
  pick(row) {
    this.state.put({ selected: row, z: Array.from(this.shipped.means[row]) });
  }

  paint(pixels) {
    const { mu } = encode(this.shipped.net, pixels);
    this.state.put({ selected: -1, drawing: Array.from(pixels), z: Array.from(mu) });
  }

  // To the next image, or the one before, of the classes on show
  step(direction) {
    const { labels } = this.shipped;
    const count = labels.length;
    let row = this.origin;
    do row = (row + direction + count) % count;
    while (!this.map.includes(labels[row]));
    this.pick(row);
  }

  startOver() {
    const { z, selected } = this.state.get("home");
    this.map.startOver();
    this.state.put({ selected, drawing: [], z: z.slice() });
    this.draw();
  }

  // The image on show: a test image, the reader's own, or null
  image() {
    const { drawing, selected } = this.state.pick("drawing", "selected");
    if (selected >= 0) return this.shipped.images[selected];
    return drawing.length > 0 ? drawing : null;
  }

  // Colours are known only in the page; in Jupyter the first drawing comes before that.
  draw() {
    const colours = this.colours();
    if (!colours) return;
    this.drawInput(colours);
    this.map.drawBase(this.state.get("z"), colours);
    this.drawPoint(colours);
  }

  follow(changed) {
    const colours = this.colours();
    if (!colours) return;
    if (changed.some((name) => name !== "z")) this.drawInput(colours);
    this.drawPoint(colours);
  }

  // All that follows the image on show
  drawInput(colours) {
    const { shipped, state } = this;
    const selected = state.get("selected");
    const image = this.image();
    if (selected >= 0) this.origin = selected;
    if (image !== this.scoredImage) {
      this.scoredImage = image;
      this.terms = image && elboTerms(shipped.net, image, shipped.eps);
    }
    this.scored.draw({ image, selected, terms: this.terms, colours });
  }

  // All that follows z
  drawPoint(colours) {
    const z = this.state.get("z");
    this.decoded.draw(z, colours);
    this.map.drawPoint(z, this.terms, colours);
  }
}

export default { render: mounted(Explorer) };
