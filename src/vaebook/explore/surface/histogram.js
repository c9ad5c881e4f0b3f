// The data as a histogram with a rug, under the density of a Gaussian.
import { density } from "../parts/gaussian.js";
import { Plot } from "../parts/plot.js";
import { linear, steps } from "../parts/scales.js";

// options: {x, bars: {edges, heights}, across (a scale), top (of the density's axis), headroom
// (times a peak), label, draw(), signal}
export class Histogram {
  constructor({ x, bars, across, top, headroom, label, draw, signal }) {
    Object.assign(this, { bars, top, headroom, values: [...new Set(x)] });
    this.plot = new Plot({
      x: across,
      y: linear(0, top),
      xLabel: label,
      yLabel: "density",
      draw,
      signal,
      alt:
        "Histogram of the data " +
        "with the density of the Gaussian at the present \u03bc and \u03c3",
    });
  }

  drawBars() {
    const { plot, values } = this;
    const { edges, heights } = this.bars;
    const bar = (top, k) => plot.bar([edges[k], edges[k + 1]], [0, top]);
    const height = plot.y.high / 30;
    plot.show("histogram", ...heights.map(bar));
    plot.show("rug", ...values.map((v) => plot.upright(v, 0, height)));
  }

  // The axis grows where the curve's peak would leave it.
  fitAxis(peak) {
    const { plot } = this;
    const top = Math.max(this.top, this.headroom * peak);
    if (top === plot.y.high) return;
    plot.y = linear(0, top);
    plot.drawAxes();
    this.drawBars();
  }

  // at: [mu, sigma]
  drawDensity(at) {
    const { plot } = this;
    const peak = density(at[0], at);
    this.fitAxis(peak);
    plot.show("mean", plot.upright(at[0], 0, peak));
    const across = steps(plot.x.low, plot.x.high, 200);
    plot.show("curve", plot.line(across.map((v) => [v, density(v, at)])));
  }
}
