// The log-likelihood over mean and standard deviation: contours, the walk of steps, and a ring.
import { format } from "../parts/dom.js";
import { contour } from "../parts/gaussian.js";
import { Handle } from "../parts/handle.js";
import { Plot } from "../parts/plot.js";

// Pixels: a contour less high has no room for its name
const LEAST_HEIGHT = 30;
// Of a key: a share of the axis of mu, a factor of sigma
const STEPS = 80;
const STRETCH = 1.02;

export class Contours {
  // options: {across, up (scales), fit (of summarise), best [mu, sigma], levels (nats below the
  // maximum), home, onMove([mu, sigma]), draw(), signal}
  constructor({ across, up, fit, best, levels, home, onMove, draw, signal }) {
    Object.assign(this, { fit, best, levels });
    this.plot = new Plot({
      x: across,
      y: up,
      xLabel: "mean _\u03bc_",
      yLabel: "standard deviation _\u03c3_",
      draw,
      signal,
      alt:
        "Contours of the log-likelihood over the mean \u03bc and the standard deviation \u03c3, " +
        "around its maximum",
    });
    const step = (across.high - across.low) / STEPS;
    this.handle = new Handle({
      plot: this.plot,
      signal,
      home,
      onMove: (...at) => onMove(at),
      label:
        "Mean \u03bc and standard deviation \u03c3; arrow keys move them, " +
        "Shift for larger steps, Home for the start",
      step: ([m, s], dx, dy) => [m + dx * step, s * STRETCH ** dy],
    });
  }

  // Is a point not above the picture?
  holds([, sigma]) {
    return sigma <= this.plot.y.high;
  }

  drawLevels() {
    const { best, fit, levels, plot } = this;
    const curves = levels.map((drop) => contour(fit, drop, [plot.y.low, plot.y.high]));
    plot.show("levels", ...[...curves].reverse().map((points) => plot.line(points)));
    plot.show("names", ...curves.flatMap((points, k) => this.name(points, levels[k])));
    plot.show("top", plot.text(best, "+"));
  }

  // A contour's label, at its top if that is in view; none where the contour is small.
  name(points, level) {
    const { plot } = this;
    const bottom = points[0];
    const top = points[(points.length - 1) >> 1];
    if (plot.Y(bottom[1]) - plot.Y(top[1]) < LEAST_HEIGHT) return [];
    return [plot.text(top[1] < plot.y.high ? top : bottom, format(-level, 0))];
  }

  // walk: points, the last of them the present one; total: its log-likelihood
  drawWalk(walk, at, total) {
    const { handle, plot } = this;
    const dots = walk.slice(0, -1).map((point) => plot.segment(point, point));
    plot.show("walk", plot.line(walk), ...dots);
    const point = `\u03bc ${format(at[0])}, \u03c3 ${format(at[1])}`;
    handle.show(at, `${point}, log-likelihood ${format(total)} nats`);
  }
}
