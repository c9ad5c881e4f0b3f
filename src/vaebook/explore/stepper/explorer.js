// The EM stepper: a mixture of Gaussians fitted to points in the plane, half-step by half-step.
// State lives in the traits means (where the run starts)
// and step (half-steps after the first E-step).
import { button, panel } from "../parts/controls.js";
import { h, mounted, OWN_KEYS } from "../parts/dom.js";
import { Flowers } from "./flowers.js";
import { Staircase } from "./staircase.js";
import { between, eStep, fitEm, logJoint, lowerBound, mStep, startFrom } from "./maths.js";
import { collapse, Report } from "./report.js";
import { readRuns } from "./shipped.js";
import { Slice, sliceHeights } from "./slice.js";

// Milliseconds between the half-steps of Play
const PAUSE = 900;

export { between, eStep, fitEm, logJoint, lowerBound, mStep, readRuns, sliceHeights, startFrom };

function slider() {
  const input = h("input", { type: "range", min: 0, step: 1, "aria-label": "Half-step" });
  const number = h("span", { class: "lx-number", "aria-hidden": "true" });
  return {
    el: h("label", { class: "lx-slider" }, h("span", {}, "Half-step"), input, number),
    input,
    number,
  };
}

class Stepper {
  constructor(model, el, signal) {
    Object.assign(this, { model, signal, x: model.get("x"), shipped: readRuns(model) });
    this.build(el);
    this.wire();
    this.restart();
  }

  build(el) {
    const { model, shipped, signal, x } = this;
    const frame = model.get("frame");
    const home = model.get("home");
    const draw = () => this.draw();
    this.best = shipped.length > 1 ? frame.top : null;

    this.flowers = new Flowers({
      x,
      frame,
      labels: model.get("labels"),
      home,
      draw,
      onMove: (k, mean) => this.moveMean(k, mean),
      signal,
    });
    this.slice = new Slice({ draw, signal });
    this.staircase = new Staircase({ top: frame.top, best: this.best, draw, signal });

    this.slider = slider();
    this.buttons = ["Back", "Step", "Play", "Start over"].map(button);
    this.presets = shipped.filter(({ name }) => name).map((run) => ({ run, el: button(run.name) }));
    this.report = new Report();

    this.root = this.layout();
    el.append(this.root);
  }

  layout() {
    const { presets, report } = this;
    const starts =
      presets.length === 0
        ? []
        : [
            h(
              "div",
              { class: "le-buttons", role: "group", "aria-label": "Starts" },
              "Starts: ",
              ...presets.map((one) => one.el),
            ),
          ];
    return h(
      "div",
      { class: "lx le", ...OWN_KEYS },
      h(
        "p",
        { class: "lx-hint" },
        "The E-step recolours the points and lifts the bound until it touches; " +
          "the M-step moves the ellipses to the bound\u2019s top. " +
          "Drag a ring to start elsewhere.",
      ),
      h(
        "div",
        { class: "le-body" },
        panel("Data and components", this.flowers.plot.el, report.table),
        panel("Log-likelihood and bound", this.slice.plot.el, report.equation, report.status),
        h(
          "div",
          { class: "le-controls" },
          h("div", { class: "le-buttons" }, ...this.buttons),
          ...starts,
          this.slider.el,
        ),
        h("div", { class: "le-history" }, this.staircase.plot.el),
      ),
    );
  }

  wire() {
    const { model, signal } = this;
    const on = (el, type, action) => el.addEventListener(type, action, { signal });
    const [back, step, play, again] = this.buttons;
    on(back, "click", () => this.goTo(this.now() - 1));
    on(step, "click", () => this.goTo(this.now() + 1));
    on(play, "click", () => (this.timer ? this.stop() : this.play()));
    on(again, "click", () => this.startAt(model.get("home")));
    on(this.slider.input, "input", () => this.goTo(Number(this.slider.input.value)));
    for (const { el, run } of this.presets) on(el, "click", () => this.startAt(run.path[0].mu));

    const listen = (name, action) => {
      const changed = () => this.batching || action();
      model.on(`change:${name}`, changed);
      signal.addEventListener("abort", () => model.off(`change:${name}`, changed));
    };
    listen("means", () => this.restart());
    listen("step", () => this.draw());
    signal.addEventListener("abort", () => this.stop());
  }

  // Half-steps of the present run
  last() {
    return Math.max(2 * this.run.path.length - 3, 0);
  }

  now() {
    return Math.min(this.model.get("step"), this.last());
  }

  // What the reader does. Each writes the traits and then redraws once.
  put(changes) {
    this.batching = true;
    for (const [name, value] of Object.entries(changes)) this.model.set(name, value);
    this.batching = false;
    if (changes.means) this.restart();
    else this.draw();
    this.model.save_changes();
  }

  goTo(step) {
    this.stop();
    this.put({ step: Math.min(Math.max(step, 0), this.last()) });
  }

  startAt(means) {
    this.stop();
    this.put({ means: means.map((mean) => [...mean]), step: 0 });
  }

  moveMean(k, mean) {
    this.startAt(this.model.get("means").map((old, j) => (j === k ? mean : old)));
  }

  // The run shipped with the page if it starts here, else one computed now
  restart() {
    const { model, x } = this;
    const means = model.get("means");
    const same = ({ path }) => JSON.stringify(path[0].mu) === JSON.stringify(means);
    this.run =
      this.shipped.find(same) ??
      fitEm(x, startFrom(x, means), model.get("num_steps"), model.get("least_gain"));
    this.draw();
  }

  play() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.goTo(this.last());
    if (this.now() === this.last()) this.put({ step: 0 });
    const more = () => {
      if (this.now() < this.last()) this.put({ step: this.now() + 1 });
      else this.stop();
    };
    this.timer = setInterval(more, PAUSE);
    this.buttons[2].textContent = "Pause";
    this.report.status.setAttribute("aria-live", "off");
  }

  stop() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
    this.buttons[2].textContent = "Play";
    this.report.status.setAttribute("aria-live", "polite");
  }

  draw() {
    const { model, run, x } = this;
    const now = this.now();
    const [number, half] = [now >> 1, now % 2];
    const q = eStep(run.path[number], x);
    const logLik = run.logLik[number + half];
    const bound = half ? run.bounds[number + 1] : logLik;
    this.flowers.draw(run.path.slice(0, number + half + 1), q.resp, model.get("means"));

    const ends = run.path.slice(number, number + 2);
    const base = run.logLik[number];
    const oldQ = number > 0 ? eStep(run.path[number - 1], x) : null;
    if (ends.length === 2) this.slice.draw({ x, ends, q, oldQ, half, base, logLik, bound });
    else this.slice.showEnd(`it ${collapse(run.fault)}`);

    this.staircase.draw(run, now);
    this.tell({ number, half, isLast: now === this.last(), logLik, bound });
  }

  tell({ number, half, isLast, logLik, bound }) {
    const { buttons, model, presets, report, run } = this;
    const { input, number: count } = this.slider;
    const now = this.now();
    report.showHeights(logLik, bound);
    report.showStatus(run, {
      number,
      half,
      isLast,
      gap: logLik - bound,
      leastGain: model.get("least_gain"),
      best: this.best ?? -Infinity,
    });
    report.showComponents(run.path[number + half]);

    input.max = this.last();
    input.value = now;
    input.setAttribute("aria-valuetext", `Iteration ${number + 1}, ${half ? "M" : "E"}-step`);
    count.textContent = `${now + 1} of ${this.last() + 1}`;

    buttons[0].setAttribute("aria-disabled", now === 0);
    buttons[1].setAttribute("aria-disabled", isLast);
    for (const preset of presets) preset.el.setAttribute("aria-pressed", preset.run === run);
  }
}

export default { render: mounted(Stepper) };
