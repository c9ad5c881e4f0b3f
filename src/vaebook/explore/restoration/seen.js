// What is measured: squares of pixels to hide, to show, or to paint.
import { format } from "../parts/dom.js";
import { Cells } from "../parts/cells.js";

export class Seen {
  // options: {across (squares along a side), brush() ("mask" or "ink"), onMask(b, seen),
  // onInk(b, ink), signal}
  constructor({ across, brush, onMask, onInk, signal }) {
    Object.assign(this, { seen: [], ink: [] });
    this.cells = new Cells({
      side: across,
      names: { grid: "restoration-seen", row: "restoration-row", cell: "restoration-cell" },
      label:
        `What is seen, ${across} by ${across} squares; arrow keys move, ` +
        "Space does what the brush says",
      brushAt: (b) => this.brushAt(b, brush()),
      paint: (b, stroke) => this.paint(b, stroke, { onMask, onInk }),
      signal,
    });
    this.el = this.cells.el;
  }

  // A stroke that begins on a dark square wipes, on a seen one it hides.
  brushAt(b, kind) {
    if (kind === "mask") return { kind, value: 1 - this.seen[b] };
    return { kind, value: this.seen[b] && this.ink[b] > 0.5 ? 0 : 1 };
  }

  paint(b, { kind, value }, { onMask, onInk }) {
    if (kind === "mask" && this.seen[b] !== value) onMask(b, value);
    if (kind === "ink" && !(this.seen[b] && this.ink[b] === value)) onInk(b, value);
  }

  show(seen, ink) {
    Object.assign(this, { seen: [...seen], ink: [...ink] });
    this.cells.all.forEach((cell, b) => this.showCell(cell, b));
  }

  showCell(cell, b) {
    const words = this.seen[b] ? `ink ${format(this.ink[b])}` : "hidden";
    cell.classList.toggle("restoration-hidden", !this.seen[b]);
    cell.style.setProperty("--ink", `${Math.round(100 * Math.min(1, Math.max(0, this.ink[b])))}%`);
    cell.setAttribute("aria-label", `${this.cells.place(b)}, ${words}`);
  }
}
