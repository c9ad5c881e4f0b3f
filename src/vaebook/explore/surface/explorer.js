// The likelihood surface: data and a Gaussian's density beside the log-likelihood of (mu, sigma).
// State lives in the traits mu and sigma; the path of gradient steps belongs to the view.
import { button, panel, reading, slider } from "../parts/controls.js";
import { format, h, mounted, OWN_KEYS } from "../parts/dom.js";
import { ascend, contour, gradientStep, logLik, summarise } from "../parts/gaussian.js";
import { Handle } from "../parts/handle.js";
import { Histogram } from "./histogram.js";
import { linear, logarithmic, Plot } from "../parts/plot.js";

// Nats below the maximum
const LEVELS = [2, 10, 30, 100, 300, 1000];
// Milliseconds between the frames of a climb, and their number
const PAUSE = 50;
const MOST_FRAMES = 80;
// Nats, of all the data: a climb ends before a step that gains less
const LEAST_GAIN = 1e-4;

export { ascend, contour, gradientStep, logLik, summarise };

class Explorer {
  constructor(model, el, signal) {
    Object.assign(this, { model, signal, fit: summarise(model.get("x")) });
    this.best = [this.fit.mean, Math.sqrt(this.fit.variance)];
    this.walk = [this.point()];
    this.build(el);
    this.wire();
    this.drawData();
    this.drawSurface();
  }

  point() {
    return [this.model.get("mu"), this.model.get("sigma")];
  }

  build(el) {
    const { model, signal } = this;
    const { mu, sigma, density: top } = model.get("frame");
    const across = linear(...mu);
    const x = model.get("x");
    const bars = model.get("bars");
    const label = model.get("label");

    this.data = new Histogram({ x, bars, across, top, label, draw: () => this.drawData(), signal });
    this.surface = new Plot({
      x: across,
      y: logarithmic(...sigma),
      xLabel: "mean _\u03bc_",
      yLabel: "standard deviation _\u03c3_",
      signal,
      draw: () => this.drawSurface(),
      alt:
        "Contours of the log-likelihood over the mean \u03bc and the standard deviation \u03c3, " +
        "around its maximum",
    });
    this.handle = new Handle({
      plot: this.surface,
      signal,
      home: model.get("start"),
      onMove: (...at) => this.moveTo(at),
      label:
        "Mean \u03bc and standard deviation \u03c3; arrow keys move them, " +
        "Shift for larger steps, Home for the start",
      step: ([m, s], dx, dy) => [m + (dx * (mu[1] - mu[0])) / 80, s * 1.02 ** dy],
    });

    this.sliders = [
      slider("mean \u03bc", across, (v) => v),
      slider("std. dev. \u03c3", this.surface.y, Math.log),
    ];
    this.buttons = ["One gradient step", "Climb", "Start over"].map(button);
    this.readings = [
      reading(`Log-likelihood of ${this.fit.count} values`),
      reading("Below the maximum"),
      reading("Average of log p"),
    ];
    this.status = h("p", { class: "lx-note ls-status", "aria-live": "polite" });

    this.root = h(
      "div",
      { class: "lx ls", ...OWN_KEYS },
      h(
        "p",
        { class: "lx-hint" },
        "Drag the ring, or climb step by step. " +
          "Contours: nats from the maximum (+); innermost: 2 nats.",
      ),
      h(
        "div",
        { class: "ls-body" },
        panel("Data and density", this.data.plot.el),
        panel("Log-likelihood", this.surface.el),
        h(
          "div",
          { class: "ls-controls" },
          h("div", { class: "lx-sliders" }, ...this.sliders.map((one) => one.el)),
          h("div", { class: "ls-buttons" }, ...this.buttons),
        ),
        h("div", {}, h("dl", {}, ...this.readings.map((one) => one.el)), this.status),
      ),
    );
    el.append(this.root);
  }

  wire() {
    const { model, signal } = this;
    const on = (el, type, action) => el.addEventListener(type, action, { signal });
    const [mean, deviation] = this.sliders.map((one) => one.input);
    on(mean, "input", () => this.moveTo([Number(mean.value), this.point()[1]]));
    on(deviation, "input", () => this.moveTo([this.point()[0], Math.exp(Number(deviation.value))]));

    const [once, climb, again] = this.buttons;
    on(once, "click", () => {
      this.stop();
      this.take(this.ahead(1, 0));
    });
    on(climb, "click", () => (this.timer ? this.stop() : this.climb()));
    on(again, "click", () => this.moveTo(model.get("start")));

    const changed = () => this.batching || this.restart();
    for (const name of ["change:mu", "change:sigma"]) {
      model.on(name, changed);
      signal.addEventListener("abort", () => model.off(name, changed));
    }
    signal.addEventListener("abort", () => this.stop());
  }

  // What the reader does. Each writes the traits and then redraws once.
  put([mu, sigma], walk) {
    this.batching = true;
    this.model.set("mu", mu);
    this.model.set("sigma", sigma);
    this.batching = false;
    this.walk = walk;
    this.drawPoint();
    this.model.save_changes();
  }

  moveTo(point) {
    this.stop();
    this.put(point, [point]);
  }

  restart() {
    this.stop();
    this.walk = [this.point()];
    this.drawPoint();
  }

  // The next steps: at most count, while they gain enough
  ahead(count, leastGain) {
    return ascend(this.fit, this.point(), { rate: this.model.get("rate"), count, leastGain });
  }

  take(steps) {
    if (steps.length) this.put(steps.at(-1), [...this.walk, ...steps]);
  }

  // Several steps a frame where there are many
  climb() {
    const steps = this.ahead(this.model.get("num_steps"), LEAST_GAIN);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.take(steps);
      return;
    }

    const each = Math.max(steps.length / MOST_FRAMES, 1);
    const slice = (k) => steps.slice(Math.round(k * each), Math.round((k + 1) * each));
    let frame = 0;
    this.buttons[1].textContent = "Stop";
    this.timer = setInterval(() => {
      this.take(slice(frame));
      frame += 1;
      if (frame * each >= steps.length) this.stop();
    }, PAUSE);
  }

  stop() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
    this.buttons[1].textContent = "Climb";
    this.report();
  }

  drawData() {
    this.data.drawBars();
    this.drawPoint();
  }

  drawSurface() {
    const { best, fit, surface } = this;
    const curves = LEVELS.map((drop) => contour(fit, drop, [surface.y.low, surface.y.high]));
    surface.show("levels", ...[...curves].reverse().map((points) => surface.line(points)));
    surface.show("names", ...curves.flatMap((points, k) => this.levelName(points, LEVELS[k])));
    surface.show("top", surface.text(best, "+"));
    this.drawPoint();
  }

  // A contour's label, at its top if that is in view; none where the contour is small.
  levelName(points, level) {
    const { surface } = this;
    const bottom = points[0];
    const top = points[(points.length - 1) >> 1];
    if (surface.Y(bottom[1]) - surface.Y(top[1]) < 30) return [];
    return [surface.text(top[1] < surface.y.high ? top : bottom, format(-level, 0))];
  }

  drawPoint() {
    const { best, data, fit, surface } = this;
    const at = this.point();
    data.drawDensity(at);
    surface.show(
      "walk",
      surface.line(this.walk),
      ...this.walk.slice(0, -1).map((p) => surface.line([p, p])),
    );

    const total = logLik(fit, at);
    const numbers = [total, logLik(fit, best) - total, total / fit.count];
    this.readings.forEach(({ number }, k) => (number.textContent = `${format(numbers[k])} nats`));

    this.sliders.forEach((one, k) => one.show(at[k]));
    const point = `\u03bc ${format(at[0])}, \u03c3 ${format(at[1])}`;
    this.handle.show(at, `${point}, log-likelihood ${format(total)} nats`);
    if (!this.timer) this.report();
  }

  report() {
    const steps = this.walk.length - 1;
    const outside = this.point()[1] > this.surface.y.high ? "; the ring has left the picture" : "";
    const flat = this.ahead(1, LEAST_GAIN).length
      ? ""
      : `; the next would gain less than ${LEAST_GAIN} nats`;
    const taken = `${steps} gradient step${steps > 1 ? "s" : ""} taken`;
    this.status.textContent = steps ? `${taken}${outside || flat}` : "";
  }
}

export default { render: mounted(Explorer) };
