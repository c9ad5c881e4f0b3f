// One view of a widget's state: traits in, one redraw a change, and nothing left behind at its end.

// listen(el, type, action): until the signal aborts
export const listener = (signal) => (el, type, action) =>
  el.addEventListener(type, action, { signal });

export const atEnd = (signal, action) => signal.addEventListener("abort", action);

export class State {
  constructor(model, signal) {
    Object.assign(this, { model, signal, watched: [], putting: false });
    this.listen = listener(signal);
  }

  get(name) {
    return this.model.get(name);
  }

  // Several traits as an object
  pick(...names) {
    return Object.fromEntries(names.map((name) => [name, this.get(name)]));
  }

  // Calls draw(which of these traits changed), whether it was the reader or Python.
  watch(names, draw) {
    const { model, signal, watched } = this;
    watched.push({ names, draw });
    for (const name of names) {
      const changed = () => this.putting || draw([name]);
      model.on(`change:${name}`, changed);
      atEnd(signal, () => model.off(`change:${name}`, changed));
    }
  }

  // What the reader does: writes the traits together, then redraws once and tells Python.
  // It redraws even where nothing changed, since a slider may stand beside its value.
  put(changes) {
    this.putting = true;
    for (const [name, value] of Object.entries(changes)) this.model.set(name, value);
    this.putting = false;

    for (const { names, draw } of this.watched) {
      const written = names.filter((name) => name in changes);
      if (written.length > 0) draw(written);
    }
    this.model.save_changes();
  }

  // What the reader does to a control of controls.js goes into a trait; `draw` shows it there.
  bind(name, control) {
    control.onChange(this.listen, (value) => this.put({ [name]: value }));
  }
}

// A widget's render for a class of views. A view is made of a State; it has a `root`, which goes
// into the page, and `draw()`, which shows everything.
export const mounted =
  (View) =>
  ({ model, el }) => {
    const controller = new AbortController();
    const view = new View(new State(model, controller.signal));
    el.append(view.root);
    view.draw();
    return () => {
      controller.abort();
      view.root.remove();
    };
  };
