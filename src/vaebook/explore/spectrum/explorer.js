// Probabilistic PCA: the eigenvalues of the images under a noise variance,
// and what collapses below it.
// State lives in the traits var (of the noise) and num_latents (on offer).
import { button, panel, reading } from "../parts/controls.js";
import { format, h, mounted, onThemeChange, OWN_KEYS, themeColours } from "../parts/dom.js";
import { picture } from "../parts/pixels.js";
import { clamp, logarithmic } from "../parts/plot.js";
import { Bars } from "./bars.js";
import { Curve } from "./curve.js";
import { SpectrumPlot } from "./eigenvalues.js";
import { bestNoise, readData, reconstruct, terms } from "./maths.js";

export { bestNoise, readData, reconstruct, terms };

const STEPS = 400;

// label: children; name: as spoken
function slider(label, name, range) {
  const input = h("input", { type: "range", step: 1, "aria-label": name, ...range });
  const number = h("span", { class: "lx-number", "aria-hidden": "true" });
  const show = (position, text, spoken) => {
    input.value = position;
    number.textContent = text;
    input.setAttribute("aria-valuetext", `${name} ${text}, ${spoken}`);
  };
  return {
    el: h("label", { class: "lx-slider" }, h("span", {}, ...label), input, number),
    input,
    show,
  };
}

// Names, each after a piece of what it names
const key = (...names) =>
  h(
    "p",
    { class: "lx-note lsp-key" },
    ...names.map(([name, ...text]) => h("span", { class: `lsp-of-${name}` }, ...text)),
  );

const pair = (side, name) => ({
  seen: picture(side, name),
  made: picture(side, `${name}, rebuilt`),
});

// What has become of the latents on offer
function verdict(count, alive) {
  if (alive === count) return "No latent on offer has collapsed.";
  const collapsed = `${count - alive} of ${count}`;
  return `Collapsed, as the eigenvalue is below \u03c3\u00b2: ${collapsed}. The gap is still 0.`;
}

class Explorer {
  constructor(model, el, signal) {
    Object.assign(this, { model, signal, data: readData(model) });
    this.build(el);
    this.wire();
    this.draw();
  }

  build(el) {
    const { data, model, signal } = this;
    const frame = model.get("frame");
    const most = model.get("most");
    const draw = () => this.draw();
    this.track = logarithmic(...frame.var);

    this.spectrum = new SpectrumPlot({
      most,
      frame: frame.var,
      onMove: (noise) => this.moveTo(noise),
      draw,
      signal,
    });
    this.bars = new Bars({
      low: frame.nats[0],
      high: terms(data, most, frame.var[0]).expectedLogLik,
      draw,
      signal,
    });
    this.curve = new Curve({ frame, draw, signal });

    this.noise = slider(["noise ", h("i", {}, "\u03c3"), "\u00b2"], "noise variance \u03c3\u00b2", {
      min: 0,
      max: STEPS,
    });
    this.count = slider(["latents ", h("i", {}, "K")], "latents on offer K", { min: 1, max: most });
    this.best = button("Best noise");
    this.status = h("p", { class: "lx-note lsp-status", "aria-live": "polite" });
    this.alive = reading("Latents alive, and their KL");
    this.pictures = data.digits.map((x, k) => pair(Math.sqrt(x.length), `Test digit ${k + 1}`));
    this.numbers = [0, 1].map(() => h("b", { class: "lx-number" }));

    this.root = this.layout();
    el.append(this.root);
  }

  layout() {
    const { alive, bars, best, count, curve, noise, numbers, pictures, spectrum, status } = this;
    const part = (name, title, ...children) =>
      h("div", { class: `lsp-${name}` }, panel(title, ...children));
    const row = (name, which) => [
      h("span", { class: "lx-note" }, name),
      ...pictures.map((one) => one[which].el),
    ];
    return h(
      "div",
      { class: "lx lsp", ...OWN_KEYS },
      h(
        "p",
        { class: "lx-hint" },
        "Drag the line up: each bar that it passes is a latent that collapses.",
      ),
      h(
        "div",
        { class: "lsp-body" },
        part(
          "spectrum",
          "Eigenvalues and the noise",
          key(["above", "KL of a latent"], ["dead", "collapsed"], ["off", "not on offer"]),
          spectrum.plot.el,
        ),
        h(
          "div",
          { class: "lsp-controls" },
          h("div", { class: "lx-sliders" }, noise.el, count.el),
          best,
          h("dl", {}, alive.el),
          status,
        ),
        part(
          "digits",
          "Test digits from their codes",
          h(
            "div",
            { class: "lsp-pairs", style: `--columns: ${pictures.length}` },
            ...row("seen", "seen"),
            ...row("rebuilt", "made"),
          ),
        ),
        part("bars", "A training image on average", bars.el),
        part(
          "curve",
          "How much noise?",
          key(["train", "train ", numbers[0]], ["test", "test ", numbers[1]], ["best", "best"]),
          curve.plot.el,
        ),
      ),
    );
  }

  wire() {
    const { best, count, model, noise, signal, track } = this;
    const on = (el, type, action) => el.addEventListener(type, action, { signal });
    on(noise.input, "input", () => this.moveTo(track.value(noise.input.value / STEPS)));
    on(count.input, "input", () => this.put("num_latents", Number(count.input.value)));
    on(best, "click", () => this.moveTo(bestNoise(this.data, model.get("num_latents"))));

    const changed = () => this.draw();
    for (const name of ["change:var", "change:num_latents"]) {
      model.on(name, changed);
      signal.addEventListener("abort", () => model.off(name, changed));
    }

    onThemeChange(() => {
      this.colours = null;
      this.drawDigits();
    }, signal);
  }

  put(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  moveTo(noise) {
    this.put("var", clamp(noise, ...this.model.get("frame").var));
  }

  draw() {
    const { data, model } = this;
    const noise = model.get("var");
    const count = model.get("num_latents");
    const worth = terms(data, count, noise);
    const best = bestNoise(data, count);
    const spoken =
      `${worth.alive} of ${count} latents alive, KL ${format(worth.kl)}, ` +
      `log p(x) ${format(worth.logEvidence)} nats`;

    this.spectrum.draw({
      ...data,
      ...worth,
      count,
      noise,
      best,
      spoken: `\u03c3\u00b2 ${format(noise, 4)}, ${spoken}`,
    });
    this.bars.draw(worth);
    this.curve.draw(data, count, noise, { best, worth });

    this.noise.show(STEPS * this.track.at(noise), format(noise, 4), spoken);
    this.count.show(count, count, spoken);
    this.tell(worth, count);
    this.drawDigits();
  }

  tell({ alive, kl, logEvidence, testLogEvidence }, count) {
    this.alive.number.textContent = `${alive} of ${count}, ${format(kl)} nats`;
    const nats = [logEvidence, testLogEvidence];
    nats.forEach((v, k) => (this.numbers[k].textContent = format(v)));
    const text = verdict(count, alive);
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  // Colours are known only in the page; in Jupyter render comes before that.
  drawDigits() {
    const { data, model, root } = this;
    if (!root.isConnected) return;
    this.colours ??= themeColours(root, ["paper", "ink"]);
    const inks = (values) => values.map((v) => clamp(v, 0, 1));
    data.digits.forEach((x, k) => {
      const { seen, made } = this.pictures[k];
      const rebuilt = reconstruct(data, k, model.get("num_latents"), model.get("var"));
      seen.show(inks(x), this.colours);
      made.show(inks(rebuilt), this.colours);
    });
  }
}

export default { render: mounted(Explorer) };
