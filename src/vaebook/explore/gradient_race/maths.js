// Two estimators of the gradient of E f(x) for x = theta + eps, eps ~ N(0, 1):
// what is exact, and estimates from seeded noise in so many batches of `largest` numbers.
import { commas, format } from "../parts/dom.js";

// In closed form: the gradient and the means of f, f'^2, f eps^2 and f^2 eps^2
const square = {
  f: (x) => x * x,
  slope: (x) => 2 * x,
  means: (t) => ({
    gradient: 2 * t,
    f: t * t + 1,
    slope2: 4 * (t * t + 1),
    weighted: t * t + 3,
    weighted2: t ** 4 + 18 * t * t + 15,
  }),
};

function cosine(k) {
  // Of cos(m x)
  const mean = (m, t) => Math.exp((-m * m) / 2) * Math.cos(m * t);
  return {
    f: (x) => Math.cos(k * x),
    slope: (x) => -k * Math.sin(k * x),
    means: (t) => ({
      gradient: -k * Math.exp((-k * k) / 2) * Math.sin(k * t),
      f: mean(k, t),
      slope2: (k * k * (1 - mean(2 * k, t))) / 2,
      weighted: (1 - k * k) * mean(k, t),
      weighted2: (1 + (1 - 4 * k * k) * mean(2 * k, t)) / 2,
    }),
  };
}

const TARGETS = { square, "cos x": cosine(1), "cos 2x": cosine(2), "cos 4x": cosine(4) };

// Gradient, baseline b, and the variance per draw of both estimators.
// setting: {target, theta, baseline}
export function exact({ target, theta, baseline }) {
  const { gradient, f, slope2, weighted, weighted2 } = TARGETS[target].means(theta);
  const b = { none: 0, mean: f, optimal: weighted }[baseline];
  const score = weighted2 - 2 * b * weighted + b * b - gradient * gradient;
  return { gradient, b, pathwise: slope2 - gradient * gradient, score };
}

// The n-th of a seed's numbers between 0 and 1: a counter, mixed by the finaliser of MurmurHash3
function uniform(n, seed) {
  let v = seed + Math.imul(n + 1, 0x9e3779b9);
  v = Math.imul(v ^ (v >>> 16), 0x85ebca6b);
  v = Math.imul(v ^ (v >>> 13), 0xc2b2ae35);
  return (((v ^ (v >>> 16)) >>> 0) + 0.5) / 2 ** 32;
}

// Standard normal numbers by Box and Muller's transform, batch after batch
export function noise(seed, { batches, largest }) {
  const eps = new Float64Array(batches * largest);
  for (let n = 0; n < eps.length; n += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform(n, seed)));
    const angle = 2 * Math.PI * uniform(n + 1, seed);
    eps[n] = radius * Math.cos(angle);
    eps[n + 1] = radius * Math.sin(angle);
  }
  return eps;
}

// One estimate of each kind per batch, from its first `batch` numbers
export function estimates(eps, { target, theta, batch, batches, largest }, b) {
  const { f, slope } = TARGETS[target];
  const pathwise = new Float64Array(batches);
  const score = new Float64Array(batches);
  for (let k = 0; k < batches; k++) {
    for (const e of eps.subarray(k * largest, k * largest + batch)) {
      pathwise[k] += slope(theta + e) / batch;
      score[k] += ((f(theta + e) - b) * e) / batch;
    }
  }
  return { pathwise, score };
}

export function variance(values) {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1);
}

// Values in equal bins from -half to half; what lies beyond counts in the first and last.
export function tally(values, half, bins) {
  const counts = Array.from({ length: bins }, () => 0);
  for (const v of values) {
    const bin = Math.floor(((v + half) / (2 * half)) * bins);
    counts[Math.min(Math.max(bin, 0), bins - 1)] += 1;
  }
  return {
    counts,
    below: values.filter((v) => v < -half).length,
    above: values.filter((v) => v > half).length,
  };
}

// Which estimator needs more draws for one accuracy, and how many times; a ratio of variances
// below `even` is no difference, one of `whole` and more is written without decimals.
// words: {pathwise, score (with {} for the ratio), both}
export function verdict({ pathwise, score }, { even, rounding, whole, words }) {
  const times = (ratio) => (ratio < whole ? format(ratio, 1) : commas(ratio + rounding));
  if (score > even * pathwise) return words.score.replace("{}", times(score / pathwise));
  if (pathwise > even * score) return words.pathwise.replace("{}", times(pathwise / score));
  return words.both;
}
