// The next value: its predictive density over the values seen and those to come.
import { format } from "../parts/dom.js";
import { density } from "../parts/gaussian.js";
import { Plot, s } from "../parts/plot.js";
import { linear } from "../parts/scales.js";
import { curve } from "./maths.js";

// Of the plot, the highest pile of equal values
const TALLEST = 0.35;

// How many equal values lie before each
const ranks = (x) => x.map((value, k) => x.slice(0, k).filter((other) => other === value).length);

export class Forecast {
  // options: {x, across (a scale), label, headroom (times the peak of a known mean), draw(),
  // signal}
  constructor({ x, across, label, headroom, draw, signal }) {
    Object.assign(this, { x, headroom, ranks: ranks(x) });
    this.plot = new Plot({
      x: across,
      y: linear(0, 1),
      xLabel: label,
      yLabel: "density",
      draw,
      signal,
      alt:
        "Predictive density of the next value over a pile of strokes, one for each value, " +
        "dark where it has been seen",
    });
  }

  // The axis reaches above the density that a known mean would give.
  draw({ gaussian, sigma, seen }) {
    const { plot, x } = this;
    const { low, high } = plot.x;
    plot.y = linear(0, this.headroom * density(0, [0, sigma]), 4);
    plot.drawAxes();
    plot.show(
      "posterior-fill",
      plot.line([[low, 0], ...curve(density, gaussian, [low, high]), [high, 0]]),
    );
    plot.show("posterior-to-come", ...this.strokes(seen, x.length));
    plot.show("posterior-seen", ...this.strokes(0, seen));
    plot.show("posterior-predictive", plot.line(curve(density, gaussian, [low, high])));
    this.drawNext(x[seen], gaussian);
  }

  strokes(from, to) {
    const { plot, x } = this;
    const each = Math.min(7, (TALLEST * plot.h) / (1 + Math.max(...this.ranks)));
    return x.slice(from, to).map((value, k) => {
      const foot = plot.h - 2 - each * this.ranks[from + k];
      return s("path", {
        d: `M${plot.X(value).toFixed(2)} ${foot.toFixed(2)}v${(1.5 - each).toFixed(2)}`,
      });
    });
  }

  drawNext(value, gaussian) {
    const { plot } = this;
    if (value === undefined) {
      for (const name of ["posterior-stem", "posterior-dot", "posterior-word"]) plot.show(name);
      return;
    }
    const at = [value, density(value, gaussian)];
    const top = 0.9 * plot.y.high;
    const word = plot.text([value, top], `next: ${format(value, 1)}`, { dy: -4 });
    plot.show("posterior-stem", plot.upright(value, 0, top));
    plot.show("posterior-dot", plot.dot(at));
    plot.show("posterior-word", word);
  }
}
