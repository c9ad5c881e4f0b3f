// A square grid of cells to stroke over: pointer, touch, or arrow keys and space.
import { h } from "./dom.js";
import { listener } from "./state.js";

// Where a key leads from cell d: a cell, or null where there is none; undefined for other keys
function cellAfter(key, d, side) {
  const [row, col] = [Math.floor(d / side), d % side];
  const inside = (r, c) => (r >= 0 && r < side && c >= 0 && c < side ? r * side + c : null);
  return {
    ArrowLeft: inside(row, col - 1),
    ArrowRight: inside(row, col + 1),
    ArrowUp: inside(row - 1, col),
    ArrowDown: inside(row + 1, col),
    Home: row * side,
    End: row * side + side - 1,
  }[key];
}

// Its cells are elements; what they look like is their owner's affair.
export class Cells {
  // options: {side, names: {grid, row, cell} (classes), label, multiple (may many be selected?),
  // brushAt(d) (what a stroke that begins there puts into each cell), paint(d, brush), signal}
  constructor({ side, names, label, multiple, brushAt, paint, signal }) {
    Object.assign(this, { side, brushAt, paint, brush: null });
    this.all = Array.from({ length: side * side }, (_, d) => {
      const attributes = { role: "gridcell", class: names.cell, "data-d": d };
      return h("div", { ...attributes, tabindex: d === 0 ? "0" : "-1" });
    });
    const rows = Array.from({ length: side }, (_, r) =>
      h("div", { role: "row", class: names.row }, ...this.all.slice(r * side, (r + 1) * side)),
    );
    const attributes = {
      class: `vb-picture ${names.grid}`,
      role: "grid",
      "aria-multiselectable": multiple ? "true" : null,
      style: `--side: ${side}`,
      "aria-label": label,
    };
    this.el = h("div", attributes, ...rows);
    this.listen(listener(signal));
  }

  listen(listen) {
    const { el } = this;
    listen(el, "pointerdown", (event) => this.press(event));
    listen(el, "pointermove", (event) => this.stroke(this.under(event)));
    listen(el, "pointerup", () => (this.brush = null));
    listen(el, "pointercancel", () => (this.brush = null));
    listen(el, "keydown", (event) => this.key(event));
  }

  // Cell under a pointer event, or -1
  under({ clientX, clientY }) {
    const { el, side } = this;
    const box = el.getBoundingClientRect();
    const col = Math.floor(((clientX - box.left) / box.width) * side);
    const row = Math.floor(((clientY - box.top) / box.height) * side);
    const inside = col >= 0 && col < side && row >= 0 && row < side;
    return inside ? row * side + col : -1;
  }

  // The first cell decides what a stroke does.
  press(event) {
    const d = this.under(event);
    if (event.button > 0 || d < 0) return;
    event.preventDefault();
    if (event.isTrusted) this.el.setPointerCapture(event.pointerId);
    this.brush = this.brushAt(d);
    this.focus(d);
    this.stroke(d);
  }

  stroke(d) {
    if (this.brush !== null && d >= 0) this.paint(d, this.brush);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const d = Number(event.target.dataset.d);
    const next = cellAfter(event.key, d, this.side);
    const flips = event.key === " " || event.key === "Enter";
    if (next === undefined && !flips) return;
    event.preventDefault();
    if (flips) this.paint(d, this.brushAt(d));
    else if (next !== null) this.focus(next);
  }

  focus(d) {
    this.el.querySelector('[tabindex="0"]').setAttribute("tabindex", "-1");
    this.all[d].setAttribute("tabindex", "0");
    this.all[d].focus({ preventScroll: true });
  }

  // "row 2, column 5", as spoken
  place(d) {
    return `row ${Math.floor(d / this.side) + 1}, column ${(d % this.side) + 1}`;
  }
}
