// Nets whose weights come in twelve bits: scales of all rows as float32,
// then two levels in three bytes.

// shapes: [[in, out], ..] of one net whose bytes start at `at`;
// layers as decode takes them, and where the bytes end
function readNet(shapes, view, at) {
  let scale = at;
  let taken = 0;
  const start = at + 4 * shapes.reduce((rows, [, out]) => rows + out, 0);
  const next = () => {
    const [a, middle, b] = [0, 1, 2].map((k) => view.getUint8(start + 3 * (taken >> 1) + k));
    const level = taken % 2 ? ((middle & 15) << 8) | b : (a << 4) | (middle >> 4);
    taken += 1;
    return level - 2048;
  };

  const layers = shapes.map(([rows, cols]) => {
    const weight = new Float64Array(rows * cols);
    const bias = new Float64Array(cols);
    for (let j = 0; j < cols; j++, scale += 4) {
      const unit = view.getFloat32(scale, true);
      for (let i = 0; i < rows; i++) weight[j * rows + i] = unit * next();
      bias[j] = unit * next();
    }
    return { rows, cols, weight, bias };
  });
  return { layers, end: start + 3 * Math.ceil(taken / 2) };
}

// Several nets, one after the other
export function readNets(nets, view) {
  let at = 0;
  return nets.map((shapes) => {
    const { layers, end } = readNet(shapes, view, at);
    at = end;
    return layers;
  });
}
