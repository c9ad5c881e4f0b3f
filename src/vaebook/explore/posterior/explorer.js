// Bayesian inference of a mean: posterior, predictive and evidence while data arrive.
// State lives in the traits mu0, tau (of the prior), sigma (of the noise), num_seen and relative.
import { Beliefs } from "./beliefs.js";
import { learn, logDensity, predictive, price } from "./maths.js";
import { button, panel, reading, slider } from "../parts/controls.js";
import { format, h, mounted, OWN_KEYS, symbol } from "../parts/dom.js";
import { Evidence } from "./evidence.js";
import { Forecast } from "./forecast.js";
import { linear, logarithmic } from "../parts/plot.js";

const TRAITS = ["mu0", "tau", "sigma", "num_seen", "relative"];

export { learn, logDensity, predictive };

// Integers from 0 to count
function counter(name, count) {
  const input = h("input", {
    type: "range",
    min: 0,
    max: count,
    step: 1,
    "aria-label": name.trim(),
  });
  const number = h("span", { class: "lx-number", "aria-hidden": "true" });
  const show = (value) => {
    input.value = value;
    input.setAttribute("aria-valuetext", `${value} of ${count} seen`);
    number.textContent = `${value}`;
  };
  return {
    el: h("label", { class: "lx-slider" }, h("span", {}, name, h("i", {}, "n")), input, number),
    input,
    show,
  };
}

// Names of curves, each after a piece of its line
const key = (...names) =>
  h(
    "p",
    { class: "lx-note lp-key", "aria-hidden": "true" },
    ...names.map(([name, text]) => h("span", { class: `lp-of-${name}` }, text)),
  );

class Explorer {
  constructor(model, el, signal) {
    Object.assign(this, { model, signal, x: model.get("x") });
    this.build(el);
    this.wire();
    this.draw();
  }

  build(el) {
    const { model, signal, x } = this;
    const frame = model.get("frame");
    const [label, one] = model.get("labels");
    const across = linear(...frame.mu);
    const draw = () => this.draw();

    this.beliefs = new Beliefs({ across, draw, signal });
    this.forecast = new Forecast({ x, across, label, draw, signal });
    this.evidence = new Evidence({ count: x.length, label: "data seen _n_", draw, signal });

    this.sliders = {
      mu0: slider("prior mean \u03bc\u2080", across, (v) => v),
      tau: slider("prior width \u03c4", logarithmic(...frame.tau), Math.log),
      sigma: slider("noise \u03c3", logarithmic(...frame.sigma), Math.log),
      num_seen: counter("data seen ", x.length),
    };
    const [first, second] = linear(...frame.mu, 400).ticks;
    this.sliders.mu0.input.step = (second - first).toPrecision(3);
    this.sliders.mu0.el.firstChild.replaceChildren("prior mean ", symbol("\u03bc", 0));

    this.buttons = [`Add ${one}`, "Add ten", "Start over"].map(button);
    this.relative = h("input", { type: "checkbox" });
    this.readings = Object.fromEntries(
      [
        ["posterior", "Posterior of the mean"],
        ["predictive", "Prediction of the next value"],
        ["next", "log p of the next value"],
        ["best", "Log-likelihood of the best mean"],
        ["price", "\u2212 price of not knowing the mean"],
        ["evidence", "= log evidence"],
        ["start", "Evidence gained on the starting prior"],
      ].map(([name, text]) => [name, reading(text)]),
    );
    this.status = h("p", { class: "lx-note lp-status", "aria-live": "polite" });

    this.root = this.layout();
    el.append(this.root);
  }

  layout() {
    const { beliefs, buttons, evidence, forecast, readings, relative, sliders, status } = this;
    const part = (name, title, ...children) =>
      h("div", { class: `lp-${name}` }, panel(title, ...children));
    const list = h("dl", {}, ...Object.values(readings).map((one) => one.el));
    return h(
      "div",
      { class: "lx lp", ...OWN_KEYS },
      h(
        "p",
        { class: "lx-hint" },
        "Add data one by one; then move the prior, or widen it, and see what it costs.",
      ),
      h(
        "div",
        { class: "lp-body" },
        part(
          "beliefs",
          "The mean",
          key(["prior", "prior"], ["likelihood", "likelihood, scaled"], ["posterior", "posterior"]),
          beliefs.plot.el,
        ),
        h(
          "div",
          { class: "lp-controls" },
          h("div", { class: "lx-sliders" }, ...Object.values(sliders).map((one) => one.el)),
          h("div", { class: "lp-buttons" }, ...buttons),
        ),
        part(
          "forecast",
          "The next value",
          key(["predictive", "predictive"], ["seen", "seen"], ["to-come", "to come"]),
          forecast.plot.el,
        ),
        part(
          "evidence",
          "The evidence",
          key(["evidence", "this prior"], ["start", "at the start"], ["best", "best mean"]),
          evidence.plot.el,
        ),
        h(
          "div",
          { class: "lp-numbers" },
          list,
          h("label", { class: "lx-check" }, relative, "Measure from the best mean"),
          status,
        ),
      ),
    );
  }

  wire() {
    const { model, relative, signal } = this;
    const { mu0, tau, sigma, num_seen: seen } = this.sliders;
    const on = (el, type, action) => el.addEventListener(type, action, { signal });
    on(mu0.input, "input", () => this.put({ mu0: Number(mu0.input.value) }));
    on(tau.input, "input", () => this.put({ tau: Math.exp(tau.input.value) }));
    on(sigma.input, "input", () => this.put({ sigma: Math.exp(sigma.input.value) }));
    on(seen.input, "input", () => this.put({ num_seen: Number(seen.input.value) }));
    on(relative, "change", () => this.put({ relative: relative.checked }));

    const [one, ten, again] = this.buttons;
    on(one, "click", () => this.add(1));
    on(ten, "click", () => this.add(10));
    on(again, "click", () => this.put(model.get("start")));

    const changed = () => this.batching || this.draw();
    for (const name of TRAITS) {
      model.on(`change:${name}`, changed);
      signal.addEventListener("abort", () => model.off(`change:${name}`, changed));
    }
  }

  // Writes traits and then redraws once
  put(changes) {
    this.batching = true;
    for (const [name, value] of Object.entries(changes)) this.model.set(name, value);
    this.batching = false;
    this.draw();
    this.model.save_changes();
  }

  add(count) {
    this.put({ num_seen: Math.min(this.model.get("num_seen") + count, this.x.length) });
  }

  draw() {
    const { model, x } = this;
    const [mu0, tau, sigma, seen, relative] = TRAITS.map((name) => model.get(name));
    const start = model.get("start");
    const here = learn(x, [mu0, tau], sigma);
    const home = learn(x, [start.mu0, start.tau], sigma);
    const gaussian = predictive(here[seen].posterior, sigma);

    this.beliefs.draw({ ...here[seen], prior: [mu0, tau] });
    this.forecast.draw({ gaussian, sigma, seen });
    this.evidence.draw({ here, home, seen, relative });
    this.tell({ here, home, seen, gaussian });

    for (const [name, one] of Object.entries(this.sliders)) one.show(model.get(name));
    this.relative.checked = relative;
    for (const one of this.buttons.slice(0, 2)) {
      one.setAttribute("aria-disabled", seen === x.length);
    }
  }

  tell({ here, home, seen, gaussian }) {
    const { readings, x } = this;
    const { best, logEvidence, posterior } = here[seen];
    const say = (name, text) => (readings[name].number.textContent = text);
    const nats = (name, value) => say(name, `${format(value)} nats`);
    const pair = ([mean, deviation]) => `${format(mean, 3)} \u00b1 ${format(deviation, 3)}`;

    say("posterior", pair(posterior));
    say("predictive", pair(gaussian));
    if (seen < x.length) nats("next", logDensity(x[seen], gaussian));
    else say("next", "all seen");

    nats("evidence", logEvidence);
    nats("best", best);
    nats("price", price(here[seen]));
    const gain = logEvidence - home[seen].logEvidence;
    say("start", `${gain >= 0.005 ? "+" : ""}${format(gain)} nats`);

    this.status.textContent = seen
      ? `The last value, ${format(x[seen - 1], 1)}, had log p ` +
        `${format(logEvidence - here[seen - 1].logEvidence)} nats before it was seen.`
      : "";
  }
}

export default { render: mounted(Explorer) };
