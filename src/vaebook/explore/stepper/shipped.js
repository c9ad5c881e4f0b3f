// The runs that come with the page, computed by vaebook.em: rows of float64, one a mixture, each
// its weights, means, covariances (upper triangles), log-likelihood and bound.
function readRow(read, count) {
  const take = (n) => Array.from({ length: n }, read);
  const weights = take(count);
  const mu = weights.map(() => take(2));
  const cov = weights
    .map(() => take(3))
    .map(([a, b, d]) => [
      [a, b],
      [b, d],
    ]);
  return { mixture: { weights, mu, cov }, logLik: read(), bound: read() };
}

// [{name, path, logLik, bounds, end}, ..] as fitEm gives them
export function readRuns(state) {
  const { home, numbers, runs } = state.pick("home", "numbers", "runs");
  let offset = 0;
  const read = () => {
    offset += 8;
    return numbers.getFloat64(offset - 8, true);
  };

  return runs.map(({ name, count, converged }) => {
    const rows = Array.from({ length: count }, () => readRow(read, home.length));
    const [path, logLik, bounds] = ["mixture", "logLik", "bound"].map((key) =>
      rows.map((row) => row[key]),
    );
    return { name, path, logLik, bounds, end: converged ? "converged" : "steps" };
  });
}
