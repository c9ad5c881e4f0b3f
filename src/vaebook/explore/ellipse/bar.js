// log p(x) as the ELBO and the gap KL(q || p), which always add up to it: a bar and the numbers.
import { note, reading, readings, sum } from "../parts/controls.js";
import { format, h, italic } from "../parts/dom.js";
import { Plot, s } from "../parts/plot.js";
import { clamp, linear } from "../parts/scales.js";

// Heights of the bar, of the plot
const [FOOT, TOP] = [0.4, 0.9];
// Pixels: what a word inside the gap needs, and the room of a word below an end
const INSIDE = 96;
const [LEFT, RIGHT] = [46, 52];

const [x, z, q, p] = ["x", "z", "q", "p"].map((letter) => () => italic(letter));
const expectation = (...inside) => ["E", h("sub", {}, q()), "[log ", p(), "(", ...inside, ")]"];

// options: {in_view, beyond (nats below and above log p(x)), draw(), signal}
export class Bar {
  constructor({ in_view: inView, beyond, draw, signal }) {
    Object.assign(this, { inView, beyond });
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
    this.sum = sum(
      ["whole", "log ", p(), "(", x(), ")"],
      ["elbo", "ELBO"],
      ["kl", "KL(", q(), " \u2016 ", p(), ")"],
    );
    const prior = [" \u2212 KL(", q(), " \u2016 ", p(), "(", z(), "))"];
    this.splits = [
      reading(...expectation(x(), " | ", z()), ...prior),
      reading(...expectation(x(), ", ", z()), " + H(", q(), ")"),
    ];
    this.numbers = [this.sum.el, note("The ELBO, split in two ways, nats"), readings(this.splits)];
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
    const entropy = elbo - energy;

    this.sum.show([whole, elbo, kl].map(shown));
    const sign = entropy < 0 ? "\u2212" : "+";
    this.splits[0].number.textContent = `${shown(fit)} \u2212 ${shown(fit - elbo)}`;
    this.splits[1].number.textContent = `${shown(energy)} ${sign} ${shown(Math.abs(entropy))}`;
    return { whole: shown(whole), elbo: shown(elbo), kl: shown(kl) };
  }

  draw(target, worth) {
    const { beyond, inView, plot } = this;
    const end = target.log_evidence;
    const low = end - inView;
    if (plot.x.low !== low) {
      plot.x = linear(low, end + beyond, 7);
      plot.drawAxes();
    }

    const from = Math.max(worth.elbo, low);
    const clipped = worth.elbo < low;
    this.drawBar(end, from, clipped);
    this.drawNames(this.tell(target, worth), end, from, clipped);
  }

  drawBar(end, from, clipped) {
    const { plot } = this;
    const middle = plot.Y((FOOT + TOP) / 2);
    const foot = plot.Y(FOOT) - middle;
    const arrow = `M0 ${middle - foot}H${foot}L2 ${middle}L${foot} ${middle + foot}H0Z`;
    plot.show("el-below", plot.bar([plot.x.low, from], [FOOT, TOP]));
    plot.show("el-gap", plot.bar([from, end], [FOOT, TOP]));
    plot.show("el-more", ...(clipped ? [s("path", { d: arrow })] : []));
    plot.show("el-end", plot.upright(end));
    plot.show("el-mark", ...(clipped ? [] : [plot.dot([from, (FOOT + TOP) / 2])]));
  }

  drawNames({ whole, elbo, kl }, end, from, clipped) {
    const { plot } = this;
    const right = plot.X(end);
    const gap = right - plot.X(from);
    const below = plot.Y(FOOT) + 16;
    const beside = plot.Y((FOOT + TOP) / 2) + 4;
    const at = (left, top, anchor, name, text) =>
      s("text", { x: left, y: top, "text-anchor": anchor, class: name }, text);

    const middle = clamp(plot.X(from), LEFT, right - RIGHT);
    plot.show(
      "el-words",
      at(right + 4, -7, "end", "whole", `log p(x) ${whole}`),
      clipped
        ? at(2, below, "start", "elbo", `\u25c2 ELBO ${elbo}`)
        : at(middle, below, "middle", "elbo", `ELBO ${elbo}`),
      gap > INSIDE
        ? at(right - gap / 2, beside, "middle", "inside", `KL ${kl}`)
        : at(plot.X(from) - 10, beside, "end", "kl", `KL ${kl}`),
    );
  }
}
