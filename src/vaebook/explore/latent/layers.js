// What the pad paints: the map of test digits or the decoded mosaic, and the posterior ellipse.
import { format, rgba } from "../parts/dom.js";

const MARGIN = { left: 30, right: 8, top: 8, bottom: 26 };

// Converts between latent units in [-bound, bound] and CSS pixels of the plot.
export function geometry(width, height, bound) {
  const w = width - MARGIN.left - MARGIN.right;
  const hgt = height - MARGIN.top - MARGIN.bottom;
  return {
    width,
    height,
    bound,
    w,
    h: hgt,
    left: MARGIN.left,
    top: MARGIN.top,
    x: (v) => MARGIN.left + ((v + bound) / (2 * bound)) * w,
    y: (v) => MARGIN.top + ((bound - v) / (2 * bound)) * hgt,
    toX: (px) => ((px - MARGIN.left) / w) * 2 * bound - bound,
    toY: (px) => bound - ((px - MARGIN.top) / hgt) * 2 * bound,
    unitX: w / (2 * bound),
    unitY: hgt / (2 * bound),
  };
}

// Sizes a canvas for the screen's pixel density and clears it.
export function prepare(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, hgt] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== hgt) canvas.height = hgt;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

function ticks(context, g, flat, colours) {
  const step = g.bound > 6 ? 2 : 1;
  context.font = "11px system-ui, sans-serif";
  context.strokeStyle = rgba(colours.line);
  context.fillStyle = rgba(colours.muted);
  context.lineWidth = 1;

  for (let v = -step * Math.floor(g.bound / step); v <= g.bound; v += step) {
    context.beginPath();
    context.moveTo(g.x(v), g.top);
    context.lineTo(g.x(v), g.top + g.h);
    if (!flat) context.moveTo(g.left, g.y(v));
    if (!flat) context.lineTo(g.left + g.w, g.y(v));
    context.stroke();

    context.textAlign = "center";
    context.textBaseline = "top";
    context.fillText(format(v, 0), g.x(v), g.top + g.h + 6);
    context.textAlign = "right";
    context.textBaseline = "middle";
    if (!flat) context.fillText(format(v, 0), g.left - 6, g.y(v));
  }
}

function ellipse(context, g, flat, centre, radius) {
  const [rx, ry] = [radius[0] * g.unitX, radius[1] * g.unitY];
  context.beginPath();
  if (flat) context.rect(g.x(centre[0] - radius[0]), g.top, 2 * rx, g.h);
  else context.ellipse(g.x(centre[0]), g.y(centre[1]), rx, ry, 0, 0, 2 * Math.PI);
}

function clipped(context, g, paint) {
  context.save();
  context.beginPath();
  context.rect(g.left, g.top, g.w, g.h);
  context.clip();
  paint();
  context.restore();
}

// The prior N(0, I): dashed rings one and two standard deviations from zero.
function prior(context, g, flat, colours) {
  context.setLineDash([4, 4]);
  context.strokeStyle = rgba(colours.muted, 0.8);
  for (const k of [1, 2]) {
    ellipse(context, g, flat, [0, 0], [k, k]);
    context.stroke();
  }
  context.setLineDash([]);
}

// Each test image is the digit that names its class, at its posterior mean.
function glyphs(context, points, highlight, onMosaic, colours) {
  context.font = "600 12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.lineJoin = "round";

  for (const { x, y, label, colour } of points) {
    const faint = highlight !== null && label !== highlight;
    if (onMosaic && (faint || highlight === null)) continue;
    if (onMosaic) context.strokeStyle = rgba(colours.paper);
    if (onMosaic) context.strokeText(label, x, y);
    context.fillStyle = rgba(colours[`class-${colour}`], faint ? 0.14 : 1);
    context.fillText(label, x, y);
  }
}

function paintMosaic(context, g, { canvas, rows, cols }) {
  const w = g.w / cols;
  const hgt = rows === 1 ? w : g.h / rows;
  const top = g.top + (g.h - rows * hgt) / 2;
  const [sw, sh] = [canvas.width / cols, canvas.height / rows];

  context.imageSmoothingEnabled = false;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      const [x, y] = [g.left + c * w + 1, top + r * hgt + 1];
      context.drawImage(canvas, c * sw, r * sh, sw, sh, x, y, w - 2, hgt - 2);
    }
  }
}

// state: {flat, points, highlight, mosaic}
export function paintBase(context, g, state, colours) {
  context.fillStyle = rgba(colours.surface);
  context.fillRect(g.left, g.top, g.w, g.h);
  ticks(context, g, state.flat, colours);
  clipped(context, g, () => {
    if (state.mosaic) paintMosaic(context, g, state.mosaic);
    else prior(context, g, state.flat, colours);
    glyphs(context, state.points, state.highlight, Boolean(state.mosaic), colours);
  });
}

// q(z|x): filled one sigma, outlined two sigma
export function paintPosterior(context, g, flat, { centre, sigma, fill }, colours) {
  const twice = sigma.map((s) => 2 * s);
  clipped(context, g, () => {
    context.fillStyle = rgba(colours.accent, fill);
    context.strokeStyle = rgba(colours.accent);
    context.lineWidth = 2;
    ellipse(context, g, flat, centre, sigma);
    context.fill();
    context.stroke();
    ellipse(context, g, flat, centre, twice);
    context.stroke();
  });
}
