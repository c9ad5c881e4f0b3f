// The explorer's page: every control and panel, without behaviour.
import { h, OWN_KEYS, symbol } from "../parts/dom.js";

const button = (text) => h("button", { type: "button", class: "lx-button" }, text);
const panel = (name, title, ...children) =>
  h(
    "div",
    { class: `lx-panel lx-${name}`, role: "group", "aria-label": title },
    h("p", { class: "lx-title", "aria-hidden": "true" }, title),
    ...children,
  );

function sliders(latentDim, bound) {
  return Array.from({ length: latentDim }, (_, i) => {
    const input = h("input", {
      type: "range",
      min: -bound,
      max: bound,
      step: "any",
      "aria-label": `z${i + 1}`,
    });
    const number = h("span", { class: "lx-number", "aria-hidden": "true" });
    const el = h("label", { class: "lx-slider" }, symbol("z", i + 1), input, number);
    return { el, input, number };
  });
}

function axisMenus(latentDim) {
  return ["Across", "Up"].map((name, axis) => {
    const options = Array.from({ length: latentDim }, (_, i) =>
      h("option", { value: i }, `z${i + 1}`),
    );
    const select = h("select", {}, ...options);
    select.value = String(axis);
    return { el: h("label", { class: "lx-menu" }, name, select), select };
  });
}

function legend(classes) {
  return classes.map((label, k) =>
    h(
      "button",
      {
        type: "button",
        class: "lx-class",
        "aria-pressed": "false",
        "aria-label": `Show only class ${label}`,
      },
      h("span", { class: "lx-swatch", style: `background: var(--lx-class-${k % 10})` }),
      String(label),
    ),
  );
}

const key = (name, text) =>
  h("span", { class: "lx-key" }, h("span", { class: `lx-mark lx-mark-${name}` }), text);

function mapKey() {
  return h(
    "p",
    { class: "lx-keys" },
    key("z", "z, the point decoded"),
    key("q", "q(z|x): 1\u03c3 filled, 2\u03c3 line"),
    key("prior", "prior: 1\u03c3, 2\u03c3"),
  );
}

// parts: {latentDim, bound, classes, pad, decoded, input, rebuilt, bars}, elements already made
export function layout(parts) {
  const controls = {
    sliders: sliders(parts.latentDim, parts.bound),
    menus: parts.latentDim > 2 ? axisMenus(parts.latentDim) : [],
    chips: legend(parts.classes),
    mosaic: h("input", { type: "checkbox" }),
    reset: button("Reset"),
    previous: button("\u2039 Previous"),
    next: button("Next \u203a"),
    clear: button("Clear"),
    undo: button("Undo edits"),
    status: h("p", { class: "lx-status", "aria-live": "polite" }),
  };
  const map = panel(
    "map",
    "Latent space: each digit at its posterior mean",
    h(
      "div",
      { class: "lx-tools" },
      ...controls.menus.map((m) => m.el),
      h("label", { class: "lx-check" }, controls.mosaic, "Decoded images"),
      controls.reset,
    ),
    parts.pad,
    h("div", { class: "lx-classes", role: "group", "aria-label": "Classes" }, ...controls.chips),
    mapKey(),
  );
  const decode = panel(
    "decode",
    "Decoded at z",
    parts.decoded,
    h("div", { class: "lx-sliders" }, ...controls.sliders.map((s) => s.el)),
  );
  const encode = panel(
    "encode",
    "One image: encoded, decoded, scored",
    h(
      "div",
      { class: "lx-image" },
      h("p", { class: "lx-note" }, "Input x, paint on it"),
      parts.input,
    ),
    h(
      "div",
      { class: "lx-image" },
      h("p", { class: "lx-note" }, "Decoded at q\u2019s mean"),
      parts.rebuilt,
    ),
    h(
      "div",
      { class: "lx-actions" },
      controls.status,
      controls.previous,
      controls.next,
      controls.undo,
      controls.clear,
    ),
    parts.bars,
  );
  const hint = h(
    "p",
    { class: "lx-hint" },
    "Drag the ring to decode a point. " +
      "Tap a digit, or paint one below, to encode it and fill the bars.",
  );
  return {
    el: h(
      "div",
      { class: "lx", ...OWN_KEYS },
      hint,
      h("div", { class: "lx-body" }, map, decode, encode),
    ),
    controls,
  };
}
