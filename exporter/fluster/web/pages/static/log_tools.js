// The tools above the log: what a click or a key on each of them asks of the log.
import { copyLines } from "./clipboard.js";
import { keep, recall } from "./preferences.js";
import { chooseTimes, chosenTimes, readTime } from "./times.js";

const TYPING_MS = 300, TOLD_MS = 3000;
const NUMBERS = /^L?(\d{1,12})(?:\s*-\s*L?(\d{1,12}))?$/;

export function equip(log) {
  const on = (name, kind, act) => log.part(name).addEventListener(kind, act);
  tabs(log);
  search(log, on);
  reading(log, on);
  on("follow", "click", () => log.view.follow(!log.view.following || log.counts.complete));
  on("lines", "click", (event) => log.chosen(event));
  on("goto", "submit", (event) => {
    event.preventDefault();
    goTo(log, log.part("goto").elements.place.value.trim());
  });
  on("copy", "click", () => copy(log));
  document.addEventListener("selectionchange", () => {
    // Who selects lines reads them: they stay where they are.
    const { anchorNode, isCollapsed } = getSelection();
    if (!isCollapsed && log.part("lines").contains(anchorNode)) log.view.follow(false);
  });
}
function tabs(log) {
  for (const [place, tab] of log.tabs.entries()) {
    tab.addEventListener("click", () => log.select(tab.dataset.source));
    tab.addEventListener("keydown", (event) => {
      const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: log.tabs.length - 1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      const other = log.tabs[(next + log.tabs.length) % log.tabs.length];
      log.select(other.dataset.source);
      other.focus();
    });
  }
}
function search(log, on) {
  const field = log.part("search"), pressed = (name) => log.part(name).getAttribute("aria-pressed") === "true";
  const seek = () => log.seek({ text: field.value, regex: pressed("regex"), cased: pressed("cased") });
  let typing;
  on("search", "input", () => {
    clearTimeout(typing);
    typing = setTimeout(seek, TYPING_MS);
  });
  on("search", "keydown", (event) => {
    if (event.key === "Escape") field.value = "";
    else if (event.key !== "Enter") return;
    event.preventDefault();
    clearTimeout(typing);
    const known = event.key === "Enter" && log.search.text === field.value && !log.search.error;
    if (known) log.step(event.shiftKey ? -1 : 1);
    else seek();
  });
  for (const name of ["regex", "cased"])
    on(name, "click", () => {
      log.part(name).setAttribute("aria-pressed", String(!pressed(name)));
      seek();
    });
  on("next", "click", () => log.step(1));
  on("previous", "click", () => log.step(-1));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
    event.preventDefault();
    field.focus();
  });
}
// How lines are shown; it is kept for the next page.
function reading(log, on) {
  const wrap = log.part("wrap"), times = log.part("times");
  wrap.checked = recall("wrap", ["no", "yes"]) === "yes";
  log.view.wrap(wrap.checked);
  on("wrap", "change", () => {
    keep("wrap", wrap.checked ? "yes" : "no");
    log.view.wrap(wrap.checked);
  });
  times.value = chosenTimes();
  on("times", "change", () => chooseTimes(times.value));
}
async function goTo(log, text) {
  if (!text) return;
  const [seen] = log.view.seen, near = Number(log.lines.at(seen)?.ns.slice(0, -6) ?? Date.now());
  const [, first, last] = NUMBERS.exec(text) ?? [];
  const number = await log.go(first ? { line: first } : { at: readTime(text, near) });
  if (number === null || number > log.total("all")) return;
  log.mark([number, Math.max(Number(last ?? number), number)]);
}
let told;
// The marked lines, else all of the source. What came of it stands on the button for a moment, and is told to those who hear the page.
async function copy(log) {
  const button = log.part("copy");
  const tell = (sentence) => {
    button.textContent = log.part("status").textContent = sentence;
    clearTimeout(told);
    told = setTimeout(() => (button.textContent = "copy"), TOLD_MS);
  };
  tell("copying…");
  try {
    let [from, to] = [log.lines.first, log.lines.end];
    if (log.marked) {
      from = (await log.lines.place({ line: log.marked[0] })).row;
      to = (await log.lines.place({ line: log.marked[1] + 1 })).row;
    }
    tell(await copyLines(log.lines, from, to));
  } catch (error) {
    tell(`not copied: ${error.message}`);
  }
}
