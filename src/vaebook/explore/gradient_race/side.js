// One estimator of the race: its numbers over the histogram of its estimates.
import { panel } from "../parts/controls.js";
import { commas, format, h } from "../parts/dom.js";
import { Plot } from "../parts/plot.js";
import { clamp, linear, steps } from "../parts/scales.js";
import { tally, variance } from "./maths.js";

// Times a power of ten: where the vertical axis may end
const TOPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
// Pixels left of a cut bar for its height
const ROOM = 56;

function endOfAxis(height) {
  const power = 10 ** Math.floor(Math.log10(height));
  return power * TOPS.find((top) => top * power >= height);
}

// options: {name, kind, xLabel, picture: {half, bins, cut}, shape: {batches}, draw(), signal}
export class Side {
  constructor({ name, kind, xLabel, picture, shape, draw, signal }) {
    const batches = commas(shape.batches);
    this.picture = picture;
    this.plot = new Plot({
      x: linear(-1, 1),
      y: linear(0, 1),
      xLabel,
      yLabel: `batches, of ${batches}`,
      draw,
      signal,
      alt:
        `Histogram of ${batches} estimates: ${name}. ` +
        "A line at the true gradient, a band of one standard deviation to each side",
    });
    const words = ["Variance per draw", "measured", "SD of a batch"];
    this.numbers = words.map(() => h("dd", { class: "vb-number" }));
    this.el = panel(
      name,
      h("dl", {}, ...words.map((word, k) => h("div", {}, h("dt", {}, word), this.numbers[k]))),
      this.plot.el,
    );
    this.el.classList.add(`gradient-race-${kind}`);
  }

  // gradient and spread (of one draw) are exact.
  show(values, { gradient, spread, batch, batches, target }) {
    const { cut, headroom } = this.picture;
    const half = this.picture.half[target];
    const bins = this.picture.bins[batch];
    const sd = Math.sqrt(spread / batch);
    const numbers = [spread, batch * variance(values), sd];
    numbers.forEach((v, k) => (this.numbers[k].textContent = format(v)));

    const found = tally(values, half, bins);
    const width = (2 * half) / bins;
    const peak = (batches * width) / (sd * Math.sqrt(2 * Math.PI));
    const tallest = Math.max(...found.counts.slice(1, -1));
    const top = endOfAxis(headroom * clamp(tallest, peak, cut * peak));

    Object.assign(this.plot, { x: linear(-half, half, 6), y: linear(0, top, 2) });
    this.plot.drawAxes();
    this.draw(found, { gradient, sd, peak, half, width });
    this.name(found, { gradient, half, width, tallest });
  }

  draw({ counts }, { gradient, sd, peak, half, width }) {
    const { plot } = this;
    const bars = counts.flatMap((count, k) => [
      [k * width - half, count],
      [(k + 1) * width - half, count],
    ]);
    const normal = (u) => [gradient + u * sd, peak * Math.exp((-u * u) / 2)];

    plot.show("race-band", plot.bar([gradient - sd, gradient + sd], [0, plot.y.high]));
    plot.show("race-bars", plot.line([[-half, 0], ...bars, [half, 0]]));
    plot.show("race-normal", plot.line(steps(-4, 4, 160).map(normal)));
    plot.show("race-truth", plot.upright(gradient));
  }

  // The numbers of estimates beyond the axis, and the height of a bar that is cut
  name({ counts, below, above }, { gradient, half, width, tallest }) {
    const { plot } = this;
    const { high: top } = plot.y;
    const put = (words, at, left) =>
      plot.text([at, top], words, {
        dy: 16,
        dx: left ? -6 : 6,
        "text-anchor": left ? "end" : "start",
      });

    const names = [
      [below, -half, false],
      [above, half, true],
    ].filter(([count]) => count);
    const shapes = names.map(([count, ...place]) => put(`${commas(count)} beyond`, ...place));

    const at = (counts.indexOf(tallest) + 0.5) * width - half;
    if (tallest > top) {
      const left = at < gradient && plot.X(at) > ROOM;
      shapes.push(put(`${tallest} \u2191`, at, left));
    }
    plot.show("race-names", ...shapes);
  }
}
