// The trained networks in plain JavaScript: decode, encode and the ELBO terms, in nats.
// Weights arrive as float16; every sum is done in float64.

const halfToFloat = (h) => {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
};

// view: DataView of little-endian float16 numbers
export function decodeFloat16(view) {
  const numbers = new Float64Array(view.byteLength / 2);
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = halfToFloat(view.getUint16(2 * i, true));
  }
  return numbers;
}

// view: DataView of packed bits, first pixel in the highest bit; returns (count, dim) rows
export function unpackBits(view, count, dim) {
  const bit = (k) => (view.getUint8(k >> 3) >> (7 - (k & 7))) & 1;
  const row = (n) => Uint8Array.from({ length: dim }, (_, d) => bit(n * dim + d));
  return Array.from({ length: count }, (_, n) => row(n));
}

// layers: {encoder: [[in, out], ...], decoder: [...]}; weight (out, in) row-major, then bias
export function buildModel(layers, view) {
  const numbers = decodeFloat16(view);
  let at = 0;
  const take = (count) => {
    at += count;
    return numbers.subarray(at - count, at);
  };
  const build = (shapes) =>
    shapes.map(([rows, cols]) => ({ rows, cols, weight: take(rows * cols), bias: take(cols) }));
  return { encoder: build(layers.encoder), decoder: build(layers.decoder) };
}

export const sigmoid = (t) => 1 / (1 + Math.exp(-t));
export const silu = (t) => t * sigmoid(t);
const softplus = (t) => Math.max(t, 0) + Math.log1p(Math.exp(-Math.abs(t)));

export function affine({ rows, cols, weight, bias }, input) {
  const output = new Float64Array(cols);
  for (let j = 0, k = 0; j < cols; j++) {
    let total = bias[j];
    for (let i = 0; i < rows; i++, k++) total += weight[k] * input[i];
    output[j] = total;
  }
  return output;
}

function forward(net, input) {
  let h = input;
  net.forEach((layer, i) => {
    h = affine(layer, h);
    if (i < net.length - 1) h = h.map(silu);
  });
  return h;
}

// logits of the D pixels for one latent point z
export function decode(model, z) {
  return forward(model.decoder, z);
}

// Probability of ink at each of them
export const probabilities = (model, z) => decode(model, z).map(sigmoid);

// q(z|x): mean and log variance of each latent for one image x
export function encode(model, x) {
  const out = forward(model.encoder, x);
  const L = out.length / 2;
  return { mu: out.slice(0, L), logVar: out.slice(L) };
}

export function bernoulliLogProb(x, logits) {
  let total = 0;
  for (let d = 0; d < logits.length; d++) total += x[d] * logits[d] - softplus(logits[d]);
  return total;
}

// KL(q || N(0, 1)) of each latent; expm1 keeps it non-negative near zero
export function klPerLatent({ mu, logVar }) {
  return Array.from(mu, (m, i) => {
    const kl = 0.5 * (m * m + Math.expm1(logVar[i]) - logVar[i]);
    return Math.max(kl, 0);
  });
}

// eps: S rows of L fixed standard normal draws
export function elboTerms(model, x, eps) {
  const q = encode(model, x);
  const sigma = q.logVar.map((v) => Math.exp(v / 2));

  let total = 0;
  for (const noise of eps) {
    const z = q.mu.map((m, i) => m + sigma[i] * noise[i]);
    total += bernoulliLogProb(x, decode(model, z));
  }

  const expectedLogLik = total / eps.length;
  const perLatent = klPerLatent(q);
  const kl = perLatent.reduce((a, b) => a + b, 0);
  return { ...q, sigma, klPerLatent: perLatent, kl, expectedLogLik, elbo: expectedLogLik - kl };
}
