// What the stepper says: where it stands, log-likelihood = bound + KL,
// and the components in numbers.
import { sum } from "../parts/controls.js";
import { format, h } from "../parts/dom.js";

const FAULTS = {
  flat: "no width in some direction",
  empty: "no weight",
};

export const collapse = ({ k, kind }) => `would leave component ${k + 1} with ${FAULTS[kind]}`;

function ending({ end, fault, logLik, path }, { leastGain, best }) {
  const short = best - logLik.at(-1);
  const worse = short > 0.01 ? ` Another start ends ${format(short, 3)} nats higher.` : "";
  if (end === "converged") return `Converged: gain under ${leastGain} nats.${worse}`;
  if (end === "steps") return `The run ends here, after ${path.length - 1} iterations.`;
  return `The run stops here: the next M-step ${collapse(fault)}.`;
}

// Where bound and log-likelihood stand after a half-step; gap: nats between them
function meaning(half, gap, converged) {
  if (!half) return "the bound touches the log-likelihood.";
  if (Math.round(1000 * gap) > 0) return "the bound is at its top, the log-likelihood above it.";
  const still = converged ? "nothing moves any more: " : "";
  return `${still}bound and log-likelihood are equal to three decimals.`;
}

export class Report {
  // colours: of the components, CSS
  constructor(colours) {
    this.colours = colours;
    this.equation = sum(["whole", "log-likelihood"], ["elbo", "bound"], ["kl", "gap, KL"]);
    this.status = h("p", { class: "stepper-status", "aria-live": "polite" });
    const headings = ["component", "weight", "mean", "std. deviations"].map((name) =>
      h("th", { scope: "col" }, name),
    );
    this.body = h("tbody");
    this.table = h("table", {}, h("thead", {}, h("tr", {}, ...headings)), this.body);
  }

  // The three numbers add up as shown, to the last digit
  showHeights(logLik, bound) {
    const [whole, gap] = [logLik, logLik - bound].map((v) => Math.round(1000 * v));
    this.equation.show([whole, whole - gap, gap].map((v) => format(v / 1000, 3)));
  }

  showStatus(run, { number, half, isLast, gap, ...ends }) {
    const where = meaning(half, gap, isLast && run.end === "converged");
    const last = isLast ? ` ${ending(run, ends)}` : "";
    const place = h("strong", {}, `Iteration ${number + 1}, ${half ? "M" : "E"}-step:`);
    const rest = ` ${where}${last}`;
    if (this.status.textContent !== place.textContent + rest) {
      this.status.replaceChildren(place, rest);
    }
  }

  showComponents({ weights, mu, cov }) {
    const pair = ([a, b]) => `${format(a)}, ${format(b)}`;
    this.body.replaceChildren(
      ...weights.map((weight, k) => {
        const swatch = h("span", { class: "vb-swatch", style: `background: ${this.colours[k]}` });
        const deviations = [cov[k][0][0], cov[k][1][1]].map(Math.sqrt);
        const cells = [format(weight, 3), pair(mu[k]), pair(deviations)].map((text) =>
          h("td", { class: "vb-number" }, text),
        );
        return h("tr", {}, h("th", { scope: "row" }, swatch, String(k + 1)), ...cells);
      }),
    );
  }
}
