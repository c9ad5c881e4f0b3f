// The three numbers of the ELBO as bars that add up: E_q[log p(x|z)] - KL = ELBO, in nats.
import { format, h, symbol } from "../parts/dom.js";

const formula = () => ({
  fit: h("span", {}, "E", h("sub", {}, "q"), "[log p(x|z)]"),
  kl: h("span", {}, "\u2212 KL(q(z|x) \u2016 p(z))"),
  elbo: h("span", {}, "= ELBO"),
});

function row(name, label) {
  const bar = h("div", { class: `latent-bar latent-bar-${name}` });
  const number = h("span", { class: "vb-number" });
  const el = h(
    "div",
    { class: `latent-term latent-term-${name}` },
    label,
    number,
    h("div", { class: "latent-track" }, bar),
  );
  return { el, bar, number };
}

// Places a bar from `from` to `to`, both nats below zero, on a track `scale` nats wide.
function place(bar, from, to, scale) {
  bar.style.right = `${(100 * from) / scale}%`;
  bar.style.width = `${(100 * (to - from)) / scale}%`;
}

// scale: the width of the track in nats, stretched when an image scores worse
export function elboBars(latentDim, numSamples, scale) {
  const labels = formula();
  const rows = Object.fromEntries(Object.keys(labels).map((k) => [k, row(k, labels[k])]));
  const low = h("span");
  const axis = h(
    "div",
    { class: "latent-axis", "aria-hidden": "true" },
    low,
    h("span", {}, "0 nats"),
  );
  const perLatent = Array.from({ length: latentDim }, (_, i) => {
    const bar = h("div", { class: "latent-bar latent-bar-kl" });
    const number = h("span", { class: "vb-number" });
    const el = h(
      "div",
      { class: "latent-kl" },
      symbol("z", i + 1),
      h("div", { class: "latent-track" }, bar),
      number,
    );
    return { el, bar, number };
  });
  const el = h(
    "div",
    { class: "latent-terms" },
    rows.fit.el,
    rows.kl.el,
    rows.elbo.el,
    axis,
    h("p", { class: "vb-note" }, "KL of each latent, nats"),
    h("div", { class: "latent-kls" }, ...perLatent.map((p) => p.el)),
    h(
      "p",
      { class: "vb-note" },
      `E is the mean over ${numSamples} fixed draws of z from q; KL is exact.`,
    ),
  );

  const show = (terms) => {
    el.classList.toggle("latent-empty", !terms);
    if (!terms) return;
    const width = Math.max(scale, Math.ceil(-terms.elbo / 10) * 10);
    const fit = Math.max(-terms.expectedLogLik, 0);

    place(rows.fit.bar, 0, fit, width);
    place(rows.kl.bar, fit, fit + terms.kl, width);
    place(rows.elbo.bar, 0, fit + terms.kl, width);

    rows.fit.number.textContent = format(terms.expectedLogLik);
    rows.kl.number.textContent = `\u2212 ${format(terms.kl)}`;
    rows.elbo.number.textContent = format(terms.elbo);
    low.textContent = format(-width, 0);

    const largest = Math.max(4, ...terms.klPerLatent);
    perLatent.forEach(({ bar, number }, i) => {
      bar.style.width = `${(100 * terms.klPerLatent[i]) / largest}%`;
      number.textContent = format(terms.klPerLatent[i]);
    });
  };
  return { el, show };
}
