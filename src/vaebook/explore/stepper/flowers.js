// The data under a mixture: points coloured by responsibilities, ellipses, centres, and rings where
// the run starts.
import { format } from "../parts/dom.js";
import { Handle } from "../parts/handle.js";
import { ellipse, Plot, s } from "../parts/plot.js";
import { linear } from "../parts/scales.js";

// A ring among others: only a press on itself moves it.
class Ring extends Handle {
  press(event) {
    if (event.target === this.el) super.press(event);
  }
}

// Responsibilities as one colour
function mixedColour(resp, colours) {
  let [colour] = colours;
  let share = resp[0];
  for (let k = 1; k < resp.length; k++) {
    share += resp[k];
    const part = share > 0 ? (100 * resp[k]) / share : 0;
    if (part > 99.9) colour = colours[k];
    else if (part > 0.1)
      colour = `color-mix(in srgb, ${colours[k]} ${part.toFixed(1)}%, ${colour})`;
  }
  return colour;
}

// options: {x, frame, labels, colours (of the components, CSS), home (first means), draw(),
// onMove(k, mean), signal}
export class Flowers {
  constructor({ x, frame, labels, colours, home, draw, onMove, signal }) {
    Object.assign(this, { x, labels, colours });
    this.plot = new Plot({
      x: linear(...frame.x),
      y: linear(...frame.y),
      xLabel: labels[0],
      yLabel: labels[1],
      draw,
      signal,
      alt: "The data, coloured by responsibilities, under the ellipses of the components",
    });
    const steps = [frame.x, frame.y].map(([low, high]) => (high - low) / 80);
    this.rings = home.map(
      (at, k) =>
        new Ring({
          plot: this.plot,
          signal,
          home: at,
          onMove: (...mean) => onMove(k, mean),
          label:
            `First mean of component ${k + 1}; arrow keys move it, ` +
            "Shift for larger steps, Home for where it was",
          step: ([a, b], dx, dy) => [a + dx * steps[0], b + dy * steps[1]],
        }),
    );
    this.rings.forEach(({ el }, k) => el.style.setProperty("--c", colours[k]));
    this.dots = x.map(() => s("circle", { r: 3.5 }));
    this.tints = [];
    this.plot.show("em-points", ...this.dots);
  }

  // The dots stay: moved where the plot has a new size, tinted anew where responsibilities moved.
  drawPoints(resp) {
    const { colours, dots, plot, tints, x } = this;
    const size = `${plot.w} x ${plot.h}`;
    if (size !== this.size) {
      dots.forEach((dot, n) => {
        dot.setAttribute("cx", plot.X(x[n][0]).toFixed(1));
        dot.setAttribute("cy", plot.Y(x[n][1]).toFixed(1));
      });
      this.size = size;
    }

    resp.forEach((row, n) => {
      const tint = mixedColour(row, colours);
      if (tint !== tints[n]) dots[n].style.fill = tint;
      tints[n] = tint;
    });
  }

  // On the centre, or on the ring of the start while the two overlap
  number(k, centre, start) {
    const { plot } = this;
    const [x, y] = [plot.X(start[0]), plot.Y(start[1])];
    const apart = Math.hypot(plot.X(centre[0]) - x, plot.Y(centre[1]) - y);
    if (apart < 1 || apart > 20) return [plot.text(centre, String(k + 1))];
    const disc = s("circle", { cx: x, cy: y, r: 10 });
    return [disc, plot.text(start, String(k + 1), { style: `--c: ${this.colours[k]}` })];
  }

  // path: the mixtures up to the present one
  draw(path, resp, means) {
    const { colours, plot } = this;
    const { mu, cov } = path.at(-1);
    const tinted = (k) => ({ style: `--c: ${colours[k]}` });

    this.drawPoints(resp);
    plot.show(
      "em-ellipses",
      ...mu.flatMap((m, k) => [2, 1].map((size) => plot.line(ellipse(m, cov[k], size), tinted(k)))),
    );
    const trail = (k) => path.map((mixture) => mixture.mu[k]);
    plot.show("em-trails", ...mu.map((_, k) => plot.line(trail(k), tinted(k))));
    plot.show("em-centres", ...mu.map((m, k) => plot.dot(m, { r: 8, ...tinted(k) })));
    plot.show("em-numbers", ...mu.flatMap((m, k) => this.number(k, m, means[k])));
    this.rings.forEach((ring, k) => {
      const place = means[k].map((v, i) => `${this.labels[i]} ${format(v)}`);
      ring.show(means[k], `component ${k + 1} starts at ${place.join(", ")}`);
    });
  }
}
