// A button that repeats a step until it is pressed again, or until there is nothing more to do.
import { button } from "./controls.js";
import { atEnd, listener } from "./state.js";

// options: {words: [start, stop], pause (milliseconds), begin() (before the first step),
// step() (returns whether there is more to do), finish() (all of it at once, where motion is
// unwelcome), onStop(), signal}
export class Player {
  constructor({ words, pause, begin, step, finish, onStop, signal }) {
    Object.assign(this, { words, pause, begin, step, finish, onStop, timer: null });
    this.el = button(words[0]);
    listener(signal)(this.el, "click", () => (this.playing ? this.stop() : this.start()));
    atEnd(signal, () => this.stop());
  }

  get playing() {
    return this.timer !== null;
  }

  start() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.finish();
      return;
    }
    this.begin();
    this.timer = setInterval(() => this.step() || this.stop(), this.pause);
    this.el.textContent = this.words[1];
  }

  stop() {
    if (!this.playing) return;
    clearInterval(this.timer);
    this.timer = null;
    this.el.textContent = this.words[0];
    this.onStop();
  }
}
