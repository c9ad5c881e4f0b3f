// Unpacks what Python shipped with the widget.
import { buildModel, decodeFloat16, encode, unpackBits } from "../parts/mlp.js";

// Reads the constant traits once: networks, test images, their posteriors, the noise.
export function readModel(model) {
  const net = buildModel(model.get("layers"), model.get("weights"));
  const labels = model.get("labels");
  const side = model.get("side");
  const latentDim = model.get("home").z.length;

  const images = unpackBits(model.get("images"), labels.length, side * side);
  const noise = decodeFloat16(model.get("eps"));
  const eps = Array.from({ length: noise.length / latentDim }, (_, s) =>
    noise.subarray(s * latentDim, (s + 1) * latentDim),
  );

  const classes = [...new Set(labels)].sort((a, b) => a - b);
  const means = images.map((x) => encode(net, x).mu);
  return { net, labels, side, latentDim, images, eps, classes, means };
}
