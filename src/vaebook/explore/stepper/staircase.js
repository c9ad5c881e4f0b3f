// The log-likelihood and the bound over the half-steps of a run: a staircase.
import { format } from "../parts/dom.js";
import { Plot } from "../parts/plot.js";
import { linear } from "../parts/scales.js";

export class Staircase {
  constructor({ top, best, draw, signal }) {
    Object.assign(this, { top, best });
    this.plot = new Plot({
      x: linear(0, 1),
      y: linear(0, 1),
      xLabel: "iterations done",
      yLabel: "nats, all data",
      draw,
      signal,
      alt: "Log-likelihood and bound at each half-step of the run: both only rise",
    });
  }

  // bounds and logLik as fitEm gives them; step: half-steps done
  draw({ path, logLik, bounds }, step) {
    const { plot } = this;
    const last = Math.max(2 * path.length - 3, 0);
    const steps = Array.from({ length: last + 1 }, (_, h) => h);
    const rising = steps.map((h) => [h, logLik[Math.ceil(h / 2)]]);
    const bound = steps.map((h) => [h, h % 2 ? bounds[(h + 1) / 2] : logLik[h / 2]]);
    this.rescale(last, logLik);

    plot.show("em-best", ...(this.best === null ? [] : [plot.level(this.best)]));
    plot.show("em-rest", plot.line(bound), plot.line(rising));
    plot.show("em-bound", plot.line(bound.slice(0, step + 1)));
    plot.show("em-lik", plot.line(rising.slice(0, step + 1)));
    plot.show("em-now", plot.upright(step, plot.y.low, Math.max(this.top, logLik.at(-1))));

    const only = plot.dot([0, logLik[0]], { r: 4 });
    plot.show("em-marks", ...(last > 0 ? [] : [only]));
    plot.show("em-words", ...this.bestWords());
  }

  bestWords() {
    const { best, plot } = this;
    if (best === null) return [];
    const place = { dx: -8, dy: -6, class: "end" };
    return [plot.text([plot.x.high, best], `best start: ${format(best, 3)}`, place)];
  }

  // Upwards from the run's first height, to the best known
  rescale(last, logLik) {
    const { plot } = this;
    const [start, end] = [logLik[0], logLik.at(-1)];
    const [bottom, top] = [Math.min(start, end - 20), Math.max(this.top, end)];
    const iterations = linear(0, Math.max(last, 9) / 2, 8).ticks.filter(Number.isInteger);
    plot.x = {
      ...linear(-0.5, Math.max(last, 9) + 0.5),
      ticks: iterations.map((t) => 2 * t),
      label: (h) => String(h / 2),
    };
    plot.y = linear(bottom - 0.06 * (top - bottom), top + 0.22 * (top - bottom), 4);
    plot.drawAxes();
  }
}
