// The EM stepper: a mixture of Gaussians fitted to points in the plane, half-step by half-step.
// State lives in the traits means (where the run starts)
// and step (half-steps after the first E-step).
import { button, buttons, hint, panel, slider, whole } from "../parts/controls.js";
import { explorer, h } from "../parts/dom.js";
import { clamp } from "../parts/scales.js";
import { Player } from "../parts/player.js";
import { mounted } from "../parts/state.js";
import { Flowers } from "./flowers.js";
import { between, eStep, fitEm, logJoint, lowerBound, mStep, startFrom } from "./maths.js";
import { collapse, Report } from "./report.js";
import { readRuns } from "./shipped.js";
import { Slice, sliceHeights } from "./slice.js";
import { Staircase } from "./staircase.js";

// Milliseconds between the half-steps of Play
const PAUSE = 900;

export { between, eStep, fitEm, logJoint, lowerBound, mStep, readRuns, sliceHeights, startFrom };

class Stepper {
  constructor(state) {
    Object.assign(this, { state, x: state.get("x"), shipped: readRuns(state), run: null });
    this.build();
    this.root = this.layout();
    this.wire();
  }

  build() {
    const { shipped, state, x } = this;
    const { frame, home, labels, picture } = state.pick("frame", "home", "labels", "picture");
    const colours = picture.colours.map((name) => `var(--vb-${name})`);
    const shared = { draw: () => this.draw(), signal: state.signal };
    this.best = shipped.length > 1 ? frame.top : null;

    this.flowers = new Flowers({
      ...shared,
      x,
      frame,
      labels,
      colours,
      home,
      onMove: (k, mean) => this.moveMean(k, mean),
    });
    this.slice = new Slice({ ...shared, span: picture.span, headroom: picture.headroom });
    this.staircase = new Staircase({ ...shared, top: frame.top, best: this.best });

    this.halfSteps = slider({
      name: "Half-step",
      // Each run has its own end, set in tell.
      track: whole(0, 0),
      words: (now) => `${now + 1} of ${this.last() + 1}`,
      spoken: (now) => `Iteration ${(now >> 1) + 1}, ${now % 2 ? "M" : "E"}-step`,
    });
    this.buttons = ["Back", "Step", "Start over"].map(button);
    this.play = this.player();
    this.presets = shipped.filter(({ name }) => name).map((run) => ({ run, el: button(run.name) }));
    this.report = new Report(colours);
  }

  layout() {
    const { flowers, halfSteps, play, presets, report, slice, staircase } = this;
    const [back, step, again] = this.buttons;
    const starts = buttons("Starts: ", ...presets.map((one) => one.el));
    starts.setAttribute("role", "group");
    starts.setAttribute("aria-label", "Starts");
    return explorer(
      "stepper wide",
      hint(
        "The E-step recolours the points and lifts the bound until it touches; " +
          "the M-step moves the ellipses to the bound\u2019s top. " +
          "Drag a ring to start elsewhere.",
      ),
      h(
        "div",
        { class: "vb-body" },
        panel("Data and components", flowers.plot.el, report.table),
        panel("Log-likelihood and bound", slice.plot.el, report.equation.el, report.status),
        h(
          "div",
          { class: "stepper-controls" },
          buttons(back, step, play.el, again),
          ...(presets.length > 0 ? [starts] : []),
          halfSteps.el,
        ),
        h("div", { class: "stepper-history" }, staircase.plot.el),
      ),
    );
  }

  wire() {
    const { halfSteps, presets, state } = this;
    const [back, step, again] = this.buttons;
    state.listen(back, "click", () => this.goTo(this.now() - 1));
    state.listen(step, "click", () => this.goTo(this.now() + 1));
    state.listen(again, "click", () => this.startAt(state.get("home")));
    halfSteps.onChange(state.listen, (to) => this.goTo(to));
    for (const { el, run } of presets) {
      state.listen(el, "click", () => this.startAt(run.path[0].mu));
    }
    state.watch(["means", "step"], () => this.draw());
  }

  // Half-steps of the present run
  last() {
    return Math.max(2 * this.run.path.length - 3, 0);
  }

  now() {
    return Math.min(this.state.get("step"), this.last());
  }

  goTo(step) {
    this.play.stop();
    this.state.put({ step: clamp(step, 0, this.last()) });
  }

  startAt(means) {
    this.play.stop();
    this.state.put({ means: means.map((mean) => [...mean]), step: 0 });
  }

  moveMean(k, mean) {
    this.startAt(this.state.get("means").map((old, j) => (j === k ? mean : old)));
  }

  player() {
    const { state } = this;
    const live = (politeness) => this.report.status.setAttribute("aria-live", politeness);
    return new Player({
      words: ["Play", "Pause"],
      pause: PAUSE,
      begin: () => {
        if (this.now() === this.last()) state.put({ step: 0 });
        live("off");
      },
      step: () => {
        if (this.now() < this.last()) state.put({ step: this.now() + 1 });
        return this.now() < this.last();
      },
      finish: () => this.goTo(this.last()),
      onStop: () => live("polite"),
      signal: state.signal,
    });
  }

  // The run shipped with the page if it starts at these means, else one computed now
  runFrom(means) {
    const { shipped, state, x } = this;
    const same = ({ path }) => JSON.stringify(path[0].mu) === JSON.stringify(means);
    const settings = {
      maxSteps: state.get("num_steps"),
      leastGain: state.get("least_gain"),
      limits: state.get("limits"),
    };
    return shipped.find(same) ?? fitEm(x, startFrom(x, means), settings);
  }

  draw() {
    const means = this.state.get("means");
    if (JSON.stringify(this.run?.path[0].mu) !== JSON.stringify(means)) {
      this.run = this.runFrom(means);
    }
    this.drawStep(means);
  }

  drawStep(means) {
    const { run, x } = this;
    const now = this.now();
    const [number, half] = [now >> 1, now % 2];
    const q = eStep(run.path[number], x);
    const logLik = run.logLik[number + half];
    const bound = half ? run.bounds[number + 1] : logLik;
    this.flowers.draw(run.path.slice(0, number + half + 1), q.resp, means);

    const ends = run.path.slice(number, number + 2);
    const base = run.logLik[number];
    const oldQ = number > 0 ? eStep(run.path[number - 1], x) : null;
    if (ends.length === 2) this.slice.draw({ x, ends, q, oldQ, half, base, logLik, bound });
    else this.slice.showEnd(`it ${collapse(run.fault)}`);

    this.staircase.draw(run, now);
    this.tell({ number, half, isLast: now === this.last(), logLik, bound });
  }

  tell({ number, half, isLast, logLik, bound }) {
    const { halfSteps, presets, report, run, state } = this;
    const [back, step] = this.buttons;
    const now = this.now();
    report.showHeights(logLik, bound);
    report.showStatus(run, {
      number,
      half,
      isLast,
      gap: logLik - bound,
      leastGain: state.get("least_gain"),
      best: this.best ?? -Infinity,
    });
    report.showComponents(run.path[number + half]);

    halfSteps.input.max = this.last();
    halfSteps.show(now);
    back.setAttribute("aria-disabled", now === 0);
    step.setAttribute("aria-disabled", isLast);
    for (const preset of presets) preset.el.setAttribute("aria-pressed", preset.run === run);
  }
}

export default { render: mounted(Stepper) };
