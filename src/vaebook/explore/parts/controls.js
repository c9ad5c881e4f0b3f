// Buttons, sliders, menus, numbers and panels. A control has an element `el`, `show(value)`, and
// `onChange(listen, action)`, which calls action(value) when the reader moves it.
import { format, h, italic } from "./dom.js";

export const button = (text) => h("button", { type: "button", class: "vb-button" }, text);

// Words whose last letter is a symbol
export const lettered = (name) => [name.slice(0, -1), italic(name.at(-1))];

// A track says where on a slider a value stands, and which value stands where.
// An even track has so many steps along a scale of plot.js.
export const even = (scale, steps = 400) => ({
  min: 0,
  max: steps,
  step: 1,
  at: (value) => steps * scale.at(value),
  value: (place) => Number(scale.value(place / steps).toPrecision(12)),
});

// Whole numbers
export const whole = (min, max) => ({ min, max, step: 1, at: (v) => v, value: (v) => v });

// Any number
export const any = (min, max) => ({ ...whole(min, max), step: "any" });

// A list of choices; `nearest(choices, value)` gives the place of the one to show for a value.
export const among = (choices, nearest) => ({
  ...whole(0, choices.length - 1),
  at: (value) => nearest(choices, value),
  value: (place) => choices[place],
});

const leastBy = (values) => values.indexOf(Math.min(...values));

export const nearestNumber = (choices, value) =>
  leastBy(choices.map((one) => Math.abs(one - value)));

// By ratio, of positive numbers
export const nearestRatio = (choices, value) =>
  leastBy(choices.map((one) => Math.abs(Math.log(one / value))));

// name: as spoken; label: its children on the page; words(value): the number beside the track;
// spoken(value): what a screen reader says, followed by what else `show` is given.
export function slider({ name, label = [name], track, words = format, spoken }) {
  const { min, max, step } = track;
  const input = h("input", { type: "range", min, max, step, "aria-label": name });
  const number = h("span", { class: "vb-number", "aria-hidden": "true" });
  const el = h("label", { class: "vb-slider" }, h("span", {}, ...label), input, number);
  const say = spoken ?? ((value) => `${name} ${words(value)}`);
  return {
    el,
    input,
    show(value, ...more) {
      input.value = track.at(value);
      number.textContent = words(value);
      input.setAttribute("aria-valuetext", [say(value), ...more].join(", "));
    },
    onChange(listen, action) {
      listen(input, "input", () => action(track.value(Number(input.value))));
    },
  };
}

// options: [[value, words], ..]
export function menu(name, options) {
  const entries = options.map(([value, words]) => h("option", { value }, words));
  const select = h("select", {}, ...entries);
  return {
    el: h("label", { class: "vb-menu" }, name, select),
    show: (value) => (select.value = value),
    onChange: (listen, action) => listen(select, "input", () => action(select.value)),
  };
}

// A box to tick
export function check(...label) {
  const input = h("input", { type: "checkbox" });
  return {
    el: h("label", { class: "vb-check" }, input, ...label),
    show: (value) => (input.checked = value),
    onChange: (listen, action) => listen(input, "input", () => action(input.checked)),
  };
}

// Buttons of which one is pressed: [[value, words], ..]
export function choice(name, options) {
  const buttons = options.map(([value, words]) => ({ value, el: button(words) }));
  const title = h("span", {}, `${name}:`);
  const row = [title, ...buttons.map((one) => one.el)];
  return {
    el: h("div", { class: "vb-buttons", role: "group", "aria-label": name }, ...row),
    show(value) {
      for (const one of buttons) one.el.setAttribute("aria-pressed", one.value === value);
    },
    onChange(listen, action) {
      for (const { el, value } of buttons) listen(el, "click", () => action(value));
    },
  };
}

export const buttons = (...all) => h("div", { class: "vb-buttons" }, ...all);
export const sliders = (all) => h("div", { class: "vb-sliders" }, ...all.map((one) => one.el));

// One line of a <dl> of numbers
export function reading(...label) {
  const number = h("dd", { class: "vb-number" });
  return { el: h("div", { class: "vb-reading" }, h("dt", {}, ...label), number), number };
}

export const readings = (all) => h("dl", {}, ...all.map((one) => one.el));

// Numbers that add up, the first to the sum of the others: [[kind, ..label], ..]
export function sum(...parts) {
  const rows = parts.map(([kind, ...label]) => {
    const number = h("dd", { class: "vb-number" });
    return { el: h("div", { class: `vb-of-${kind}` }, h("dt", {}, ...label), number), number };
  });
  return {
    el: h("div", { class: "vb-sum" }, readings(rows)),
    show: (texts) => rows.forEach(({ number }, k) => (number.textContent = texts[k])),
  };
}

// Names, each after a piece of what it names: [[kind, ..words], ..]
export const key = (...names) =>
  h(
    "p",
    { class: "vb-note vb-key" },
    ...names.map(([kind, ...words]) => h("span", { class: `vb-of-${kind}` }, ...words)),
  );

export const hint = (...words) => h("p", { class: "vb-hint" }, ...words);
export const note = (...words) => h("p", { class: "vb-note" }, ...words);

// A line that screen readers hear when it changes
export const status = () => h("p", { class: "vb-note vb-status", "aria-live": "polite" });

export const panel = (title, ...children) =>
  h(
    "div",
    { class: "vb-part", role: "group", "aria-label": title },
    h("p", { class: "vb-title", "aria-hidden": "true" }, title),
    ...children,
  );
