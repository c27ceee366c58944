// A search through the whole log, done by the worker: the numbers of the lines that it hits, and the one that the reader is at.
const SPECIAL = /[\\^$.*+?()[\]{}|]/g;

export class Search {
  // `ask(query)` gives {lines, more}; `onchange()` is called when the hits are others.
  constructor(ask, onchange) {
    Object.assign(this, { ask, onchange, text: "", regex: false, cased: false, turn: 0, busy: false });
    this.clear();
  }
  clear() {
    // `earlier` and `later`: there are hits before and behind those that are known.
    Object.assign(this, { lines: [], known: new Set(), current: -1, earlier: false, later: false, error: "", asked: 0 });
  }
  get active() {
    return this.text !== "";
  }
  // What is marked within a line: of an expression only the worker knows.
  get needle() {
    return this.active && !this.regex ? this.text : "";
  }
  get pattern() {
    return (this.cased ? "" : "(?i)") + (this.regex ? this.text : this.text.replace(SPECIAL, "\\$&"));
  }
  has(number) {
    return this.known.has(number);
  }
  // `end` is the number of the last line that is there; resolves once the hits are known.
  async start(wish, end) {
    Object.assign(this, wish);
    this.clear();
    this.turn++;
    this.asked = end;
    if (this.active) await this.more({}, (found) => this.take(found.lines, { earlier: found.more, later: false }));
    this.onchange();
  }
  // Lines came: does it hit some of them?
  async grown(end) {
    if (!this.active || this.busy || this.later || this.error || end <= this.asked) return;
    const from = this.asked;
    this.asked = end;
    await this.more({ after: from }, (found) => this.take([...this.lines, ...found.lines], { later: found.more }));
    this.onchange();
  }
  // The number of the next hit (`way` 1) or the one before (-1), seen from line `number`; null where there is none.
  async step(way, number) {
    if (way > 0 && this.earlier && number < this.lines[0] - 1)
      await this.more({ after: number }, (found) => this.take(found.lines, { earlier: true, later: found.more }));
    else if (way > 0 && this.later && number >= this.lines.at(-1))
      await this.more({ after: this.lines.at(-1) }, (found) => this.take([...this.lines, ...found.lines], { later: found.more }));
    else if (way < 0 && this.earlier && number <= this.lines[0])
      await this.more({ before: this.lines[0] }, (found) => this.take([...found.lines, ...this.lines], { earlier: found.more }));
    if (!this.lines.length) return null;
    const behind = this.lines.findIndex((line) => line > number), last = this.lines.length - 1;
    if (way > 0) this.current = behind < 0 ? 0 : behind; // past the last one it begins again
    else {
      const before = this.lines.findLastIndex((line) => line < number);
      this.current = before < 0 ? last : before;
    }
    this.onchange();
    return this.lines[this.current];
  }
  take(lines, more) {
    Object.assign(this, { lines, known: new Set(lines), current: -1 }, more);
  }
  async more(query, take) {
    const turn = this.turn;
    this.busy = true;
    this.onchange();
    try {
      const found = await this.ask({ grep: this.pattern, ...query });
      if (turn === this.turn) take(found);
    } catch (error) {
      if (turn === this.turn) this.error = error.message;
    } finally {
      if (turn === this.turn) this.busy = false;
    }
  }
  get words() {
    const count = this.lines.length.toLocaleString("en"), some = this.earlier || this.later;
    if (!this.active) return "";
    if (this.error) return this.error;
    if (this.busy && !this.lines.length) return "searching…";
    if (!this.lines.length) return "no hits";
    if (some) return `over ${count} hits`;
    return this.current < 0 ? `${count} ${count === "1" ? "hit" : "hits"}` : `${(this.current + 1).toLocaleString("en")} of ${count}`;
  }
}
