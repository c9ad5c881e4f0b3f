// Mixtures of Gaussians in the plane, and EM, as vaebook.em computes them.
// A mixture is {weights: [w, ..], mu: [[a, b], ..], cov: [[[a, b], [b, d]], ..]}, x is
// [[a, b], ..]; logs in nats, totals over all of x.
const LOG_2PI = Math.log(2 * Math.PI);

const sum = (values) => values.reduce((total, v) => total + v, 0);

// log of weight times density, as a function of one example
function component(weight, [m0, m1], [[a, b], [, d]]) {
  const l11 = Math.sqrt(a);
  const l21 = b / l11;
  const l22 = Math.sqrt(d - l21 * l21);
  const constant = Math.log(weight) - LOG_2PI - Math.log(l11 * l22);
  return (row) => {
    const u = (row[0] - m0) / l11;
    const v = (row[1] - m1 - l21 * u) / l22;
    return constant - (u * u + v * v) / 2;
  };
}

export function logJoint({ weights, mu, cov }, x) {
  const components = weights.map((weight, k) => component(weight, mu[k], cov[k]));
  return x.map((row) => components.map((log) => log(row)));
}

function logSumExp(values) {
  let top = -Infinity;
  let total = 0;
  for (const v of values) top = v > top ? v : top;
  for (const v of values) total += Math.exp(v - top);
  return top + Math.log(total);
}

// What the E-step leaves fixed: responsibilities (N x K) and the sum of their entropies; and the
// log-likelihood.
function normalised(joint) {
  let logLik = 0;
  const resp = joint.map((row) => {
    const logEvidence = logSumExp(row);
    logLik += logEvidence;
    return row.map((v) => Math.exp(v - logEvidence));
  });
  return { resp, entropy: logLik - expected(resp, joint), logLik };
}

function expected(resp, joint) {
  let total = 0;
  for (let n = 0; n < joint.length; n++) {
    for (let k = 0; k < joint[n].length; k++) total += resp[n][k] * joint[n][k];
  }
  return total;
}

export const eStep = (mixture, x) => normalised(logJoint(mixture, x));

export const lowerBound = (mixture, x, q) => expected(q.resp, logJoint(mixture, x)) + q.entropy;

// [log-likelihood, bound of each q ..]
export function heights(mixture, x, qs) {
  const joint = logJoint(mixture, x);
  return [sum(joint.map(logSumExp)), ...qs.map((q) => expected(q.resp, joint) + q.entropy)];
}

// Sums over x of 1, u, v, uu, uv, vv with weights resp (N x K), for (u, v) = x - centre; K x 6
function moments(x, resp, [c0, c1]) {
  const sums = resp[0].map(() => [0, 0, 0, 0, 0, 0]);
  for (let n = 0; n < x.length; n++) {
    const u = x[n][0] - c0;
    const v = x[n][1] - c1;
    for (let k = 0; k < sums.length; k++) {
      const m = sums[k];
      const r = resp[n][k];
      m[0] += r;
      m[1] += r * u;
      m[2] += r * v;
      m[3] += r * u * u;
      m[4] += r * u * v;
      m[5] += r * v * v;
    }
  }

  return sums;
}

function gaussian(sums, [c0, c1]) {
  const [u, v, uu, uv, vv] = sums.slice(1).map((m) => m / sums[0]);
  return {
    mu: [c0 + u, c1 + v],
    cov: [
      [uu - u * u, uv - u * v],
      [uv - u * v, vv - v * v],
    ],
  };
}

// The next mixture, or {fault: {k, kind}} if component k has no flower or no width left.
// limits: {weight, variance (of the data's)}
export function mStep({ weights, mu }, x, { resp }, limits) {
  const centre = [0, 1].map((i) => sum(weights.map((w, k) => w * mu[k][i])));
  const sums = moments(x, resp, centre);
  const empty = sums.findIndex((m) => !(m[0] / x.length > limits.weight));
  if (empty >= 0) return { fault: { k: empty, kind: "empty" } };

  const fitted = sums.map((m) => gaussian(m, centre));
  const mean = (i) => sum(sums.map((m) => m[i])) / x.length;
  const spread = [mean(3) - mean(1) ** 2, mean(5) - mean(2) ** 2];
  const flat = fitted.findIndex(({ cov }) => leastVariance(cov, spread) < limits.variance);
  if (flat >= 0) return { fault: { k: flat, kind: "flat" } };

  return {
    weights: sums.map((m) => m[0] / x.length),
    mu: fitted.map((g) => g.mu),
    cov: fitted.map((g) => g.cov),
  };
}

// Smallest eigenvalue of a covariance in units of the data's standard deviations
function leastVariance([[a, b], [, d]], [s, t]) {
  const [p, q, r] = [a / s, b / Math.sqrt(s * t), d / t];
  return (p + r) / 2 - Math.hypot((p - r) / 2, q);
}

// EM from a start: the mixtures, the log-likelihood of each, and the bound that each M-step reached
// (bounds[0] is where the first touches).
// `end`: "steps", "converged" or "collapsed" with its fault.
export function fitEm(x, start, { maxSteps, leastGain, limits }) {
  const run = { path: [start], logLik: [], bounds: [] };
  let q = null;
  while (true) {
    const joint = logJoint(run.path.at(-1), x);
    const following = normalised(joint);
    const gain = following.logLik - run.logLik.at(-1);
    run.logLik.push(following.logLik);
    run.bounds.push(q ? expected(q.resp, joint) + q.entropy : following.logLik);

    q = following;
    const next = mStep(run.path.at(-1), x, q, limits);
    if (next.fault) return { ...run, end: "collapsed", fault: next.fault };
    if (gain < leastGain) return { ...run, end: "converged" };
    if (run.path.length > maxSteps) return { ...run, end: "steps" };
    run.path.push(next);
  }
}

// Equal weights, the given means, and the covariance of all of x for each.
export function startFrom(x, mu) {
  const whole = x.map(() => [1]);
  const [all] = moments(x, whole, x[0]);
  return { weights: mu.map(() => 1 / mu.length), mu, cov: mu.map(() => gaussian(all, x[0]).cov) };
}

// (1 - s) a + s b in every parameter; null where that is no mixture.
export function between(a, b, s) {
  const mix = (p, q) => (Array.isArray(p) ? p.map((v, i) => mix(v, q[i])) : (1 - s) * p + s * q);
  const mixture = {
    weights: mix(a.weights, b.weights),
    mu: mix(a.mu, b.mu),
    cov: mix(a.cov, b.cov),
  };
  const proper = mixture.cov.every(([[p, q], [, r]]) => p > 0 && p * r - q * q > 0);
  return proper && mixture.weights.every((w) => w > 0) ? mixture : null;
}
