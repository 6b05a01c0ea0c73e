/*
 * node text.mjs DASHBOARD.json ...
 *
 * What Grafana makes of panels of text, and lets through of it. Prints a line of JSON for each: the elements
 * in the order in which they begin, the text of what is code, and those of the cells of tables.
 */

import fs from "node:fs";
import { createRequire } from "node:module";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("");
globalThis.window = window;
globalThis.document = window.document;
globalThis.navigator ??= window.navigator;
const { renderTextPanelMarkdown } = createRequire(import.meta.url)("@grafana/data");

function textsOf(body, selector) {
  return [...body.querySelectorAll(selector)].map((element) => element.textContent);
}

function shown({ title, options }) {
  const { body } = new JSDOM(renderTextPanelMarkdown(options.content)).window.document;
  return {
    title,
    elements: [...body.querySelectorAll("*")].map((element) => element.localName),
    attributes: [...body.querySelectorAll("*")].flatMap((element) => element.getAttributeNames()),
    code: textsOf(body, "code"),
    cells: textsOf(body, "td"),
  };
}

for (const path of process.argv.slice(2)) {
  for (const panel of JSON.parse(fs.readFileSync(path, "utf8")).panels.filter(({ type }) => type === "text")) {
    console.log(JSON.stringify(shown(panel)));
  }
}
