// A Gaussian fitted to data: its log-likelihood, the gradient, and the contours of the surface.
const HALF_LOG_2PI = Math.log(2 * Math.PI) / 2;

// What the likelihood needs of the data: its size, mean and (1/N) variance.
export function summarise(x) {
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
  const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length;
  return { count: x.length, mean, variance };
}

// Nats, summed over the data
export function logLik({ count, mean, variance }, [mu, sigma]) {
  const squared = (variance + (mean - mu) ** 2) / sigma ** 2;
  return -count * (HALF_LOG_2PI + Math.log(sigma) + squared / 2);
}

// One step of gradient ascent on the mean log-likelihood in (mu, log sigma)
export function gradientStep({ mean, variance }, [mu, sigma], rate) {
  const gradMu = (mean - mu) / sigma ** 2;
  const gradLogSigma = (variance + (mean - mu) ** 2) / sigma ** 2 - 1;
  return [mu + rate * gradMu, sigma * Math.exp(rate * gradLogSigma)];
}

// Nats, of all the data, that a step gains
const gainOf = (fit, from, to) => logLik(fit, to) - logLik(fit, from);

// Gradient ascent from `at`, without `at` itself: count steps,
// fewer if one gains under leastGain or overflows
export function ascend(fit, at, { rate, count, leastGain }) {
  const path = [at];
  while (path.length <= count) {
    const next = gradientStep(fit, path.at(-1), rate);
    if (!next.every(Number.isFinite) || Math.abs(gainOf(fit, path.at(-1), next)) < leastGain) break;
    path.push(next);
  }
  return path.slice(1);
}

// Closed curve of the points `drop` nats below the maximum, in closed form. With u the log of sigma
// over its best value and d = drop / N: (mu - mean)^2 = variance (exp(2u) (1 + 2d - 2u) - 1).
export function contour({ count, mean, variance }, drop, [low, high], points = 48) {
  const d = drop / count;
  const best = Math.sqrt(variance);
  // Of u + exp(-2u) / 2 = d + 1/2, by Newton's method from outside
  const root = (u) => {
    for (let k = 0; k < 60; k++) u -= (u + Math.exp(-2 * u) / 2 - d - 0.5) / (1 - Math.exp(-2 * u));
    return u;
  };
  const from = Math.max(root(-1 - Math.log(1 + 2 * d) / 2), Math.log(low / best) - 0.2);
  const to = Math.min(root(d + 0.5), Math.log(high / best) + 0.2);
  const half = Array.from({ length: points + 1 }, (_, k) => {
    const u = (from + to) / 2 - (Math.cos((Math.PI * k) / points) * (to - from)) / 2;
    const width = Math.sqrt(variance * Math.max(Math.exp(2 * u) * (1 + 2 * d - 2 * u) - 1, 0));
    return [width, best * Math.exp(u)];
  });
  return [...half.map(([w, s]) => [mean + w, s]), ...half.reverse().map(([w, s]) => [mean - w, s])];
}

// Of one value
export const density = (x, [mu, sigma]) =>
  Math.exp(-HALF_LOG_2PI - Math.log(sigma) - (x - mu) ** 2 / (2 * sigma ** 2));
