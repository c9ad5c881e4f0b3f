// Keyboard, clipboard and paper: what scrolls sideways can be reached and scrolled with
// the keyboard, a copied formula is its TeX, and a page is printed from the light theme.
(() => {
  "use strict";
  const SCROLLERS =
    "mjx-container[display], .pst-scrollable-table-container, .text_html, article pre";

  // All widths are read before anything is written: between the two a browser would lay
  // the page out anew for each box.
  function mark(boxes) {
    const wider = boxes.map((box) => box.scrollWidth > box.clientWidth);
    boxes.forEach((box, i) => {
      if (wider[i]) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    });
  }

  // A box is measured when it comes near, and again whenever its width changes.
  const resized = new ResizeObserver((entries) => mark(entries.map(({ target }) => target)));
  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        resized.observe(target);
      }
    },
    { rootMargin: "600px" },
  );
  for (const box of document.querySelectorAll(SCROLLERS)) near.observe(box);

  // The formulas of what is selected, as they were written; a whole formula if a part of
  // it is selected.
  const outermost = (node) => (node.nodeType === Node.TEXT_NODE ? node.parentElement : node);
  addEventListener("copy", (event) => {
    const selection = getSelection();
    if (selection.isCollapsed) return;
    const range = selection.getRangeAt(0).cloneRange();
    const first = outermost(range.startContainer).closest(".math");
    const last = outermost(range.endContainer).closest(".math");
    if (first) range.setStartBefore(first);
    if (last) range.setEndAfter(last);

    const copy = range.cloneContents();
    const formulas = copy.querySelectorAll(".math[data-tex]");
    if (formulas.length === 0) return;
    for (const formula of formulas) {
      const sign = formula.matches("div") ? "$$" : "$";
      formula.replaceWith(sign + formula.dataset.tex + sign);
    }
    event.clipboardData.setData("text/plain", textOf(copy));
    event.preventDefault();
  });

  // Two clicks on a formula select the whole of it.
  addEventListener("dblclick", (event) => {
    const formula = event.target.closest?.(".math");
    if (formula) getSelection().selectAllChildren(formula);
  });

  // As a browser would show it: blocks on lines of their own.
  function textOf(fragment) {
    const box = document.createElement("div");
    box.style.cssText = "position: fixed; left: -200vw";
    box.append(fragment);
    document.body.append(box);
    const text = box.innerText;
    box.remove();
    return text;
  }

  // What nobody needs before they move: copy buttons, and marks on what was searched for.
  const late = globalThis.lateScripts ?? [];
  const signs = ["scroll", "pointermove", "pointerdown", "keydown"];
  function fetchLate() {
    for (const sign of signs) removeEventListener(sign, fetchLate);
    for (const address of late) {
      const script = document.createElement("script");
      script.src = address;
      script.async = false; // one after the other
      document.head.append(script);
    }
  }
  const sought = localStorage.getItem("sphinx_highlight_terms") || location.search;
  if (sought) fetchLate();
  else for (const sign of signs) addEventListener(sign, fetchLate, { passive: true });

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
