// The input image as a grid of cells to paint: pointer, touch, or arrow keys and space.
import { h } from "../parts/dom.js";

export const blank = (side) => Array.from({ length: side * side }, () => 0);

function cellElements(side) {
  return Array.from({ length: side * side }, (_, d) =>
    h("div", { role: "gridcell", class: "lx-cell", tabindex: d === 0 ? "0" : "-1", "data-d": d }),
  );
}

// onPaint(pixels) is called with the whole new image, an array of 0 and 1.
export function editor(side, onPaint, signal) {
  const cells = cellElements(side);
  let pixels = blank(side);
  let brush = null;

  const rows = Array.from({ length: side }, (_, r) =>
    h("div", { role: "row", class: "lx-row" }, ...cells.slice(r * side, (r + 1) * side)),
  );
  const el = h(
    "div",
    {
      class: "lx-editor",
      role: "grid",
      "aria-multiselectable": "true",
      style: `--side: ${side}`,
      "aria-label": `Input image, ${side} by ${side} cells; arrow keys move, Space flips a cell`,
    },
    ...rows,
  );

  const paintCell = (d) => {
    const lit = pixels[d] === 1;
    cells[d].setAttribute("aria-selected", String(lit));
    const place = `row ${Math.floor(d / side) + 1}, column ${(d % side) + 1}`;
    cells[d].setAttribute("aria-label", `${place}, ${lit ? "ink" : "blank"}`);
  };
  const show = (next) => {
    const before = pixels;
    pixels = Array.from(next);
    pixels.forEach((value, d) => {
      const unpainted = !cells[d].hasAttribute("aria-selected");
      if (unpainted || value !== before[d]) paintCell(d);
    });
  };
  const set = (d, value) => {
    if (pixels[d] === value) return;
    const next = pixels.slice();
    next[d] = value;
    show(next);
    onPaint(next);
  };
  const focus = (d) => {
    el.querySelector('[tabindex="0"]').setAttribute("tabindex", "-1");
    cells[d].setAttribute("tabindex", "0");
    cells[d].focus({ preventScroll: true });
  };
  const under = (event) => {
    const box = el.getBoundingClientRect();
    const col = Math.floor(((event.clientX - box.left) / box.width) * side);
    const row = Math.floor(((event.clientY - box.top) / box.height) * side);
    const inside = col >= 0 && col < side && row >= 0 && row < side;
    return inside ? row * side + col : -1;
  };

  const on = (type, action) => el.addEventListener(type, action, { signal });
  on("pointerdown", (event) => {
    const d = under(event);
    if (event.button > 0 || d < 0) return;
    event.preventDefault();
    if (event.isTrusted) el.setPointerCapture(event.pointerId);
    brush = 1 - pixels[d];
    focus(d);
    set(d, brush);
  });
  on("pointermove", (event) => {
    const d = under(event);
    if (brush !== null && d >= 0) set(d, brush);
  });
  for (const type of ["pointerup", "pointercancel"]) on(type, () => (brush = null));
  on("keydown", (event) => {
    const d = Number(event.target.dataset.d);
    const [row, col] = [Math.floor(d / side), d % side];
    const next = {
      ArrowLeft: col > 0 && d - 1,
      ArrowRight: col < side - 1 && d + 1,
      ArrowUp: row > 0 && d - side,
      ArrowDown: row < side - 1 && d + side,
      Home: row * side,
      End: row * side + side - 1,
    }[event.key];
    if (next === undefined && event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (next === undefined) set(d, 1 - pixels[d]);
    else if (next !== false) focus(next);
  });

  show(pixels);
  return { el, show };
}
