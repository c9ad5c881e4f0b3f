// One iteration of EM seen along the line through its two mixtures:
// the log-likelihood and the bound.
// Heights are nats above the log-likelihood before the M-step, where the bound touches: 0.
import { format } from "../parts/dom.js";
import { Plot, s } from "../parts/plot.js";
import { linear, steps } from "../parts/scales.js";
import { between, heights, lowerBound } from "./maths.js";

const POINTS = 36;
// Nats: what is smaller looks flat
const LEAST_HEIGHT = 0.02;

// [[s, log-likelihood, bound of each q ..], ..] where a mixture lies, total nats
export function sliceHeights(x, [a, b], qs, positions) {
  return positions
    .map((at) => [at, between(a, b, at)])
    .filter(([, mixture]) => mixture)
    .map(([at, mixture]) => [at, ...heights(mixture, x, qs)]);
}

export class Slice {
  // options: {span (of the line: the mixtures lie at 0 and 1), headroom (of the rise), draw(),
  // signal}
  constructor({ span, headroom, draw, signal }) {
    this.headroom = headroom;
    this.positions = steps(...span, POINTS);
    this.across = {
      ...linear(...span),
      ticks: [0, 1],
      label: (v) => (v ? "after the M-step" : "before"),
    };
    this.plot = new Plot({
      x: this.across,
      y: linear(-1, 1),
      xLabel: "parameters _\u03b8_, on the line through both",
      yLabel: "",
      draw,
      signal,
      alt:
        "The bound under the log-likelihood along the present step: " +
        "they touch before the M-step, which goes to the bound's top",
    });
  }

  // state: {x, ends: two mixtures, q, oldQ (or null), half, base, logLik, bound}
  draw({ x, ends, q, oldQ, half, base, logLik, bound }) {
    const { plot } = this;
    const above = ([at, ...nats]) => [at, ...nats.map((v) => v - base)];
    const qs = oldQ ? [q, oldQ] : [q];
    const rows = sliceHeights(x, ends, qs, this.positions).map(above);
    const curve = (column) => rows.map((row) => [row[0], row[column]]);
    const oldGap = oldQ ? base - lowerBound(ends[0], x, oldQ) : 0;
    this.rescale(rows, oldGap, base);

    plot.show("em-gap", plot.line([...curve(1), ...curve(2).reverse()]));
    plot.show("em-old", ...(oldQ && !half ? [plot.line(curve(3))] : []));
    plot.show("em-bound", plot.line(curve(2)));
    plot.show("em-lik", plot.line(curve(1)));

    this.drawNames(rows);
    this.drawPresent({ half, top: logLik - base, low: bound - base, oldGap: half ? 0 : oldGap });
  }

  rescale(rows, oldGap, base) {
    const { plot } = this;
    const rise = Math.max(...rows.map((row) => row[1]), LEAST_HEIGHT);
    plot.x = this.across;
    plot.y = linear(-Math.max(0.5 * rise, 1.2 * oldGap), (1 + this.headroom) * rise);
    plot.yLabel = `nats above ${format(base, 3)}`;
    plot.drawAxes();
  }

  // Names of the curves, where there is room
  drawNames(rows) {
    const { plot } = this;
    const near = (at) => rows.reduce((a, b) => (Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a));
    const [above, below] = [near(0.6), near(0.85)];
    const roomy = plot.Y(0) - plot.Y(below[2]) > 48;
    const names = [
      plot.text(above.slice(0, 2), "log-likelihood", { dx: -8, dy: -8, "text-anchor": "end" }),
      plot.text([below[0], below[2]], "bound", { dy: 20, class: "bound" }),
    ];
    plot.show("em-names", ...(roomy ? names : []));
  }

  // The point on both curves, the gap between them, and where the bound came from
  drawPresent({ half, top, low, oldGap }) {
    const { plot } = this;
    const mark = (at, name) => plot.dot([half, at], { class: name });
    const start = plot.dot([0, 0], { r: 4, class: "start" });
    plot.show("em-kl", ...(half ? [plot.upright(1, low, top)] : this.arrow(oldGap)));

    const close = plot.Y(low) - plot.Y(top) < 16;
    const ends = close ? [mark(top, "both")] : [mark(top, "likelihood"), mark(low, "bound")];
    plot.show("em-marks", ...(half ? [start, ...ends] : [mark(0, "both")]));

    const middle = [1, close ? top : (top + low) / 2];
    const touch = oldGap > 0 ? `lifted by ${format(oldGap, 3)} to touch` : "touches";
    const words = half
      ? plot.text(middle, `KL ${format(top - low, 3)}`, { dx: 9, dy: close ? -12 : 4 })
      : plot.text([0, 0], touch, { dx: 10, dy: 18 });
    plot.show("em-words", words);
  }

  // Upwards from the old bound, if it lies lower, to the point of touch
  arrow(oldGap) {
    if (oldGap <= 0) return [];
    const { plot } = this;
    const x = plot.X(0);
    const tip = plot.Y(0) + 7;
    const foot = plot.Y(-oldGap);
    if (foot - tip < 10) return [plot.upright(0, -oldGap, 0)];
    const head = `M${x - 7} ${tip + 9}L${x} ${tip + 1}L${x + 7} ${tip + 9}`;
    return [s("path", { d: `M${x} ${foot}V${tip + 2}${head}` })];
  }

  // Where there is no next mixture
  showEnd(why) {
    const { plot } = this;
    for (const name of plot.layers.keys()) plot.show(name);
    for (const axis of ["x", "y"]) plot[axis] = { ...plot[axis], ticks: [] };
    plot.yLabel = "";
    plot.drawAxes();
    const lines = ["No M-step from here:", ...why.split(/ (?=with )/)];
    plot.show(
      "em-words",
      ...lines.map((line, k) =>
        s("text", { x: plot.w / 2, y: plot.h / 2, dy: 18 * (k - 1), class: "middle" }, line),
      ),
    );
  }
}
