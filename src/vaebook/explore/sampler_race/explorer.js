// A race of samplers: log p(x) by importance sampling against the number of draws.
// State lives in the traits num_samples (one of sizes), run and shown (names).
import { button, chooser } from "../parts/controls.js";
import { commas, format, h, mounted, OWN_KEYS } from "../parts/dom.js";
import { linear, logarithmic, Plot, s } from "../parts/plot.js";

const POWERS = ["1", "10", "10\u00b2", "10\u00b3", "10\u2074", "10\u2075", "10\u2076"];
// Nats: a smaller standard error is rounding, and no unit to count in
const LEAST_ERROR = 1e-6;
// Factors: from the first and last size to the frame, and to the sides of a single band
const ROOM = 1.15;
const BAR = 1.06;

const signed = (v) => (v > 0 ? "+" : "") + format(v, 1);

// Effective sample size of `size` draws,
// from the standard error `se` of the log of their mean weight
export const sampleSize = (size, se) => size / (1 + (size - 1) * se * se);

// rows[k][r]: of sampler k in run r, for each number of draws {size, value, error, se, ess}
export function readRows(model) {
  const sizes = model.get("sizes");
  const numbers = model.get("numbers");
  const truth = model.get("truth");
  let offset = 0;
  const read = () => {
    offset += 4;
    return numbers.getFloat32(offset - 4, true);
  };

  const row = (size) => {
    const error = read();
    const se = read();
    return { size, value: truth + error, error, se, ess: sampleSize(size, se) };
  };
  const runs = () => Array.from({ length: model.get("num_runs") }, () => sizes.map(row));
  return model.get("names").map(runs);
}

class Race {
  constructor(model, el, signal) {
    Object.assign(this, {
      model,
      signal,
      rows: readRows(model),
      names: model.get("names"),
      sizes: model.get("sizes"),
    });
    this.build(el);
    this.wire();
    this.draw();
  }

  build(el) {
    const { model, names, signal, sizes } = this;
    const [low, high] = model.get("frame");
    const label = model.get("label");
    const ticks = POWERS.map((_, k) => 10 ** k).filter((v) => v >= sizes[0] && v <= sizes.at(-1));
    const x = {
      ...logarithmic(sizes[0] / ROOM, sizes.at(-1) * ROOM),
      ticks,
      label: (v) => POWERS[Math.round(Math.log10(v))],
    };

    this.plot = new Plot({
      x,
      y: linear(low, high),
      xLabel: "number of draws _S_",
      yLabel: `estimate of ${label}`,
      signal,
      draw: () => this.drawPaths(),
      alt:
        `Estimates of ${label} against the number of draws, ` +
        "with bands of two standard errors, and a line at the exact value",
    });

    this.slider = chooser("Draws", sizes, commas);
    this.another = button("Another run");
    this.status = h("span", { class: "lx-note", "aria-live": "polite" });
    this.samplers = names.map((name, k) => this.sampler(name, k));

    this.root = h(
      "div",
      { class: "lx lr", ...OWN_KEYS },
      h(
        "p",
        { class: "lx-hint" },
        "Draw more with the slider. " +
          "Bands: \u00b1 2 standard errors, as the sampler itself reports them.",
      ),
      this.plot.el,
      h(
        "div",
        { class: "lr-controls" },
        this.slider.el,
        h("div", { class: "lr-run" }, this.another, this.status),
      ),
      this.table(),
    );
    el.append(this.root);
  }

  // A row of the table: a box to tick and the numbers
  sampler(name, k) {
    const input = h("input", { type: "checkbox" });
    const label = h("label", { class: "lx-check" }, input, this.swatch(), h("span", {}, name));
    const cells = Array.from({ length: 3 }, () => h("td"));
    return {
      input,
      cells,
      el: h("tr", { class: `lr-${k}` }, h("th", { scope: "row" }, label), ...cells),
    };
  }

  swatch() {
    return s(
      "svg",
      { class: "lr-swatch", viewBox: "0 0 26 8", "aria-hidden": "true" },
      s("path", { d: "M0 4H26" }),
    );
  }

  table() {
    const head = ["Sampler", "Estimate", "Error / SE", "ESS"].map((text) =>
      h("th", { scope: "col" }, text),
    );
    const exact = h(
      "tr",
      { class: "lr-exact" },
      h("th", { scope: "row" }, this.swatch(), h("span", {}, "exact")),
      h("td", {}, format(this.model.get("truth"), 4)),
      h("td"),
      h("td"),
    );
    return h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...head)),
      h("tbody", {}, ...this.samplers.map((one) => one.el), exact),
    );
  }

  wire() {
    const { another, model, samplers, signal, slider } = this;
    const on = (el, type, action) => el.addEventListener(type, action, { signal });
    on(slider.input, "input", () => this.put("num_samples", slider.chosen()));
    on(another, "click", () => this.put("run", (model.get("run") + 1) % model.get("num_runs")));
    const ticked = () => this.names.filter((_, k) => samplers[k].input.checked);
    for (const { input } of samplers) on(input, "change", () => this.put("shown", ticked()));

    const draw = () => this.draw();
    for (const name of ["change:num_samples", "change:run", "change:shown"]) {
      model.on(name, draw);
      signal.addEventListener("abort", () => model.off(name, draw));
    }
  }

  put(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  now() {
    return this.sizes.indexOf(this.model.get("num_samples"));
  }

  draw() {
    const { model, names, rows, samplers, slider, status } = this;
    const run = model.get("run");
    const shown = model.get("shown");
    slider.show(model.get("num_samples"));
    status.textContent = `Run ${run + 1} of ${model.get("num_runs")}`;
    samplers.forEach(({ input, cells }, k) => {
      input.checked = shown.includes(names[k]);
      const { value, error, se, ess } = rows[k][run][this.now()];
      const inSe = se < LEAST_ERROR ? "\u2013" : signed(error / se);
      const shownIn = [[format(value, 4), ` \u00b1 ${format(se, 4)}`], [inSe], [commas(ess)]];
      cells.forEach((cell, j) =>
        cell.replaceChildren(...shownIn[j].map((text) => h("span", {}, text))),
      );
    });
    this.drawPaths();
  }

  drawPaths() {
    const { model, names, plot, rows } = this;
    const { low, high } = plot.x;
    const run = model.get("run");
    const shown = model.get("shown");
    const truth = model.get("truth");
    const now = this.now();

    const bands = [];
    const lines = [];
    const ends = [];
    rows.forEach((runs, k) => {
      if (!shown.includes(names[k])) return;
      const path = runs[run];
      const used = path.slice(0, now + 1);
      const wide = now
        ? used
        : [1 / BAR, BAR].map((factor) => ({ ...used[0], size: factor * used[0].size }));
      const edge = (side) => wide.map(({ size, value, se }) => [size, value + 2 * side * se]);
      const curve = (part) => part.map(({ size, value }) => [size, value]);

      bands.push(plot.line([...edge(1), ...edge(-1).reverse()], { class: `lr-${k}` }));
      lines.push(
        plot.line(curve(path.slice(now)), { class: `lr-${k} rest` }),
        plot.line(curve(used), { class: `lr-${k}` }),
      );
      ends.push(...used.flatMap((row) => this.outside(row, k)), this.end(used.at(-1), k));
    });

    plot.show("race-bands", ...bands);
    plot.show(
      "race-exact",
      plot.line([
        [low, truth],
        [high, truth],
      ]),
    );
    plot.show("race-lines", ...lines);
    plot.show("race-ends", ...ends);
  }

  end({ size, value }, k) {
    return s("circle", { cx: this.plot.X(size), cy: this.plot.Y(value), r: 4, class: `lr-${k}` });
  }

  // An arrowhead at the edge where an estimate lies beyond it
  outside({ size, value }, k) {
    const { plot } = this;
    const side = value < plot.y.low ? -1 : value > plot.y.high ? 1 : 0;
    if (!side) return [];
    const x = plot.X(size);
    const tip = side < 0 ? plot.h - 1 : 1;
    const foot = tip + 7 * side;
    const d = `M${x - 4} ${foot}L${x + 4} ${foot}L${x} ${tip}Z`;
    return [s("path", { d, class: `lr-${k}` })];
  }
}

export default { render: mounted(Race) };
