// A ring over a plot that moves in two dimensions by mouse, finger and arrow keys.
import { h } from "./dom.js";
import { clamp } from "./scales.js";
import { listener } from "./state.js";

// CSS pixels that a tap may wander
const SLOP = 8;

// options: {plot (or what has its el, x, y, under and place), label, home, onMove(x, y),
// step(at, dx, dy) (where a key leads, dx and dy in steps), signal}
export class Handle {
  constructor({ plot, label, step, home, onMove, signal }) {
    Object.assign(this, { plot, step, home, onMove });
    this.el = h("div", {
      class: "vb-handle",
      tabindex: "0",
      role: "slider",
      "aria-roledescription": "two-dimensional slider",
      "aria-label": label,
    });
    plot.el.append(this.el);

    const listen = listener(signal);
    listen(plot.el, "pointerdown", (event) => this.press(event));
    listen(plot.el, "pointermove", (event) => this.drag && this.move(event));
    listen(plot.el, "pointerup", (event) => this.release(event));
    listen(plot.el, "pointercancel", () => (this.drag = null));
    listen(this.el, "keydown", (event) => this.key(event));
  }

  // Is a press on the ring?
  holds(event) {
    return event.target === this.el;
  }

  // Does a press wait to see whether it is a tap?
  waits() {
    return false;
  }

  // A finger drags only the ring, so that the page still scrolls; a mouse drags anywhere.
  press(event) {
    if (event.button > 0) return;

    const onRing = this.holds(event);
    const ring = this.el.getBoundingClientRect();
    const centre = [ring.left + ring.width / 2, ring.top + ring.height / 2];
    const drags = onRing || event.pointerType !== "touch";
    const grip = onRing ? [centre[0] - event.clientX, centre[1] - event.clientY] : [0, 0];
    const start = [event.clientX, event.clientY];
    this.drag = { drags, grip, start, waits: this.waits(event), wandered: 0 };

    if (!drags) return;
    event.preventDefault();
    if (event.isTrusted) this.plot.el.setPointerCapture(event.pointerId);
    this.el.focus({ preventScroll: true });
    if (!onRing) this.move(event);
  }

  move({ clientX, clientY }) {
    const { drag } = this;
    const { drags, grip, start, waits } = drag;
    const distance = Math.hypot(clientX - start[0], clientY - start[1]);
    drag.wandered = Math.max(drag.wandered, distance);
    if (!drags || (waits && drag.wandered < SLOP)) return;

    const centre = { clientX: clientX + grip[0], clientY: clientY + grip[1] };
    this.onMove(...this.plot.under(centre));
  }

  release(event) {
    const { drag } = this;
    this.drag = null;
    if (!drag || (drag.drags && !drag.waits) || drag.wandered >= SLOP) return;
    this.tap(event);
  }

  // A finger's tap beside the ring brings it there.
  tap(event) {
    this.onMove(...this.plot.under(event));
  }

  key(event) {
    const size = event.shiftKey ? 5 : 1;
    const arrow = {
      ArrowLeft: [-size, 0],
      ArrowRight: [size, 0],
      ArrowUp: [0, size],
      ArrowDown: [0, -size],
    }[event.key];
    if ((!arrow && event.key !== "Home") || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.jump(arrow ? this.step(this.at, ...arrow) : this.home);
  }

  // Where a key leads, kept within the axes
  jump([across, up]) {
    const { x, y } = this.plot;
    this.onMove(clamp(across, x.low, x.high), clamp(up, y.low, y.high));
  }

  // The number that stands for a place, and its range: that of the horizontal axis
  value([across]) {
    const { low, high } = this.plot.x;
    return { min: low, max: high, now: clamp(across, low, high).toFixed(2) };
  }

  show(at, spoken) {
    this.at = at;
    this.plot.place(this.el, at);
    const value = { ...this.value(at), text: spoken };
    for (const [name, told] of Object.entries(value)) {
      this.el.setAttribute(`aria-value${name}`, told);
    }
  }
}
