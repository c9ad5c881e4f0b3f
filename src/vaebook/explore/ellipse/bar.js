// log p(x) as the ELBO and the gap KL(q || p), which always add up to it: a bar and the numbers.
import { format, h } from "../parts/dom.js";
import { linear, Plot, s } from "../parts/plot.js";

// Nats below and above log p(x)
const [IN_VIEW, BEYOND] = [6, 0.9];

const part = (kind, name) => {
  const number = h("dd", { class: "lx-number" });
  return { el: h("div", { class: `lq-of-${kind}` }, h("dt", {}, ...name), number), number };
};

const row = (...name) => {
  const number = h("dd", { class: "lx-number" });
  return { el: h("div", { class: "lx-reading" }, h("dt", {}, ...name), number), number };
};

const italic = (letter) => h("i", {}, letter);
const expectation = (...inside) => [
  "E",
  h("sub", {}, italic("q")),
  "[log ",
  italic("p"),
  "(",
  ...inside,
  ")]",
];
const [x, z, q, p] = ["x", "z", "q", "p"].map((letter) => () => italic(letter));

export class Bar {
  constructor({ draw, signal }) {
    this.plot = new Plot({
      x: linear(0, 1),
      y: linear(0, 1),
      xLabel: "nats",
      yLabel: "",
      draw,
      signal,
      alt: "A bar that ends at log p(x): the ELBO and, filled, the gap KL(q || p)",
    });
    this.plot.y = { ...this.plot.y, ticks: [] };
    this.sum = [
      part("whole", ["log ", p(), "(", x(), ")"]),
      part("elbo", ["ELBO"]),
      part("kl", ["KL(", q(), " \u2016 ", p(), ")"]),
    ];
    this.splits = [
      row(...expectation(x(), " | ", z()), " \u2212 KL(", q(), " \u2016 ", p(), "(", z(), "))"),
      row(...expectation(x(), ", ", z()), " + H(", q(), ")"),
    ];
    this.equation = h("div", { class: "lq-sum" }, h("dl", {}, ...this.sum.map((one) => one.el)));
    this.details = h("dl", {}, ...this.splits.map((one) => one.el));
  }

  // The numbers add up as shown, to the last digit.
  tell(target, worth) {
    const thousandths = (v) => Math.round(1000 * v);
    const shown = (v) => format(v / 1000, 3);
    const whole = thousandths(target.log_evidence);
    const kl = thousandths(worth.kl);
    const fit = thousandths(worth.expectedLogLik);
    const energy = thousandths(worth.energy);
    const elbo = whole - kl;

    [whole, elbo, kl].forEach((v, k) => (this.sum[k].number.textContent = shown(v)));
    const pair = (a, b) => `${shown(a)} ${b < 0 ? "\u2212" : "+"} ${shown(Math.abs(b))}`;
    this.splits[0].number.textContent = `${shown(fit)} \u2212 ${shown(fit - elbo)}`;
    this.splits[1].number.textContent = pair(energy, elbo - energy);
    return { whole: shown(whole), elbo: shown(elbo), kl: shown(kl) };
  }

  draw(target, worth) {
    const { plot } = this;
    const end = target.log_evidence;
    const low = end - IN_VIEW;
    if (plot.x.low !== low) {
      plot.x = linear(low, end + BEYOND, 7);
      plot.drawAxes();
    }

    const from = Math.max(worth.elbo, low);
    const clipped = worth.elbo < low;
    this.drawBar(end, low, from, clipped);
    this.drawNames(this.tell(target, worth), end, from, clipped);
  }

  drawBar(end, low, from, clipped) {
    const { plot } = this;
    const block = (a, b) =>
      plot.line([
        [a, 0.4],
        [b, 0.4],
        [b, 0.9],
        [a, 0.9],
      ]);
    const middle = plot.Y(0.65);
    const foot = plot.Y(0.4) - middle;
    plot.show("el-below", block(low, from));
    plot.show("el-gap", block(from, end));
    plot.show(
      "el-more",
      ...(clipped
        ? [s("path", { d: `M0 ${middle - foot}H${foot}L2 ${middle}L${foot} ${middle + foot}H0Z` })]
        : []),
    );
    plot.show(
      "el-end",
      plot.line([
        [end, 0],
        [end, 1],
      ]),
    );
    plot.show("el-mark", ...(clipped ? [] : [s("circle", { cx: plot.X(from), cy: middle, r: 5 })]));
  }

  drawNames({ whole, elbo, kl }, end, from, clipped) {
    const { plot } = this;
    const gap = plot.X(end) - plot.X(from);
    const inside = gap > 96;
    const place = Math.min(Math.max(plot.X(from), 46), plot.X(end) - 52);
    const below = plot.Y(0.4) + 16;
    const at = (left, top, anchor, name, text) =>
      s("text", { x: left, y: top, "text-anchor": anchor, class: name }, text);
    plot.show(
      "el-words",
      at(plot.X(end) + 4, -7, "end", "whole", `log p(x) ${whole}`),
      at(
        clipped ? 2 : place,
        below,
        clipped ? "start" : "middle",
        "elbo",
        `${clipped ? "\u25c2 " : ""}ELBO ${elbo}`,
      ),
      at(
        inside ? plot.X(end) - gap / 2 : plot.X(from) - 10,
        plot.Y(0.65) + 4,
        inside ? "middle" : "end",
        inside ? "inside" : "kl",
        `KL ${kl}`,
      ),
    );
  }
}
