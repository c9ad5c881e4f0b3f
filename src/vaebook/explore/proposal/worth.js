// Effective sample size as a share of the draws, against the width of the proposal.
import { Plot } from "../parts/plot.js";
import { linear, logarithmic, steps } from "../parts/scales.js";
import { limit, worth } from "./maths.js";

// Of the curves
const POINTS = 80;

// options: {widths (a scale), ends (of the vertical axis), draw(), signal}
export class Worth {
  constructor({ widths, ends, draw, signal }) {
    this.plot = new Plot({
      x: logarithmic(0.9 * widths.low, 1.1 * widths.high),
      y: linear(...ends),
      draw,
      signal,
      xLabel: "width _\u03c3_ of _q_",
      yLabel: "ESS / _S_",
      alt:
        "Effective sample size as a share of the draws against the width of the proposal: " +
        "that of these draws, and that of very many",
    });
    this.el = this.plot.el;
  }

  // q: {mean, sd, target}; ess: of the draws eps
  draw(eps, q, { ess }) {
    const { plot } = this;
    const { low } = plot.x;
    const { low: foot, high: top } = plot.y;
    const widths = steps(0, 1, POINTS).map(plot.x.value);
    const curve = (of) => plot.line(widths.map((sd) => [sd, of({ ...q, sd })]));

    plot.show("prop-infinite", plot.bar([low, q.target / Math.SQRT2], [foot, top]));
    plot.show("prop-limit", curve(limit));
    plot.show(
      "prop-curve",
      curve((one) => worth(eps, one)),
    );
    plot.show("prop-now", plot.dot([q.sd, ess / eps.length]));

    const words = ["variance of the", "weights infinite"];
    const line = (text, k) => plot.text([low, top], text, { dx: 8, dy: 18 + 16 * k });
    plot.show("prop-names", ...words.map(line));
  }
}
