// The variance race: a thousand pathwise estimates of a gradient
// over a thousand by the score function.
// State lives in the traits theta, batch, baseline and target.
import {
  among,
  even,
  hint,
  lettered,
  menu,
  nearestRatio,
  note,
  slider,
  sliders,
} from "../parts/controls.js";
import { explorer, format, h, say } from "../parts/dom.js";
import { linear } from "../parts/scales.js";
import { mounted } from "../parts/state.js";
import { estimates, exact, noise, tally, variance, verdict } from "./maths.js";
import { Side } from "./side.js";

export { estimates, exact, noise, tally, variance, verdict };

const TRAITS = ["theta", "batch", "baseline", "target"];
// Steps of theta in one unit
const FINE = 10;

class GradientRace {
  constructor(state) {
    this.state = state;
    this.eps = noise(state.get("seed"), state.get("shape"));
    this.build();
    this.root = this.layout();
    this.wire();
  }

  build() {
    const { state } = this;
    const { picture, shape } = state.pick("picture", "shape");
    const { baselines, farthest, sizes, targets } = state.get("choices");
    const shared = { picture, shape, draw: () => this.draw(), signal: state.signal };
    this.sides = {
      pathwise: new Side({
        ...shared,
        name: "Pathwise: mean of f\u2032(x)",
        kind: "pathwise",
        xLabel: "",
      }),
      score: new Side({
        ...shared,
        name: "Score function: mean of (f(x) \u2212 b) \u03b5",
        kind: "score",
        xLabel: "estimate of d/d_\u03b8_ E[_f_(_x_)], _x_ = _\u03b8_ + _\u03b5_",
      }),
    };

    this.controls = {
      target: menu("f(x)", targets),
      baseline: menu("baseline b", baselines),
      theta: slider({
        name: "\u03b8",
        label: lettered("\u03b8"),
        track: even(linear(-farthest, farthest), 2 * farthest * FINE),
        spoken: (v) => `\u03b8 ${format(v, 1)}`,
      }),
      batch: slider({
        name: "batch size",
        track: among(sizes, nearestRatio),
        words: String,
        spoken: (v) => `${v} draws a batch`,
      }),
    };
    this.verdict = h("p", { class: "gradient-race-verdict", "aria-live": "polite" });
    this.truth = note();
  }

  layout() {
    const { controls, sides, truth, verdict: words } = this;
    const { baseline, batch, target, theta } = controls;
    return explorer(
      "gradient-race",
      hint("Line: the true gradient. Band: \u00b1 one exact SD. Curve: the normal limit."),
      h(
        "div",
        { class: "gradient-race-controls" },
        h("div", { class: "gradient-race-menus" }, target.el, baseline.el),
        sliders([theta, batch]),
      ),
      words,
      truth,
      sides.pathwise.el,
      sides.score.el,
    );
  }

  wire() {
    const { controls, state } = this;
    for (const [name, control] of Object.entries(controls)) state.bind(name, control);
    state.watch(TRAITS, () => this.draw());
  }

  draw() {
    const { eps, sides, state } = this;
    const setting = { ...state.pick(...TRAITS), ...state.get("shape") };
    const truth = exact(setting);
    const found = estimates(eps, setting, truth.b);
    for (const [kind, side] of Object.entries(sides)) {
      const { gradient, [kind]: spread } = truth;
      side.show(found[kind], { gradient, spread, ...setting });
    }
    this.tell(setting, truth);
  }

  tell({ theta, batch, target, baseline }, truth) {
    const { controls, state } = this;
    const words = verdict(truth, state.get("verdicts"));
    say(this.verdict, `${words[0].toUpperCase()}${words.slice(1)}.`);
    const written = (v) => format(v, target === "square" ? 2 : 4);
    this.truth.textContent =
      "Draws for the same accuracy, at a true gradient of " +
      `${written(truth.gradient)} and b = ${written(truth.b)}`;

    controls.target.show(target);
    controls.baseline.show(baseline);
    controls.theta.show(theta, words);
    const sds = ["pathwise", "score"].map((kind) => format(Math.sqrt(truth[kind] / batch)));
    controls.batch.show(batch, `standard deviations ${sds.join(" and ")}`);
  }
}

export default { render: mounted(GradientRace) };
