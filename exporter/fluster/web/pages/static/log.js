// The log of a job: lines are kept as data, and only those that are seen are elements. Unwrapped lines have one height, so that
// any of a hundred thousand is found by arithmetic; wrapped ones are shown as a window that moves along with the reader.
import { spans } from "./ansi.js";

// A moment in UTC, or in the reader's own time zone.
const stamp = (ms, local) => new Date(ms - (local ? new Date(ms).getTimezoneOffset() * 60000 : 0)).toISOString().replace("T", " ").slice(0, 23);

const HEIGHT = 20, MARGIN = 30, KEPT = 200_000, TAIL = 10_000, WINDOW = 1000, STEP = 400, FOLD = 4000;

export class Log {
  constructor(job, box, known) {
    Object.assign(this, { job, box, known, source: "all", grep: "", local: false, wrapped: false, following: true, wanted: 0 });
    this.onstate = () => {};
    this.canvas = document.createElement("div");
    this.placed = 0;
    box.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(box);
  }
  // Reads from the beginning where all lines can be kept, else the last ones; what is left out is said.
  open({ source = this.source, grep = this.grep } = {}) {
    this.events?.close();
    Object.assign(this, { source, grep, lines: [], shown: null, placed: 0, cut: !grep && this.known > KEPT });
    this.box.replaceChildren(this.canvas);
    this.draw();
    const query = new URLSearchParams(source === "all" ? {} : { source });
    if (grep) query.set("grep", grep);
    if (this.cut) query.set("tail", TAIL);
    this.events = new EventSource(`/api/jobs/${encodeURIComponent(this.job)}/logs/stream?${query}`);
    this.events.onmessage = (event) => this.add(JSON.parse(event.data));
    this.events.onopen = () => this.onstate("live");
    this.events.onerror = () => this.onstate(this.events.readyState === EventSource.CLOSED ? "refused" : "lost");
    this.events.addEventListener("end", () => {
      this.events.close();
      this.onstate("complete");
    });
    if (this.cut) this.onstate("cut");
  }
  add({ timestamp, source, data, sequence, dropped }) {
    if (dropped) this.lines.push({ timestamp, source: "gap", data: `${dropped} lines are missing here`, number: sequence + 1 });
    this.lines.push({ timestamp, source, data, number: sequence + 1 });
    this.known = Math.max(this.known, sequence + 1);
    if (this.lines.length > KEPT) {
      const gone = KEPT / 10;
      this.lines.splice(0, gone);
      if (!this.following && !this.wrapped) this.box.scrollTop -= gone * HEIGHT;
      this.shown = null;
      if (!this.cut) this.onstate("cut");
      this.cut = true;
    }
    this.soon();
  }
  soon() {
    this.pending ||= requestAnimationFrame(() => { this.pending = 0; this.draw(); });
  }
  // What the reader scrolls up is the reader's; what we scrolled to the end, or what grew below, is not.
  scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.box;
    const atEnd = scrollTop + clientHeight >= scrollHeight - HEIGHT && (!this.wrapped || this.shown?.to === this.lines.length);
    if (!atEnd && scrollTop < this.placed - 1) this.follow(false);
    else if (atEnd && scrollHeight > clientHeight && !this.wanted) this.follow(true);
    this.draw();
  }
  follow(on) {
    if (on === this.following) return;
    this.following = on;
    this.onstate(on ? "following" : "paused");
    if (on) this.draw();
  }
  set({ local = this.local, wrapped = this.wrapped }) {
    const top = this.lines[this.topPlace()]?.number;
    Object.assign(this, { local, wrapped, shown: null });
    if (!this.following && top) this.jump(top, 0);
    else this.draw();
  }
  topPlace() {
    if (!this.wrapped) return Math.floor(this.box.scrollTop / HEIGHT);
    const seen = [...this.canvas.children].findIndex((line) => line.offsetTop + line.offsetHeight > this.box.scrollTop);
    return (this.shown?.from ?? 0) + Math.max(seen, 0);
  }
  element(entry) {
    const line = document.createElement("div"), at = document.createElement("a"), text = document.createElement("span");
    line.className = `line ${entry.source}`;
    if (entry.source !== "gap") line.id = `L${entry.number}`;
    at.className = "at";
    at.href = `#L${entry.number}`;
    at.textContent = stamp(entry.timestamp, this.local);
    text.className = "text";
    const more = this.wrapped ? 0 : entry.data.length - FOLD;
    text.append(spans(more > 0 ? `${entry.data.slice(0, FOLD)} … ${more} more characters, wrap shows them` : entry.data));
    line.append(at, text);
    if (location.hash === `#${line.id}`) line.classList.add("marked");
    return line;
  }
  draw() {
    if (!this.lines) return;
    if (this.wanted) this.reach();
    if (this.wrapped) this.drawWrapped();
    else this.drawRows();
    if (this.following) {
      this.box.scrollTop = this.box.scrollHeight;
      this.placed = this.box.scrollTop;
    }
  }
  drawRows() {
    const total = this.lines.length, seen = this.box.clientHeight;
    const top = this.following ? Math.max(total * HEIGHT - seen, 0) : this.box.scrollTop;
    const from = Math.min(Math.max(Math.floor(top / HEIGHT) - MARGIN, 0), total);
    const to = Math.min(Math.ceil((top + seen) / HEIGHT) + MARGIN, total);
    // Rows that stand already stay: a selection in them outlives the lines that come below.
    if (this.shown?.from !== from || this.shown?.to !== to) {
      const above = document.createElement("div"), below = document.createElement("div");
      above.style.height = `${from * HEIGHT}px`;
      this.canvas.className = "";
      this.canvas.replaceChildren(above, ...this.lines.slice(from, to).map((entry) => this.element(entry)), below);
      this.shown = { from, to };
    }
    this.canvas.lastElementChild.style.height = `${(total - to) * HEIGHT}px`;
  }
  drawWrapped() {
    const total = this.lines.length, { box, canvas } = this;
    if (!this.shown || (this.following && this.shown.to < total - WINDOW)) {
      const from = Math.max(total - WINDOW, 0);
      this.fill(from, total);
    } else if (this.following || this.shown.to - this.shown.from < WINDOW) {
      const to = this.following ? total : Math.min(total, this.shown.from + WINDOW);
      canvas.append(...this.lines.slice(this.shown.to, to).map((entry) => this.element(entry)));
      this.shown.to = to;
      while (this.shown.to - this.shown.from > 2 * WINDOW) {
        canvas.firstElementChild.remove();
        this.shown.from++;
      }
    }
    if (this.following) return;
    const { from, to } = this.shown;
    if (box.scrollTop < box.clientHeight && from > 0) this.move(Math.max(from - STEP, 0));
    else if (box.scrollTop + 2 * box.clientHeight > box.scrollHeight && to < total) this.move(Math.min(from + STEP, Math.max(total - WINDOW, 0)));
  }
  fill(from, to) {
    this.canvas.className = "wrap";
    this.canvas.replaceChildren(...this.lines.slice(from, to).map((entry) => this.element(entry)));
    this.shown = { from, to };
  }
  // The line at the top stays where it is on the screen.
  move(from) {
    const number = this.lines[this.topPlace()].number;
    const before = document.getElementById(`L${number}`).offsetTop - this.box.scrollTop;
    this.fill(from, Math.min(from + WINDOW, this.lines.length));
    const now = document.getElementById(`L${number}`);
    if (now) this.box.scrollTop = now.offsetTop - before;
    this.placed = this.box.scrollTop;
  }
  // To line `number`, now or as soon as it is read; `share` of the view stays above it.
  jump(number, share = 0.4) {
    Object.assign(this, { wanted: number, share });
    this.follow(false);
    this.draw();
  }
  mark() {
    for (const line of this.canvas.querySelectorAll(".line")) line.classList.toggle("marked", location.hash === `#${line.id}`);
  }
  reach() {
    const number = this.wanted, last = this.lines.at(-1)?.number ?? 0;
    if (last < number) return;
    this.wanted = 0;
    const place = this.lines.findIndex((entry) => entry.number >= number);
    const above = this.box.clientHeight * this.share;
    if (this.wrapped) {
      const from = Math.max(place - WINDOW / 2, 0);
      this.fill(from, Math.min(from + WINDOW, this.lines.length));
      this.box.scrollTop = this.canvas.children[place - from].offsetTop - above;
    } else {
      this.drawRows();
      this.canvas.lastElementChild.style.height = `${this.lines.length * HEIGHT}px`; // room, so that the place can be scrolled to
      this.box.scrollTop = Math.max(place * HEIGHT - above, 0);
    }
    this.placed = this.box.scrollTop;
  }
}

// The section of the page: its tabs, its search, and the address that says what is shown. `grown` hears how much there is.
export function openLog(root, id) {
  const byId = (name) => document.getElementById(name);
  const counts = JSON.parse(root.dataset.log);
  const log = new Log(id, byId("log"), Object.values(counts.lines).reduce((sum, each) => sum + each, 0));
  const follow = byId("follow"), connection = byId("connection"), tabs = [...root.querySelectorAll("[role=tab]")];
  let complete = false;
  log.onstate = (state) => {
    if (state === "live" || state === "complete") complete = state === "complete";
    // A reader who went elsewhere is not at the end, however complete the log is.
    follow.textContent = !log.following ? "paused: follow" : complete ? "at the end" : "following";
    follow.setAttribute("aria-pressed", String(log.following));
    if (state === "lost") Object.assign(connection, { hidden: false, textContent: "connection lost; the log goes on where it was" });
    else if (state === "live") connection.hidden = true;
    else if (state === "refused") Object.assign(connection, { hidden: false, textContent: "the worker refuses this search: is it a regular expression?" });
    else if (state === "cut") byId("cut").hidden = false;
  };
  function select(tab, focus) {
    for (const each of tabs) {
      each.setAttribute("aria-selected", String(each === tab));
      each.tabIndex = each === tab ? 0 : -1;
    }
    byId("log").setAttribute("aria-labelledby", tab.id);
    const source = tab.dataset.source;
    byId("download").href = `/api/jobs/${encodeURIComponent(id)}/logs/download${source === "all" ? "" : `?source=${source}`}`;
    if (focus) {
      tab.focus();
      history.replaceState(null, "", `#log=${source}`);
    }
    byId("cut").hidden = true;
    log.open({ source });
  }
  for (const [place, tab] of tabs.entries()) {
    tab.addEventListener("click", () => {
      select(tab, true);
    });
    tab.addEventListener("keydown", (event) => {
      const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      select(tabs[(next + tabs.length) % tabs.length], true);
    });
  }
  let typing = 0;
  byId("search").addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => log.open({ grep: event.target.value }), 250);
  });
  byId("wrap").addEventListener("change", (event) => log.set({ wrapped: event.target.checked }));
  byId("local").addEventListener("change", (event) => {
    log.set({ local: event.target.checked });
  });
  follow.addEventListener("click", () => log.follow(!log.following));
  // The address says what is shown: #log=stderr a tab, #L120 a line.
  function show() {
    const line = /^#L(\d{1,12})$/.exec(location.hash)?.[1], wanted = /^#log=(\w+)$/.exec(location.hash)?.[1];
    const tab = tabs.find((each) => each.dataset.source === wanted) ?? tabs[0];
    if (wanted || !log.events) select(tab);
    if (!line) return;
    log.follow(false);
    log.mark();
    if (!byId(`L${line}`)?.matches(".marked")) log.jump(Number(line));
  }
  window.addEventListener("hashchange", show);
  show();
  const grown = ({ lines }) => {
    const all = Object.values(lines).reduce((sum, each) => sum + each, 0);
    for (const [source, count] of Object.entries({ ...lines, all })) root.querySelector(`[data-lines=${source}]`).textContent = count;
  };
  grown(counts);
  return { grown };
}
