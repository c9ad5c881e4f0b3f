// The gap ledger: q over the exact posterior of an image, and log p(x) = ELBO + two gaps.
// State lives in the traits selected, mu, sigma and draws.
import {
  among,
  button,
  buttons,
  choice,
  even,
  hint,
  nearestNumber,
  panel,
  slider,
  sliders,
  status,
} from "../parts/controls.js";
import { explorer, format, h, italic, palette, say, symbol } from "../parts/dom.js";
import { picture } from "../parts/pixels.js";
import { Player } from "../parts/player.js";
import { logarithmic } from "../parts/scales.js";
import { mounted } from "../parts/state.js";
import { Climb, elbo, gapsOf, logJoint, readLedger, slopeAt, weightedBound } from "./maths.js";
import { Plane } from "./plane.js";
import { Waterfall } from "./waterfall.js";

export { Climb, elbo, gapsOf, logJoint, readLedger, slopeAt, weightedBound };

const TRAITS = ["selected", "mu", "sigma", "draws"];
// Milliseconds between the steps of a climb
const PAUSE = 40;
// Of the axis, beside the widest gap of the encoder's q
const ROOM = 1.25;

// The second of a class is told apart by a number.
const named = (labels) =>
  labels.map((label, n) => {
    const before = labels.slice(0, n).filter((other) => other === label).length;
    return [n, before ? `${label} (${before + 1})` : String(label)];
  });

class Explorer {
  constructor(state) {
    this.state = state;
    this.ledger = readLedger(state);
    this.build();
    this.root = this.layout();
    this.colours = palette(this.root, ["paper", "ink"], () => this.draw(), state.signal);
    this.wire();
  }

  get one() {
    return this.ledger.cases[this.state.get("selected")];
  }

  get q() {
    return this.state.pick("mu", "sigma");
  }

  build() {
    const { labels, side } = this.ledger;
    const { signal } = this.state;
    const { bound, choices, reach } = this.state.pick("bound", "choices", "reach");
    const draw = () => this.draw();

    this.images = choice("Test image", named(labels));
    this.picture = picture(side, "The test image");
    this.plane = new Plane({ bound, onMove: (mu) => this.move({ mu }), draw, signal });
    this.waterfall = new Waterfall({ draw, signal });
    this.widths = [1, 2].map((l) =>
      slider({
        label: [symbol("\u03c3", l)],
        name: `standard deviation of z${l}`,
        track: even(logarithmic(...reach), 300),
        words: (v) => format(v, 3),
      }),
    );
    this.number = slider({
      label: ["draws"],
      name: "draws of the bound",
      track: among(choices, nearestNumber),
      words: String,
    });
    this.player = new Player({
      words: ["Refine q", "Stop"],
      pause: PAUSE,
      begin: () => this.begin(),
      step: () => this.climb(),
      finish: () => this.finish(),
      onStop: () => this.tell(),
      signal,
    });
    this.again = button("Encoder\u2019s q");
    this.status = status();
  }

  layout() {
    const { again, images, number, picture: image, plane, player, waterfall, widths } = this;
    return explorer(
      "ledger",
      hint(
        "Choose an image, then refine ",
        italic("q"),
        " or move it by hand, and watch which gap closes.",
      ),
      images.el,
      h(
        "div",
        { class: "vb-body" },
        panel("Exact posterior and q", plane.plot.el, sliders(widths), buttons(player.el, again)),
        panel(
          "Where the nats are",
          h("div", { class: "ledger-image" }, image.el),
          waterfall.plot.el,
          sliders([number]),
          this.status,
        ),
      ),
    );
  }

  wire() {
    const { again, images, number, state, widths } = this;
    images.onChange(state.listen, (selected) => this.take(selected));
    state.listen(again, "click", () => this.take(state.get("selected")));
    widths.forEach((one, l) =>
      one.onChange(state.listen, (value) =>
        this.move({ sigma: this.q.sigma.map((old, k) => (k === l ? value : old)) }),
      ),
    );
    number.onChange(state.listen, (draws) => state.put({ draws }));
    state.watch(TRAITS, () => this.draw());
  }

  // By hand: a climb ends where the reader takes over.
  move(changes) {
    this.player.stop();
    this.state.put(changes);
  }

  take(selected) {
    this.player.stop();
    const { mu, sigma } = this.ledger.cases[selected].encoded;
    this.state.put({ selected, mu: [...mu], sigma: [...sigma] });
    this.tell();
  }

  begin() {
    const { ledger, one, q, state } = this;
    const { adam, reach } = state.pick("adam", "reach");
    this.way = new Climb({ ledger, x: one.x, adam, reach, q });
  }

  climb() {
    this.state.put(this.way.next());
    return this.way.more;
  }

  finish() {
    this.begin();
    while (this.way.more) this.way.next();
    this.state.put(this.way.q);
    this.tell();
  }

  // What the present q misses, for those who hear
  tell() {
    const { amortisation, approximation } = this.gaps;
    const rest = `${format(approximation)} no Gaussian without rotation wins from here`;
    const won =
      amortisation < -0.005
        ? `${format(-amortisation)} nats better than the best near the encoder\u2019s`
        : `${format(Math.max(amortisation, 0))} nats can be won by refining`;
    say(this.status, `Of this q ${won}; ${rest}.`);
  }

  draw() {
    const { images, ledger, number, one, plane, q, state, waterfall, widths } = this;
    const { draws, selected } = state.pick("draws", "selected");
    const gaps = gapsOf(ledger, one, q, draws);
    one.low ??= one.log_evidence - ROOM * Math.max(1, this.widest(one));
    this.gaps = gaps;

    const below = format(gaps.logEvidence - gaps.elbo);
    const worth = `ELBO ${format(gaps.elbo)} nats, ${below} below log p(x)`;
    images.show(selected);
    plane.draw(one, q, worth);
    waterfall.draw(gaps, draws, one.low);
    widths.forEach((slide, l) => slide.show(q.sigma[l], worth));
    number.show(draws, `bound ${format(gaps.weighted)} nats`);
    const colours = this.colours?.();
    if (colours) this.picture.show(one.x, colours);
    if (!this.status.textContent) this.tell();
  }

  widest(one) {
    return one.log_evidence - elbo(this.ledger, one.x, one.encoded);
  }
}

export default { render: mounted(Explorer) };
