// Keyboard and paper: what scrolls sideways can be reached and scrolled with the
// keyboard, and a page printed from the dark theme is printed from the light one.
(() => {
  "use strict";
  const SCROLLERS = "mjx-container[display], .pst-scrollable-table-container, article pre";

  function mark() {
    for (const box of document.querySelectorAll(SCROLLERS)) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  // A page is measured once its mathematics is set, and again when its width changes.
  const ready = () => window.MathJax?.startup?.promise ?? Promise.resolve();
  addEventListener("load", () => {
    ready().then(() => new ResizeObserver(mark).observe(document.querySelector("main")));
  });

  // On a phone the table of contents is a drawer: a tap on a line of it closes it.
  addEventListener("click", (event) => {
    const line = event.target.closest?.('dialog[open] a[href^="#"]');
    line?.closest("dialog").close();
  });

  const root = document.documentElement;
  let shown = root.dataset.theme;
  addEventListener("beforeprint", () => {
    shown = root.dataset.theme;
    root.dataset.theme = "light";
  });
  addEventListener("afterprint", () => {
    root.dataset.theme = shown;
  });
})();
