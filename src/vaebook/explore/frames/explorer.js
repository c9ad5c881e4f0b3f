// Steps through frames drawn ahead; with a kernel, shows the exact drawing when it arrives.
import { among, check, slider } from "../parts/controls.js";
import { explorer, format, h } from "../parts/dom.js";
import { atEnd, mounted } from "../parts/state.js";
import { frameIndex, nearest } from "./maths.js";

export { frameIndex };

const decimals = (value) => Math.min((String(value).split(".")[1] || "").length, 4);

// A value as its slider writes it: all choices with as many decimals, values between with more.
function written(value, choices) {
  if (typeof value !== "number") return String(value);
  return format(value, Math.max(decimals(value), ...choices.map(decimals)));
}

const same = (a, b) => Object.keys(a).every((name) => a[name] === b[name]);

// A box to tick for a choice between false and true, else a slider over the choices
function controlOf(name, choices) {
  if (choices.every((one) => typeof one === "boolean")) return check(h("span", {}, name));
  return slider({
    name,
    track: among(choices, nearest),
    words: (value) => written(value, choices),
  });
}

class Frames {
  constructor(state) {
    const { choices, height, labels, width } = state.pick("choices", "height", "labels", "width");
    Object.assign(this, { state, urls: new Map() });
    this.picture = h("img", { class: "frames-picture", width, height, draggable: "false" });
    this.controls = labels.map((label, k) => controlOf(label, choices[k]));

    const row = this.controls.map((one) => one.el);
    this.root = explorer("frames", this.picture, h("div", { class: "frames-row" }, ...row));
    this.wire();
  }

  wire() {
    const { controls, state, urls } = this;
    const names = state.get("names");
    controls.forEach((one, k) =>
      one.onChange(state.listen, (value) =>
        state.put({ values: { ...state.get("values"), [names[k]]: value } }),
      ),
    );
    state.watch(["values", "exact"], () => this.draw());
    atEnd(state.signal, () => urls.forEach((address) => URL.revokeObjectURL(address)));
  }

  url(frame) {
    const { urls } = this;
    if (!urls.has(frame)) {
      const blob = new Blob([frame], { type: "image/webp" });
      urls.set(frame, URL.createObjectURL(blob));
    }
    return urls.get(frame);
  }

  draw() {
    const { controls, picture, state } = this;
    const { alts, choices, frames, names } = state.pick("alts", "choices", "frames", "names");
    const { exact, values } = state.pick("exact", "values");
    const arrived = exact.values && same(values, exact.values);
    const index = frameIndex(names, choices, values);
    picture.src = this.url(arrived ? exact.frame : frames[index]);
    picture.alt = arrived ? exact.alt : alts[index];
    controls.forEach((one, k) => one.show(values[names[k]]));
  }
}

export default { render: mounted(Frames) };
