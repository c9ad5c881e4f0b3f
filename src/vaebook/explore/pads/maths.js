// Codes of two models with two latents: their draws, their nearest codes and their images.
import { decodeFloat16, probabilities } from "../parts/mlp.js";
import { readNets } from "../parts/quantise.js";

function pairs(view) {
  const numbers = decodeFloat16(view);
  return Array.from({ length: numbers.length / 2 }, (_, k) => [numbers[2 * k], numbers[2 * k + 1]]);
}

// z = mean + L eps
const spread =
  ({ mean, chol }) =>
  ([a, b]) => [mean[0] + chol[0][0] * a, mean[1] + chol[1][0] * a + chol[1][1] * b];

// For each model {name, frame, home, reach, net, codes, sources: {prior, fitted}};
// a source is {mean, chol, draws (of all sets)}
export function readPads(state) {
  const { frames, home, labels, names, reach } = state.pick(
    "frames",
    "home",
    "labels",
    "names",
    "reach",
  );
  const gaussians = Object.entries(state.get("gaussians"));
  const codes = pairs(state.get("points"));
  const eps = pairs(state.get("eps"));
  const nets = readNets(state.get("shapes"), state.get("weights"));
  const count = labels.length;

  const source = (gaussian) => ({ ...gaussian, draws: eps.map(spread(gaussian)) });
  return names.map((name, k) => ({
    name,
    frame: frames[k],
    home: home[k],
    reach: reach[k],
    net: { decoder: nets[k] },
    codes: codes.slice(k * count, (k + 1) * count),
    sources: Object.fromEntries(gaussians.map(([from, pair]) => [from, source(pair[k])])),
  }));
}

// How many codes lie within `radius` sigma of a source
export function inside({ codes }, { mean, chol }, radius) {
  const [[l11], [l21, l22]] = chol;
  return codes.filter(([a, b]) => {
    const first = (a - mean[0]) / l11;
    return Math.hypot(first, (b - mean[1] - l21 * first) / l22) <= radius;
  }).length;
}

// Probabilities of ink that a model decodes from z
export const imageOf = ({ net }, z) => probabilities(net, z);

// The code nearest to a point: its row, its distance, and whether that is out of reach
export function nearest({ codes, reach }, [a, b]) {
  let row = -1;
  let distance = Infinity;
  codes.forEach(([c, d], n) => {
    const away = Math.hypot(a - c, b - d);
    if (away < distance) {
      row = n;
      distance = away;
    }
  });
  return { row, distance, lost: distance > reach };
}
