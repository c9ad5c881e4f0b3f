// A Gaussian q over the posterior of the ELBO ellipse:
// its covariance, what it is worth, the contours.
// A target saw x = f(z) + sigma noise, f(z) = z2 + u z1 + c z1^2, with z standard normal.
const LOG_2PI = Math.log(2 * Math.PI);

// Unit vector at so many degrees from z1
export const direction = (angle) => [
  Math.cos((angle * Math.PI) / 180),
  Math.sin((angle * Math.PI) / 180),
];

const dot = ([a, b], [c, d]) => a * c + b * d;

// q: {mu, lengths (standard deviations along the axes), angle (of the first axis, degrees)}
export function covOf({ lengths: [a, b], angle }) {
  const [c, s] = direction(angle);
  const [long, short] = [a * a, b * b];
  const mixed = (long - short) * c * s;
  return [
    [long * c * c + short * s * s, mixed],
    [mixed, long * s * s + short * c * c],
  ];
}

// Where axis k of q meets the ellipse two standard deviations out
export function tip({ mu, lengths, angle }, k) {
  const [across, up] = direction(angle + 90 * k);
  return [mu[0] + 2 * lengths[k] * across, mu[1] + 2 * lengths[k] * up];
}

// All in nats and in closed form: f is quadratic in z,
// so the log-joint needs no more than moments of q.
export function terms(target, q) {
  const { curvature: c, sigma, slope: u, x } = target;
  const [m1, m2] = q.mu;
  const [[s11, s12], [, s22]] = covOf(q);

  const mean = m2 + u * m1 + c * (m1 * m1 + s11);
  const slope = u + 2 * c * m1;
  const variance = slope * slope * s11 + 2 * slope * s12 + s22 + 2 * c * c * s11 * s11;
  const expectedLogLik =
    -(LOG_2PI + ((x - mean) ** 2 + variance) / (sigma * sigma)) / 2 - Math.log(sigma);

  const squares = m1 * m1 + m2 * m2 + s11 + s22;
  const logVolume = Math.log(q.lengths[0]) + Math.log(q.lengths[1]);
  const klPrior = squares / 2 - 1 - logVolume;

  const energy = expectedLogLik - LOG_2PI - squares / 2;
  const entropy = LOG_2PI + 1 + logVolume;
  const elbo = expectedLogLik - klPrior;
  return {
    elbo,
    energy,
    entropy,
    expectedLogLik,
    klPrior,
    kl: target.log_evidence - elbo,
    forwardKl: forwardKl(target, q),
  };
}

// KL(p || q), of p needing the entropy and two moments
function forwardKl({ cov, entropy, mean }, q) {
  const shift = [mean[0] - q.mu[0], mean[1] - q.mu[1]];
  const along = (k) => {
    const d = direction(q.angle + 90 * k);
    const spread = dot(d, [dot(cov[0], d), dot(cov[1], d)]) + dot(d, shift) ** 2;
    return spread / (2 * q.lengths[k] ** 2) + Math.log(q.lengths[k]);
  };
  return LOG_2PI + along(0) + along(1) - entropy;
}

// The q among `fits` ([mu, lengths, angle] each) whose mean is nearest
export function nearest(fits, [a, b]) {
  const distance = ([mu]) => Math.hypot(mu[0] - a, mu[1] - b);
  return fits.reduce((best, one) => (distance(one) < distance(best) - 1e-9 ? one : best));
}

// Minus the log-joint, up to a constant, is profile(z1) + (z2 - ridge(z1))^2 precision / 2.
function sections({ curvature: c, sigma, slope: u, x }) {
  const total = sigma * sigma + 1;
  const rest = (z1) => x - u * z1 - c * z1 * z1;
  return {
    precision: total / (sigma * sigma),
    profile: (z1) => (z1 * z1) / 2 + rest(z1) ** 2 / (2 * total),
    ridge: (z1) => rest(z1) / total,
  };
}

const grid = (low, high, count) =>
  Array.from({ length: count + 1 }, (_, k) => low + (k * (high - low)) / count);

// Least value of a profile, which is at least z1^2 / 2
function least(profile) {
  const reach = Math.sqrt(2 * profile(0)) + 0.01;
  const start = grid(-reach, reach, 800).reduce((best, z) =>
    profile(z) < profile(best) ? z : best,
  );
  let [low, high] = [start - reach / 400, start + reach / 400];
  for (let k = 0; k < 80; k++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (profile(a) < profile(b)) high = b;
    else low = a;
  }
  return profile(low);
}

// Root between a point where `value` is negative and one where it is not
function root(value, inside, outside) {
  for (let k = 0; k < 60; k++) {
    const middle = (inside + outside) / 2;
    if (value(middle) < 0) inside = middle;
    else outside = middle;
  }
  return inside;
}

// Closed curves of the points `drop` nats below the mode: one, or one around each of two modes
export function contours(target, drop, count = 60) {
  const { precision, profile, ridge } = sections(target);
  const level = least(profile) + drop;
  const value = (z1) => profile(z1) - level;
  const reach = Math.sqrt(2 * level) + 0.01;
  const zs = grid(-reach, reach, 800);
  const curves = [];
  zs.forEach((z, k) => {
    if (value(z) < 0 && value(zs[k - 1]) >= 0) curves.push([root(value, z, zs[k - 1])]);
    if (value(z) < 0 && value(zs[k + 1]) >= 0) curves.at(-1).push(root(value, z, zs[k + 1]));
  });
  return curves.map(([from, to]) => {
    const across = grid(0, Math.PI, count).map(
      (t) => (from + to) / 2 - (Math.cos(t) * (to - from)) / 2,
    );
    const half = (z) => Math.sqrt(Math.max(-2 * value(z), 0) / precision);
    return [
      ...across.map((z) => [z, ridge(z) + half(z)]),
      ...across.reverse().map((z) => [z, ridge(z) - half(z)]),
    ];
  });
}
