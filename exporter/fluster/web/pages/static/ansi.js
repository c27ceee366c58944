// Text with ANSI colours as spans: only colours and weight are taken from it, everything else is left out or made visible.
// fluster.web.pages.terminal does the same for the first view.
const ESCAPE = /\x1b(?:\[([0-9;:]*)([A-Za-z])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])/g;
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const WEIGHTS = { 22: ["a1", "a2"], 23: ["a3"], 24: ["a4"] };

export const visible = (text) =>
  text.replace(CONTROL, (found) => (found < " " ? String.fromCodePoint(0x2400 + found.codePointAt(0)) : "\ufffd"));

function colour(classes, code) {
  for (const name of [...classes]) if (name.startsWith("f")) classes.delete(name);
  if (code !== null) classes.add(`f${code}`);
}
function apply(classes, codes) {
  for (let place = 0; place < codes.length; place++) {
    const code = codes[place];
    if (code === 0) classes.clear();
    else if (code >= 1 && code <= 4) classes.add(`a${code}`);
    else if (WEIGHTS[code]) WEIGHTS[code].forEach((name) => classes.delete(name));
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) colour(classes, code);
    else if (code === 39) colour(classes, null);
    else if (code === 38 || code === 48) {
      // A colour of 256 or of RGB: its numbers are no codes of their own.
      const kind = codes[++place], basic = codes[place + 1];
      if (code === 38) colour(classes, kind === 5 && basic < 16 ? basic + (basic < 8 ? 30 : 82) : null);
      place += { 5: 1, 2: 3 }[kind] ?? 0;
    }
  }
}
export function spans(text) {
  const out = document.createDocumentFragment();
  const classes = new Set();
  let at = 0;
  const add = (piece) => {
    if (!piece) return;
    if (!classes.size) return void out.append(visible(piece));
    const span = document.createElement("span");
    span.className = [...classes].join(" ");
    span.textContent = visible(piece);
    out.append(span);
  };
  for (const found of text.matchAll(ESCAPE)) {
    add(text.slice(at, found.index));
    at = found.index + found[0].length;
    if (found[2] === "m") apply(classes, found[1].split(/[;:]/).map((code) => Number(code.slice(0, 4))));
  }
  add(text.slice(at));
  return out;
}
