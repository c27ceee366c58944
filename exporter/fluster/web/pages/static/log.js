// The log of a job's page: its tabs and tools around one window on the lines.
import { readAddress, writeAddress, addressOf } from "./log_address.js";
import { Lines } from "./log_lines.js";
import { lineElement, waitingElement } from "./log_row.js";
import { Search } from "./log_search.js";
import { equip } from "./log_tools.js";
import { View } from "./log_view.js";
import { countTimesFrom, onTimes } from "./times.js";

const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

class Log {
  constructor(section, job) {
    this.part = (name) => section.querySelector(`[data-log-part=${name}]`);
    Object.assign(this, { section, job, source: "all", marked: null, left: 0, wish: { text: "" }, counts: JSON.parse(section.dataset.log) });
    this.tabs = [...section.querySelectorAll("[role=tab]")];
    this.view = new View(this.part("lines"), {
      make: (row) => this.element(row), look: (from, to) => this.look(from, to), onfollow: () => this.followed(),
    });
    this.search = new Search((query, signal) => this.lines.ask("/hits", query, signal), () => this.hitsChanged());
    countTimesFrom(Number(section.dataset.origin));
    equip(this);
    addEventListener("hashchange", () => this.visit());
    document.addEventListener("click", ({ target }) => {
      // A second click on the same link changes no address, and leads there all the same.
      if (!section.contains(target) && target.closest?.("a[href^='#']")?.hash === location.hash) this.visit();
    });
    onTimes(() => this.view.forget());
    this.visit();
  }
  // What the worker says of the log: lines by source, how many of the first are not kept, and whether more may come.
  grown(counts) {
    this.counts = counts;
    for (const tab of this.tabs) tab.querySelector("small").textContent = this.total(tab.dataset.source).toLocaleString("en");
    this.resize();
    this.search.grown(this.total("all")).then(() => this.say());
  }
  total(source, kind = "lines") {
    const of = this.counts[kind];
    return source === "all" ? Object.values(of).reduce((sum, each) => sum + each, 0) : (of[source] ?? 0);
  }
  // Lines of the same file that are not kept any more, of either stream.
  retired() {
    const build = this.total("build", "retired");
    return this.source === "build" ? build : this.total("all", "retired") - build;
  }
  // The first row that is kept. Where lines of the job are gone, ALL begins behind them: the build's are in BUILD.
  gone() {
    if (this.source !== "all") return this.total(this.source, "retired");
    return this.retired() ? this.total("build") + this.retired() : this.total("build", "retired");
  }
  resize() {
    this.lines.resize(this.gone(), this.total(this.source));
    this.show();
    this.part("lines").style.setProperty("--digits", Math.max(String(this.total("all")).length, 3));
    const gone = this.total(this.source, "retired");
    this.part("gone").hidden = !gone;
    this.part("gone").textContent = `${count(gone, "older line")} ${gone === 1 ? "is" : "are"} not kept any more.`;
    this.part("empty").hidden = this.lines.end > 0;
    this.part("empty").textContent = this.counts.complete ? "It wrote nothing." : "Nothing yet.";
    this.say();
  }
  open(source) {
    this.lines?.close();
    this.source = source;
    this.lines = new Lines(this.job, source, { onload: () => this.show(), onerror: (sentence) => this.note(sentence) });
    this.view.reset();
    this.left = this.total(source);
    for (const tab of this.tabs) {
      tab.setAttribute("aria-selected", String(tab.dataset.source === source));
      tab.tabIndex = tab.dataset.source === source ? 0 : -1;
    }
    this.part("lines").setAttribute("aria-labelledby", `tab-${source}`);
    this.part("download").href = `/api/jobs/${encodeURIComponent(this.job)}/logs/download${source === "all" ? "" : `?source=${source}`}`;
    this.note("");
    this.resize();
  }
  // Who follows sees lines once they are there; who reads elsewhere sees how many there are.
  show() {
    const { lines, view } = this;
    if (view.following) this.look();
    view.resize(lines.first, view.following ? Math.max(lines.loaded, view.end) : lines.end);
    view.soon();
    if (this.counts.complete && lines.empty < lines.end) this.note("The lines that should be here are not kept any more.");
  }
  // However many lines come at a time: who follows looks at the last ones.
  look(from, to) {
    const { lines, view } = this;
    if (view.following) lines.look(lines.end - view.rowsAtEnd, lines.end);
    else lines.look(from, to);
  }
  // To what the address names, when the page is opened and when the reader goes to another address.
  async visit() {
    const wanted = readAddress();
    if (!wanted && this.lines) return;
    const source = wanted?.source ?? "all";
    if (!this.lines || source !== this.source) this.open(source);
    this.marked = wanted?.lines ?? null;
    this.remark();
    if (!this.marked) return;
    this.part("lines").scrollIntoView({ block: "nearest" });
    await this.go({ line: this.marked[0] });
  }
  // To a line or a time; resolves to where that is, null where it cannot be told.
  async go(query) {
    this.view.follow(false); // at once: what comes meanwhile does not move the page
    const { lines } = this, turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const { row, number } = await lines.place(query);
      if (lines !== this.lines || turn !== this.turn) return null; // the reader is on the way to somewhere else
      this.view.reveal(Math.max(Math.min(row, lines.end - 1), 0));
      this.note(this.amiss(query, row));
      return number;
    } catch (error) {
      if (lines === this.lines) this.note(error.message.replace(/^\w+: /, ""));
      return null;
    }
  }
  // What is to be said where a place is not as it was asked for.
  amiss({ line }, row) {
    const { first, end } = this.lines;
    if (line && Number(line) > this.total("all")) return `There is no line ${line}: the last one is ${this.total("all")}.`;
    if (line && row < first) return `Line ${line} is not kept any more.`;
    return !line && row >= end ? "Nothing was written at that time or later." : "";
  }
  select(source, lines = null) {
    this.marked = lines;
    this.view.following = true;
    this.open(source);
    writeAddress(source, lines);
    this.seek(this.wish);
  }
  mark(lines) {
    this.marked = lines;
    writeAddress(this.source, lines);
    this.remark();
  }

  // Lines

  element(row) {
    let line = this.lines.at(row);
    // Above the first line that is kept the page says what is missing.
    if (line?.dropped && row === this.lines.first) line = { ...line, dropped: Math.max(line.dropped - this.retired(), 0) };
    const element = line ? lineElement(line, {
      href: addressOf(this.source, [line.number, line.number]), search: this.search, unfold: () => this.unfold(row), fold: () => this.fold(row),
    }) : waitingElement();
    element.waiting = !line;
    this.dress(element);
    return element;
  }
  dress(element) {
    const number = Number(element.dataset.number), { search, marked } = this;
    element.classList.toggle("marked", marked !== null && number >= marked[0] && number <= marked[1]);
    element.classList.toggle("hit", search.has(number));
    element.classList.toggle("current", search.at === number);
  }
  remark() {
    for (const element of this.view.elements.values()) this.dress(element);
  }
  async unfold(row) {
    await this.lines.unfold(row).catch((error) => this.note(error.message));
    this.view.forget();
  }
  fold(row) {
    this.lines.fold(row);
    this.view.forget();
  }
  chosen(event) {
    const link = event.target.closest("a.at");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const number = Number(link.parentElement.dataset.number), from = event.shiftKey && this.marked ? this.marked[0] : number;
    this.mark([Math.min(from, number), Math.max(from, number)]);
  }

  // Search

  // `wish` is {text, regex, cased}.
  seek(wish) {
    this.wish = wish;
    const { lines } = this, was = this.search.needle;
    return this.search.start(wish, this.total("all")).then(() => {
      if (was !== this.search.needle || wish.text) this.view.forget();
      if (lines !== this.lines || !this.search.lines.length) return;
      // The first one from here on; who is at the end is interested in the last one.
      return this.view.following ? this.step(-1, Infinity) : this.step(1, this.here(0) - 1);
    });
  }
  // The number of the line at the top of the window (0) or at its end (1).
  here(edge) {
    const [from, to] = this.view.seen;
    return this.lines.at(edge ? to - 1 : from)?.number ?? 0;
  }
  async step(way, from) {
    const { search, lines } = this;
    const number = await search.step(way, () => from ?? search.at ?? (way > 0 ? this.here(0) - 1 : this.here(1) + 1));
    if (number !== null && lines === this.lines) await this.go({ line: number });
  }
  hitsChanged() {
    this.part("hits").textContent = this.search.words;
    this.part("hits").classList.toggle("error", this.search.error !== "");
    for (const name of ["previous", "next"]) this.part(name).disabled = !this.search.lines.length;
    this.remark();
  }

  // What is told

  followed() {
    if (!this.view.following) this.left = this.lines.end;
    this.show();
    this.say();
  }
  say() {
    const { following } = this.view, waiting = this.lines.end - this.left, button = this.part("follow");
    const words = this.counts.complete ? (following ? "end of the log" : "to the end")
      : following ? "following" : waiting > 0 ? `paused, ${count(waiting, "new line")}` : "paused";
    if (button.textContent !== words) button.textContent = words;
    button.setAttribute("aria-pressed", String(following));
    button.classList.toggle("news", !following && waiting > 0);
  }
  note(sentence) {
    this.part("note").textContent = sentence;
    this.part("note").hidden = !sentence;
  }
}
export const openLog = (section, job) => new Log(section, job);
