// One of two latent pads: a model's codes and draws, a ring, and the images decoded from both.
import { note, panel, reading, readings } from "../parts/controls.js";
import { format, h } from "../parts/dom.js";
import { Handle } from "../parts/handle.js";
import { picture } from "../parts/pixels.js";
import { ellipse, Plot, s } from "../parts/plot.js";
import { linear } from "../parts/scales.js";
import { imageOf, inside, nearest } from "./maths.js";

// Across a pad: of an arrow key, and on its axes
const STEPS = 80;
const TICKS = 7;

// options: {data (of readPads), labels, side, count (draws in a set), dashes (of the sources),
// radius (sigma, of the codes that are counted), draw(), onMove(x, y), signal}
export class Side {
  constructor({ data, labels, side, count, dashes, radius, draw, onMove, signal }) {
    Object.assign(this, { data, labels, dashes, radius });
    const { home, name } = data;
    const [across, up] = data.frame;
    this.classes = [...new Set(labels)].sort((a, b) => a - b);
    this.plot = new Plot({
      x: linear(...across, TICKS),
      y: linear(...up, TICKS),
      xLabel: "_z_\u2081",
      yLabel: "_z_\u2082",
      draw,
      signal,
      alt:
        `Codes of ${labels.length} test images in the latents of the ${name}, ` +
        "circles of N(0, I), and crosses at draws",
    });

    const unit = (across[1] - across[0]) / STEPS;
    this.handle = new Handle({
      plot: this.plot,
      signal,
      home,
      onMove,
      step: ([a, b], dx, dy) => [a + dx * unit, b + dy * unit],
      label:
        `Latent point of the ${name}; arrow keys move it, ` +
        "Shift for larger steps, Home for the first image's code",
    });

    this.decoded = picture(side, `Image that the ${name} decodes at its ring`);
    this.words = [h("p"), note()];
    this.tiles = Array.from({ length: count }, (_, k) => picture(side, `Draw ${k + 1}`));
    this.strip = h(
      "div",
      { class: "pads-strip", role: "img" },
      ...this.tiles.map((tile) => tile.el),
    );
    this.readings = [
      reading("Draws where no code is"),
      reading(`Codes within ${radius}\u03c3 of the source`),
    ];

    this.el = panel(
      name,
      this.plot.el,
      h("div", { class: "pads-ring" }, this.decoded.el, h("div", {}, ...this.words)),
      note(`Images decoded from the ${count} draws`),
      this.strip,
      readings(this.readings),
    );
  }

  drawCodes() {
    const { classes, data, labels, plot } = this;
    const place = ([a, b]) => `M${plot.X(a).toFixed(1)} ${plot.Y(b).toFixed(1)}h0`;
    const dots = classes.map((kind, k) => {
      const codes = data.codes.filter((_, n) => labels[n] === kind);
      return s("path", {
        d: codes.map(place).join(""),
        style: `stroke: var(--vb-class-${k % 10})`,
      });
    });
    plot.show("pad-codes", ...dots);
  }

  drawRing(z, colours) {
    const { data, decoded, handle, labels, words } = this;
    const { row, distance, lost } = nearest(data, z);
    const closest = `of class ${labels[row]}, is ${format(distance)} away`;
    const said = lost ? `No code is here; the nearest, ${closest}` : `The nearest code, ${closest}`;
    decoded.show(imageOf(data, z), colours);
    words[0].textContent = `Decoded at z = (${z.map((v) => format(v)).join(", ")})`;
    words[1].textContent = `${said}.`;
    handle.show(z, `z1 ${format(z[0])}, z2 ${format(z[1])}. ${said}`);
  }

  // The draws of a source, those from `start` on as crosses;
  // returns how many of these land where no code is
  drawSet(from, start, colours) {
    const { data, plot, strip, tiles } = this;
    const [found, within] = this.readings;
    const { draws } = data.sources[from];
    const lost = draws.map((z) => nearest(data, z).lost);
    const [points, shown] = [draws, lost].map((list) => list.slice(start, start + tiles.length));

    const path = (kept, shape) =>
      points
        .filter((_, k) => shown[k] === kept)
        .map(([a, b]) => `M${plot.X(a).toFixed(1)} ${plot.Y(b).toFixed(1)}${shape}`)
        .join("");
    const shapes = [
      ["near", path(false, "m-4.5 0h9m-4.5 -4.5v9")],
      ["lost", path(true, "m-4 -4l8 8m0 -8l-8 8")],
    ];
    plot.show(
      "pad-draws",
      ...shapes.flatMap(([kind, d]) => ["halo", kind].map((name) => s("path", { d, class: name }))),
    );
    plot.show("pad-prior", ...this.circles("prior"));
    plot.show("pad-fitted", ...(from === "fitted" ? this.circles(from) : []));

    tiles.forEach(({ el, show }, k) => {
      show(imageOf(data, points[k]), colours);
      el.classList.toggle("pads-lost", shown[k]);
    });

    const [here, all] = [shown, lost].map((list) => list.filter(Boolean).length);
    strip.setAttribute(
      "aria-label",
      `Images that the ${data.name} decodes from ${points.length} draws, ` +
        `${here} of them where no code is`,
    );
    found.number.textContent = `${all} of ${draws.length}`;
    const count = inside(data, data.sources[from], this.radius);
    within.number.textContent = `${count} of ${data.codes.length}`;
    return here;
  }

  // One and two sigma of a source
  circles(from) {
    const { chol, mean } = this.data.sources[from];
    const [[l11], [l21, l22]] = chol;
    const cov = [
      [l11 * l11, l11 * l21],
      [l11 * l21, l21 * l21 + l22 * l22],
    ];
    const style = `stroke-dasharray: ${this.dashes[from].join(" ") || "none"}`;
    return [1, 2].map((k) => this.plot.line(ellipse(mean, cov, k), { style }));
  }
}
