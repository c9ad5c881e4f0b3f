// The next value: its predictive density over the values seen and those to come.
import { curve } from "./maths.js";
import { format } from "../parts/dom.js";
import { density } from "../parts/gaussian.js";
import { linear, Plot, s } from "../parts/plot.js";

// Of the plot, the highest pile of equal values
const TALLEST = 0.35;

// How many equal values lie before each
const ranks = (x) => x.map((value, k) => x.slice(0, k).filter((other) => other === value).length);

export class Forecast {
  // options: {x, across (a scale), label, draw(), signal}
  constructor({ x, across, label, draw, signal }) {
    Object.assign(this, { x, ranks: ranks(x) });
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
    plot.y = linear(0, 1.25 * density(0, [0, sigma]), 4);
    plot.drawAxes();
    plot.show(
      "lp-fill",
      plot.line([[low, 0], ...curve(density, gaussian, [low, high]), [high, 0]]),
    );
    plot.show("lp-to-come", ...this.strokes(seen, x.length));
    plot.show("lp-seen", ...this.strokes(0, seen));
    plot.show("lp-predictive", plot.line(curve(density, gaussian, [low, high])));
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
      for (const name of ["lp-stem", "lp-dot", "lp-word"]) plot.show(name);
      return;
    }
    const at = [value, density(value, gaussian)];
    plot.show(
      "lp-stem",
      plot.line([
        [value, 0],
        [value, 0.9 * plot.y.high],
      ]),
    );
    plot.show("lp-dot", s("circle", { cx: plot.X(at[0]), cy: plot.Y(at[1]), r: 5 }));
    plot.show(
      "lp-word",
      plot.text([value, 0.9 * plot.y.high], `next: ${format(value, 1)}`, { dy: -4 }),
    );
  }
}
