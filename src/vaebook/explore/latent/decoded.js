// The image decoded at z, and a slider for each latent.
import { any, panel, slider, sliders } from "../parts/controls.js";
import { symbol } from "../parts/dom.js";
import { probabilities } from "../parts/mlp.js";
import { picture } from "../parts/pixels.js";

export class Decoded {
  // options: {shipped (of readModel), bound, onMove(z), listen}
  constructor({ shipped, bound, onMove, listen }) {
    const { latentDim, net, side } = shipped;
    this.net = net;
    this.picture = picture(side, "Decoded image: probability of ink at each pixel, given z");
    this.sliders = Array.from({ length: latentDim }, (_, i) =>
      slider({ name: `z${i + 1}`, label: [symbol("z", i + 1)], track: any(-bound, bound) }),
    );
    this.sliders.forEach((one, i) =>
      one.onChange(listen, (value) => onMove(this.z.map((old, j) => (j === i ? value : old)))),
    );
    this.el = panel("Decoded at z", this.picture.el, sliders(this.sliders));
    this.el.classList.add("latent-decode");
  }

  draw(z, colours) {
    this.z = z;
    this.picture.show(probabilities(this.net, z), colours);
    this.sliders.forEach((one, i) => one.show(z[i]));
  }
}
