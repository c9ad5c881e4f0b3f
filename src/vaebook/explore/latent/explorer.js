// The latent explorer: one trained VAE, moved by hand. State lives in the widget's traits
// z, selected and drawing; everything on screen is redrawn from them.
import { mounted, onThemeChange, themeColours } from "../parts/dom.js";
import { drawBase, drawInput, drawPoint, mosaicMoved } from "./draw.js";
import { blank, editor } from "./editor.js";
import { layout } from "./layout.js";
import { decode, elboTerms, encode, sigmoid } from "../parts/mlp.js";
import { Pad } from "./pad.js";
import { picture } from "../parts/pixels.js";
import { readModel } from "./shipped.js";
import { elboBars } from "./terms.js";

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
  constructor(model, el, signal) {
    Object.assign(this, { model, signal }, readModel(model));
    this.bound = model.get("bound");
    this.flat = this.latentDim === 1;
    this.axes = [0, this.flat ? 0 : 1];
    this.highlight = null;
    this.origin = Math.max(model.get("selected"), 0);
    this.batching = false;
    this.stale = new Set();

    this.build(el);
    this.wire();
    this.recolour();
  }

  build(el) {
    const { side, latentDim, bound, classes, flat, signal } = this;
    this.pad = new Pad({
      bound,
      flat,
      signal,
      onResize: () => (this.colours ? this.refresh("base", "z") : this.recolour()),
      onMove: (h, v) => this.moveTo(h, v),
      onPick: (i) => this.pick(i),
    });

    this.decoded = picture(side, "Decoded image: probability of ink at each pixel, given z");
    this.rebuilt = picture(side, "Reconstruction: the image decoded from the mean of q(z|x)");
    this.editor = editor(side, (pixels) => this.paint(pixels), signal);
    this.bars = elboBars(latentDim, this.eps.length, this.model.get("scale"));

    const page = layout({
      latentDim,
      bound,
      classes,
      pad: this.pad.el,
      decoded: this.decoded.el,
      input: this.editor.el,
      rebuilt: this.rebuilt.el,
      bars: this.bars.el,
    });
    this.controls = page.controls;
    this.root = page.el;
    el.append(this.root);
    this.pad.measure();
  }

  wire() {
    const { controls, signal } = this;
    const on = (el, type, action) => el.addEventListener(type, action, { signal });

    controls.sliders.forEach(({ input }, i) =>
      on(input, "input", () => this.setLatent(i, Number(input.value))),
    );
    controls.menus.forEach(({ select }, k) =>
      on(select, "change", () => this.setAxis(k, Number(select.value))),
    );
    controls.chips.forEach((chip, k) =>
      on(chip, "click", () => this.setHighlight(this.classes[k])),
    );

    on(controls.mosaic, "change", () => this.refresh("base"));
    on(controls.reset, "click", () => this.reset());
    on(controls.previous, "click", () => this.step(-1));
    on(controls.next, "click", () => this.step(1));
    on(controls.undo, "click", () => this.pick(this.origin));
    on(controls.clear, "click", () => this.paint(blank(this.side)));

    onThemeChange(() => this.recolour(), signal);
    for (const [key, kind] of [
      ["z", "z"],
      ["selected", "input"],
      ["drawing", "input"],
    ]) {
      const changed = () => this.refresh(kind);
      this.model.on(`change:${key}`, changed);
      signal.addEventListener("abort", () => this.model.off(`change:${key}`, changed));
    }
  }

  // What the reader does. Each writes traits; the traits' change events redraw.
  put(changes) {
    this.batching = true;
    for (const [key, value] of Object.entries(changes)) this.model.set(key, value);
    this.batching = false;
    this.refresh();
    this.model.save_changes();
  }

  moveTo(h, v) {
    const z = this.model.get("z").slice();
    if (!this.flat) z[this.axes[1]] = v;
    z[this.axes[0]] = h;
    this.put({ z });
  }

  setLatent(i, value) {
    this.put({ z: this.model.get("z").map((old, j) => (j === i ? value : old)) });
  }

  pick(index) {
    this.put({ selected: index, z: Array.from(this.means[index]) });
  }

  paint(pixels) {
    this.put({
      selected: -1,
      drawing: Array.from(pixels),
      z: Array.from(encode(this.net, pixels).mu),
    });
  }

  step(direction) {
    const count = this.labels.length;
    let index = this.origin;
    do index = (index + direction + count) % count;
    while (this.highlight !== null && this.labels[index] !== this.highlight);
    this.pick(index);
  }

  setAxis(k, latent) {
    if (this.axes[1 - k] === latent) this.axes[1 - k] = this.axes[k];
    this.axes[k] = latent;
    this.refresh("base", "z");
  }

  setHighlight(label) {
    this.highlight = this.highlight === label ? null : label;
    this.refresh("base");
  }

  reset() {
    this.axes = [0, this.flat ? 0 : 1];
    this.highlight = null;
    this.controls.mosaic.checked = false;
    const { z, selected } = this.model.get("home");
    this.put({ selected, drawing: [], z: z.slice() });
    this.refresh("base", "z", "input");
  }

  // Colours are known only in the page; in Jupyter render comes before that.
  recolour() {
    if (!this.root.isConnected) return;
    this.colours = themeColours(this.root, COLOURS);
    this.refresh("base", "z", "input");
  }

  refresh(...kinds) {
    kinds.forEach((kind) => this.stale.add(kind));
    if (this.batching || !this.colours) return;
    const stale = this.stale;
    this.stale = new Set();
    if (stale.has("input")) drawInput(this);
    if (stale.has("base") || (stale.has("z") && mosaicMoved(this))) drawBase(this);
    if (stale.size > 0) drawPoint(this);
  }
}

export default { render: mounted(Explorer) };
