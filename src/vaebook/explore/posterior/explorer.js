// Bayesian inference of a mean: posterior, predictive and evidence while data arrive.
// State lives in the traits mu0, tau (of the prior), sigma (of the noise), num_seen and relative.
import {
  button,
  buttons,
  check,
  even,
  hint,
  key,
  lettered,
  panel,
  reading,
  readings,
  slider,
  sliders,
  status,
  whole,
} from "../parts/controls.js";
import { explorer, format, h, say, symbol } from "../parts/dom.js";
import { linear, logarithmic } from "../parts/scales.js";
import { mounted } from "../parts/state.js";
import { Beliefs } from "./beliefs.js";
import { Evidence } from "./evidence.js";
import { Forecast } from "./forecast.js";
import { learn, logDensity, predictive, price } from "./maths.js";

export { learn, logDensity, predictive };

const TRAITS = ["mu0", "tau", "sigma", "num_seen", "relative"];
const READINGS = {
  posterior: "Posterior of the mean",
  predictive: "Prediction of the next value",
  next: "log p of the next value",
  best: "Log-likelihood of the best mean",
  price: "\u2212 price of not knowing the mean",
  evidence: "= log evidence",
  start: "Evidence gained on the starting prior",
};

const pair = ([mean, deviation]) => `${format(mean, 3)} \u00b1 ${format(deviation, 3)}`;

function controlsOf(frame, count) {
  // So many steps that each of the mean is a round number
  const [least, second] = linear(...frame.mu, 400).ticks;
  const fine = Math.round((frame.mu[1] - frame.mu[0]) / (second - least));
  return {
    mu0: slider({
      name: "prior mean \u03bc\u2080",
      label: ["prior mean ", symbol("\u03bc", 0)],
      track: even(linear(...frame.mu), fine),
    }),
    tau: slider({
      name: "prior width \u03c4",
      label: lettered("prior width \u03c4"),
      track: even(logarithmic(...frame.tau)),
    }),
    sigma: slider({
      name: "noise \u03c3",
      label: lettered("noise \u03c3"),
      track: even(logarithmic(...frame.sigma)),
    }),
    num_seen: slider({
      name: "data seen",
      label: lettered("data seen n"),
      track: whole(0, count),
      words: String,
      spoken: (seen) => `${seen} of ${count} seen`,
    }),
  };
}

class Explorer {
  constructor(state) {
    Object.assign(this, { state, x: state.get("x") });
    this.build();
    this.root = this.layout();
    this.wire();
  }

  build() {
    const { state, x } = this;
    const { frame, labels } = state.pick("frame", "labels");
    const [label, one] = labels;
    const across = linear(...frame.mu);
    const shared = { draw: () => this.draw(), signal: state.signal };

    this.beliefs = new Beliefs({ across, ...shared });
    const { headroom } = state.get("picture");
    this.forecast = new Forecast({ x, across, label, headroom, ...shared });
    this.evidence = new Evidence({ count: x.length, label: "data seen _n_", ...shared });

    this.sliders = controlsOf(frame, x.length);
    this.relative = check("Measure from the best mean");
    this.buttons = [`Add ${one}`, "Add ten", "Start over"].map(button);
    const rows = Object.entries(READINGS).map(([name, words]) => [name, reading(words)]);
    this.readings = Object.fromEntries(rows);
    this.status = status();
  }

  layout() {
    const { beliefs, evidence, forecast, relative } = this;
    const part = (name, title, ...children) =>
      h("div", { class: `posterior-${name}` }, panel(title, ...children));
    const curves = (...names) => {
      const el = key(...names);
      el.setAttribute("aria-hidden", "true");
      return el;
    };
    return explorer(
      "posterior wide",
      hint("Add data one by one; then move the prior, or widen it, and see what it costs."),
      h(
        "div",
        { class: "vb-body" },
        part(
          "beliefs",
          "The mean",
          curves(
            ["prior", "prior"],
            ["likelihood", "likelihood, scaled"],
            ["posterior", "posterior"],
          ),
          beliefs.plot.el,
        ),
        h(
          "div",
          { class: "posterior-controls" },
          sliders(Object.values(this.sliders)),
          buttons(...this.buttons),
        ),
        part(
          "forecast",
          "The next value",
          curves(["predictive", "predictive"], ["seen", "seen"], ["to-come", "to come"]),
          forecast.plot.el,
        ),
        part(
          "evidence",
          "The evidence",
          curves(["evidence", "this prior"], ["start", "at the start"], ["best", "best mean"]),
          evidence.plot.el,
        ),
        h(
          "div",
          { class: "posterior-numbers" },
          readings(Object.values(this.readings)),
          relative.el,
          this.status,
        ),
      ),
    );
  }

  wire() {
    const { relative, state } = this;
    const [one, ten, again] = this.buttons;
    for (const [name, control] of Object.entries(this.sliders)) state.bind(name, control);
    state.bind("relative", relative);
    state.listen(one, "click", () => this.add(1));
    state.listen(ten, "click", () => this.add(10));
    state.listen(again, "click", () => state.put(state.get("start")));
    state.watch(TRAITS, () => this.draw());
  }

  add(count) {
    const seen = this.state.get("num_seen");
    this.state.put({ num_seen: Math.min(seen + count, this.x.length) });
  }

  draw() {
    const { state, x } = this;
    const { mu0, tau, sigma, num_seen: seen, relative } = state.pick(...TRAITS);
    const start = state.get("start");
    const here = learn(x, [mu0, tau], sigma);
    const home = learn(x, [start.mu0, start.tau], sigma);
    const gaussian = predictive(here[seen].posterior, sigma);

    this.beliefs.draw({ ...here[seen], prior: [mu0, tau] });
    this.forecast.draw({ gaussian, sigma, seen });
    this.evidence.draw({ here, home, seen, relative });
    this.tell({ here, home, seen, gaussian });

    for (const [name, control] of Object.entries(this.sliders)) control.show(state.get(name));
    this.relative.show(relative);
    for (const one of this.buttons.slice(0, 2)) {
      one.setAttribute("aria-disabled", seen === x.length);
    }
  }

  tell({ here, home, seen, gaussian }) {
    const { x } = this;
    const { best, logEvidence, posterior } = here[seen];
    const nats = (value) => `${format(value)} nats`;
    const gain = logEvidence - home[seen].logEvidence;
    const texts = {
      posterior: pair(posterior),
      predictive: pair(gaussian),
      next: seen < x.length ? nats(logDensity(x[seen], gaussian)) : "all seen",
      best: nats(best),
      price: nats(price(here[seen])),
      evidence: nats(logEvidence),
      start: `${gain >= 0.005 ? "+" : ""}${nats(gain)}`,
    };
    for (const [name, text] of Object.entries(texts)) this.readings[name].number.textContent = text;

    const paid = seen
      ? `The last value, ${format(x[seen - 1], 1)}, had log p ` +
        `${nats(logEvidence - here[seen - 1].logEvidence)} before it was seen.`
      : "";
    say(this.status, paid);
  }
}

export default { render: mounted(Explorer) };
