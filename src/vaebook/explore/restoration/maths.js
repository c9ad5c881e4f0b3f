// Grey images of which blocks were measured: completed, encoded, and accepted or not.
import { decode, encode } from "../parts/mlp.js";
import { readNets } from "../parts/quantise.js";
import { Random } from "../parts/random.js";

const LEVELS = 16; // of ink
const LED = 30; // steps that accept all, on the way to images like what was measured
const LEFT_OUT = 20; // steps after them

// What does not change: the nets, the digits and the decoder's standard deviations
export function readModel(state) {
  const { labels, latent_dim, shapes, side, sigma } = state.pick(
    "labels",
    "latent_dim",
    "shapes",
    "side",
    "sigma",
  );
  const [encoder, decoder] = readNets(shapes, state.get("weights"));
  const view = state.get("images");
  const dim = side * side;
  const images = labels.map((label, n) =>
    Float64Array.from({ length: dim }, (_, d) => view.getUint8(n * dim + d) / LEVELS),
  );
  return { net: { encoder, decoder }, latentDim: latent_dim, side, sigma, images, labels };
}

// Which block each pixel lies in, counted along rows
export function blocksOf(side, factor) {
  const across = side / factor;
  return Int32Array.from({ length: side * side }, (_, d) => {
    const [row, col] = [Math.floor(d / side), d % side];
    return Math.floor(row / factor) * across + Math.floor(col / factor);
  });
}

// Mean of each block
export function pooled(image, side, factor) {
  const block = blocksOf(side, factor);
  const means = new Float64Array((side / factor) ** 2);
  image.forEach((value, d) => (means[block[d]] += value / (factor * factor)));
  return means;
}

// What was measured: blocks of factor x factor pixels, the ink (mean) of each, and which were seen.
// `share` says by how much a pixel moves when the mean of its block is to move by 1: in proportion
// to its variance.
export function measured({ side, sigma }, factor, seen, ink) {
  const block = blocksOf(side, factor);
  const total = new Float64Array((side / factor) ** 2);
  sigma.forEach((s, d) => (total[block[d]] += s * s));
  const share = sigma.map((s, d) => (factor * factor * s * s) / total[block[d]]);
  return { side, factor, seen, ink, block, share };
}

// `values` moved until the blocks have the ink that was seen
export function fitted(values, { side, factor, seen, ink, block, share }) {
  const means = pooled(values, side, factor);
  return values.map((value, d) => {
    const b = block[d];
    return seen[b] ? value + share[d] * (ink[b] - means[b]) : value;
  });
}

// E[x | z, y]
export const imageAt = (model, task, z) => fitted(decode(model.net, z), task);

const squares = (a, b) => a.reduce((total, v, d) => total + (v - b[d]) ** 2, 0);

// Minus half the squared distance of x from the decoder's mean, in its widths
const fit = (x, mean, sigma) =>
  -0.5 * x.reduce((total, v, d) => total + ((v - mean[d]) / sigma[d]) ** 2, 0);

const norm = (z) => z.reduce((total, v) => total + v * v, 0);

// Minus half the squared distance of z from q's mean, in its widths
const inside = (z, { mu, logVar }) =>
  -0.5 * z.reduce((total, v, l) => total + (v - mu[l]) ** 2 * Math.exp(-logVar[l]), 0);

// One step: complete the image, ask the encoder, accept or not.
// noise: {x (D), z (L), u}; `corrected` false accepts all.
export function moved(model, task, z, noise, corrected) {
  const { net, sigma } = model;
  const mean = decode(net, z);
  const x = fitted(
    mean.map((m, d) => m + sigma[d] * noise.x[d]),
    task,
  );
  const q = encode(net, x);
  const next = q.mu.map((m, l) => m + Math.exp(q.logVar[l] / 2) * noise.z[l]);
  const gain =
    fit(x, decode(net, next), sigma) -
    fit(x, mean, sigma) +
    (norm(z) - norm(next)) / 2 +
    inside(z, q) -
    inside(next, q);
  const accept = corrected ? Math.exp(Math.min(0, gain)) : 1;
  return { z: noise.u < accept ? next : z, accept };
}

// Several chains, and the mean and spread of all images on their way
export class Run {
  // options: {model, task, count (of chains), seed}
  constructor({ model, task, count, seed }) {
    Object.assign(this, { model, task, random: new Random(seed), steps: 0, kept: 0 });
    this.chains = Array.from({ length: count }, () => this.random.normals(model.latentDim));
    this.images = this.chains.map((z) => imageAt(model, task, z));
    this.sums = this.chains.map(() => new Float64Array(task.block.length));
    this.squares = this.chains.map(() => new Float64Array(task.block.length));
    this.accepted = 0;
  }

  step() {
    const { chains, model, random, task } = this;
    const corrected = this.steps >= LED;
    this.chains = chains.map((z) => {
      const noise = {
        x: random.normals(task.block.length),
        z: random.normals(model.latentDim),
        u: random.uniform(),
      };
      const one = moved(model, task, z, noise, corrected);
      if (corrected) this.accepted += one.accept;
      return one.z;
    });
    this.steps += 1;
    if (this.steps > LED + LEFT_OUT) this.keep();
  }

  keep() {
    this.look();
    this.images.forEach((image, k) => {
      image.forEach((v, d) => {
        this.sums[k][d] += v;
        this.squares[k][d] += v * v;
      });
    });
    this.kept += 1;
  }

  look() {
    this.images = this.chains.map((z) => imageAt(this.model, this.task, z));
  }

  get acceptance() {
    const tried = (this.steps - LED) * this.chains.length;
    return tried > 0 ? this.accepted / tried : 1;
  }

  // Mean and variance of each pixel, a pair for each chain, over what was kept
  get perChain() {
    const { kept, squares: sq, sums } = this;
    return sums.map((sum, k) => {
      const mean = sum.map((v) => v / kept);
      return { mean, variance: sq[k].map((v, d) => Math.max(0, v / kept - mean[d] ** 2)) };
    });
  }

  // Of each pixel: mean and standard deviation over what was kept, or over the chains as they are
  get spread() {
    const { images, kept, task } = this;
    const none = new Float64Array(task.block.length);
    const all = kept > 0 ? this.perChain : images.map((mean) => ({ mean, variance: none }));
    const { between, mean } = ofMeans(all);
    const sd = between.map((b, d) => Math.sqrt(b + average(all, "variance", d)));
    return { mean, sd };
  }

  // R-hat of the pixels together: 1 where chains are as far apart as each is wide
  get agreement() {
    const { kept } = this;
    const all = this.perChain;
    const widths = Array.from(this.task.block, (_, d) => average(all, "variance", d));
    const within = (widths.reduce((t, v) => t + v, 0) * kept) / (kept - 1);
    const count = all.length;
    const apart = (ofMeans(all).between.reduce((t, v) => t + v, 0) * count) / (count - 1);
    return Math.sqrt((kept - 1) / kept + apart / within);
  }
}

const average = (all, part, d) => all.reduce((total, one) => total + one[part][d], 0) / all.length;

// Mean and variance of the chains' means, of each pixel
function ofMeans(all) {
  const mean = all[0].mean.map((_, d) => average(all, "mean", d));
  const between = mean.map(
    (m, d) => all.reduce((total, one) => total + (one.mean[d] - m) ** 2, 0) / all.length,
  );
  return { mean, between };
}

// Peak signal to noise ratio, dB, of ink from 0 to 1
export const psnr = (found, truth) => -10 * Math.log10(squares(found, truth) / truth.length);
