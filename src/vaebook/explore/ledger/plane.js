// The plane of two latents: the exact posterior of an image, and q's ellipses over it.
import { format } from "../parts/dom.js";
import { Handle } from "../parts/handle.js";
import { ellipse, Plot } from "../parts/plot.js";
import { clamp, linear } from "../parts/scales.js";

export class Plane {
  // options: {bound, onMove(mu), draw(), signal}
  constructor({ bound, onMove, draw, signal }) {
    this.half = bound;
    this.plot = new Plot({
      x: linear(-bound, bound),
      y: linear(-bound, bound),
      xLabel: "_z_\u2081",
      yLabel: "_z_\u2082",
      draw,
      signal,
      alt:
        "Where half and where 95 per cent of the exact posterior lie, " +
        "under the ellipses one and two standard deviations from the mean of q",
    });
    this.handle = new Handle({
      plot: this.plot,
      label: "Mean of q; arrow keys move it, Shift for larger steps, Home for the encoder's",
      home: [0, 0],
      onMove: (...at) => onMove(at.map((v) => clamp(v, -bound, bound))),
      step: ([a, b], dx, dy) => [a + (dx * this.half) / 60, b + (dy * this.half) / 60],
      signal,
    });
  }

  // The window of an image holds its posterior and the encoder's q.
  look({ centre, half }) {
    const { plot } = this;
    const [x, y] = centre.map((v) => linear(v - half, v + half));
    if (plot.x.low === x.low && plot.x.high === x.high && plot.y.low === y.low) return;
    this.half = half;
    Object.assign(plot, { x, y });
    plot.drawAxes();
  }

  draw(one, q, worth) {
    const { handle, plot } = this;
    this.look(one.view);
    const [wide, narrow] = one.curves;
    const closed = (curves) => curves.map((points) => plot.line(points));
    plot.show("lg-wide", ...closed(wide));
    plot.show("lg-narrow", ...closed(narrow));

    const [a, b] = q.sigma.map((v) => v * v);
    const rings = [2, 1].map((k) => {
      const around = ellipse(
        q.mu,
        [
          [a, 0],
          [0, b],
        ],
        k,
      );
      return plot.line(around);
    });
    plot.show("lg-q", ...rings);
    handle.home = one.encoded.mu;
    handle.show(q.mu, `z1 ${format(q.mu[0])}, z2 ${format(q.mu[1])}, ${worth}`);
  }
}
