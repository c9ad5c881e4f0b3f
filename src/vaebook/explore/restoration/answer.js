// What follows: the mean, the spread, images that fit, and how far they are from the truth.
import { panel, reading, readings } from "../parts/controls.js";
import { format, h } from "../parts/dom.js";
import { picture } from "../parts/pixels.js";
import { psnr } from "./maths.js";

const clipped = (values, most = 1) => values.map((v) => Math.min(1, Math.max(0, v / most)));
const WIDEST = 0.5; // of the standard deviation of ink from 0 to 1

const named = (words, { el }) =>
  h(
    "figure",
    { class: "restoration-named" },
    h("figcaption", { "aria-hidden": "true" }, words),
    el,
  );

export class Answer {
  // options: {side, count (of chains), player}
  constructor({ side, count, player }) {
    this.mean = picture(side, "Mean of the images that fit");
    this.spread = picture(side, "Standard deviation of each pixel over the images that fit");
    this.truth = picture(side, "The digit itself");
    this.images = Array.from({ length: count }, (_, k) =>
      picture(side, `Image ${k + 1} that fits`),
    );
    this.near = ["Mean, dB", "One image, dB", "Two images differ by", "Chains, R\u0302"].map(
      (words) => reading(words),
    );
    this.el = panel(
      "What follows",
      h(
        "div",
        { class: "restoration-three" },
        named("The digit itself", this.truth),
        named("Mean", this.mean),
        named("Spread", this.spread),
      ),
      h("p", { class: "vb-note" }, "Images that fit"),
      h("div", { class: "restoration-images" }, ...this.images.map(({ el }) => el)),
      readings(this.near),
      h("div", { class: "vb-buttons" }, player),
    );
  }

  // run: a Run; truth: the image, or null. Writes the numbers, and returns them.
  tell(run, truth) {
    const { mean, sd } = run.spread;
    const each = run.images.map((image) => (truth ? psnr(image, truth) : NaN));
    const numbers = {
      mean: truth ? psnr(mean, truth) : NaN,
      one: each.reduce((total, v) => total + v, 0) / each.length,
      // Squared distances of two draws are twice the variance, on average.
      apart: Math.sqrt((2 * sd.reduce((total, v) => total + v * v, 0)) / sd.length),
    };
    const decibels = (v) => (Number.isFinite(v) ? format(v, 1) : "\u2013");
    this.near[0].number.textContent = decibels(numbers.mean);
    this.near[1].number.textContent = decibels(numbers.one);
    this.near[2].number.textContent = format(numbers.apart);
    const agreed = run.kept > 1 ? run.agreement : NaN;
    this.near[3].number.textContent = Number.isFinite(agreed) ? format(agreed) : "\u2013";
    return numbers;
  }

  show(run, truth, colours) {
    const { mean, sd } = run.spread;
    this.mean.show(clipped(mean), colours);
    this.spread.show(clipped(sd, WIDEST), colours);
    this.truth.show(truth ?? mean.map(() => 0), colours);
    this.truth.el.classList.toggle("restoration-unknown", !truth);
    this.images.forEach((one, k) => one.show(clipped(run.images[k]), colours));
  }
}
