// Images of pixel probabilities: 0 is paper, 1 is ink, in the colours of the theme.
import { h } from "./dom.js";

// Writes side x side values into an ImageData, from (left, top).
function writeImage({ data, width }, values, { left, top, side }, { paper, ink }) {
  for (let row = 0; row < side; row++) {
    let at = 4 * ((top + row) * width + left);
    for (let col = 0; col < side; col++, at += 4) {
      const p = values[row * side + col];
      for (let c = 0; c < 3; c++) data[at + c] = paper[c] + p * (ink[c] - paper[c]);
      data[at + 3] = 255;
    }
  }
}

// A picture of side x side pixels which CSS enlarges; returns its element and `show`.
export function picture(side, label) {
  const el = h("canvas", {
    class: "vb-picture",
    width: side,
    height: side,
    role: "img",
    "aria-label": label,
  });
  const context = el.getContext("2d");
  const image = context.createImageData(side, side);
  const show = (values, colours) => {
    writeImage(image, values, { left: 0, top: 0, side }, colours);
    context.putImageData(image, 0, 0);
  };
  return { el, show };
}

// A mosaic of rows x cols decoded images as one small canvas, to be drawn enlarged.
export function mosaic(rows, cols, side, imageAt, colours) {
  const el = h("canvas", { width: cols * side, height: rows * side });
  const context = el.getContext("2d");
  const image = context.createImageData(el.width, el.height);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      const place = { left: c * side, top: r * side, side };
      writeImage(image, imageAt(r, c), place, colours);
    }
  }
  context.putImageData(image, 0, 0);
  return el;
}
