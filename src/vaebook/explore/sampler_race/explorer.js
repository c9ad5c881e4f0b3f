// A race of samplers: log p(x) by importance sampling against the number of draws.
// State lives in the traits num_samples (one of sizes), run and shown (names).
import { among, button, check, hint, nearestRatio, slider } from "../parts/controls.js";
import { commas, explorer, format, h, say } from "../parts/dom.js";
import { s } from "../parts/plot.js";
import { mounted } from "../parts/state.js";
import { readRows, sampleSize } from "./maths.js";
import { Lanes } from "./lanes.js";

export { readRows, sampleSize };

// Nats: a smaller standard error is rounding, and no unit to count in
const LEAST_ERROR = 1e-6;

const signed = (v) => (v > 0 ? "+" : "") + format(v, 1);

// A piece of a line
const swatch = ({ colour, dash }) =>
  s(
    "svg",
    { class: "sampler-race-swatch", viewBox: "0 0 26 8", "aria-hidden": "true" },
    s("path", {
      d: "M0 4H26",
      style: `stroke: var(--vb-${colour}); stroke-dasharray: ${dash.join(" ") || "none"}`,
    }),
  );

class Race {
  constructor(state) {
    Object.assign(this, { state, rows: readRows(state) });
    this.build();
    this.root = this.layout();
    this.wire();
  }

  build() {
    const { rows, state } = this;
    const { frame, label, names, picture } = state.pick("frame", "label", "names", "picture");
    const { sizes, truth } = state.pick("sizes", "truth");
    const lines = picture.lines.slice(0, names.length);
    this.lanes = new Lanes({
      rows,
      sizes,
      frame,
      label,
      truth,
      lines,
      room: picture.room,
      bar: picture.bar,
      draw: () => this.drawLanes(),
      signal: state.signal,
    });
    this.draws = slider({ name: "Draws", track: among(sizes, nearestRatio), words: commas });
    this.another = button("Another run");
    this.status = h("span", { class: "vb-note", "aria-live": "polite" });
    this.samplers = names.map((name, k) => ({
      name,
      box: check(swatch(lines[k]), h("span", {}, name)),
      cells: Array.from({ length: 3 }, () => h("td")),
    }));
  }

  layout() {
    const { another, draws, lanes, status } = this;
    return explorer(
      "sampler-race wide",
      hint(
        "Draw more with the slider. " +
          "Bands: \u00b1 2 standard errors, as the sampler itself reports them.",
      ),
      lanes.plot.el,
      h(
        "div",
        { class: "sampler-race-controls" },
        draws.el,
        h("div", { class: "sampler-race-run" }, another, status),
      ),
      this.table(),
    );
  }

  table() {
    const head = ["Sampler", "Estimate", "Error / SE", "ESS"].map((text) =>
      h("th", { scope: "col" }, text),
    );
    const rows = this.samplers.map(({ box, cells }, k) =>
      h("tr", { class: `sampler-race-${k}` }, h("th", { scope: "row" }, box.el), ...cells),
    );
    const exact = h(
      "tr",
      { class: "sampler-race-exact" },
      h("th", { scope: "row" }, swatch({ colour: "ink", dash: [] }), h("span", {}, "exact")),
      h("td", {}, format(this.state.get("truth"), 4)),
      h("td"),
      h("td"),
    );
    return h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows, exact));
  }

  wire() {
    const { another, draws, samplers, state } = this;
    state.bind("num_samples", draws);
    state.listen(another, "click", () => {
      state.put({ run: (state.get("run") + 1) % state.get("num_runs") });
    });
    for (const { box, name } of samplers) {
      box.onChange(state.listen, (ticked) => this.include(name, ticked));
    }
    state.watch(["num_samples", "run", "shown"], () => this.draw());
  }

  // Samplers stay in their order.
  include(name, ticked) {
    const { names, shown } = this.state.pick("names", "shown");
    const kept = (one) => (one === name ? ticked : shown.includes(one));
    this.state.put({ shown: names.filter(kept) });
  }

  // Place of the draws in use among the sizes
  now() {
    return this.state.get("sizes").indexOf(this.state.get("num_samples"));
  }

  draw() {
    const { draws, rows, samplers, state, status } = this;
    const {
      num_runs: numRuns,
      num_samples: size,
      run,
      shown,
    } = state.pick("num_runs", "num_samples", "run", "shown");
    draws.show(size);
    say(status, `Run ${run + 1} of ${numRuns}`);
    samplers.forEach(({ box, cells, name }, k) => {
      box.show(shown.includes(name));
      const { value, error, se, ess } = rows[k][run][this.now()];
      const inSe = se < LEAST_ERROR ? "\u2013" : signed(error / se);
      const shownIn = [[format(value, 4), ` \u00b1 ${format(se, 4)}`], [inSe], [commas(ess)]];
      cells.forEach((cell, j) =>
        cell.replaceChildren(...shownIn[j].map((text) => h("span", {}, text))),
      );
    });
    this.drawLanes();
  }

  drawLanes() {
    const { lanes, samplers, state } = this;
    const { run, shown } = state.pick("run", "shown");
    lanes.draw({ run, now: this.now(), kept: samplers.map(({ name }) => shown.includes(name)) });
  }
}

export default { render: mounted(Race) };
