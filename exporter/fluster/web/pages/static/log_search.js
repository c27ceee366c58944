// A search through the whole log, done by the worker: the numbers of the lines that it hits, and the one that the reader is at.
const SPECIAL = /[\\^$.*+?()[\]{}|]/g, MOST = 50_000, PATIENCE_MS = 65_000;

export class Search {
  // `ask(query, signal)` gives {lines, more}; `onchange()` is called when the hits are others.
  constructor(ask, onchange) {
    Object.assign(this, { ask, onchange, text: "", regex: false, cased: false, busy: false, steps: Promise.resolve() });
    this.clear();
  }
  clear() {
    this.stop?.abort();
    this.stop = new AbortController();
    // `at` is the number of the line that the reader is at; `earlier` and `later`: there are hits before and behind those that are known.
    Object.assign(this, { lines: [], known: new Set(), at: null, earlier: false, later: false, error: "", again: false, asked: 0 });
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
    this.asked = end;
    if (this.active) await this.more({}, (found) => this.take(found.lines, { earlier: found.more }));
    this.onchange();
  }
  // Lines came: does it hit some of them? A search that the worker did not answer is made again.
  async grown(end) {
    if (!this.active || this.busy) return;
    if (this.again) return this.start({}, end);
    if (this.later || this.error || end <= this.asked) return;
    const from = this.asked;
    this.asked = end;
    await this.more({ after: from }, (found) => this.append(found));
  }
  // The number of the next hit (`way` 1) or the one before (-1), seen from line `from`; null where there is none. One step after the other.
  step(way, from) {
    return (this.steps = this.steps.then(() => this.move(way, from())));
  }
  async move(way, from) {
    const { lines } = this, first = lines[0], last = lines.at(-1);
    if (way > 0 && this.earlier && from < first - 1) await this.more({ after: from }, (found) => this.take(found.lines, { earlier: true, later: found.more }));
    else if (way > 0 && this.later && from >= last) await this.more({ after: last }, (found) => this.append(found));
    else if (way < 0 && this.earlier && from <= first) await this.more({ before: first }, (found) => this.take([...found.lines, ...lines], { earlier: found.more }));
    if (!this.lines.length) return null;
    // Past the last one it begins again at the first, and the other way round.
    if (way > 0) this.at = this.lines.find((line) => line > from) ?? this.lines[0];
    else this.at = this.lines.findLast((line) => line < from) ?? this.lines.at(-1);
    this.onchange();
    return this.at;
  }
  take(lines, more) {
    Object.assign(this, { lines, known: new Set(lines) }, more);
  }
  append(found) {
    this.later = found.more;
    if (!found.lines.length) return;
    for (const line of found.lines) this.known.add(line);
    this.lines.push(...found.lines);
    if (this.lines.length > MOST) this.take(this.lines.slice(-MOST / 2), { earlier: true });
    this.onchange();
  }
  async more(query, take) {
    const { stop } = this;
    this.busy = true;
    if (!this.lines.length) this.onchange();
    try {
      const found = await this.ask({ grep: this.pattern, ...query }, AbortSignal.any([stop.signal, AbortSignal.timeout(PATIENCE_MS)]));
      if (stop === this.stop) take(found);
    } catch (error) {
      if (stop === this.stop) Object.assign(this, { error: error.message, again: !error.final });
      if (stop === this.stop) this.onchange();
    } finally {
      if (stop === this.stop) this.busy = false;
    }
  }
  get words() {
    const count = this.lines.length.toLocaleString("en"), place = this.lines.indexOf(this.at) + 1;
    if (!this.active) return "";
    if (this.error) return this.error;
    if (this.busy && !this.lines.length) return "searching…";
    if (!this.lines.length) return "no hits";
    if (this.earlier || this.later) return `over ${count} hits`;
    return place ? `${place.toLocaleString("en")} of ${count}` : `${count} ${count === "1" ? "hit" : "hits"}`;
  }
}
