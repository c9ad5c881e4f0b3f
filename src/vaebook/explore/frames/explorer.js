// Steps through frames drawn ahead; with a kernel, shows the exact drawing when it arrives.
import { format, h, mounted, OWN_KEYS } from "../parts/dom.js";

const decimals = (value) => Math.min((String(value).split(".")[1] || "").length, 4);

// A value as its slider writes it: all choices with as many decimals, values between with more.
function written(value, choices) {
  if (typeof value !== "number") return String(value);
  return format(value, Math.max(decimals(value), ...choices.map(decimals)));
}

const same = (a, b) => Object.keys(a).every((name) => a[name] === b[name]);

// A choice between false and true: a box to tick.
function toggle(name, onStep, signal) {
  const input = h("input", { type: "checkbox" });
  const el = h("label", { class: "fx-toggle" }, input, h("span", {}, name));
  input.addEventListener("change", () => onStep(input.checked), { signal });
  return { el, show: (value) => (input.checked = value) };
}

// One slider: its positions are the choices of a parameter.
function slider(name, choices, onStep, signal) {
  const input = h("input", {
    type: "range",
    min: 0,
    max: choices.length - 1,
    step: 1,
    "aria-label": name,
  });
  const number = h("span", { class: "fx-number", "aria-hidden": "true" });
  const el = h("label", { class: "fx-slider" }, h("span", {}, name), input, number);
  input.addEventListener("input", () => onStep(choices[Number(input.value)]), { signal });
  const show = (value) => {
    input.value = nearest(choices, value);
    number.textContent = written(value, choices);
    input.setAttribute("aria-valuetext", `${name} ${written(value, choices)}`);
  };
  return { el, show };
}

function nearest(choices, value) {
  const exact = choices.indexOf(value);
  if (exact >= 0 || typeof value !== "number") return Math.max(exact, 0);
  const distances = choices.map((choice) => Math.abs(choice - value));
  return distances.indexOf(Math.min(...distances));
}

// Row of the frame nearest to the values; the last parameter changes fastest.
export function frameIndex(names, choices, values) {
  return names.reduce(
    (index, name, k) => index * choices[k].length + nearest(choices[k], values[name]),
    0,
  );
}

class Frames {
  constructor(model, el, signal) {
    const names = model.get("names");
    const labels = model.get("labels");
    const choices = model.get("choices");
    const frames = model.get("frames");
    const alts = model.get("alts");
    Object.assign(this, { model, names, choices, frames, alts, urls: new Map() });

    this.picture = h("img", {
      class: "fx-frame dark-light",
      width: model.get("width"),
      draggable: "false",
    });
    this.controls = names.map((name, k) => {
      const onStep = (value) => this.put(name, value);
      const yesOrNo = choices[k].every((choice) => typeof choice === "boolean");
      return yesOrNo
        ? toggle(labels[k], onStep, signal)
        : slider(labels[k], choices[k], onStep, signal);
    });
    this.root = h(
      "div",
      { class: "fx", ...OWN_KEYS },
      this.picture,
      h("div", { class: "fx-sliders" }, ...this.controls.map((one) => one.el)),
    );

    this.listen(signal);
    this.draw();
    el.append(this.root);
  }

  listen(signal) {
    const { model, urls } = this;
    const draw = () => this.draw();
    for (const key of ["change:values", "change:exact"]) {
      model.on(key, draw);
      signal.addEventListener("abort", () => model.off(key, draw));
    }
    signal.addEventListener("abort", () => urls.forEach((address) => URL.revokeObjectURL(address)));
  }

  put(name, value) {
    this.model.set("values", { ...this.model.get("values"), [name]: value });
    this.model.save_changes();
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
    const { alts, choices, controls, frames, model, names, picture } = this;
    const values = model.get("values");
    const exact = model.get("exact");
    const arrived = exact.values && same(values, exact.values);
    const index = frameIndex(names, choices, values);
    picture.src = this.url(arrived ? exact.frame : frames[index]);
    picture.alt = arrived ? exact.alt : alts[index];
    controls.forEach((one, k) => one.show(values[names[k]]));
  }
}

export default { render: mounted(Frames) };
