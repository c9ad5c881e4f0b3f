// One image: painted by hand or chosen, encoded, decoded again, and scored.
import { button, note, panel } from "../parts/controls.js";
import { h, say } from "../parts/dom.js";
import { probabilities } from "../parts/mlp.js";
import { picture } from "../parts/pixels.js";
import { blank, Editor } from "./editor.js";
import { elboBars } from "./terms.js";

const NAMES = {
  previous: "\u2039 Previous",
  next: "Next \u203a",
  undo: "Undo edits",
  clear: "Clear",
};

export class Scored {
  // options: {shipped (of readModel), scale (nats), onPaint(pixels), signal}
  constructor({ shipped, scale, onPaint, signal }) {
    const { eps, latentDim, side } = shipped;
    this.shipped = shipped;
    this.editor = new Editor(side, onPaint, signal);
    this.rebuilt = picture(side, "Reconstruction: the image decoded from the mean of q(z|x)");
    this.bars = elboBars(latentDim, eps.length, scale);
    this.status = h("p", { class: "latent-status", "aria-live": "polite" });
    const named = Object.entries(NAMES).map(([name, text]) => [name, button(text)]);
    this.buttons = Object.fromEntries(named);

    const image = (words, el) => h("div", { class: "latent-image" }, note(words), el);
    this.el = panel(
      "One image: encoded, decoded, scored",
      image("Input x, paint on it", this.editor.el),
      image("Decoded at q\u2019s mean", this.rebuilt.el),
      h("div", { class: "latent-actions" }, this.status, ...Object.values(this.buttons)),
      this.bars.el,
    );
    this.el.classList.add("latent-encode");
  }

  // image: pixels, or null; selected: its row, or -1; terms: of elboTerms, or null
  draw({ image, selected, terms, colours }) {
    const { buttons, editor: cells, rebuilt, shipped } = this;
    cells.show(image || blank(shipped.side));
    rebuilt.el.classList.toggle("latent-empty", !image);
    if (image) rebuilt.show(probabilities(shipped.net, terms.mu), colours);
    this.bars.show(terms);

    // A button that is disabled must not keep the focus.
    if (selected >= 0 && document.activeElement === buttons.undo) buttons.next.focus();
    buttons.undo.disabled = selected >= 0;
    say(this.status, this.name(image, selected));
  }

  name(image, selected) {
    const { labels } = this.shipped;
    if (selected >= 0) {
      return `Test image ${selected + 1} of ${labels.length}, class ${labels[selected]}`;
    }
    return image ? "Your drawing" : "No image chosen";
  }
}
