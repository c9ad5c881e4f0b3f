// The latent pad: a map of the test digits with a handle at z that drags, taps and takes keys.
import { format, h } from "../parts/dom.js";
import { geometry, paintBase, paintPosterior, prepare } from "./layers.js";

// CSS pixels a press may wander and still be a tap
const TAP_SLOP = 4;
const PICK_RADIUS = 14;

function handleElement(flat) {
  const keys = flat ? "left and right arrow keys move it" : "arrow keys move it";
  return h("div", {
    class: "lx-handle",
    tabindex: "0",
    role: "slider",
    "aria-roledescription": "two-dimensional slider",
    "aria-label": `Latent point z; ${keys}, Shift for larger steps, Home for the origin`,
  });
}

// options: {bound, flat, onMove(h, v), onPick(index), onResize(), signal}
export class Pad {
  constructor({ bound, flat, onMove, onPick, onResize, signal }) {
    Object.assign(this, { bound, flat, onMove, onPick });
    this.points = [];
    this.at = [0, 0];

    this.base = h("canvas", { "aria-hidden": "true" });
    this.overlay = h("canvas", { "aria-hidden": "true" });
    this.handle = handleElement(flat);
    this.el = h(
      "div",
      { class: flat ? "lx-pad lx-pad-flat" : "lx-pad" },
      this.base,
      this.overlay,
      this.handle,
    );
    this.g = geometry(360, 360, bound);

    const observer = new ResizeObserver(() => this.measure() && onResize());
    observer.observe(this.el);
    signal.addEventListener("abort", () => observer.disconnect());
    window.addEventListener("resize", () => this.measure() && onResize(), { signal });
    this.listen(signal);
  }

  measure() {
    const { clientWidth: width, clientHeight: height } = this.el;
    if (width > 0) this.g = geometry(width, height, this.bound);
    return width > 0;
  }

  listen(signal) {
    const on = (type, action) => this.el.addEventListener(type, action, { signal });
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", () => (this.drag = null));
    this.handle.addEventListener("keydown", (event) => this.key(event), { signal });
  }

  local(event) {
    const box = this.el.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // A finger drags only the handle, so that the page still scrolls; a mouse drags anywhere.
  press(event) {
    if (event.button > 0) return;
    const [x, y] = this.local(event);
    const onHandle = event.target === this.handle;
    const grip = onHandle ? [this.g.x(this.at[0]) - x, this.g.y(this.at[1]) - y] : [0, 0];
    const drags = onHandle || event.pointerType !== "touch";
    this.drag = { start: [x, y], grip, drags, moved: false };

    if (!drags) return;
    if (event.isTrusted) this.el.setPointerCapture(event.pointerId);
    if (!onHandle && this.nearest(x, y) < 0) this.moveTo(x, y);
    this.handle.focus({ preventScroll: true });
    event.preventDefault();
  }

  move(event) {
    if (!this.drag) return;
    const [x, y] = this.local(event);
    const { start, grip, drags } = this.drag;
    this.drag.moved ||= Math.hypot(x - start[0], y - start[1]) > TAP_SLOP;
    if (drags && this.drag.moved) this.moveTo(x + grip[0], y + grip[1]);
  }

  release(event) {
    const { drag } = this;
    this.drag = null;
    if (!drag || drag.moved) return;
    const [x, y] = this.local(event);
    const index = this.nearest(x, y);
    if (index >= 0) this.onPick(index);
    else if (!drag.drags) this.moveTo(x, y);
  }

  key(event) {
    const step = event.shiftKey ? 0.5 : 0.1;
    const steps = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
      Home: [-this.at[0], -this.at[1]],
    }[event.key];
    if (!steps || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.onMove(this.clamp(this.at[0] + steps[0]), this.clamp(this.at[1] + steps[1]));
  }

  clamp(v) {
    return Math.min(Math.max(v, -this.bound), this.bound);
  }

  moveTo(x, y) {
    this.onMove(this.clamp(this.g.toX(x)), this.flat ? 0 : this.clamp(this.g.toY(y)));
  }

  nearest(x, y) {
    let best = -1;
    let distance = PICK_RADIUS;
    this.points.forEach((point, i) => {
      const d = Math.hypot(point.x - x, point.y - y);
      if (!point.hidden && d < distance) {
        best = i;
        distance = d;
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

  // posterior: {centre, sigma} in the pad's two axes, or null
  paintOverlay({ at, posterior, colours, spoken }) {
    const { g } = this;
    this.at = at;
    const context = prepare(this.overlay, g.width, g.height);
    if (posterior) {
      const { centre, sigma } = posterior;
      paintPosterior(context, g, this.flat, centre, sigma, colours);
    }

    const x = g.x(this.clamp(at[0]));
    const y = this.flat ? g.top + g.h / 2 : g.y(this.clamp(at[1]));
    this.handle.style.transform = `translate(${x}px, ${y}px)`;
    this.handle.setAttribute("aria-valuemin", -this.bound);
    this.handle.setAttribute("aria-valuemax", this.bound);
    this.handle.setAttribute("aria-valuenow", this.clamp(at[0]).toFixed(2));
    this.handle.setAttribute("aria-valuetext", spoken);
  }
}

export const spokenPoint = (names, values) =>
  names.map((n, i) => `${n} ${format(values[i])}`).join(", ");
