// Mean log p(x) of training and test images against the noise variance.
import { Plot, s } from "../parts/plot.js";
import { linear, logarithmic, steps } from "../parts/scales.js";
import { logEvidence } from "./maths.js";

const COUNT = 160;
// Beyond the ends of the curve, a factor
const ROOM = 1.12;

export class Curve {
  // options: {frame: {var, nats}, draw(), signal}
  constructor({ frame, draw, signal }) {
    this.ends = logarithmic(...frame.var);
    this.plot = new Plot({
      x: logarithmic(frame.var[0] / ROOM, frame.var[1] * ROOM),
      y: linear(...frame.nats, 6),
      draw,
      signal,
      xLabel: "noise variance _\u03c3_\u00b2",
      yLabel: "mean log _p_(_x_), nats",
      alt:
        "Mean log p(x) of training and test images against the noise variance, " +
        "with the present and the best variance marked",
    });
  }

  draw(data, count, noise, { best, worth }) {
    const { plot } = this;
    const { low, high } = plot.y;
    const at = steps(0, 1, COUNT).map(this.ends.value);
    // Far below the axis a curve need not be followed.
    const height = (spread, v) => Math.max(logEvidence(data, spread, count, v), 2 * low - high);
    const curve = (spread) => plot.line(at.map((v) => [v, height(spread, v)]));

    plot.show("sp-best", plot.upright(best));
    plot.show("sp-now", plot.upright(noise));
    plot.show("sp-test", curve(data.spread));
    plot.show("sp-train", curve(data.eigenvalues));

    const marks = { train: worth.logEvidence, test: worth.testLogEvidence };
    plot.show(
      "sp-marks",
      ...Object.entries(marks).map(([name, nats]) => this.mark(name, noise, nats)),
    );
  }

  // A dot, or an arrowhead at the foot where the value lies below the axis
  mark(name, noise, nats) {
    const { plot } = this;
    const x = plot.X(noise);
    const foot = plot.h - 1;
    if (nats >= plot.y.low) return plot.dot([noise, nats], { class: name });
    return s("path", {
      d: `M${x - 5} ${foot - 8}L${x + 5} ${foot - 8}L${x} ${foot}Z`,
      class: name,
    });
  }
}
