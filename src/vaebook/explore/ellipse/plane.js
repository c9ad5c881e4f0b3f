// The plane of the ELBO ellipse: contours of the posterior, q's ellipses, and three handles on q.
import { format } from "../parts/dom.js";
import { Handle } from "../parts/handle.js";
import { ellipse, Plot } from "../parts/plot.js";
import { clamp, linear } from "../parts/scales.js";
import { contours, covOf, tip } from "./maths.js";

// Of a key: degrees, and a factor
const TURN = 3;
const STRETCH = 1.04;

// One of several handles that may overlap: the nearest takes a press.
class Ring extends Handle {
  constructor(options) {
    super(options);
    this.others = options.others;
    this.others.push(this);
  }

  // A key may lead anywhere: the plane has no edge for it.
  jump(at) {
    this.onMove(...at);
  }

  distance({ clientX, clientY }) {
    const { left, top, width, height } = this.el.getBoundingClientRect();
    return Math.hypot(left + width / 2 - clientX, top + height / 2 - clientY);
  }

  holds(event) {
    const { others } = this;
    if (!others.some(({ el }) => el === event.target)) return false;
    return this === others.reduce((a, b) => (b.distance(event) < a.distance(event) ? b : a));
  }

  press(event) {
    if (this.holds(event)) super.press(event);
  }
}

// options: {bound, drops (nats below the mode), home (a q), reach (of the lengths),
// now() (the present q), onMove(q), draw(), signal}
export class Plane {
  constructor({ bound, drops, home, reach, now, onMove, draw, signal }) {
    Object.assign(this, { bound, drops, home, reach, now, onMove });
    this.plot = new Plot({
      x: linear(-bound, bound),
      y: linear(-bound, bound),
      xLabel: "_z_\u2081",
      yLabel: "_z_\u2082",
      draw,
      signal,
      alt:
        "Contours of the posterior density, " +
        "under the ellipses one and two standard deviations from the mean of q",
    });

    const others = [];
    const shared = { plot: this.plot, others, signal };
    const step = bound / 60;
    this.rings = [0, 1].map(
      (k) =>
        new Ring({
          ...shared,
          onMove: (...at) => this.pull(k, at),
          step: (_, dx, dy) => this.turned(k, dx, dy),
          label:
            `End of ${k ? "second" : "first"} axis of q; ` +
            "left and right arrow turn it, up and down stretch it, Home for the start",
        }),
    );
    this.rings.push(
      new Ring({
        ...shared,
        home: home.mu,
        onMove: (...at) => onMove({ ...now(), mu: at.map((v) => clamp(v, -bound, bound)) }),
        label: "Mean of q; arrow keys move it, Shift for larger steps, Home for the start",
        step: ([a, b], dx, dy) => [a + dx * step, b + dy * step],
      }),
    );
    this.rings.forEach(({ el }, k) => el.classList.toggle("ellipse-knob", k < 2));
  }

  // Axis k ends where it is pulled to; the other keeps its length.
  pull(k, [a, b]) {
    const { mu, lengths } = this.now();
    const [across, up] = [a - mu[0], b - mu[1]];
    const angle = (Math.atan2(up, across) * 180) / Math.PI - 90 * k;
    const length = clamp(Math.hypot(across, up) / 2, ...this.reach);
    this.onMove({
      mu,
      lengths: lengths.map((old, i) => (i === k ? length : old)),
      angle: angle <= -180 ? angle + 360 : angle,
    });
  }

  turned(k, dx, dy) {
    const { mu, lengths, angle } = this.now();
    return tip(
      { mu, lengths: lengths.map((length) => length * STRETCH ** dy), angle: angle - TURN * dx },
      k,
    );
  }

  // One unit is as long up as across.
  square() {
    const { bound, plot } = this;
    const half = (bound * plot.h) / plot.w;
    if (plot.y.high === half) return;
    plot.y = linear(-half, half);
    plot.drawAxes();
  }

  draw(target, q, worth) {
    const { home, plot, rings } = this;
    this.square();
    if (target !== this.target || plot.w !== this.w || plot.h !== this.h) this.drawTarget(target);
    const cov = covOf(q);
    plot.show("el-q", ...[2, 1].map((k) => plot.line(ellipse(q.mu, cov, k))));
    plot.show("el-axes", ...[0, 1].map((k) => plot.segment(q.mu, tip(q, k))));

    const { mu, lengths, angle } = q;
    [0, 1].forEach((k) => {
      const degrees = format(angle + 90 * k, 0);
      const spoken = `standard deviation ${format(lengths[k])} at ${degrees} degrees, ${worth}`;
      rings[k].home = tip({ mu, lengths: home.lengths, angle: home.angle }, k);
      rings[k].show(tip(q, k), spoken);
    });
    rings[2].show(q.mu, `z1 ${format(q.mu[0])}, z2 ${format(q.mu[1])}, ${worth}`);
  }

  drawTarget(target) {
    const { plot } = this;
    Object.assign(this, { target, w: plot.w, h: plot.h });
    plot.show(
      "el-p",
      ...this.drops
        .flatMap((drop) => contours(target, drop))
        .map((points) => plot.line([...points, points[0]])),
    );
    const at = [plot.x.high, plot.y.high];
    plot.show(
      "el-names",
      plot.text(at, "posterior _p_(_z_ | _x_)", { dx: -8, dy: 18 }),
      plot.text(at, "_q_(_z_)", { dx: -8, dy: 36, class: "q" }),
    );
  }
}
