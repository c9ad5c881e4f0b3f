// Buttons, sliders, numbers and panels, without behaviour.
import { format, h } from "./dom.js";

export const button = (text) => h("button", { type: "button", class: "lx-button" }, text);

// name: words and, last, a letter set in italics. toPosition: a value's place on the track.
export function slider(name, scale, toPosition) {
  const [min, max] = [toPosition(scale.low), toPosition(scale.high)];
  const input = h("input", {
    type: "range",
    min,
    max,
    step: (max - min) / 400,
    "aria-label": name,
  });
  const number = h("span", { class: "lx-number", "aria-hidden": "true" });
  const el = h(
    "label",
    { class: "lx-slider" },
    h("span", {}, name.slice(0, -1), h("i", {}, name.at(-1))),
    input,
    number,
  );
  const show = (value) => {
    input.value = toPosition(value);
    input.setAttribute("aria-valuetext", `${name} ${format(value)}`);
    number.textContent = format(value);
  };
  return { el, input, show };
}

// A slider over a list of rising numbers, shown as their nearest
export function chooser(name, choices, written = String) {
  const input = h("input", {
    type: "range",
    min: 0,
    max: choices.length - 1,
    step: 1,
    "aria-label": name,
  });
  const number = h("span", { class: "lx-number", "aria-hidden": "true" });
  const el = h("label", { class: "lx-slider" }, h("span", {}, name), input, number);
  const away = (value) => (choice) => Math.abs(Math.log(choice / value));
  const show = (value) => {
    const distances = choices.map(away(value));
    input.value = distances.indexOf(Math.min(...distances));
    input.setAttribute("aria-valuetext", `${name} ${written(value)}`);
    number.textContent = written(value);
  };
  return { el, input, show, chosen: () => choices[Number(input.value)] };
}

// One line of a <dl> of numbers
export function reading(...label) {
  const number = h("dd", { class: "lx-number" });
  return { el: h("div", { class: "lx-reading" }, h("dt", {}, ...label), number), number };
}

export const panel = (title, ...children) =>
  h(
    "div",
    { class: "lx-part", role: "group", "aria-label": title },
    h("p", { class: "lx-title", "aria-hidden": "true" }, title),
    ...children,
  );
