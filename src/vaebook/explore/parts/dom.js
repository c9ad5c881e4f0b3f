// Small helpers around the page: elements, theme colours, listeners that end together.

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
export const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" };

// "z" with a subscript, for eyes; the spoken name is plain text beside it
export const symbol = (letter, index) => h("i", {}, letter, h("sub", {}, String(index)));

// A number with a true minus sign, so that columns line up and screen readers say "minus"
export function format(value, digits = 2) {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
}

// A whole number with commas between thousands
export const commas = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ",");

// A widget's render for a view: a class that takes (model, el, signal), puts its `root` into el and
// lets go of everything when the signal aborts.
export const mounted =
  (View) =>
  ({ model, el }) => {
    const controller = new AbortController();
    const view = new View(model, el, controller.signal);
    return () => {
      controller.abort();
      view.root.remove();
    };
  };

// Reads CSS custom properties as [r, g, b]; light-dark() resolves on a real property only.
export function themeColours(root, names) {
  const probe = h("span", { hidden: "" });
  root.append(probe);
  const read = (name) => {
    probe.style.color = `var(--lx-${name})`;
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
export function onThemeChange(callback, signal) {
  const observer = new MutationObserver(callback);
  const attributeFilter = ["data-theme", "data-mode", "data-jp-theme-light", "class", "style"];
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
}
