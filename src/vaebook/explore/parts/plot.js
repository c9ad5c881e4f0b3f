// A small plot in SVG: axes, and shapes in data units. Colours come from plot.css.
import { h } from "./dom.js";
import { clamp } from "./scales.js";
import { atEnd } from "./state.js";

const MARGIN = { left: 36, right: 10, top: 24, bottom: 40 };

// s("text", { x: 3, class: "a" }, child, "text") in SVG's namespace
export function s(tag, attributes = {}, ...children) {
  const el = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value);
  el.append(...children);
  return el;
}

// "mean _\u03bc_" as text whose part between underscores is italic; subscripts are plain Unicode.
const mathText = (text) =>
  text.split("_").map((part, k) => (k % 2 ? s("tspan", { "font-style": "italic" }, part) : part));

// Points of the ellipse k standard deviations from `mean`, for a covariance [[a, b], [b, d]].
export function ellipse([mx, my], [[a, b], [, d]], k = 1, count = 64) {
  const l11 = Math.sqrt(a);
  const l21 = b / l11;
  const l22 = Math.sqrt(Math.max(d - l21 * l21, 0));
  const at = (t) => [mx + k * l11 * Math.cos(t), my + k * (l21 * Math.cos(t) + l22 * Math.sin(t))];
  return Array.from({ length: count + 1 }, (_, i) => at((2 * Math.PI * i) / count));
}

// options: {x, y (scales), xLabel, yLabel, alt,
// draw(plot) (fills the layers; called at each new size), signal}
export class Plot {
  constructor({ x, y, xLabel, yLabel, alt, draw, signal }) {
    Object.assign(this, { x, y, xLabel, yLabel, draw, layers: new Map() });
    this.axes = s("g");
    this.inner = s("svg", { x: MARGIN.left, y: MARGIN.top });
    this.svg = s("svg", { role: "img", "aria-label": alt }, this.axes, this.inner);
    this.el = h("div", { class: "vb-plot" }, this.svg);
    this.resize(360, 310);

    const observer = new ResizeObserver(() => this.measure());
    observer.observe(this.el);
    atEnd(signal, () => observer.disconnect());
  }

  measure() {
    const { clientWidth, clientHeight } = this.el;
    if (clientWidth === 0 || (clientWidth === this.width && clientHeight === this.height)) return;
    this.resize(clientWidth, clientHeight);
    this.draw(this);
  }

  resize(width, height) {
    const { left, right, top, bottom } = MARGIN;
    Object.assign(this, { width, height, w: width - left - right, h: height - top - bottom });
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.inner.setAttribute("width", this.w);
    this.inner.setAttribute("height", this.h);
    this.drawAxes();
  }

  drawAxes() {
    const { x, y, w, h: height, left, top } = { ...this, ...MARGIN };
    const text = (tx, ty, anchor, ...children) =>
      s("text", { x: tx, y: ty, "text-anchor": anchor }, ...children);
    const across = x.ticks.flatMap((v) => [
      s("line", { x1: left + this.X(v), x2: left + this.X(v), y1: top, y2: top + height }),
      text(left + this.X(v), top + height + 15, "middle", x.label(v)),
    ]);
    const up = y.ticks.flatMap((v) => [
      s("line", { x1: left, x2: left + w, y1: top + this.Y(v), y2: top + this.Y(v) }),
      text(left - 6, top + this.Y(v) + 4, "end", y.label(v)),
    ]);
    const xName = text(left + w / 2, top + height + 33, "middle", ...mathText(this.xLabel));
    const yName = text(0, 12, "start", ...mathText(this.yLabel));
    this.axes.replaceChildren(
      s("rect", { x: left, y: top, width: w, height }),
      ...across,
      ...up,
      xName,
      yName,
    );
  }

  X = (v) => this.x.at(v) * this.w;
  Y = (v) => (1 - this.y.at(v)) * this.h;

  // Data under a pointer event, kept within the axes.
  under({ clientX, clientY }) {
    const box = this.el.getBoundingClientRect();
    const [across, down] = [clientX - box.left - MARGIN.left, clientY - box.top - MARGIN.top];
    return [
      this.x.value(clamp(across / this.w, 0, 1)),
      this.y.value(clamp(1 - down / this.h, 0, 1)),
    ];
  }

  // Replaces what a layer shows; layers lie in the order of their first use.
  show(name, ...shapes) {
    if (!this.layers.has(name))
      this.layers.set(name, this.inner.appendChild(s("g", { class: `vb-${name}` })));
    this.layers.get(name).replaceChildren(...shapes);
  }

  line(points, attributes = {}) {
    const places = points.map(([a, b]) => `${this.X(a).toFixed(2)} ${this.Y(b).toFixed(2)}`);
    return s("path", { d: `M${places.join("L")}`, ...attributes });
  }

  // A straight line between two points
  segment(from, to, attributes = {}) {
    return this.line([from, to], attributes);
  }

  // A line at x from the foot of the plot to its top, or between two heights
  upright(x, low = this.y.low, high = this.y.high) {
    return this.segment([x, low], [x, high]);
  }

  // A line at y from side to side
  level(y) {
    return this.segment([this.x.low, y], [this.x.high, y]);
  }

  // A bar: open at its foot, so that only its sides and top are drawn
  bar([left, right], [foot, top], attributes = {}) {
    const corners = [
      [left, foot],
      [left, top],
      [right, top],
      [right, foot],
    ];
    return this.line(corners, attributes);
  }

  dot([a, b], attributes = {}) {
    return s("circle", { cx: this.X(a), cy: this.Y(b), r: 5, ...attributes });
  }

  text([a, b], content, attributes = {}) {
    return s("text", { x: this.X(a), y: this.Y(b), ...attributes }, ...mathText(content));
  }

  // Moves an HTML element of this.el to a point, at the edge if the point lies outside.
  place(el, [a, b]) {
    const left = MARGIN.left + clamp(this.X(a), 0, this.w);
    const top = MARGIN.top + clamp(this.Y(b), 0, this.h);
    el.style.transform = `translate(${left}px, ${top}px)`;
  }
}
