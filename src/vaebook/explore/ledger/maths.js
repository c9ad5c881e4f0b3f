// A Gaussian q over the posterior of an image: its ELBO by quadrature, the importance-weighted
// bound from fixed draws, and Adam's climb to the best q. All in nats.
import { affine, bernoulliLogProb, decodeFloat16, sigmoid, silu } from "../parts/mlp.js";
import { unpackBits } from "../parts/mlp.js";
import { readNets } from "../parts/quantise.js";
import { clamp } from "../parts/scales.js";

const LOG_2PI = Math.log(2 * Math.PI);
const LATENTS = [0, 1];

// What does not change: the decoder, the images, and what expectations are taken with
export function readLedger(state) {
  const { cases, labels, nodes, side } = state.pick("cases", "labels", "nodes", "side");
  const noise = decodeFloat16(state.get("eps"));
  const [net] = readNets(state.get("shapes"), state.get("weights"));
  const images = unpackBits(state.get("images"), labels.length, side * side);
  return {
    net,
    side,
    labels,
    cases: cases.map((one, n) => ({ ...one, x: images[n] })),
    nodes: nodes.map(([a, b]) => [a, b]),
    weights: nodes.map(([, , w]) => w),
    eps: Array.from({ length: noise.length / 2 }, (_, s) => [noise[2 * s], noise[2 * s + 1]]),
  };
}

// What each layer gives to the next, before and after its SiLU
function forward(net, z) {
  const before = [];
  let h = z;
  net.forEach((layer, k) => {
    before.push(affine(layer, h));
    h = k < net.length - 1 ? before[k].map(silu) : before[k];
  });
  return { before, logits: h };
}

const logPrior = ([a, b]) => -LOG_2PI - (a * a + b * b) / 2;

// log p(x, z)
export const logJoint = (net, x, z) => bernoulliLogProb(x, forward(net, z).logits) + logPrior(z);

function backward({ rows, cols, weight }, slope) {
  const below = new Float64Array(rows);
  for (let j = 0, k = 0; j < cols; j++) {
    for (let i = 0; i < rows; i++, k++) below[i] += weight[k] * slope[j];
  }
  return below;
}

const siluSlope = (a) => sigmoid(a) * (1 + a * (1 - sigmoid(a)));

// Its gradient in z
export function slopeAt(net, x, z) {
  const { before, logits } = forward(net, z);
  let slope = logits.map((logit, d) => x[d] - sigmoid(logit));
  for (let k = net.length - 1; k >= 0; k--) {
    slope = backward(net[k], slope);
    if (k > 0) slope = slope.map((v, i) => v * siluSlope(before[k - 1][i]));
  }
  return LATENTS.map((l) => slope[l] - z[l]);
}

const placed = ({ mu, sigma }, eps) => LATENTS.map((l) => mu[l] + sigma[l] * eps[l]);

export function elbo({ net, nodes, weights }, x, q) {
  const energy = nodes.reduce(
    (total, node, g) => total + weights[g] * logJoint(net, x, placed(q, node)),
    0,
  );
  return energy + LOG_2PI + 1 + Math.log(q.sigma[0]) + Math.log(q.sigma[1]);
}

// In the mean and the log standard deviations
function elboSlope({ net, nodes, weights }, x, q) {
  const total = [0, 0, 1, 1];
  nodes.forEach((node, g) => {
    const slope = slopeAt(net, x, placed(q, node));
    for (const l of LATENTS) {
      total[l] += weights[g] * slope[l];
      total[2 + l] += weights[g] * slope[l] * q.sigma[l] * node[l];
    }
  });
  return total;
}

function logMeanExp(values) {
  const most = Math.max(...values);
  const sum = values.reduce((total, v) => total + Math.exp(v - most), 0);
  return most + Math.log(sum / values.length);
}

// Log importance weights of the fixed draws
function logWeights({ eps, net }, x, q) {
  const logScale = Math.log(q.sigma[0]) + Math.log(q.sigma[1]);
  return eps.map((e) => logJoint(net, x, placed(q, e)) - logPrior(e) + logScale);
}

// The bound with so many draws: a mean over blocks of the same draws for every number
export function weightedBound(ledger, x, q, draws) {
  const all = logWeights(ledger, x, q);
  const blocks = Array.from({ length: all.length / draws }, (_, k) =>
    logMeanExp(all.slice(k * draws, (k + 1) * draws)),
  );
  return blocks.reduce((total, v) => total + v, 0) / blocks.length;
}

// All that is shown of a q
export function gapsOf(ledger, one, q, draws) {
  const own = elbo(ledger, one.x, q);
  one.bestElbo ??= elbo(ledger, one.x, one.best);
  return {
    logEvidence: one.log_evidence,
    elbo: own,
    amortisation: one.bestElbo - own,
    approximation: one.log_evidence - one.bestElbo,
    weighted: weightedBound(ledger, one.x, q, draws),
  };
}

// A climb of the ELBO by Adam from a q; `next()` takes a step, and `more` says whether one is left.
export class Climb {
  // options: {ledger, x, adam, reach, q}
  constructor({ ledger, x, adam, reach, q }) {
    Object.assign(this, { ledger, x, adam, q, done: 0 });
    this.ends = reach.map(Math.log);
    this.first = [0, 0, 0, 0];
    this.second = [0, 0, 0, 0];
  }

  get more() {
    return this.done < this.adam.steps;
  }

  next() {
    const { decay, rate, steps, tiny } = this.adam;
    const slope = elboSlope(this.ledger, this.x, this.q);
    const running = (old, now, share) => old.map((v, k) => share * v + (1 - share) * now[k]);
    this.first = running(this.first, slope, decay[0]);
    this.second = running(
      this.second,
      slope.map((v) => v * v),
      decay[1],
    );

    const now = rate * 0.5 * (1 + Math.cos((Math.PI * this.done) / steps));
    this.done += 1;
    const [a, b] = decay.map((share) => 1 - share ** this.done);
    const move = this.first.map((v, k) => (now * (v / a)) / (Math.sqrt(this.second[k] / b) + tiny));
    const { mu, sigma } = this.q;
    this.q = {
      mu: mu.map((v, l) => v + move[l]),
      sigma: sigma.map((v, l) => Math.exp(clamp(Math.log(v) + move[2 + l], ...this.ends))),
    };
    return this.q;
  }
}
