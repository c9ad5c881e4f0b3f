// log p(x), and the ELBO as what is left of E_q[log p(x|z)] once the KL is paid:
// two bars that end together.
import { reading, readings } from "../parts/controls.js";
import { format, h, italic } from "../parts/dom.js";
import { Plot, s } from "../parts/plot.js";
import { linear } from "../parts/scales.js";

const ROWS = { evidence: [0.58, 0.96], elbo: [0.06, 0.44] };
// Right of the longest bar, for the KL's word, a share of its length
const ROOM = 0.3;
const middle = ([foot, top]) => (foot + top) / 2;
const expectation = () =>
  h(
    "span",
    {},
    "E",
    h("sub", {}, italic("q")),
    "[log ",
    italic("p"),
    "(",
    italic("x"),
    " | ",
    italic("z"),
    ")]",
  );

export class Bars {
  // options: {low, high (ends of the longest bar, nats), draw(), signal}
  constructor({ low, high, draw, signal }) {
    const ticks = Object.values(ROWS).map(middle);
    this.plot = new Plot({
      x: linear(low, high + ROOM * (high - low), 6),
      y: { ...linear(0, 1), ticks, label: (v) => (v > 0.5 ? "log p" : "ELBO") },
      xLabel: "nats",
      yLabel: "",
      draw,
      signal,
      alt:
        "Two bars that end at the same place: " +
        "log p(x), and the ELBO, which is E_q[log p(x|z)] less the KL",
    });
    const names = [
      [expectation()],
      ["\u2212 KL"],
      ["= ELBO"],
      ["log ", italic("p"), "(", italic("x"), ")"],
      ["Gap between the two"],
    ];
    this.readings = names.map((name) => reading(...name));
    this.el = h("div", { class: "spectrum-sum" }, this.plot.el, readings(this.readings));
  }

  // worth: of `terms`
  draw(worth) {
    const { plot } = this;
    const end = worth.logEvidence;
    const fit = worth.expectedLogLik;
    const elbo = fit - worth.kl;
    // From left to right, open at its left end
    const block = ([foot, top], from, to) => {
      const [a, b] = [from, to].map((v) => Math.max(v, plot.x.low));
      return plot.line([
        [a, foot],
        [b, foot],
        [b, top],
        [a, top],
      ]);
    };
    const inView = end > plot.x.low;

    plot.show("sp-evidence", block(ROWS.evidence, plot.x.low, end));
    plot.show("sp-elbo", block(ROWS.elbo, plot.x.low, elbo));
    plot.show("sp-kl", ...(worth.alive && fit > plot.x.low ? [block(ROWS.elbo, elbo, fit)] : []));
    plot.show("sp-end", ...(inView ? [plot.upright(end)] : []));
    plot.show("sp-more", ...(inView ? [] : Object.values(ROWS).map((row) => this.beyond(row))));

    this.drawWord(worth.kl, fit);
    this.tell(worth, elbo);
  }

  // An arrowhead where a bar ends left of the axis
  beyond(row) {
    const at = this.plot.Y(middle(row));
    return s("path", { d: `M10 ${at - 6}L10 ${at + 6}L1 ${at}Z` });
  }

  drawWord(kl, to) {
    const { plot } = this;
    const word = s(
      "text",
      { x: plot.X(to) + 6, y: plot.Y(middle(ROWS.elbo)) + 4 },
      `KL ${format(kl)}`,
    );
    plot.show("sp-kl-word", ...(kl > 0 && to > plot.x.low ? [word] : []));
  }

  // The first three lines add up as shown, to the last digit.
  tell({ expectedLogLik, logEvidence, kl }, elbo) {
    const [end, paid] = [elbo, kl].map((v) => Math.round(100 * v) / 100);
    const values = [end + paid, paid, end, logEvidence, logEvidence - (expectedLogLik - kl)];
    this.readings.forEach(({ number }, k) => (number.textContent = format(values[k])));
  }
}
