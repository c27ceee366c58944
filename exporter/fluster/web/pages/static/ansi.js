// Text with ANSI colours as spans: only colours and weight are taken from it, everything else stays text or is left out.
const ESCAPE = /\x1b(?:\[([0-9;:]*)([A-Za-z])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])/g;
const CONTROL = /[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f\u202a-\u202e\u2066-\u2069]/g;

const visible = (text) =>
  text.replace(CONTROL, (found) => {
    const code = found.codePointAt(0);
    return code < 32 ? String.fromCodePoint(0x2400 + code) : "\ufffd";
  });

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
    if (found[2] !== "m") continue;
    for (const code of (found[1] || "0").split(/[;:]/).map(Number)) {
      if (code === 0) classes.clear();
      else if (code >= 1 && code <= 4) classes.add(`a${code}`);
      else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
        for (const name of [...classes]) if (name.startsWith("f")) classes.delete(name);
        classes.add(`f${code}`);
      } else if (code === 39) for (const name of [...classes]) if (name.startsWith("f")) classes.delete(name);
    }
  }
  add(text.slice(at));
  return out;
}
