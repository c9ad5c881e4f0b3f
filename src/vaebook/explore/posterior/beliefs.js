// What is believed about the mean: prior, likelihood and posterior on one axis of density.
import { density } from "../parts/gaussian.js";
import { Plot } from "../parts/plot.js";
import { linear } from "../parts/scales.js";
import { curve } from "./maths.js";

export class Beliefs {
  // options: {across (a scale), draw(), signal}
  constructor({ across, draw, signal }) {
    this.plot = new Plot({
      x: across,
      y: linear(0, 1),
      xLabel: "mean _\u03bc_",
      yLabel: "density",
      draw,
      signal,
      alt:
        "Densities over the mean: the prior, the likelihood scaled to area 1, " +
        "and the posterior, which narrows as data arrive",
    });
  }

  // Three Gaussians; the posterior is the narrowest, so its peak is the highest.
  draw({ prior, likelihood, posterior }) {
    const { plot } = this;
    const { low, high } = plot.x;
    const line = (gaussian) => plot.line(curve(density, gaussian, [low, high]));
    plot.y = linear(0, 1.1 * density(posterior[0], posterior), 4);
    plot.drawAxes();
    plot.show(
      "posterior-fill",
      plot.line([[low, 0], ...curve(density, posterior, [low, high]), [high, 0]]),
    );
    plot.show("posterior-likelihood", ...(likelihood[1] < Infinity ? [line(likelihood)] : []));
    plot.show("posterior-posterior", line(posterior));
    plot.show("posterior-prior", line(prior));
  }
}
