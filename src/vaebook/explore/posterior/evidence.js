// The log evidence while data arrive,
// beside that of the prior at the start and the best single mean.
import { format } from "../parts/dom.js";
import { Plot, s } from "../parts/plot.js";
import { linear } from "../parts/scales.js";
import { price } from "./maths.js";

// Pixels: ends of the price, room for its word
const CLOSE = 24;
const WORD = 90;

export class Evidence {
  // options: {count (of all the data), label (of one), draw(), signal}
  constructor({ count, label, draw, signal }) {
    const { ticks } = linear(0, count);
    const across = {
      ...linear(-0.02 * count, 1.02 * count),
      ticks: ticks.filter(Number.isInteger),
      label: String,
    };
    this.plot = new Plot({
      x: across,
      y: linear(-1, 0),
      xLabel: label,
      yLabel: "nats",
      draw,
      signal,
      alt:
        "Log evidence of the data seen, under this prior and under the one at the start, " +
        "below the best single mean's log-likelihood",
    });
  }

  // here, home: rows of learn; seen: how many;
  // relative: heights are measured from the best single mean
  draw({ here, home, seen, relative }) {
    const { plot } = this;
    const line = (rows, key) => rows.map((row, k) => [k, row[key] - (relative ? row.best : 0)]);
    const now = line(here, "logEvidence");
    const start = line(home, "logEvidence");
    const best = line(here, "best");
    const nats = [...now, ...start, ...best].map(([, height]) => height);
    this.rescale(nats, relative);

    const shown = (points) => plot.line(points.slice(0, seen + 1));
    plot.show("posterior-best", relative ? plot.level(0) : shown(best));
    plot.show("posterior-price", plot.segment(best[seen], now[seen]));
    plot.show("posterior-evidence", shown(now));
    plot.show("posterior-start", shown(start));
    this.drawPrice(best.slice(0, seen + 1), now[seen], price(here[seen]));
  }

  // Over the whole run, so that it stays while data arrive
  rescale(nats, relative) {
    const { plot } = this;
    const [low, high] = [Math.min(...nats, -1), Math.max(...nats, 0)];
    plot.y = linear(low - 0.08 * (high - low), high + 0.12 * (high - low), 4);
    plot.yLabel = relative ? "nats, from the best mean" : "nats";
    plot.drawAxes();
  }

  // The word stands beside the middle of the price, or above the curves where its ends are close
  drawPrice(best, at, nats) {
    const { plot } = this;
    const [x, y] = [plot.X(at[0]), plot.Y(at[1])];
    const late = x > plot.w / 2;
    const top = plot.Y(best.at(-1)[1]);
    const under = late ? best.filter(([n]) => plot.X(n) > x - WORD) : best.slice(-1);
    const above = Math.min(...under.map(([, height]) => plot.Y(height))) - 10;
    const place = y - top < CLOSE ? Math.max(above, 11) : (top + y) / 2 + 4;
    const side = late ? -9 : 9;

    const word = s(
      "text",
      { x: x + side, y: place, "text-anchor": late ? "end" : "start" },
      `price ${format(nats)}`,
    );
    plot.show("posterior-mark", plot.dot(at));
    plot.show("posterior-word", ...(at[0] ? [word] : []));
  }
}
