// The data as a histogram with a rug, under the density of a Gaussian.
import { density } from "../parts/gaussian.js";
import { linear, Plot } from "../parts/plot.js";

// options: {x, bars: {edges, heights}, across (a scale), top (of the density's axis),
// label, draw(), signal}
export class Histogram {
  constructor({ x, bars, across, top, label, draw, signal }) {
    Object.assign(this, { bars, top, values: [...new Set(x)] });
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
    const bars = heights.map((top, k) => {
      const [left, right] = [edges[k], edges[k + 1]];
      return plot.line([
        [left, 0],
        [left, top],
        [right, top],
        [right, 0],
      ]);
    });
    plot.show("histogram", ...bars);

    const height = plot.y.high / 30;
    const tick = (v) =>
      plot.line([
        [v, 0],
        [v, height],
      ]);
    plot.show("rug", ...values.map(tick));
  }

  // The axis grows where the curve's peak would leave it.
  fitAxis(peak) {
    const { plot } = this;
    const top = Math.max(this.top, 1.04 * peak);
    if (top === plot.y.high) return;
    plot.y = linear(0, top);
    plot.drawAxes();
    this.drawBars();
  }

  // at: [mu, sigma]
  drawDensity(at) {
    const { plot } = this;
    const { low, high } = plot.x;
    const peak = density(at[0], at);
    this.fitAxis(peak);
    const curve = Array.from({ length: 201 }, (_, k) => low + (k * (high - low)) / 200).map((v) => [
      v,
      density(v, at),
    ]);
    plot.show(
      "mean",
      plot.line([
        [at[0], 0],
        [at[0], peak],
      ]),
    );
    plot.show("curve", plot.line(curve));
  }
}
