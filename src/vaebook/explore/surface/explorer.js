// The likelihood surface: data and a Gaussian's density beside the log-likelihood of (mu, sigma).
// State lives in the traits mu and sigma; the path of gradient steps belongs to the view.
import {
  button,
  buttons,
  even,
  hint,
  lettered,
  panel,
  reading,
  readings,
  slider,
  sliders,
  status,
} from "../parts/controls.js";
import { explorer, format, h, say } from "../parts/dom.js";
import { ascend, contour, gradientStep, logLik, summarise } from "../parts/gaussian.js";
import { linear, logarithmic } from "../parts/scales.js";
import { Player } from "../parts/player.js";
import { mounted } from "../parts/state.js";
import { Contours } from "./contours.js";
import { Histogram } from "./histogram.js";

// Milliseconds between the frames of a climb, and their number
const PAUSE = 50;
const MOST_FRAMES = 80;

export { ascend, contour, gradientStep, logLik, summarise };

class Explorer {
  constructor(state) {
    Object.assign(this, { state, fit: summarise(state.get("x")) });
    this.best = [this.fit.mean, Math.sqrt(this.fit.variance)];
    this.walk = [this.point()];
    this.build();
    this.root = this.layout();
    this.wire();
  }

  point() {
    return [this.state.get("mu"), this.state.get("sigma")];
  }

  build() {
    const { best, fit, state } = this;
    const { bars, frame, label, picture, x } = state.pick("bars", "frame", "label", "picture", "x");
    const across = linear(...frame.mu);
    const up = logarithmic(...frame.sigma);
    const shared = { across, signal: state.signal };

    this.data = new Histogram({
      ...shared,
      x,
      bars,
      top: frame.density,
      headroom: picture.headroom,
      label,
      draw: () => this.drawData(),
    });
    this.surface = new Contours({
      ...shared,
      up,
      fit,
      best,
      levels: picture.levels,
      home: state.get("start"),
      onMove: (point) => this.moveTo(point),
      draw: () => this.drawSurface(),
    });

    this.sliders = [
      slider({ name: "mean \u03bc", label: lettered("mean \u03bc"), track: even(across) }),
      slider({ name: "std. dev. \u03c3", label: lettered("std. dev. \u03c3"), track: even(up) }),
    ];
    this.buttons = ["One gradient step", "Start over"].map(button);
    this.climb = this.climber();
    this.readings = [
      reading(`Log-likelihood of ${fit.count} values`),
      reading("Below the maximum"),
      reading("Average of log p"),
    ];
    this.status = status();
  }

  layout() {
    const [once, again] = this.buttons;
    const [innermost] = this.state.get("picture").levels;
    return explorer(
      "surface",
      hint(
        "Drag the ring, or climb step by step. " +
          `Contours: nats from the maximum (+); innermost: ${innermost} nats.`,
      ),
      h(
        "div",
        { class: "vb-body" },
        panel("Data and density", this.data.plot.el),
        panel("Log-likelihood", this.surface.plot.el),
        h("div", {}, sliders(this.sliders), buttons(once, this.climb.el, again)),
        h("div", {}, readings(this.readings), this.status),
      ),
    );
  }

  wire() {
    const { state } = this;
    const [mean, deviation] = this.sliders;
    const [once, again] = this.buttons;
    mean.onChange(state.listen, (mu) => this.moveTo([mu, this.point()[1]]));
    deviation.onChange(state.listen, (sigma) => this.moveTo([this.point()[0], sigma]));
    state.listen(once, "click", () => {
      this.climb.stop();
      this.take(this.ahead(1, 0));
    });
    state.listen(again, "click", () => this.moveTo(state.get("start")));
    state.watch(["mu", "sigma"], () => this.arrive());
  }

  // What the reader does: goes to a point, of which the walk that led there is shown
  put([mu, sigma], walk) {
    this.walk = walk;
    this.state.put({ mu, sigma });
  }

  moveTo(point) {
    this.climb.stop();
    this.put(point, [point]);
  }

  // Where Python moved the point, no walk led there.
  arrive() {
    const at = this.point();
    if (this.walk.at(-1).some((v, k) => v !== at[k])) {
      this.climb.stop();
      this.walk = [at];
    }
    this.drawPoint();
  }

  // The next steps: at most count, while they gain enough
  ahead(count, leastGain) {
    return ascend(this.fit, this.point(), { rate: this.state.get("rate"), count, leastGain });
  }

  take(steps) {
    if (steps.length) this.put(steps.at(-1), [...this.walk, ...steps]);
  }

  // Plays a climb, several steps a frame where there are many
  climber() {
    const { state } = this;
    const whole = () => this.ahead(state.get("num_steps"), state.get("least_gain"));
    let steps = [];
    let frame = 0;
    return new Player({
      words: ["Climb", "Stop"],
      pause: PAUSE,
      begin: () => {
        steps = whole();
        frame = 0;
      },
      step: () => {
        const each = Math.max(steps.length / MOST_FRAMES, 1);
        this.take(steps.slice(Math.round(frame * each), Math.round((frame + 1) * each)));
        frame += 1;
        return frame * each < steps.length;
      },
      finish: () => this.take(whole()),
      onStop: () => this.report(),
      signal: state.signal,
    });
  }

  draw() {
    this.drawData();
    this.drawSurface();
  }

  drawData() {
    this.data.drawBars();
    this.drawPoint();
  }

  drawSurface() {
    this.surface.drawLevels();
    this.drawPoint();
  }

  drawPoint() {
    const { best, data, fit, surface, walk } = this;
    const at = this.point();
    const total = logLik(fit, at);
    data.drawDensity(at);
    surface.drawWalk(walk, at, total);

    const numbers = [total, logLik(fit, best) - total, total / fit.count];
    this.readings.forEach(({ number }, k) => (number.textContent = `${format(numbers[k])} nats`));
    this.sliders.forEach((one, k) => one.show(at[k]));
    if (!this.climb.playing) this.report();
  }

  report() {
    const leastGain = this.state.get("least_gain");
    const steps = this.walk.length - 1;
    const outside = this.surface.holds(this.point()) ? "" : "; the ring has left the picture";
    const flat = this.ahead(1, leastGain).length
      ? ""
      : `; the next would gain less than ${leastGain} nats`;
    const taken = `${steps} gradient step${steps > 1 ? "s" : ""} taken`;
    say(this.status, steps ? `${taken}${outside || flat}` : "");
  }
}

export default { render: mounted(Explorer) };
