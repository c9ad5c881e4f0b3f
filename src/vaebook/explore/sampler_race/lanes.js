// The estimates of the samplers against the number of draws: lines in bands of two standard errors.
import { Plot, s } from "../parts/plot.js";
import { linear, logarithmic } from "../parts/scales.js";

const POWERS = ["1", "10", "10\u00b2", "10\u00b3", "10\u2074", "10\u2075", "10\u2076"];
// Pixels: an arrowhead where an estimate lies beyond an edge
const [HEAD, WIDTH] = [7, 4];

// options: {rows (of readRows), sizes, frame (nats), label, truth, lines: [{colour, dash}, ..],
// room, bar (factors: from the sizes to the frame, and to the sides of a single band),
// draw(), signal}
export class Lanes {
  constructor({ rows, sizes, frame, label, truth, lines, room, bar, draw, signal }) {
    Object.assign(this, { rows, truth, bar });
    this.styles = lines.map(({ colour, dash }, k) => ({
      class: `sampler-race-${k}`,
      style: `--c: var(--vb-${colour}); --d: ${dash.join(" ") || "none"}`,
    }));
    const ticks = POWERS.map((_, k) => 10 ** k).filter((v) => v >= sizes[0] && v <= sizes.at(-1));
    this.plot = new Plot({
      x: {
        ...logarithmic(sizes[0] / room, sizes.at(-1) * room),
        ticks,
        label: (v) => POWERS[Math.round(Math.log10(v))],
      },
      y: linear(...frame),
      xLabel: "number of draws _S_",
      yLabel: `estimate of ${label}`,
      draw,
      signal,
      alt:
        `Estimates of ${label} against the number of draws, ` +
        "with bands of two standard errors, and a line at the exact value",
    });
  }

  // now: place of the draws in use; kept: whether each sampler is shown
  draw({ run, now, kept }) {
    const { plot, rows, styles } = this;
    const paths = rows
      .map((runs, k) => ({ path: runs[run], used: runs[run].slice(0, now + 1), style: styles[k] }))
      .filter((_, k) => kept[k]);

    plot.show("race-bands", ...paths.map((one) => this.band(one)));
    plot.show("race-exact", plot.level(this.truth));
    plot.show("race-lines", ...paths.flatMap((one) => this.curves(one, now)));
    plot.show("race-ends", ...paths.flatMap((one) => this.ends(one)));
  }

  band({ used, style }) {
    const { bar, plot } = this;
    const [first] = used;
    const wide =
      used.length > 1
        ? used
        : [1 / bar, bar].map((factor) => ({ ...first, size: factor * first.size }));
    const edge = (side) => wide.map(({ size, value, se }) => [size, value + 2 * side * se]);
    return plot.line([...edge(1), ...edge(-1).reverse()], style);
  }

  curves({ path, used, style }, now) {
    const curve = (part) => part.map(({ size, value }) => [size, value]);
    return [
      this.plot.line(curve(path.slice(now)), { ...style, class: `${style.class} rest` }),
      this.plot.line(curve(used), style),
    ];
  }

  ends({ used, style }) {
    const { size, value } = used.at(-1);
    const beyond = used.flatMap((row) => this.outside(row, style));
    return [...beyond, this.plot.dot([size, value], { r: 4, ...style })];
  }

  // An arrowhead at the edge where an estimate lies beyond it
  outside({ size, value }, style) {
    const { plot } = this;
    const side = value < plot.y.low ? -1 : value > plot.y.high ? 1 : 0;
    if (!side) return [];
    const x = plot.X(size);
    const tip = side < 0 ? plot.h - 1 : 1;
    const foot = tip + HEAD * side;
    const d = `M${x - WIDTH} ${foot}L${x + WIDTH} ${foot}L${x} ${tip}Z`;
    return [s("path", { d, ...style })];
  }
}
