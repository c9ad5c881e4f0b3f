// The input image as a grid of cells to paint: pointer, touch, or arrow keys and space.
import { h } from "../parts/dom.js";
import { listener } from "../parts/state.js";

export const blank = (side) => Array.from({ length: side * side }, () => 0);

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

export class Editor {
  // onPaint(pixels) is called with the whole new image, an array of 0 and 1.
  constructor(side, onPaint, signal) {
    Object.assign(this, { side, onPaint, pixels: blank(side), brush: null });
    this.cells = this.pixels.map((_, d) => {
      const attributes = { role: "gridcell", class: "latent-cell", "data-d": d };
      return h("div", { ...attributes, tabindex: d === 0 ? "0" : "-1" });
    });
    this.el = this.layout();
    this.listen(listener(signal));
    this.cells.forEach((_, d) => this.showCell(d));
  }

  layout() {
    const { cells, side } = this;
    const rows = Array.from({ length: side }, (_, r) =>
      h("div", { role: "row", class: "latent-row" }, ...cells.slice(r * side, (r + 1) * side)),
    );
    const attributes = {
      class: "vb-picture latent-editor",
      role: "grid",
      "aria-multiselectable": "true",
      style: `--side: ${side}`,
      "aria-label": `Input image, ${side} by ${side} cells; arrow keys move, Space flips a cell`,
    };
    return h("div", attributes, ...rows);
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

  // The first cell decides whether a stroke paints or wipes.
  press(event) {
    const d = this.under(event);
    if (event.button > 0 || d < 0) return;
    event.preventDefault();
    if (event.isTrusted) this.el.setPointerCapture(event.pointerId);
    this.brush = 1 - this.pixels[d];
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
    if (flips) this.paint(d, 1 - this.pixels[d]);
    else if (next !== null) this.focus(next);
  }

  focus(d) {
    this.el.querySelector('[tabindex="0"]').setAttribute("tabindex", "-1");
    this.cells[d].setAttribute("tabindex", "0");
    this.cells[d].focus({ preventScroll: true });
  }

  paint(d, value) {
    if (this.pixels[d] === value) return;
    const next = this.pixels.slice();
    next[d] = value;
    this.show(next);
    this.onPaint(next);
  }

  // Touches only the cells that change
  show(pixels) {
    const before = this.pixels;
    this.pixels = Array.from(pixels);
    this.pixels.forEach((value, d) => value === before[d] || this.showCell(d));
  }

  showCell(d) {
    const { cells, pixels, side } = this;
    const lit = pixels[d] === 1;
    const place = `row ${Math.floor(d / side) + 1}, column ${(d % side) + 1}`;
    cells[d].setAttribute("aria-selected", String(lit));
    cells[d].setAttribute("aria-label", `${place}, ${lit ? "ink" : "blank"}`);
  }
}
