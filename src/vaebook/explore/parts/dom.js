// Small helpers around the page: elements, words, theme colours.
import { atEnd, listener } from "./state.js";

// h("label", {class: "a", "aria-label": "b"}, child, "text")
export function h(tag, attributes = {}, ...children) {
  const el = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) el.setAttribute(key, value);
  }
  if (/^(input|button|select)$/.test(tag) || "tabindex" in attributes) {
    for (const [key, value] of Object.entries(OWN_KEYS)) el.setAttribute(key, value);
  }
  el.append(...children);
  return el;
}

// JupyterLab leaves keys to the element in focus if it, not only its parent, says so.
const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" };

// What a view puts into the page; style sheets know it by its names, of which one is its folder's.
export const explorer = (names, ...children) => {
  const classes = names.split(" ").map((name) => `vb-${name}`);
  return h("div", { class: `vb ${classes.join(" ")}`, ...OWN_KEYS }, ...children);
};

export const italic = (text) => h("i", {}, text);

// "z" with a subscript, for eyes; the spoken name is plain text beside it
export const symbol = (letter, index) => h("i", {}, letter, h("sub", {}, String(index)));

// A number with a true minus sign, so that columns line up and screen readers say "minus"
export function format(value, digits = 2) {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
}

// A whole number with commas between thousands
export const commas = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ",");

// Writes only what is new, so that a live region speaks once.
export function say(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

// Reads CSS custom properties as [r, g, b]; light-dark() resolves on a real property only.
function themeColours(root, names) {
  const probe = h("span", { hidden: "" });
  root.append(probe);
  const read = (name) => {
    probe.style.color = `var(--vb-${name})`;
    return getComputedStyle(probe)
      .color.match(/[\d.]+/g)
      .slice(0, 3)
      .map(Number);
  };
  const colours = Object.fromEntries(names.map((name) => [name, read(name)]));
  probe.remove();
  return colours;
}

export const rgba = ([r, g, b], alpha = 1) => `rgba(${r}, ${g}, ${b}, ${alpha})`;

// Calls back when the page switches between light and dark, whoever does the switching.
function onThemeChange(callback, signal) {
  const observer = new MutationObserver(callback);
  const attributeFilter = ["data-theme", "data-mode", "data-jp-theme-light", "class", "style"];
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter });
  }
  listener(signal)(matchMedia("(prefers-color-scheme: dark)"), "change", callback);
  atEnd(signal, () => observer.disconnect());
}

// A function that gives the theme's colours, {name: [r, g, b]}, or null while `root` isn't in the
// page, where they are unknown. `draw` is called when they have changed.
export function palette(root, names, draw, signal) {
  let colours = null;
  const changed = () => {
    colours = null;
    draw();
  };
  onThemeChange(changed, signal);
  return () => {
    if (!colours && root.isConnected) colours = themeColours(root, names);
    return colours;
  };
}
