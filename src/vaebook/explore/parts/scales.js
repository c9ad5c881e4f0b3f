// Scales of axes and sliders, and numbers along them.
import { format } from "./dom.js";

export const clamp = (v, low, high) => Math.min(Math.max(v, low), high);

// So many equal steps over [low, high]
export const steps = (low, high, count) =>
  Array.from({ length: count + 1 }, (_, k) => low + (k * (high - low)) / count);

// A scale takes data to [0, 1] by `at` and back by `value`;
// its ticks are 1, 2 or 5 times a power of ten.
export function linear(low, high, count = 5) {
  const rough = (0.999 * (high - low)) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const ticks = Array.from(
    { length: Math.floor(high / step + 1e-9) - first + 1 },
    (_, k) => (first + k) * step,
  );
  const label = (v) => format(v, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  return {
    low,
    high,
    ticks,
    label,
    at: (v) => (v - low) / (high - low),
    value: (t) => low + t * (high - low),
  };
}

export function logarithmic(low, high) {
  const [a, b] = [Math.log(low), Math.log(high)];
  const every = Array.from({ length: 39 }, (_, k) =>
    Number(`${[1, 2, 5][k % 3]}e${Math.floor(k / 3) - 6}`),
  );
  const ticks = every.filter((v) => v >= low && v <= high);
  return {
    low,
    high,
    ticks,
    label: String,
    at: (v) => (Math.log(v) - a) / (b - a),
    value: (t) => Math.exp(a + t * (b - a)),
  };
}
