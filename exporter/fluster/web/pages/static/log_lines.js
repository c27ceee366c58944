// The lines of one source of a job's log, fetched as they are looked at and kept for a while: a log may be far larger than the page.
const BLOCK = 200, KEPT_BLOCKS = 60, RETRY_MS = 2000, PATIENCE_MS = 15_000;

export class Lines {
  // `onload()` is called when lines came, `onerror(sentence or "")` when they could not, and when they can again.
  constructor(job, source, { onload, onerror }) {
    Object.assign(this, { onload, onerror, first: 0, end: 0, from: 0, to: 0, busy: false, closed: false, failed: false });
    this.base = `/job/${encodeURIComponent(job)}/log`;
    this.query = source === "all" ? {} : { source };
    this.blocks = new Map();
    this.empty = Infinity; // from this row on nothing came, as long as the log does not grow
  }
  close() {
    this.closed = true;
  }
  // Rows of the source in the whole log, and how many of the first ones are not kept.
  resize(first, end) {
    if (end !== this.end) this.empty = Infinity;
    this.first = Math.max(this.first, Math.min(first, end));
    this.end = end;
  }
  at(row) {
    return this.blocks.get(Math.floor(row / BLOCK))?.[row % BLOCK];
  }
  // Rows from `from` to before `to` are looked at now: what of them is missing is fetched.
  look(from, to) {
    Object.assign(this, { from: Math.max(from, this.first), to: Math.min(to, this.end) });
    if (!this.busy) this.fetchAll();
  }
  // Behind the last of the rows that are looked at and are there already; 0 where none is.
  get loaded() {
    for (let row = this.end; row > Math.max(this.from, this.first); row--) if (this.at(row - 1)) return row;
    return 0;
  }
  missing() {
    for (let row = Math.max(this.from, this.first); row < Math.min(this.to, this.empty); row++) if (!this.at(row)) return row;
    return -1;
  }
  async fetchAll() {
    this.busy = true;
    for (let row; (row = this.missing()) >= 0 && !this.closed;) {
      try {
        await this.fetch(row);
        if (this.failed) this.onerror("");
        this.failed = false;
      } catch (error) {
        if (this.closed) return;
        if (error.final) {
          this.closed = true; // what was fetched stays
          return this.onerror(`These lines cannot be read: ${error.message}`);
        }
        this.failed = true;
        this.onerror(`These lines cannot be read: ${error.message}; trying again.`);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    this.busy = false;
  }
  async fetch(row) {
    const limit = BLOCK - (row % BLOCK);
    const { first, lines } = await this.ask("", { start: row, limit });
    if (this.closed) return;
    if (lines.length && first > row) this.first = first; // dropped meanwhile, and all before it
    lines.forEach((line, place) => this.put(first + place, line));
    if (!lines.length) this.empty = row;
    this.onload();
  }
  put(row, line) {
    const number = Math.floor(row / BLOCK), block = this.blocks.get(number) ?? [];
    block[row % BLOCK] = line;
    this.blocks.delete(number); // what was used last stands last
    this.blocks.set(number, block);
    if (this.blocks.size > KEPT_BLOCKS) this.blocks.delete(this.blocks.keys().next().value);
  }
  // The whole of a line that is shown cut, and back.
  async unfold(row) {
    const { first, lines } = await this.ask("", { start: row, limit: 1, whole: 1 });
    if (first === row && lines.length) this.put(row, { ...lines[0], folded: this.at(row) ?? lines[0] });
  }
  fold(row) {
    this.put(row, this.at(row).folded);
  }
  // Lines with all their text, for a copy.
  async whole(from, to) {
    const found = [];
    while (from < to) {
      const { first, lines } = await this.ask("", { start: from, limit: Math.min(to - from, 1000), whole: 1 });
      if (!lines.length) break;
      found.push(...lines);
      from = Math.max(first, from) + lines.length;
    }
    return found;
  }
  // {row, number} of a line (`{line}`) or of a time (`{at}`).
  place(query) {
    return this.ask("/row", query);
  }
  async ask(path, query, signal = AbortSignal.timeout(PATIENCE_MS)) {
    let response;
    try {
      response = await fetch(`${this.base}${path}?${new URLSearchParams({ ...this.query, ...query })}`, { cache: "no-store", signal });
    } catch (error) {
      throw error.name === "AbortError" ? error : new Error("the worker does not answer");
    }
    const answer = await response.json().catch(() => ({}));
    // What the worker refuses it refuses again.
    if (!response.ok) throw Object.assign(new Error(answer.error ?? `the worker answered ${response.status}`), { final: response.status < 500 && response.status !== 429 });
    return answer;
  }
}
