// The input image as a grid of cells to paint black or white.
import { Cells } from "../parts/cells.js";

export const blank = (side) => Array.from({ length: side * side }, () => 0);

export class Editor {
  // onPaint(pixels) is called with the whole new image, an array of 0 and 1.
  constructor(side, onPaint, signal) {
    Object.assign(this, { onPaint, pixels: blank(side) });
    this.cells = new Cells({
      side,
      names: { grid: "latent-editor", row: "latent-row", cell: "latent-cell" },
      label: `Input image, ${side} by ${side} cells; arrow keys move, Space flips a cell`,
      multiple: true,
      brushAt: (d) => 1 - this.pixels[d],
      paint: (d, value) => this.paint(d, value),
      signal,
    });
    this.el = this.cells.el;
    this.pixels.forEach((_, d) => this.showCell(d));
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
    const { cells, pixels } = this;
    const lit = pixels[d] === 1;
    cells.all[d].setAttribute("aria-selected", String(lit));
    cells.all[d].setAttribute("aria-label", `${cells.place(d)}, ${lit ? "ink" : "blank"}`);
  }
}
