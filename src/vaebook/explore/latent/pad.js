// The latent pad: a map of the test digits with a handle at z that drags, taps and takes keys.
import { h } from "../parts/dom.js";
import { Handle } from "../parts/handle.js";
import { clamp } from "../parts/scales.js";
import { atEnd, listener } from "../parts/state.js";
import { geometry, paintBase, paintPosterior, prepare } from "./layers.js";

// CSS pixels around a digit that a tap may hit
const PICK_RADIUS = 14;
// Of an arrow key, latent units
const STEP = 0.1;

// A handle over digits: a tap on one of them picks it.
class PickingHandle extends Handle {
  constructor(options) {
    super(options);
    Object.assign(this, { digitAt: options.digitAt, onPick: options.onPick });
  }

  waits(event) {
    return this.digitAt(event) >= 0;
  }

  tap(event) {
    const row = this.digitAt(event);
    if (row >= 0) this.onPick(row);
    else super.tap(event);
  }
}

// options: {bound, flat (one latent), onMove(across, up), onPick(row), onResize(), signal}
export class Pad {
  constructor({ bound, flat, onMove, onPick, onResize, signal }) {
    Object.assign(this, { bound, flat, points: [] });
    this.base = h("canvas", { "aria-hidden": "true" });
    this.overlay = h("canvas", { "aria-hidden": "true" });
    const kind = flat ? "latent-pad latent-pad-flat" : "latent-pad";
    this.el = h("div", { class: kind }, this.base, this.overlay);
    this.g = geometry(360, 360, bound);

    const keys = flat ? "left and right arrow keys move it" : "arrow keys move it";
    this.x = { low: -bound, high: bound };
    this.y = flat ? { low: 0, high: 0 } : this.x;
    this.handle = new PickingHandle({
      plot: this,
      label: `Latent point z; ${keys}, Shift for larger steps, Home for the origin`,
      step: ([a, b], dx, dy) => [a + STEP * dx, b + STEP * dy],
      home: [0, 0],
      onMove,
      onPick,
      digitAt: (event) => this.digitAt(event),
      signal,
    });

    const resized = () => this.measure() && onResize();
    const observer = new ResizeObserver(resized);
    observer.observe(this.el);
    atEnd(signal, () => observer.disconnect());
    listener(signal)(window, "resize", resized);
  }

  measure() {
    const { clientWidth: width, clientHeight: height } = this.el;
    if (width > 0) this.g = geometry(width, height, this.bound);
    return width > 0;
  }

  // Latents under a pointer event, kept within the pad
  under({ clientX, clientY }) {
    const { bound, flat, g } = this;
    const box = this.el.getBoundingClientRect();
    const across = g.toX(clientX - box.left);
    const up = flat ? 0 : g.toY(clientY - box.top);
    return [clamp(across, -bound, bound), clamp(up, -bound, bound)];
  }

  // Moves an element of this.el to a point, at the edge if the point lies outside.
  place(el, at) {
    const { bound, flat, g } = this;
    const x = g.x(clamp(at[0], -bound, bound));
    const y = flat ? g.top + g.h / 2 : g.y(clamp(at[1], -bound, bound));
    el.style.transform = `translate(${x}px, ${y}px)`;
  }

  // Row of the digit nearest to a pointer event, or -1
  digitAt({ clientX, clientY }) {
    const box = this.el.getBoundingClientRect();
    let best = -1;
    let distance = PICK_RADIUS;
    this.points.forEach((point, row) => {
      const away = Math.hypot(point.x - clientX + box.left, point.y - clientY + box.top);
      if (!point.hidden && away < distance) {
        best = row;
        distance = away;
      }
    });
    return best;
  }

  // rows: [{v: [h, v], label, colour, row}]; row places a class when there is one latent only
  paintBase({ rows, highlight, mosaic, colours }) {
    const { g } = this;
    this.points = rows.map(({ v, label, colour, row }) => ({
      label,
      colour,
      x: g.x(v[0]),
      y: this.flat ? g.top + row * g.h : g.y(v[1]),
      hidden: highlight === null ? Boolean(mosaic) : label !== highlight,
    }));
    const state = { flat: this.flat, points: this.points, highlight, mosaic };
    paintBase(prepare(this.base, g.width, g.height), g, state, colours);
  }

  // posterior: {centre, sigma (in the pad's two axes), fill}, or null
  paintOverlay({ at, posterior, colours, spoken }) {
    const { g } = this;
    const context = prepare(this.overlay, g.width, g.height);
    if (posterior) paintPosterior(context, g, this.flat, posterior, colours);
    this.handle.show(at, spoken);
  }
}
