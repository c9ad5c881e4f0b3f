// The mean of a Gaussian with known noise sigma, under a Gaussian prior.
// A Gaussian is [mean, standard deviation].
import { logLik } from "../parts/gaussian.js";
import { steps } from "../parts/scales.js";

export const logDensity = (value, gaussian) =>
  logLik({ count: 1, mean: value, variance: 0 }, gaussian);

// Of the mean, after one more value: precisions add up
function update([mu, tau], value, sigma) {
  const precision = 1 / tau ** 2 + 1 / sigma ** 2;
  return [(mu / tau ** 2 + value / sigma ** 2) / precision, 1 / Math.sqrt(precision)];
}

// Of the next value
export const predictive = ([mu, tau], sigma) => [mu, Math.hypot(tau, sigma)];

// After 0, 1, .. N values: the posterior, log p of all so far as the sum of one-step predictives,
// and the likelihood as [its best mean, its width] with its maximum, log p at that mean
export function learn(x, prior, sigma) {
  const rows = [{ posterior: prior, logEvidence: 0, likelihood: [NaN, Infinity], best: 0 }];
  let mean = 0;
  let squares = 0;
  x.forEach((value, k) => {
    const { posterior, logEvidence } = rows[k];
    const count = k + 1;
    const off = value - mean;
    mean += off / count;
    squares += off * (value - mean);
    rows.push({
      posterior: update(posterior, value, sigma),
      logEvidence: logEvidence + logDensity(value, predictive(posterior, sigma)),
      likelihood: [mean, sigma / Math.sqrt(count)],
      best: logLik({ count, mean, variance: squares / count }, [mean, sigma]),
    });
  });
  return rows;
}

// What not knowing the mean costs, as the difference of the two numbers as printed
export const price = ({ best, logEvidence }) =>
  Number(best.toFixed(2)) - Number(logEvidence.toFixed(2));

// Points of a Gaussian's density over [low, high], close together where it is narrow
export function curve(density, [mu, sigma], [low, high]) {
  const even = steps(low, high, 120);
  const near = steps(mu - 5 * sigma, mu + 5 * sigma, 80).filter((v) => v > low && v < high);
  return [...even, ...near].sort((a, b) => a - b).map((v) => [v, density(v, [mu, sigma])]);
}
