// The map of the latents: test images at their posterior means, or decoded images, under z and q.
import { check, menu, panel } from "../parts/controls.js";
import { format, h } from "../parts/dom.js";
import { probabilities } from "../parts/mlp.js";
import { mosaic } from "../parts/pixels.js";
import { listener } from "../parts/state.js";
import { Pad } from "./pad.js";

// Of the mosaic, a side
const TILES = 12;

const axisMenus = (latentDim) => {
  const options = Array.from({ length: latentDim }, (_, i) => [i, `z${i + 1}`]);
  return latentDim > 2 ? ["Across", "Up"].map((name) => menu(name, options)) : [];
};

const chip = (label, k) =>
  h(
    "button",
    { type: "button", class: "vb-class", "aria-label": `Show only class ${label}` },
    h("span", { class: "vb-swatch", style: `background: var(--vb-class-${k % 10})` }),
    String(label),
  );

const marked = (mark, text) =>
  h("span", { class: "latent-key" }, h("span", { class: `latent-mark ${mark}` }), text);

export class LatentMap {
  // options: {shipped (of readModel), bound, fill (opacity of q), reset (a button), draw(),
  // onMove(z), onPick(row), signal}
  constructor({ shipped, bound, fill, reset, draw, onMove, onPick, signal }) {
    Object.assign(this, { shipped, bound, fill, redraw: draw, onMove });
    this.flat = shipped.latentDim === 1;
    this.startOver();

    this.pad = new Pad({
      bound,
      flat: this.flat,
      signal,
      onResize: draw,
      onMove: (across, up) => this.moveTo(across, up),
      onPick,
    });
    this.menus = axisMenus(shipped.latentDim);
    this.tiles = check("Decoded images");
    this.chips = shipped.classes.map(chip);
    this.el = this.layout(reset);
    this.wire(listener(signal));
  }

  layout(reset) {
    const { chips, menus, pad, tiles } = this;
    const tools = [...menus, tiles].map((one) => one.el);
    const el = panel(
      "Latent space: each digit at its posterior mean",
      h("div", { class: "latent-tools" }, ...tools, reset),
      pad.el,
      h("div", { class: "latent-classes", role: "group", "aria-label": "Classes" }, ...chips),
      h(
        "p",
        { class: "latent-keys" },
        marked("vb-ring", "z, the point decoded"),
        marked("latent-mark-q", "q(z|x): 1\u03c3 filled, 2\u03c3 line"),
        marked("latent-mark-prior", "prior: 1\u03c3, 2\u03c3"),
      ),
    );
    el.classList.add("latent-map");
    return el;
  }

  wire(listen) {
    const { chips, menus, shipped, tiles } = this;
    menus.forEach((one, k) => one.onChange(listen, (latent) => this.setAxis(k, Number(latent))));
    tiles.onChange(listen, (ticked) => {
      this.tiled = ticked;
      this.redraw();
    });
    chips.forEach((one, k) => listen(one, "click", () => this.toggleClass(shipped.classes[k])));
  }

  // What belongs to the map alone: its axes, the class on show (null: all), the mosaic
  startOver() {
    Object.assign(this, { axes: [0, this.flat ? 0 : 1], only: null, tiled: false, held: null });
  }

  // The two axes are never the same latent.
  setAxis(k, latent) {
    if (this.axes[1 - k] === latent) this.axes[1 - k] = this.axes[k];
    this.axes[k] = latent;
    this.redraw();
  }

  toggleClass(label) {
    this.only = this.only === label ? null : label;
    this.redraw();
  }

  // Is a class on show?
  includes(label) {
    return this.only === null || this.only === label;
  }

  moveTo(across, up) {
    const z = this.z.slice();
    if (!this.flat) z[this.axes[1]] = up;
    z[this.axes[0]] = across;
    this.onMove(z);
  }

  // Those that no axis shows; the mosaic holds them fixed.
  otherLatents(z) {
    return z.filter((_, i) => !this.axes.includes(i)).join();
  }

  // The lower layer
  drawBase(z, colours) {
    const { axes, chips, menus, only, shipped, tiled, tiles } = this;
    menus.forEach((one, k) => one.show(String(axes[k])));
    tiles.show(tiled);
    chips.forEach((one, k) => one.setAttribute("aria-pressed", shipped.classes[k] === only));

    const { classes, labels, means } = shipped;
    const rows = means.map((mu, n) => {
      const k = classes.indexOf(labels[n]);
      return {
        v: axes.map((a) => mu[a]),
        label: labels[n],
        colour: k % 10,
        row: (k + 0.5) / classes.length,
      };
    });
    this.held = this.otherLatents(z);
    const images = tiled ? this.decodedTiles(z, colours) : null;
    this.pad.paintBase({ rows, highlight: only, colours, mosaic: images });
  }

  decodedTiles(z, colours) {
    const { axes, bound, flat, shipped } = this;
    const at = (i) => ((2 * i + 1) / TILES - 1) * bound;
    const point = z.slice();
    const imageAt = (r, c) => {
      if (!flat) point[axes[1]] = -at(r);
      point[axes[0]] = at(c);
      return probabilities(shipped.net, point);
    };
    const rows = flat ? 1 : TILES;
    return { canvas: mosaic(rows, TILES, shipped.side, imageAt, colours), rows, cols: TILES };
  }

  // The upper layer: z, and the posterior of the image on show if there is one
  drawPoint(z, terms, colours) {
    const { axes, flat, pad } = this;
    this.z = z;
    if (this.tiled && this.otherLatents(z) !== this.held) this.drawBase(z, colours);

    const along = (values) => axes.map((a) => values[a]);
    const { mu, sigma } = terms ?? {};
    const posterior = terms && { centre: along(mu), sigma: along(sigma), fill: this.fill };
    const names = (flat ? [0] : axes).map((a) => `z${a + 1} ${format(z[a])}`);
    pad.paintOverlay({ at: along(z), posterior, colours, spoken: names.join(", ") });
  }
}
