// Unpacks what Python shipped with the widget.
import { buildModel, decodeFloat16, encode, unpackBits } from "../parts/mlp.js";

// Reads the constant traits once: networks, test images, their posteriors, the noise.
export function readModel(state) {
  const net = buildModel(state.get("layers"), state.get("weights"));
  const { home, labels, side } = state.pick("home", "labels", "side");
  const latentDim = home.z.length;

  const images = unpackBits(state.get("images"), labels.length, side * side);
  const noise = decodeFloat16(state.get("eps"));
  const eps = Array.from({ length: noise.length / latentDim }, (_, s) =>
    noise.subarray(s * latentDim, (s + 1) * latentDim),
  );

  const classes = [...new Set(labels)].sort((a, b) => a - b);
  const means = images.map((x) => encode(net, x).mu);
  return { net, labels, side, latentDim, images, eps, classes, means };
}
