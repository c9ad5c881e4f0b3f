// Importance sampling by hand: a Gaussian proposal moved and widened over a Gaussian target.
// State lives in the traits mean and sd (of the proposal) and num_samples.
import {
  among,
  even,
  hint,
  key,
  lettered,
  nearestRatio,
  panel,
  reading,
  readings,
  slider,
  sliders,
  status,
} from "../parts/controls.js";
import { commas, explorer, format, h, italic, say } from "../parts/dom.js";
import { Plot, s } from "../parts/plot.js";
import { linear, logarithmic, steps } from "../parts/scales.js";
import { mounted } from "../parts/state.js";
import { Worth } from "./worth.js";
import { density, limit, logWeights, readNoise, summarise } from "./maths.js";

export { limit, logWeights, readNoise, summarise };

// Of numbers below a million
const tenths = (v) => format(v, 1).replace(/\B(?=\d{3}\.)/, ",");

class Proposal {
  constructor(state) {
    Object.assign(this, { state, eps: readNoise(state), target: state.get("target_sd") });
    this.build();
    this.root = this.layout();
    this.wire();
  }

  q() {
    return { ...this.state.pick("mean", "sd"), target: this.target };
  }

  build() {
    const { state, target } = this;
    const { draws, ends, farthest, half, widths } = state.get("picture");
    const across = linear(-half * target, half * target, 6);
    const track = logarithmic(...widths.map((v) => v * target));
    const shared = { draw: () => this.draw(), signal: state.signal };

    this.densities = new Plot({
      ...shared,
      x: across,
      y: linear(0, 1),
      xLabel: "",
      yLabel: "density",
      alt: "Densities of the target p and of the proposal q",
    });
    this.stems = new Plot({
      ...shared,
      x: across,
      y: linear(0, 1),
      xLabel: "_z_",
      yLabel: "weight, % of the total",
      alt: "The draws of the proposal, each a stem as high as its share of the weight",
    });
    this.worth = new Worth({ ...shared, widths: track, ends });

    this.sliders = {
      sd: slider({ name: "width \u03c3", label: lettered("width \u03c3"), track: even(track) }),
      mean: slider({
        name: "offset m",
        label: lettered("offset m"),
        track: even(linear(-farthest * target, farthest * target)),
      }),
      num_samples: slider({ name: "draws", track: among(draws, nearestRatio), words: commas }),
    };
    const exact = Number((target * target).toPrecision(4));
    this.readings = [
      reading("Effective sample size"),
      reading("Largest share of the weight"),
      reading("Mean of ", italic("z"), `\u00b2 (exact: ${exact})`),
      reading("Tail index"),
    ];
    this.status = status();
  }

  layout() {
    const { densities, stems, worth } = this;
    return explorer(
      "proposal wide",
      hint("Narrow the proposal, or move it away, and see how few draws carry the weight."),
      h(
        "div",
        { class: "vb-body" },
        panel(
          "Weighted draws",
          key(["p", "target p"], ["q", "proposal q"]),
          densities.el,
          stems.el,
        ),
        panel("Effective sample size", key(["q", "these draws"], ["many", "very many"]), worth.el),
        sliders(Object.values(this.sliders)),
        h("div", {}, readings(this.readings), this.status),
      ),
    );
  }

  wire() {
    const { state } = this;
    for (const [name, control] of Object.entries(this.sliders)) state.bind(name, control);
    state.watch(Object.keys(this.sliders), () => this.draw());
  }

  draw() {
    const { state } = this;
    const eps = this.eps.slice(0, state.get("num_samples"));
    const q = this.q();
    const fewest = state.get("picture").fewest_for_tail;
    const found = summarise(eps, q, fewest);
    this.drawDensities(q);
    this.drawStems(found);
    this.worth.draw(eps, q, found);
    for (const [name, control] of Object.entries(this.sliders)) control.show(state.get(name));
    this.tell(eps.length, q, found, fewest);
  }

  drawDensities({ mean, sd, target }) {
    const { densities: plot } = this;
    const peak = Math.max(density(0, [0, target]), density(mean, [mean, sd]));
    plot.y = linear(0, 1.12 * peak, 3);
    plot.drawAxes();
    const across = steps(plot.x.low, plot.x.high, 240);
    const curve = (gaussian) => plot.line(across.map((z) => [z, density(z, gaussian)]));
    plot.show("prop-q", curve([mean, sd]));
    plot.show("prop-p", curve([0, target]));
  }

  drawStems({ z, share, largest }) {
    const { stems: plot } = this;
    plot.y = linear(0, 108 * largest, 3);
    plot.drawAxes();
    const feet = z.map((v) => `M${plot.X(v).toFixed(1)} ${plot.h}`);
    const stems = share.map((v, k) => `${feet[k]}V${plot.Y(100 * v).toFixed(1)}`);
    plot.show("prop-stems", s("path", { d: stems.join("") }));
    plot.show("prop-rug", s("path", { d: `${feet.join("v-5")}v-5` }));
  }

  tell(count, { sd, target }, { ess, largest, square, tail }, fewest) {
    const heavy = tail !== null && tail > 0.5;
    const numbers = [
      `${tenths(ess)} of ${commas(count)}`,
      `${format(100 * largest, 1)}%`,
      `${format(square.value, 3)} \u00b1 ${format(square.se, 3)}`,
      tail === null ? "\u2013" : `${format(tail)}${heavy ? ", variance infinite" : ""}`,
    ];
    this.readings.forEach(({ number }, k) => (number.textContent = numbers[k]));
    say(
      this.status,
      remark({
        infinite: 2 * sd * sd <= target * target,
        heavy,
        unknown: tail === null && `the tail index needs ${fewest} draws.`,
      }),
    );
  }
}

// What the tail index says against what is so; unknown: why there is none, if there is none
function remark({ infinite, heavy, unknown }) {
  if (infinite) {
    const found = "The weights have infinite variance here";
    if (unknown) return `${found}; ${unknown}`;
    return `${found}${heavy ? ": trust no \u00b1." : ", and these draws do not show it."}`;
  }
  if (heavy) return "The variance is finite, but larger than these draws can tell.";
  return unknown ? `${unknown[0].toUpperCase()}${unknown.slice(1)}` : "";
}

export default { render: mounted(Proposal) };
