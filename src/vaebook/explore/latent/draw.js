// Redraws the explorer from its state: the map, the point z, the image on show.
import { format } from "../parts/dom.js";
import { blank } from "./editor.js";
import { decode, elboTerms, sigmoid } from "../parts/mlp.js";
import { spokenPoint } from "./pad.js";
import { mosaic } from "../parts/pixels.js";

const TILES = 12;

const probabilities = (explorer, z) => decode(explorer.net, z).map(sigmoid);

function heldLatents({ model, axes }) {
  const z = model.get("z");
  return z.filter((_, i) => !axes.includes(i)).join();
}

// The mosaic holds the other latents fixed, so it goes stale when one of them moves.
export const mosaicMoved = (explorer) =>
  explorer.controls.mosaic.checked && heldLatents(explorer) !== explorer.held;

function decodedMosaic(explorer) {
  const { axes, bound, colours, flat, model, side } = explorer;
  const at = (i) => ((2 * i + 1) / TILES - 1) * bound;
  const z = model.get("z").slice();

  explorer.held = heldLatents(explorer);
  const imageAt = (r, c) => {
    if (!flat) z[axes[1]] = -at(r);
    z[axes[0]] = at(c);
    return probabilities(explorer, z);
  };
  const rows = flat ? 1 : TILES;
  return { canvas: mosaic(rows, TILES, side, imageAt, colours), rows, cols: TILES };
}

// The pad's lower layer: test images at their means, or the mosaic.
export function drawBase(explorer) {
  const { axes, classes, colours, controls, highlight, labels, means, pad } = explorer;
  controls.menus.forEach(({ select }, k) => (select.value = String(axes[k])));
  controls.chips.forEach((chip, k) =>
    chip.setAttribute("aria-pressed", String(classes[k] === highlight)),
  );
  const rows = means.map((mu, n) => {
    const k = classes.indexOf(labels[n]);
    return {
      v: axes.map((a) => mu[a]),
      label: labels[n],
      colour: k % 10,
      row: (k + 0.5) / classes.length,
    };
  });
  const tiles = controls.mosaic.checked ? decodedMosaic(explorer) : null;
  pad.paintBase({ rows, highlight, colours, mosaic: tiles });
}

// Everything that follows z: decoded image, sliders, handle; and the posterior beside it.
export function drawPoint(explorer) {
  const { axes, colours, controls, flat, model, pad, terms } = explorer;
  const z = model.get("z");
  explorer.decoded.show(probabilities(explorer, z), colours);
  controls.sliders.forEach(({ input, number }, i) => {
    input.value = z[i];
    input.setAttribute("aria-valuetext", `z${i + 1} ${format(z[i])}`);
    number.textContent = format(z[i]);
  });
  const along = (values) => axes.map((a) => values[a]);
  const names = (flat ? [0] : axes).map((a) => `z${a + 1}`);
  const posterior = terms && { centre: along(terms.mu), sigma: along(terms.sigma) };
  pad.paintOverlay({ at: along(z), posterior, colours, spoken: spokenPoint(names, along(z)) });
}

function imageOnShow({ model, images }) {
  const selected = model.get("selected");
  if (selected >= 0) return images[selected];
  const drawing = model.get("drawing");
  return drawing.length > 0 ? drawing : null;
}

function status({ labels }, selected, image) {
  if (selected >= 0)
    return `Test image ${selected + 1} of ${labels.length}, class ${labels[selected]}`;
  return image ? "Your drawing" : "No image chosen";
}

// Everything that follows the input image: its cells, reconstruction and ELBO terms.
export function drawInput(explorer) {
  const { bars, controls, colours, editor, eps, model, net, rebuilt, side } = explorer;
  const selected = model.get("selected");
  const image = imageOnShow(explorer);
  if (selected >= 0) explorer.origin = selected;
  explorer.terms = image && elboTerms(net, image, eps);

  editor.show(image || blank(side));
  rebuilt.el.classList.toggle("lx-empty", !image);
  if (image) rebuilt.show(probabilities(explorer, explorer.terms.mu), colours);
  bars.show(explorer.terms);

  if (selected >= 0 && document.activeElement === controls.undo) controls.next.focus();
  controls.undo.disabled = selected >= 0;
  controls.status.textContent = status(explorer, selected, image);
}
