// Importance sampling from draws z = mean + sd eps of q = N(mean, sd^2) to p = N(0, target^2).

// Standard normal numbers, float32
export function readNoise(state) {
  const bytes = state.get("eps");
  return Array.from({ length: bytes.byteLength / 4 }, (_, k) => bytes.getFloat32(4 * k, true));
}

export const density = (z, [mean, sd]) =>
  Math.exp(-(((z - mean) / sd) ** 2) / 2) / (sd * Math.sqrt(2 * Math.PI));

// log p(z) - log q(z) of each draw
export function logWeights(eps, { mean, sd, target }) {
  const offset = Math.log(sd / target);
  return eps.map((e) => offset + (e * e) / 2 - ((mean + sd * e) / target) ** 2 / 2);
}

// The weights as shares of their sum
function shares(logW) {
  const most = logW.reduce((a, b) => Math.max(a, b));
  const w = logW.map((v) => Math.exp(v - most));
  const total = w.reduce((a, b) => a + b);
  return w.map((v) => v / total);
}

const sampleSize = (share) => 1 / share.reduce((sum, v) => sum + v * v, 0);

// ESS / S alone; no weight of a q within the sliders' ranges overflows
export function worth(eps, { mean, sd, target }) {
  let sum = 0;
  let squares = 0;
  for (const e of eps) {
    const u = (mean + sd * e) / target;
    const w = Math.exp((e * e - u * u) / 2);
    sum += w;
    squares += w * w;
  }
  return (sum * sum) / squares / eps.length;
}

// Where ESS / S goes as S grows: 1 / E_q[w^2]
export function limit({ mean, sd, target }) {
  const excess = 2 * sd * sd - target * target;
  return excess > 0
    ? ((target * Math.sqrt(excess)) / (sd * sd)) * Math.exp((-mean * mean) / excess)
    : 0;
}

// Self-normalised estimate of the mean of `values` under p, and its standard error
function average(values, share) {
  const value = share.reduce((sum, v, k) => sum + v * values[k], 0);
  const se = Math.sqrt(share.reduce((sum, v, k) => sum + (v * (values[k] - value)) ** 2, 0));
  return { value, se };
}

// Hill's estimate from the largest log-weights; null for too few draws
function tailIndex(logW, fewest) {
  if (logW.length < fewest) return null;
  const count = Math.ceil(3 * Math.sqrt(logW.length));
  const largest = [...logW].sort((a, b) => b - a).slice(0, count + 1);
  return largest.reduce((sum, v) => sum + v - largest[count], 0) / count;
}

export function summarise(eps, q, fewestForTail) {
  const logW = logWeights(eps, q);
  const share = shares(logW);
  const z = eps.map((e) => q.mean + q.sd * e);
  const squares = z.map((v) => v * v);
  return {
    z,
    share,
    ess: sampleSize(share),
    largest: share.reduce((a, b) => Math.max(a, b)),
    square: average(squares, share),
    tail: tailIndex(logW, fewestForTail),
  };
}
