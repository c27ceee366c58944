// One line of the log as an element. All text goes in as text; the pieces and their classes come from the worker.
import { everyTime, moment } from "./times.js";

const MOST_MARKS = 100;

export function bytes(size) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let place = 0;
  while (size >= 1024 && place < units.length - 1) [size, place] = [size / 1024, place + 1];
  return `${place && size < 100 ? size.toFixed(1) : Math.round(size)} ${units[place]}`;
}
const made = (name, className, text) => {
  const element = document.createElement(name);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
// The places [begin, end) of the needle in a text, without case unless `cased`.
export function places(text, needle, cased) {
  const fold = (value) => (cased ? value : value.toLowerCase());
  const inside = fold(text), wanted = fold(needle), found = [];
  if (inside.length !== text.length || !wanted) return found; // a letter that becomes two when it is folded
  for (let at = inside.indexOf(wanted); at >= 0 && found.length < MOST_MARKS; at = inside.indexOf(wanted, at + wanted.length)) found.push([at, at + wanted.length]);
  return found;
}
// [classes, text, marked] cut at the ends of the marks.
export function markedPieces(pieces, marks) {
  const out = [];
  let begin = 0, next = 0;
  for (const [classes, text] of pieces) {
    const end = begin + text.length;
    for (let at = begin; at < end;) {
      while (next < marks.length && marks[next][1] <= at) next++;
      const mark = marks[next], inside = mark !== undefined && mark[0] <= at;
      const to = Math.min(end, mark === undefined ? end : inside ? mark[1] : mark[0]);
      out.push([classes, text.slice(at - begin, to - begin), inside]);
      at = to;
    }
    begin = end;
  }
  return out;
}
function filled(text, line, search) {
  const marks = search?.needle ? places(line.pieces.map(([, piece]) => piece).join(""), search.needle, search.cased) : [];
  for (const [classes, piece, marked] of markedPieces(line.pieces, marks)) {
    if (!classes && !marked) text.append(piece);
    else text.append(made(marked ? "mark" : "span", classes, piece));
  }
}
const chip = (text) => made("span", "gap", text);
// Before the text: behind it, nobody would find it.
function folder(text, label, act) {
  const button = made("button", "fold", label);
  button.type = "button";
  button.addEventListener("click", act);
  text.append(button);
}
// `search` tells what is marked; `unfold()` is called for the rest of a line that is shown cut, `fold()` for the way back.
export function lineElement(line, { href, search, unfold, fold }) {
  const row = made("div", `line ${line.source}`), at = made("a", "at"), text = made("span", "text");
  const { day, clock } = moment(Number(line.ns.slice(0, -6)));
  row.dataset.number = line.number;
  at.href = href;
  at.tabIndex = -1; // a line is chosen by "go to" or by a click: not a thousand stops for the Tab key
  at.title = everyTime(line.ns);
  const exact = made("span", "", clock.slice(-4)), rough = made("span", "clock", clock.slice(0, -4));
  rough.append(exact);
  at.append(made("span", "number", line.number), made("span", "day", day), rough);
  if (line.dropped) text.append(chip(`${line.dropped.toLocaleString("en")} lines are missing here`));
  if (line.partial) text.append(chip("a part of this line is not kept"));
  if (line.folded) {
    folder(text, "fold", fold);
    if (line.size) text.append(chip(`cut, the download has all ${bytes(line.size)}`));
  } else if (line.size) folder(text, `${bytes(line.size)}, show all`, unfold);
  filled(text, line, search);
  row.append(at, text);
  return row;
}
export const waitingElement = () => made("div", "line waiting", "…");
