// The variance race: a thousand pathwise estimates of a gradient
// over a thousand by the score function.
// State lives in the traits theta, batch, baseline and target.
import { chooser, panel, slider } from "../parts/controls.js";
import { commas, format, h, mounted, OWN_KEYS } from "../parts/dom.js";
import { BATCHES, estimates, exact, noise, tally, variance } from "./maths.js";
import { clamp, linear, Plot } from "../parts/plot.js";

const SIZES = [1, 2, 5, 10, 20, 50, 100];
// Of the horizontal axis
const HALF = { square: 20, "cos x": 3, "cos 2x": 4, "cos 4x": 5 };
const FUNCTIONS = [
  ["square", "x\u00b2"],
  ["cos x", "cos x"],
  ["cos 2x", "cos 2x"],
  ["cos 4x", "cos 4x"],
];
const BASELINES = [
  ["none", "none"],
  ["mean", "mean of f"],
  ["optimal", "optimal"],
];
// Times a power of ten: where the vertical axis may end
const TOPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
// Times the normal density's peak: higher bars are cut
const CUT = 2.5;
// So that halves, 55.5 among them, go up
const ROUNDING = 1e-9;
// Pixels left of a cut bar for its height
const ROOM = 56;
// A smaller ratio of variances is no difference
const EVEN = 1.05;

export { estimates, exact, noise, tally, variance };

export const numBins = (batch) => (batch < 5 ? 80 : batch < 50 ? 160 : 320);

const times = (ratio) =>
  `${ratio < 9.95 ? format(ratio, 1) : commas(ratio + ROUNDING)} times as many draws`;

export function verdict({ pathwise, score }) {
  if (score > EVEN * pathwise) return `the score function needs ${times(score / pathwise)}`;
  if (pathwise > EVEN * score) return `the pathwise gradient needs ${times(pathwise / score)}`;
  return "both need about as many draws";
}

function menu(name, entries) {
  const select = h("select", {}, ...entries.map(([value, words]) => h("option", { value }, words)));
  return { el: h("label", { class: "lx-menu" }, name, select), select };
}

function endOfAxis(height) {
  const power = 10 ** Math.floor(Math.log10(height));
  return power * TOPS.find((top) => top * power >= height);
}

// One estimator: its numbers over the histogram of its estimates
class Side {
  constructor({ name, kind, xLabel, draw, signal }) {
    this.plot = new Plot({
      x: linear(-1, 1),
      y: linear(0, 1),
      xLabel,
      yLabel: `batches, of ${commas(BATCHES)}`,
      draw,
      signal,
      alt:
        `Histogram of ${commas(BATCHES)} estimates: ${name}. ` +
        "A line at the true gradient, a band of one standard deviation to each side",
    });
    const words = ["Variance per draw", "measured", "SD of a batch"];
    this.numbers = words.map(() => h("dd", { class: "lx-number" }));
    this.el = panel(
      name,
      h("dl", {}, ...words.map((word, k) => h("div", {}, h("dt", {}, word), this.numbers[k]))),
      this.plot.el,
    );
    this.el.classList.add(`lg-${kind}`);
  }

  // gradient and spread (of one draw) are exact.
  show(values, { gradient, spread, batch, half }) {
    const sd = Math.sqrt(spread / batch);
    const numbers = [spread, batch * variance(values), sd];
    numbers.forEach((v, k) => (this.numbers[k].textContent = format(v)));

    const bins = numBins(batch);
    const found = tally(values, half, bins);
    const width = (2 * half) / bins;
    const peak = (BATCHES * width) / (sd * Math.sqrt(2 * Math.PI));
    const tallest = Math.max(...found.counts.slice(1, -1));
    const top = endOfAxis(1.05 * clamp(tallest, peak, CUT * peak));

    Object.assign(this.plot, { x: linear(-half, half, 6), y: linear(0, top, 2) });
    this.plot.drawAxes();
    this.draw(found, { gradient, sd, peak, half, width });
    this.name(found, { gradient, half, width, tallest });
  }

  draw({ counts }, { gradient, sd, peak, half, width }) {
    const { plot } = this;
    const { high: top } = plot.y;
    const [left, right] = [gradient - sd, gradient + sd];
    const steps = counts.flatMap((count, k) => [
      [k * width - half, count],
      [(k + 1) * width - half, count],
    ]);
    const curve = Array.from({ length: 161 }, (_, k) => k / 20 - 4).map((u) => [
      gradient + u * sd,
      peak * Math.exp((-u * u) / 2),
    ]);

    plot.show(
      "race-band",
      plot.line([
        [left, 0],
        [left, top],
        [right, top],
        [right, 0],
      ]),
    );
    plot.show("race-bars", plot.line([[-half, 0], ...steps, [half, 0]]));
    plot.show("race-normal", plot.line(curve));
    plot.show(
      "race-truth",
      plot.line([
        [gradient, 0],
        [gradient, top],
      ]),
    );
  }

  // The numbers of estimates beyond the axis, and the height of a bar that is cut
  name({ counts, below, above }, { gradient, half, width, tallest }) {
    const { plot } = this;
    const { high: top } = plot.y;
    const put = (words, at, left) =>
      plot.text([at, top], words, {
        dy: 16,
        dx: left ? -6 : 6,
        "text-anchor": left ? "end" : "start",
      });

    const names = [
      [below, -half, false],
      [above, half, true],
    ].filter(([count]) => count);
    const shapes = names.map(([count, ...place]) => put(`${commas(count)} beyond`, ...place));

    const at = (counts.indexOf(tallest) + 0.5) * width - half;
    if (tallest > top) {
      const left = at < gradient && plot.X(at) > ROOM;
      shapes.push(put(`${tallest} \u2191`, at, left));
    }
    plot.show("race-names", ...shapes);
  }
}

class GradientRace {
  constructor(model, el, signal) {
    Object.assign(this, { model, signal, eps: noise(model.get("seed")) });
    this.build(el);
    this.wire();
    this.draw();
  }

  build(el) {
    const { signal } = this;
    const draw = () => this.draw();
    this.sides = {
      pathwise: new Side({
        name: "Pathwise: mean of f\u2032(x)",
        kind: "pathwise",
        xLabel: "",
        draw,
        signal,
      }),
      score: new Side({
        name: "Score function: mean of (f(x) \u2212 b) \u03b5",
        kind: "score",
        draw,
        signal,
        xLabel: "estimate of d/d_\u03b8_ E[_f_(_x_)], _x_ = _\u03b8_ + _\u03b5_",
      }),
    };

    this.menus = { target: menu("f(x)", FUNCTIONS), baseline: menu("baseline b", BASELINES) };
    this.theta = slider("\u03b8", linear(-3, 3), (v) => v);
    this.theta.input.step = 0.1;
    this.batch = chooser("batch size", SIZES);
    this.verdict = h("p", { class: "lg-verdict", "aria-live": "polite" });
    this.note = h("p", { class: "lx-note" });

    this.root = h(
      "div",
      { class: "lx lg", ...OWN_KEYS },
      h(
        "p",
        { class: "lx-hint" },
        "Line: the true gradient. Band: \u00b1 one exact SD. Curve: the normal limit.",
      ),
      h(
        "div",
        { class: "lg-controls" },
        h("div", { class: "lg-menus" }, this.menus.target.el, this.menus.baseline.el),
        h("div", { class: "lx-sliders" }, this.theta.el, this.batch.el),
      ),
      this.verdict,
      this.note,
      this.sides.pathwise.el,
      this.sides.score.el,
    );
    el.append(this.root);
  }

  wire() {
    const { batch, menus, model, signal, theta } = this;
    const on = (el, type, action) => el.addEventListener(type, action, { signal });
    on(theta.input, "input", () => this.put("theta", Number(theta.input.value)));
    on(batch.input, "input", () => this.put("batch", batch.chosen()));
    for (const [name, { select }] of Object.entries(menus)) {
      on(select, "change", () => this.put(name, select.value));
    }

    const draw = () => this.draw();
    for (const name of ["theta", "batch", "baseline", "target"]) {
      model.on(`change:${name}`, draw);
      signal.addEventListener("abort", () => model.off(`change:${name}`, draw));
    }
  }

  put(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  setting() {
    const names = ["theta", "batch", "baseline", "target"];
    return Object.fromEntries(names.map((name) => [name, this.model.get(name)]));
  }

  draw() {
    const setting = this.setting();
    const truth = exact(setting);
    const found = estimates(this.eps, setting, truth.b);
    for (const [kind, side] of Object.entries(this.sides)) {
      side.show(found[kind], {
        gradient: truth.gradient,
        spread: truth[kind],
        batch: setting.batch,
        half: HALF[setting.target],
      });
    }
    this.tell(setting, truth);
  }

  tell({ theta, batch, ...chosen }, truth) {
    for (const [name, { select }] of Object.entries(this.menus)) select.value = chosen[name];
    const words = verdict(truth);
    this.verdict.textContent = `${words[0].toUpperCase()}${words.slice(1)}.`;
    const written = (v) => format(v, chosen.target === "square" ? 2 : 4);
    this.note.textContent =
      "Draws for the same accuracy, at a true gradient of " +
      `${written(truth.gradient)} and b = ${written(truth.b)}`;

    this.theta.show(theta);
    this.theta.input.setAttribute("aria-valuetext", `\u03b8 ${format(theta, 1)}, ${words}`);
    this.batch.show(batch);
    const sds = ["pathwise", "score"].map((kind) => format(Math.sqrt(truth[kind] / batch)));
    this.batch.input.setAttribute(
      "aria-valuetext",
      `${batch} draws a batch, standard deviations ${sds.join(" and ")}`,
    );
  }
}

export default { render: mounted(GradientRace) };
