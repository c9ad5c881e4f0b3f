// A ring over a plot that moves in two dimensions by mouse, finger and arrow keys.
import { h } from "./dom.js";
import { clamp } from "./plot.js";

// options: {plot, label, step(at, dx, dy) (a key's move; dx, dy in steps),
// home, onMove(x, y), signal}
export class Handle {
  constructor({ plot, label, step, home, onMove, signal }) {
    Object.assign(this, { plot, step, home, onMove });
    this.el = h("div", {
      class: "lx-handle",
      tabindex: "0",
      role: "slider",
      "aria-roledescription": "two-dimensional slider",
      "aria-label": label,
    });
    plot.el.append(this.el);

    const on = (type, action) => plot.el.addEventListener(type, action, { signal });
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.drag && this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", () => (this.drag = null));
    this.el.addEventListener("keydown", (event) => this.key(event), { signal });
  }

  // Is a press on the ring?
  holds(event) {
    return event.target === this.el;
  }

  // A finger drags only the ring, so that the page still scrolls; a mouse drags anywhere.
  press(event) {
    if (event.button > 0) return;

    const onRing = this.holds(event);
    const ring = this.el.getBoundingClientRect();
    const centre = [ring.left + ring.width / 2, ring.top + ring.height / 2];
    const drags = onRing || event.pointerType !== "touch";
    const grip = onRing ? [centre[0] - event.clientX, centre[1] - event.clientY] : [0, 0];
    this.drag = { drags, grip, start: [event.clientX, event.clientY] };

    if (!drags) return;
    event.preventDefault();
    if (event.isTrusted) this.plot.el.setPointerCapture(event.pointerId);
    this.el.focus({ preventScroll: true });
    if (!onRing) this.move(event);
  }

  move({ clientX, clientY }) {
    const { drags, grip } = this.drag;
    if (!drags) return;
    const centre = { clientX: clientX + grip[0], clientY: clientY + grip[1] };
    this.onMove(...this.plot.under(centre));
  }

  // A finger's tap beside the ring brings it there.
  release(event) {
    const { drag } = this;
    this.drag = null;
    if (!drag || drag.drags) return;
    const wandered = Math.hypot(event.clientX - drag.start[0], event.clientY - drag.start[1]);
    if (wandered < 8) this.onMove(...this.plot.under(event));
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

  show(at, spoken) {
    const { x } = this.plot;
    this.at = at;
    this.plot.place(this.el, at);
    this.el.setAttribute("aria-valuemin", x.low);
    this.el.setAttribute("aria-valuemax", x.high);
    this.el.setAttribute("aria-valuenow", clamp(at[0], x.low, x.high).toFixed(2));
    this.el.setAttribute("aria-valuetext", spoken);
  }
}
