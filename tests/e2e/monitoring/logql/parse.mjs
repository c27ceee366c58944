// Reads a JSON list of LogQL queries on stdin. Writes, for each, where it is not LogQL and which labels choose its streams.
import { readFileSync } from "node:fs";
import { parser } from "@grafana/lezer-logql";

function read(text) {
  const errors = [];
  const labels = [];
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) errors.push({ from: node.from, to: node.to, text: text.slice(node.from, node.to) });
      // The first child of a matcher in braces is its label. A filter behind a pipe has matchers too: its parent is another.
      if (node.name === "Matcher" && inSelector(node.node)) {
        labels.push(text.slice(node.node.firstChild.from, node.node.firstChild.to));
      }
    },
  });
  return { errors, labels };
}

function inSelector(node) {
  for (let each = node.parent; each; each = each.parent) {
    if (each.name === "Selector") return true;
    if (each.name.endsWith("Stage") || each.name === "LabelFilter") return false;
  }
  return false;
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(read)));
