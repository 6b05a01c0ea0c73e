/*
 * node mermaid.mjs DIAGRAM ...
 *
 * Prints what Mermaid reads in each diagram, as JSON: its vertices, subgraphs and edges.
 */

import fs from "node:fs";
import { JSDOM } from "jsdom";

const dom = new JSDOM("");
globalThis.window = dom.window;
globalThis.document = dom.window.document;
const mermaid = (await import("mermaid")).default;

/* As Mermaid keeps #36; while it draws. */
function decoded(text) {
  return text.replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCodePoint(Number(code)));
}

for (const path of process.argv.slice(2)) {
  const text = fs.readFileSync(path, "utf8");
  await mermaid.parse(text);
  const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
  console.log(JSON.stringify({
    vertices: [...db.getVertices().values()].map((vertex) => decoded(vertex.text)),
    subgraphs: db.getSubGraphs().map((graph) => decoded(graph.title)),
    edges: db.getEdges().length,
  }));
}
