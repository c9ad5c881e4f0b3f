// What each sampler of the race has found after so many draws.

// Effective sample size of `size` draws,
// from the standard error `se` of the log of their mean weight
export const sampleSize = (size, se) => size / (1 + (size - 1) * se * se);

// rows[k][r]: of sampler k in run r, for each number of draws {size, value, error, se, ess}
export function readRows(state) {
  const {
    names,
    num_runs: numRuns,
    numbers,
    sizes,
    truth,
  } = state.pick("names", "num_runs", "numbers", "sizes", "truth");
  let offset = 0;
  const read = () => {
    offset += 4;
    return numbers.getFloat32(offset - 4, true);
  };

  const row = (size) => {
    const error = read();
    const se = read();
    return { size, value: truth + error, error, se, ess: sampleSize(size, se) };
  };
  const runs = () => Array.from({ length: numRuns }, () => sizes.map(row));
  return names.map(runs);
}
