// Random numbers that a seed fixes: mulberry32, and the polar method for normal ones.

export class Random {
  constructor(seed) {
    this.word = seed >>> 0;
    this.spare = null;
  }

  // From 0 up to 1, in steps of 2^-32
  uniform() {
    this.word = (this.word + 0x6d2b79f5) >>> 0;
    let t = this.word;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  normal() {
    if (this.spare !== null) {
      const spare = this.spare;
      this.spare = null;
      return spare;
    }
    let [a, b, square] = [0, 0, 0];
    do {
      a = 2 * this.uniform() - 1;
      b = 2 * this.uniform() - 1;
      square = a * a + b * b;
    } while (square >= 1 || square === 0);
    const scale = Math.sqrt((-2 * Math.log(square)) / square);
    this.spare = b * scale;
    return a * scale;
  }

  normals(count) {
    return Float64Array.from({ length: count }, () => this.normal());
  }
}
