// Typesets formulas with MathJax, outside a browser. Reads from standard input
//   {"mathjax": folder of MathJax's components, "formulas": [{"tex", "display"}, ...]}
// and writes to standard output
//   {"typeset": [{"html"} or {"error"}, ...], "css": the rules that this HTML needs}.
"use strict";
const { readFileSync } = require("node:fs");
const { mathjax, formulas } = JSON.parse(readFileSync(0, "utf8"));

// Without these two, what MathJax doesn't know would be printed in red, or as it stands.
const strict = { "[-]": ["noerrors", "noundefined"] };

const settings = {
  loader: {
    paths: { mathjax },
    load: ["input/tex-full", "output/chtml", "a11y/assistive-mml"],
  },
  tex: {
    tags: "none",
    packages: strict,
    formatError: (_, error) => {
      throw error;
    },
  },
  chtml: { fontURL: "", adaptiveCSS: true },
};

function typeset(MathJax, { tex, display }) {
  try {
    const html = MathJax.startup.adaptor.outerHTML(MathJax.tex2chtml(tex, { display }));
    // Text in a font whose widths only a browser knows would be as wide as a guess.
    const foreign = html.includes("<mjx-utext") && "a character that no font of MathJax has";
    return foreign ? { error: foreign } : { html };
  } catch (error) {
    return { error: error.message };
  }
}

require(`${mathjax}/node-main.js`)
  .init(settings)
  .then((MathJax) => {
    const answers = formulas.map((formula) => typeset(MathJax, formula));
    const css = MathJax.startup.adaptor.textContent(MathJax.chtmlStylesheet());
    process.stdout.write(JSON.stringify({ typeset: answers, css }));
  });
