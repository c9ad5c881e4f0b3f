// Makes the anywidgets of a page live with no kernel and no network.
// Reads the standard widget state that Jupyter tools embed in a page (see
// https://ipywidgets.readthedocs.io, Embedding widgets in HTML), and the scripts that hold
// the state of a view whose script names one.
(() => {
  "use strict";
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const PREFIX = "IPY_MODEL_";
  const STYLE = `.vb-live { min-width: 0; }
@media screen { .vb-still[hidden] { display: none; } }
@media print { .vb-still + .vb-live { display: none; } .vb-still[hidden] { display: block; } }`;

  // model id -> Promise of {model, widget}
  const models = new Map();
  // _esm text -> Promise of the module's default export
  const modules = new Map();
  const styles = new Set();

  function addStyle(text) {
    if (!text || styles.has(text)) return;
    styles.add(text);
    const style = document.createElement("style");
    style.textContent = text;
    document.head.append(style);
  }

  function importText(text) {
    if (!modules.has(text)) {
      const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
      const load = import(url).finally(() => URL.revokeObjectURL(url));
      modules.set(
        text,
        load.then((module) => module.default),
      );
    }
    return modules.get(text);
  }

  // Puts each base64 buffer back where its path says, as the DataView a widget expects.
  function restore({ state, buffers = [] }) {
    const values = { ...state };
    for (const { path, data } of buffers) {
      const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
      const last = path[path.length - 1];
      const parent = path.slice(0, -1).reduce((node, key) => node[key], values);
      parent[last] = new DataView(bytes.buffer);
    }
    return values;
  }

  class Model {
    constructor(values, id) {
      this.values = values;
      this.model_id = id;
      this.handlers = new Map();
      this.widget_manager = { get_model: (other) => instance(other).then((made) => made.model) };
    }
    get(key) {
      return this.values[key];
    }
    set(key, value) {
      const changes = typeof key === "object" ? key : { [key]: value };
      const changed = Object.keys(changes).filter((k) => !same(this.values[k], changes[k]));
      Object.assign(this.values, changes);
      for (const k of changed) this.emit(`change:${k}`, this, this.values[k]);
      if (changed.length > 0) this.emit("change", this);
    }
    on(names, handler) {
      for (const name of names.split(/\s+/)) {
        if (!this.handlers.has(name)) this.handlers.set(name, new Set());
        this.handlers.get(name).add(handler);
      }
    }
    off(names, handler) {
      for (const name of names ? names.split(/\s+/) : this.handlers.keys()) {
        if (handler) this.handlers.get(name)?.delete(handler);
        else this.handlers.delete(name);
      }
    }
    emit(name, ...args) {
      // A copy, since a handler may take others, or itself, off the set.
      const present = Array.from(this.handlers.get(name) ?? []);
      for (const handler of present) handler(...args);
    }
    // With no kernel there is nothing to tell.
    save_changes() {}
    send() {}
  }

  const same = (a, b) =>
    a === b || (!(a instanceof DataView) && JSON.stringify(a) === JSON.stringify(b));

  // model id -> its state; scripts of states add theirs
  const saved = (globalThis.vaebookState ??= {});
  function readStates() {
    for (const script of document.querySelectorAll(STATE)) {
      Object.assign(saved, JSON.parse(script.textContent).state);
    }
  }

  // address of a script -> Promise that it has run
  const loaded = new Map();
  function run(address) {
    if (!loaded.has(address)) {
      const ran = new Promise((done, fail) => {
        const script = document.createElement("script");
        script.src = address;
        script.addEventListener("load", done);
        script.addEventListener("error", () => fail(new Error(`${address} did not load`)));
        document.head.append(script);
      });
      loaded.set(address, ran);
    }
    return loaded.get(address);
  }

  // One model for each id, shared by all its views.
  function instance(id) {
    if (!models.has(id)) models.set(id, create(id));
    return models.get(id);
  }

  async function create(id) {
    if (!(id in saved)) throw new Error(`the page holds no state of widget ${id}`);
    const values = restore(saved[id]);
    const model = new Model(values, id);
    if (!values._esm) return { model, widget: null };

    addStyle(values._css);
    let widget = await importText(values._esm);
    if (typeof widget === "function") widget = await widget();

    const signal = new AbortController().signal;
    await widget.initialize?.({ model, signal, experimental: {} });
    return { model, widget };
  }

  async function mount(id, el) {
    const { model, widget } = await instance(id);
    if (widget) {
      const controller = new AbortController();
      const cleanUp = await widget.render({
        model,
        el,
        signal: controller.signal,
        experimental: {},
      });
      el.addEventListener(
        "vb:remove",
        () => {
          controller.abort();
          if (typeof cleanUp === "function") cleanUp();
        },
        { once: true },
      );
      return;
    }

    const children = model.get("children");
    if (!children) throw new Error(`${model.get("_model_name")} is neither an anywidget nor a box`);
    const down = model.get("_model_name") !== "HBoxModel";
    Object.assign(el.style, {
      display: "flex",
      flexWrap: "wrap",
      gap: "8px",
      flexDirection: down ? "column" : "row",
    });

    await Promise.all(
      children.map((child) => {
        const part = el.appendChild(document.createElement("div"));
        part.className = "vb-live";
        part.style.flex = "1 1 auto";
        return mount(child.slice(PREFIX.length), part);
      }),
    );
  }

  async function show(script) {
    const { model_id: id, state } = JSON.parse(script.textContent);
    const still = script.parentElement.querySelector(":scope > .vb-still");
    const el = document.createElement("div");
    el.className = "vb-live";
    (still || script).after(el);

    try {
      if (state) await run(state);
      await mount(id, el);
      if (still) still.hidden = true;
    } catch (error) {
      // The still picture stays, in no more room than it needs.
      el.remove();
      script.parentElement.style.setProperty("--reserved", 0);
      console.error(`widget ${id} did not start:`, error);
    }
  }

  // A script has no box, so nearness is judged by its picture or its parent.
  function start() {
    addStyle(STYLE);
    readStates();
    const waiting = new Map();
    const observer = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          if (!isIntersecting) continue;
          observer.unobserve(target);
          waiting.get(target).forEach(show);
        }
      },
      { rootMargin: "800px" },
    );
    for (const script of document.querySelectorAll(VIEW)) {
      const target = script.parentElement;
      if (!waiting.has(target)) waiting.set(target, []);
      waiting.get(target).push(script);
    }
    for (const target of waiting.keys()) observer.observe(target);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
