// The ELBO ellipse: a Gaussian q over a posterior in the plane, and log p(x) = ELBO + KL(q || p).
// State lives in the traits target, direction, mu, lengths and angle.
import {
  button,
  buttons,
  choice,
  even,
  hint,
  panel,
  reading,
  readings,
  slider,
  sliders,
  status,
} from "../parts/controls.js";
import { explorer, format, h, italic, say, symbol } from "../parts/dom.js";
import { linear, logarithmic } from "../parts/scales.js";
import { mounted } from "../parts/state.js";
import { Bar } from "./bar.js";
import { contours, covOf, nearest, terms } from "./maths.js";
import { Plane } from "./plane.js";

export { contours, covOf, nearest, terms };

const TRAITS = ["target", "direction", "mu", "lengths", "angle"];
const MEANING = {
  reverse: "It is the gap in the bar: what lifts the ELBO lowers it.",
  forward: "It is not the gap in the bar: it averages over the posterior, not over q.",
};

function numbersOfQ(bound, [low, high]) {
  const mean = (k) =>
    slider({
      label: ["mean ", symbol("z", k)],
      name: `mean z${k}`,
      track: even(linear(-bound, bound), 100 * bound),
    });
  const length = (label, name) =>
    slider({
      label: [`${label} std. dev.`],
      name: `${name} standard deviation`,
      track: even(logarithmic(low, high), 300),
    });
  const angle = slider({
    name: "angle",
    track: even(linear(-180, 180), 360),
    words: (v) => `${format(v, 0)}\u00b0`,
  });
  return [mean(1), mean(2), length("1st", "first"), length("2nd", "second"), angle];
}

class Explorer {
  constructor(state) {
    Object.assign(this, { state, note: "", noted: null });
    this.build();
    this.root = this.layout();
    this.wire();
  }

  q() {
    return this.state.pick("mu", "lengths", "angle");
  }

  target() {
    return this.state.get("targets")[this.state.get("target")];
  }

  build() {
    const { state } = this;
    const { bound, picture, reach, targets } = state.pick("bound", "picture", "reach", "targets");
    const [mu, lengths, angle] = state.get("start");
    const draw = () => this.draw();

    this.plane = new Plane({
      bound,
      drops: picture.drops,
      reach,
      home: { mu, lengths, angle },
      now: () => this.q(),
      onMove: (q) => this.put(q),
      draw,
      signal: state.signal,
    });
    this.bar = new Bar({ ...picture, draw, signal: state.signal });

    this.numbers = numbersOfQ(bound, reach);
    const labels = Object.entries(targets).map(([name, { label }]) => [name, label]);
    this.choices = {
      target: choice("Posterior", labels),
      direction: choice("Make small", Object.entries(state.get("directions"))),
    };
    this.goal = reading();
    this.actions = ["Best q", "Best without rotation", "Start over"].map(button);
    this.status = status();
  }

  layout() {
    const { actions, bar, choices, goal, numbers, plane } = this;
    return explorer(
      "ellipse",
      hint(
        "Move, stretch and turn ",
        italic("q"),
        " by its three handles. The sum in the bar never moves.",
      ),
      choices.target.el,
      h(
        "div",
        { class: "vb-body" },
        panel("Posterior and q", plane.plot.el),
        panel("log p(x) = ELBO + KL(q \u2016 p)", bar.plot.el, ...bar.numbers),
        panel(
          "Divergence",
          choices.direction.el,
          h("div", { class: "ellipse-goal" }, readings([goal])),
          this.status,
          buttons(...actions),
        ),
        panel("Gaussian q", sliders(numbers)),
      ),
    );
  }

  wire() {
    const { actions, choices, numbers, state } = this;
    const [best, unrotated, again] = actions;
    for (const [trait, control] of Object.entries(choices)) {
      control.onChange(state.listen, (value) => this.put({ [trait]: value }));
    }
    numbers.forEach((one, k) => one.onChange(state.listen, (value) => this.slide(k, value)));
    state.listen(best, "click", () => this.best(""));
    state.listen(unrotated, "click", () => this.best(" diagonal"));
    state.listen(again, "click", () => this.take(state.get("start")));
    state.watch(TRAITS, () => this.draw());
  }

  // All that a note speaks of
  setting() {
    return JSON.stringify(this.state.pick(...TRAITS));
  }

  // note: what is said of the new q, for as long as it stays
  put(changes, note = "") {
    const noted = JSON.stringify({ ...this.state.pick(...TRAITS), ...changes });
    Object.assign(this, { note, noted });
    this.state.put(changes);
  }

  slide(k, value) {
    const { mu, lengths } = this.q();
    const replaced = (values, place) => values.map((old, i) => (i === place ? value : old));
    if (k < 2) this.put({ mu: replaced(mu, k) });
    else if (k < 4) this.put({ lengths: replaced(lengths, k - 2) });
    else this.put({ angle: value });
  }

  take([mu, lengths, angle], note) {
    this.put({ mu: [...mu], lengths: [...lengths], angle }, note);
  }

  // restriction: "", or " diagonal" for a q without rotation
  best(restriction) {
    const fits = this.target().best[this.state.get("direction") + restriction];
    const kind = restriction ? "Gaussian without rotation" : "Gaussian";
    const mirror = fits.length > 1 ? "; its mirror image is as good" : "";
    this.take(nearest(fits, this.q().mu), ` No ${kind} comes closer${mirror}.`);
  }

  draw() {
    const { bar, choices, goal, note, numbers, plane, state } = this;
    const { direction, directions } = state.pick("direction", "directions");
    const name = directions[direction];
    const q = this.q();
    const target = this.target();
    const worth = terms(target, q);
    const value = format(direction === "reverse" ? worth.kl : worth.forwardKl, 3);
    const spoken = `${name} ${value} nats`;

    plane.draw(target, q, spoken);
    bar.draw(target, worth);
    [...q.mu, ...q.lengths, q.angle].forEach((v, k) => numbers[k].show(v, spoken));
    for (const [trait, control] of Object.entries(choices)) control.show(state.get(trait));

    goal.el.firstChild.textContent = name;
    goal.number.textContent = `${value} nats`;
    say(this.status, MEANING[direction] + (this.noted === this.setting() ? note : ""));
  }
}

export default { render: mounted(Explorer) };
