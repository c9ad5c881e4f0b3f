// Importance sampling by hand: a Gaussian proposal moved and widened over a Gaussian target.
// State lives in the traits mean and sd (of the proposal) and num_samples.
import { chooser, panel, reading, slider } from "../parts/controls.js";
import { commas, format, h, mounted, OWN_KEYS } from "../parts/dom.js";
import { density, limit, logWeights, summarise, worth } from "./maths.js";
import { linear, logarithmic, Plot, s } from "../parts/plot.js";

const DRAWS = [10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000];
// In standard deviations of the target: widths, the farthest mean, half the axis
const [NARROWEST, WIDEST] = [0.1, 5];
const FARTHEST = 4;
const HALF = 6;
// Of the curve of effective sample sizes, and the ends of its axis
const WIDTHS = 80;
const TALL = [-0.04, 1.04];

export { limit, logWeights, summarise };

// Of numbers below a million
const tenths = (v) => format(v, 1).replace(/\B(?=\d{3}\.)/, ",");

export function readNoise(model) {
  const bytes = model.get("eps");
  return Array.from({ length: bytes.byteLength / 4 }, (_, k) => bytes.getFloat32(4 * k, true));
}

// [words, class of the line], ..
const legend = (...lines) =>
  h(
    "p",
    { class: "lw-legend" },
    ...lines.map(([words, kind]) => {
      const swatch = s(
        "svg",
        { viewBox: "0 0 22 8", class: `lw-${kind}`, "aria-hidden": "true" },
        s("path", { d: "M0 4H22" }),
      );
      return h("span", {}, swatch, words);
    }),
  );

class Proposal {
  constructor(model, el, signal) {
    Object.assign(this, { model, signal, eps: readNoise(model), target: model.get("target_sd") });
    this.build(el);
    this.wire();
    this.draw();
  }

  q() {
    const [mean, sd] = ["mean", "sd"].map((name) => this.model.get(name));
    return { mean, sd, target: this.target };
  }

  used() {
    return this.eps.slice(0, this.model.get("num_samples"));
  }

  build(el) {
    const { signal, target } = this;
    const draw = () => this.draw();
    const across = linear(-HALF * target, HALF * target, 6);
    const widths = logarithmic(NARROWEST * target, WIDEST * target);

    this.densities = new Plot({
      x: across,
      y: linear(0, 1),
      xLabel: "",
      yLabel: "density",
      draw,
      signal,
      alt: "Densities of the target p and of the proposal q",
    });
    this.stems = new Plot({
      x: across,
      y: linear(0, 1),
      xLabel: "_z_",
      yLabel: "weight, % of the total",
      draw,
      signal,
      alt: "The draws of the proposal, each a stem as high as its share of the weight",
    });
    this.ess = new Plot({
      x: logarithmic(0.9 * widths.low, 1.1 * widths.high),
      y: linear(...TALL),
      draw,
      signal,
      xLabel: "width _\u03c3_ of _q_",
      yLabel: "ESS / _S_",
      alt:
        "Effective sample size as a share of the draws against the width of the proposal: " +
        "that of these draws, and that of very many",
    });

    this.sliders = [
      slider("width \u03c3", widths, Math.log),
      slider("offset m", linear(-FARTHEST * target, FARTHEST * target), (v) => v),
      chooser("draws", DRAWS, commas),
    ];
    this.readings = [
      reading("Effective sample size"),
      reading("Largest share of the weight"),
      reading(
        "Mean of ",
        h("i", {}, "z"),
        `\u00b2 (exact: ${Number((target * target).toPrecision(4))})`,
      ),
      reading("Tail index"),
    ];
    this.status = h("p", { class: "lx-note lw-status", "aria-live": "polite" });

    this.root = this.layout();
    el.append(this.root);
  }

  layout() {
    const { densities, ess, readings, sliders, stems } = this;
    return h(
      "div",
      { class: "lx lw", ...OWN_KEYS },
      h(
        "p",
        { class: "lx-hint" },
        "Narrow the proposal, or move it away, and see how few draws carry the weight.",
      ),
      h(
        "div",
        { class: "lw-body" },
        panel(
          "Weighted draws",
          legend(["target p", "p"], ["proposal q", "q"]),
          densities.el,
          stems.el,
        ),
        panel("Effective sample size", legend(["these draws", "q"], ["very many", "many"]), ess.el),
        h("div", { class: "lx-sliders" }, ...sliders.map((one) => one.el)),
        h("div", {}, h("dl", {}, ...readings.map((one) => one.el)), this.status),
      ),
    );
  }

  wire() {
    const { model, signal } = this;
    const [width, offset, draws] = this.sliders;
    const on = (el, action) => el.addEventListener("input", action, { signal });
    on(width.input, () => this.put("sd", Math.exp(Number(width.input.value))));
    on(offset.input, () => this.put("mean", Number(offset.input.value)));
    on(draws.input, () => this.put("num_samples", draws.chosen()));

    const draw = () => this.draw();
    for (const name of ["change:mean", "change:sd", "change:num_samples"]) {
      model.on(name, draw);
      signal.addEventListener("abort", () => model.off(name, draw));
    }
  }

  put(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  draw() {
    const eps = this.used();
    const q = this.q();
    const found = summarise(eps, q);
    this.drawDensities(q);
    this.drawStems(found);
    this.drawEss(eps, q, found);
    [q.sd, q.mean, eps.length].forEach((value, k) => this.sliders[k].show(value));
    this.tell(eps.length, q, found);
  }

  drawDensities({ mean, sd, target }) {
    const { densities: plot } = this;
    const { low, high } = plot.x;
    const peak = Math.max(density(0, [0, target]), density(mean, [mean, sd]));
    plot.y = linear(0, 1.12 * peak, 3);
    plot.drawAxes();
    const curve = (at) =>
      Array.from({ length: 241 }, (_, k) => low + (k * (high - low)) / 240).map((z) => [
        z,
        density(z, at),
      ]);
    plot.show("prop-q", plot.line(curve([mean, sd])));
    plot.show("prop-p", plot.line(curve([0, target])));
  }

  drawStems({ z, share, largest }) {
    const { stems: plot } = this;
    plot.y = linear(0, 108 * largest, 3);
    plot.drawAxes();
    const feet = z.map((v) => `M${plot.X(v).toFixed(1)} ${plot.h}`);
    plot.show(
      "prop-stems",
      s("path", { d: share.map((v, k) => `${feet[k]}V${plot.Y(100 * v).toFixed(1)}`).join("") }),
    );
    plot.show("prop-rug", s("path", { d: `${feet.join("v-5")}v-5` }));
  }

  drawEss(eps, q, { ess }) {
    const { ess: plot, target } = this;
    const { low, high } = plot.x;
    const widths = Array.from({ length: WIDTHS + 1 }, (_, k) => low * (high / low) ** (k / WIDTHS));
    const edge = target / Math.SQRT2;

    plot.show(
      "prop-infinite",
      plot.line([
        [low, TALL[0]],
        [low, TALL[1]],
        [edge, TALL[1]],
        [edge, TALL[0]],
      ]),
    );
    plot.show("prop-limit", plot.line(widths.map((sd) => [sd, limit({ ...q, sd })])));
    plot.show("prop-curve", plot.line(widths.map((sd) => [sd, worth(eps, { ...q, sd })])));
    plot.show("prop-now", s("circle", { cx: plot.X(q.sd), cy: plot.Y(ess / eps.length), r: 5 }));

    const words = ["variance of the", "weights infinite"];
    plot.show(
      "prop-names",
      ...words.map((line, k) => plot.text([low, TALL[1]], line, { dx: 8, dy: 18 + 16 * k })),
    );
  }

  tell(count, { sd, target }, { ess, largest, square, tail }) {
    const heavy = tail !== null && tail > 0.5;
    const numbers = [
      `${tenths(ess)} of ${commas(count)}`,
      `${format(100 * largest, 1)}%`,
      `${format(square.value, 3)} \u00b1 ${format(square.se, 3)}`,
      tail === null ? "\u2013" : `${format(tail)}${heavy ? ", variance infinite" : ""}`,
    ];
    this.readings.forEach(({ number }, k) => (number.textContent = numbers[k]));
    this.status.textContent = remark({ infinite: 2 * sd * sd <= target * target, heavy, tail });
  }
}

// What the tail index says against what is so
function remark({ infinite, heavy, tail }) {
  if (infinite) {
    const found = "The weights have infinite variance here";
    if (tail === null) return `${found}; the tail index needs 25 draws.`;
    return `${found}${heavy ? ": trust no \u00b1." : ", and these draws do not show it."}`;
  }
  if (heavy) return "The variance is finite, but larger than these draws can tell.";
  return tail === null ? "The tail index needs 25 draws." : "";
}

export default { render: mounted(Proposal) };
