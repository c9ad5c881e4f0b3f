// Probabilistic PCA: the eigenvalues of the images under a noise variance,
// and what collapses below it.
// State lives in the traits var (of the noise) and num_latents (on offer).
import {
  button,
  even,
  hint,
  key,
  panel,
  reading,
  readings,
  slider,
  sliders,
  status,
  whole,
} from "../parts/controls.js";
import { explorer, format, h, italic, palette, say } from "../parts/dom.js";
import { picture } from "../parts/pixels.js";
import { clamp, logarithmic } from "../parts/scales.js";
import { mounted } from "../parts/state.js";
import { Bars } from "./bars.js";
import { Curve } from "./curve.js";
import { SpectrumPlot } from "./eigenvalues.js";
import { bestNoise, readData, reconstruct, terms } from "./maths.js";

export { bestNoise, readData, reconstruct, terms };

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
  constructor(state) {
    Object.assign(this, { state, data: readData(state) });
    this.build();
    this.root = this.layout();
    this.root.style.setProperty("--test", `var(--vb-${state.get("picture").test})`);
    this.colours = palette(this.root, ["paper", "ink"], () => this.drawDigits(), state.signal);
    this.wire();
  }

  build() {
    const { data, state } = this;
    const { frame, most } = state.pick("frame", "most");
    const shared = { draw: () => this.draw(), signal: state.signal };
    this.spectrum = new SpectrumPlot({
      ...shared,
      most,
      ...state.get("picture"),
      frame: frame.var,
      onMove: (noise) => this.moveTo(noise),
    });
    this.bars = new Bars({
      ...shared,
      low: frame.nats[0],
      high: terms(data, most, frame.var[0]).expectedLogLik,
    });
    this.curve = new Curve({ ...shared, frame });

    this.noise = slider({
      name: "noise variance \u03c3\u00b2",
      label: ["noise ", italic("\u03c3"), "\u00b2"],
      track: even(logarithmic(...frame.var)),
      words: (v) => format(v, 4),
    });
    this.count = slider({
      name: "latents on offer L",
      label: ["latents ", italic("L")],
      track: whole(1, most),
      words: String,
    });
    this.best = button("Best noise");
    this.status = status();
    this.alive = reading("Latents alive, and their KL");
    this.pictures = data.digits.map((x, k) => pair(Math.sqrt(x.length), `Test digit ${k + 1}`));
    this.numbers = [0, 1].map(() => h("b", { class: "vb-number" }));
  }

  layout() {
    const { alive, bars, best, count, curve, noise, numbers, pictures, spectrum } = this;
    const part = (name, title, ...children) =>
      h("div", { class: `spectrum-${name}` }, panel(title, ...children));
    const row = (name, which) => [
      h("span", { class: "vb-note" }, name),
      ...pictures.map((one) => one[which].el),
    ];
    return explorer(
      "spectrum wide",
      hint("Drag the line up: each bar that it passes is a latent that collapses."),
      h(
        "div",
        { class: "vb-body" },
        part(
          "spectrum",
          "Eigenvalues and the noise",
          key(["above", "KL of a latent"], ["dead", "collapsed"], ["off", "not on offer"]),
          spectrum.plot.el,
        ),
        h(
          "div",
          { class: "spectrum-controls" },
          sliders([noise, count]),
          best,
          readings([alive]),
          this.status,
        ),
        part(
          "digits",
          "Test digits from their codes",
          h(
            "div",
            { class: "spectrum-pairs", style: `--columns: ${pictures.length}` },
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
    const { best, count, data, noise, state } = this;
    noise.onChange(state.listen, (value) => this.moveTo(value));
    state.bind("num_latents", count);
    state.listen(best, "click", () => this.moveTo(bestNoise(data, state.get("num_latents"))));
    state.watch(["var", "num_latents"], () => this.draw());
  }

  moveTo(noise) {
    this.state.put({ var: clamp(noise, ...this.state.get("frame").var) });
  }

  draw() {
    const { data, state } = this;
    const { num_latents: count, var: noise } = state.pick("num_latents", "var");
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

    this.noise.show(noise, spoken);
    this.count.show(count, spoken);
    this.tell(worth, count);
    this.drawDigits();
  }

  tell({ alive, kl, logEvidence, testLogEvidence }, count) {
    this.alive.number.textContent = `${alive} of ${count}, ${format(kl)} nats`;
    const nats = [logEvidence, testLogEvidence];
    nats.forEach((v, k) => (this.numbers[k].textContent = format(v)));
    say(this.status, verdict(count, alive));
  }

  drawDigits() {
    const { data, pictures, state } = this;
    const { num_latents: count, var: noise } = state.pick("num_latents", "var");
    const colours = this.colours();
    if (!colours) return;
    const inks = (values) => values.map((v) => clamp(v, 0, 1));
    pictures.forEach(({ seen, made }, k) => {
      seen.show(inks(data.digits[k]), colours);
      made.show(inks(reconstruct(data, k, count, noise)), colours);
    });
  }
}

export default { render: mounted(Explorer) };
