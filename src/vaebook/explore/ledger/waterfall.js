// From log p(x) down to the ELBO of q: a row for each part, its name and nats above its bar.
import { format } from "../parts/dom.js";
import { Plot, s } from "../parts/plot.js";
import { linear } from "../parts/scales.js";

const ROWS = 4;
// Of a row's height: the bar, and the line of the words above it
const [FOOT, TOP, WORDS] = [0.12, 0.42, 0.58];

const hundredths = (v) => Math.round(100 * v);
const shown = (v) => format(v / 100, 2);

export class Waterfall {
  // options: {draw(), signal}
  constructor({ draw, signal }) {
    this.plot = new Plot({
      x: linear(0, 1),
      y: linear(0, ROWS),
      xLabel: "nats",
      yLabel: "",
      draw,
      signal,
      alt:
        "Bars from the ELBO of q up to log p(x): the amortisation gap, then the approximation " +
        "gap; below them a mark at the importance-weighted bound",
    });
    this.plot.y = { ...this.plot.y, ticks: [] };
  }

  // The rows add up as shown, to the last digit.
  static words(gaps, draws) {
    const whole = hundredths(gaps.logEvidence);
    const [amortisation, approximation] = [gaps.amortisation, gaps.approximation].map(hundredths);
    return [
      `log p(x) ${shown(whole)}, less`,
      `approximation gap ${shown(approximation)}, less`,
      `amortisation gap ${shown(amortisation)}, is`,
      `ELBO of q ${shown(whole - approximation - amortisation)}`,
      `bound of ${draws} ${draws === 1 ? "draw" : "draws"} ${shown(hundredths(gaps.weighted))}`,
    ];
  }

  // low: the left end of the axis
  draw(gaps, draws, low) {
    const { plot } = this;
    const end = gaps.logEvidence;
    const scale = linear(low, end + 0.06 * (end - low), 5);
    if (plot.x.low !== scale.low || plot.x.high !== scale.high) {
      plot.x = scale;
      plot.drawAxes();
    }

    const best = end - gaps.approximation;
    const words = Waterfall.words(gaps, draws);
    const bar = (row, from, to) => {
      const [left, right] = [from, to].sort((a, b) => a - b).map((v) => Math.max(v, low));
      return plot.bar([left, right], [row + FOOT, row + TOP]);
    };
    plot.show("lg-approximation", bar(3, best, end));
    plot.show("lg-amortisation", bar(2, gaps.elbo, best));
    plot.show("lg-elbo", bar(1, low, gaps.elbo));
    plot.show("lg-end", plot.upright(end));
    const at = Math.max(gaps.weighted, low);
    plot.show("lg-mark", plot.dot([at, (FOOT + TOP) / 2]));

    const text = (row, content) =>
      s("text", { x: 6, y: plot.Y(row + WORDS), "text-anchor": "start" }, content);
    plot.show(
      "lg-words",
      s("text", { x: plot.X(end), y: -8, "text-anchor": "end" }, words[0]),
      ...words.slice(1).map((content, k) => text(ROWS - 1 - k, content)),
    );
  }
}
