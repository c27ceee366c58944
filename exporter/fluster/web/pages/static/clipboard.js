// Text and lines into the clipboard. A page that came over plain HTTP from another machine has no clipboard of its own: there a selection is copied.
const MOST = 10_000;

export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser does not let this page copy");
}
// Rows [from, to) of `lines`, the last ones if there are too many; resolves to what to tell the reader.
export async function copyLines(lines, from, to) {
  const begin = Math.max(from, to - MOST);
  const found = await lines.whole(begin, to);
  await copyText(found.map((line) => `${line.pieces.map(([, text]) => text).join("")}\n`).join(""));
  const count = `${found.length.toLocaleString("en")} ${found.length === 1 ? "line" : "lines"}`;
  return begin > from ? `copied the last ${count}; the download has all` : `copied ${count}`;
}
