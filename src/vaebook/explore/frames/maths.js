// Which of the frames drawn ahead stands for the values of the controls.
import { nearestNumber } from "../parts/controls.js";

// Place of a choice: of a number the nearest, of a word the first if there is no such word
export function nearest(choices, value) {
  const exact = choices.indexOf(value);
  if (exact >= 0 || typeof value !== "number") return Math.max(exact, 0);
  return nearestNumber(choices, value);
}

// Row of the frame nearest to the values; the last parameter changes fastest.
export function frameIndex(names, choices, values) {
  return names.reduce(
    (index, name, k) => index * choices[k].length + nearest(choices[k], values[name]),
    0,
  );
}
