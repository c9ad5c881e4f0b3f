// Bars of the eigenvalues on a log axis, and the line of the noise variance with a ring to drag.
import { format } from "../parts/dom.js";
import { Handle } from "../parts/handle.js";
import { Plot } from "../parts/plot.js";
import { linear, logarithmic } from "../parts/scales.js";

// Of the ring, after the last bar
const PLACE = 1.45;
// Of a key, over the axis
const STEPS = 100;

// A handle that moves up and down only
class Line extends Handle {
  constructor(options) {
    super(options);
    this.el.removeAttribute("aria-roledescription");
    this.el.setAttribute("aria-orientation", "vertical");
  }

  value([, noise]) {
    const { low, high } = this.plot.y;
    return { min: low.toPrecision(3), max: high.toPrecision(3), now: format(noise, 4) };
  }
}

export class SpectrumPlot {
  // options: {most, half (of a bar), left, ticks (of the axis), frame: [low, high] of the variance,
  // onMove(noise), draw(), signal}
  constructor({ most, half, left, ticks, frame, onMove, draw, signal }) {
    Object.assign(this, { most, half });
    const x = {
      ...linear(left, most + 2.4),
      ticks: ticks.filter((i) => i <= most),
      label: String,
    };
    const y = logarithmic(...frame);
    this.plot = new Plot({
      x,
      y,
      xLabel: "direction _i_",
      yLabel: "eigenvalue _\u03bb_, and _\u03c3_\u00b2",
      draw,
      signal,
      alt: `The first ${most} eigenvalues as bars on a log axis, and a line at the noise variance`,
    });
    const size = Math.log(frame[1] / frame[0]) / STEPS;
    this.handle = new Line({
      plot: this.plot,
      label: "noise variance \u03c3\u00b2, the line",
      signal,
      onMove: (_, noise) => onMove(noise),
      step: ([at, noise], dx, dy) => [at, noise * Math.exp((dx + dy) * size)],
    });
  }

  // best: the variance that the Home key leads to
  draw({ eigenvalues, count, noise, alive, best, spoken }) {
    const { half, handle, most, plot } = this;
    const { low, high } = plot.y;
    const block = (i, from, to) =>
      plot.bar([i - half, i + half], [Math.max(from, low), Math.max(to, low)]);
    const bars = (from, to, bar) => eigenvalues.slice(from, to).map((v, k) => bar(from + k + 1, v));
    const whole = (i, v) => block(i, low, v);

    plot.show("sp-off", ...bars(count, most, whole));
    plot.show("sp-dead", ...bars(alive, count, whole));
    plot.show("sp-below", ...bars(0, alive, (i) => block(i, low, noise)));
    plot.show("sp-above", ...bars(0, alive, (i, v) => block(i, noise, v)));

    const offer = count + 0.5;
    plot.show("sp-offer", plot.upright(offer));
    const [dx, side] = count < most / 2 ? [5, "start"] : [-5, "end"];
    const place = { dx, dy: 13, "text-anchor": side };
    plot.show("sp-word", plot.text([offer, high], `_L_ = ${count}`, place));

    plot.show("sp-line", plot.level(noise));
    handle.home = [0, best];
    handle.show([most + PLACE, noise], spoken);
  }
}
