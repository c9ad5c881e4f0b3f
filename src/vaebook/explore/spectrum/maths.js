// Probabilistic PCA on the eigenvalues of the data: which latents are alive,
// and what a mean image is worth.
const LOG_2PI = Math.log(2 * Math.PI);
const sum = (values) => values.reduce((total, v) => total + v, 0);

// directions[i][d]: the i-th eigenvector; digits[k][d]: test images
export function readData(state) {
  const { codes, eigenvalues, most } = state.pick("codes", "eigenvalues", "most");
  const { rows: bytes, scale } = state.pick("rows", "scale");
  const dim = eigenvalues.length;
  const row = (i) => eigenvalues.map((_, d) => bytes.getInt16(2 * (i * dim + d), true) / scale);
  const rows = Array.from({ length: most + 1 + codes.length }, (_, i) => row(i));
  return {
    eigenvalues,
    spread: state.get("test_spread"),
    codes,
    directions: rows.slice(0, most),
    mean: rows[most],
    digits: rows.slice(most + 1),
  };
}

// Of the `count` latents on offer; eigenvalues fall.
const numAlive = ({ eigenvalues }, count, noise) =>
  eigenvalues.slice(0, count).filter((v) => v > noise).length;

// The mean of the eigenvalues left over
export const bestNoise = ({ eigenvalues }, count) =>
  sum(eigenvalues.slice(count)) / (eigenvalues.length - count);

// Mean log p(x) of images whose mean squared coordinate along direction i is spread[i], nats
export function logEvidence({ eigenvalues }, spread, count, noise) {
  const alive = numAlive({ eigenvalues }, count, noise);
  const own = eigenvalues.map((v, i) => (i < alive ? v : noise));
  return -0.5 * sum(own.map((v, i) => LOG_2PI + Math.log(v) + spread[i] / v));
}

// Means over the training images for the best linear encoder, nats. Of an alive latent the decoder
// misses by noise / eigenvalue what the encoder shrank, and by the rest of 1 what q leaves open.
export function terms(data, count, noise) {
  const { eigenvalues, spread } = data;
  const alive = numAlive(data, count, noise);
  const kl = 0.5 * sum(eigenvalues.slice(0, alive).map((v) => Math.log(v / noise)));
  const missed = alive + sum(eigenvalues.slice(alive)) / noise;
  const expectedLogLik = -0.5 * (eigenvalues.length * (LOG_2PI + Math.log(noise)) + missed);
  return {
    alive,
    expectedLogLik,
    kl,
    logEvidence: logEvidence(data, eigenvalues, count, noise),
    testLogEvidence: logEvidence(data, spread, count, noise),
  };
}

// The k-th digit from its posterior mean
export function reconstruct(data, k, count, noise) {
  const { codes, directions, eigenvalues, mean } = data;
  const image = [...mean];
  for (let i = 0; i < numAlive(data, count, noise); i++) {
    const code = (1 - noise / eigenvalues[i]) * codes[k][i];
    directions[i].forEach((u, d) => (image[d] += code * u));
  }
  return image;
}
