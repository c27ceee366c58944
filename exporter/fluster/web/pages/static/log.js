// The log of a job: lines are kept as data, and only those that are seen are elements (all have one height unless wrapped).
import { spans } from "./ansi.js";

const HEIGHT = 20, MARGIN = 30, KEPT = 200_000, WRAPPED = 2000;

export class Log {
  constructor(job, box) {
    this.job = job;
    this.box = box;
    this.lines = [];
    this.dropped = 0;
    this.source = "all";
    this.grep = "";
    this.following = true;
    this.local = false;
    this.wrapped = false;
    this.onstate = () => {};
    this.canvas = document.createElement("div");
    box.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(box);
  }
  open({ source = this.source, grep = this.grep } = {}) {
    this.events?.close();
    Object.assign(this, { source, grep, lines: [], dropped: 0 });
    this.box.replaceChildren(this.canvas);
    this.draw();
    const query = new URLSearchParams(source === "all" ? {} : { source });
    if (grep) query.set("grep", grep);
    else query.set("tail", "10000");
    this.events = new EventSource(`/api/jobs/${encodeURIComponent(this.job)}/logs/stream?${query}`);
    this.events.onmessage = (event) => this.add(JSON.parse(event.data));
    this.events.onopen = () => this.onstate("live");
    this.events.onerror = () => this.onstate(this.events.readyState === EventSource.CLOSED ? "refused" : "lost");
    this.events.addEventListener("end", () => {
      this.events.close();
      this.onstate("complete");
    });
  }
  add(entry) {
    this.lines.push(entry);
    if (this.lines.length > KEPT) {
      this.lines.splice(0, KEPT / 10);
      this.dropped += KEPT / 10;
    }
    if (!this.pending) this.pending = requestAnimationFrame(() => { this.pending = 0; this.draw(); });
  }
  scrolled() {
    const atEnd = this.box.scrollTop + this.box.clientHeight >= this.box.scrollHeight - HEIGHT;
    if (!this.drawing) this.follow(atEnd);
    this.draw();
  }
  follow(on) {
    if (on === this.following) return;
    this.following = on;
    this.onstate(on ? "following" : "paused");
    if (on) this.draw();
  }
  time(ms) {
    const date = new Date(ms);
    if (!this.local) return date.toISOString().replace("T", " ").slice(0, 23);
    const shifted = new Date(ms - date.getTimezoneOffset() * 60000);
    return shifted.toISOString().replace("T", " ").slice(0, 23);
  }
  element(entry) {
    const line = document.createElement("div"), at = document.createElement("a"), text = document.createElement("span");
    line.className = `line ${entry.source}`;
    line.id = `L${entry.sequence + 1}`;
    if (location.hash === `#${line.id}`) line.classList.add("marked");
    at.className = "at";
    at.href = `#${line.id}`;
    at.textContent = this.time(entry.timestamp);
    text.className = "text";
    const folded = entry.data.length > 4000 && !this.wrapped;
    text.append(spans(folded ? `${entry.data.slice(0, 4000)} … ${entry.data.length - 4000} more characters, wrap shows them` : entry.data));
    line.append(at, text);
    return line;
  }
  draw() {
    const total = this.lines.length;
    this.drawing = true;
    if (this.wrapped) {
      const from = Math.max(total - WRAPPED, 0);
      this.canvas.replaceChildren(...this.lines.slice(from).map((entry) => this.element(entry)));
      this.canvas.className = "wrap";
    } else {
      const top = this.following ? Math.max(total * HEIGHT - this.box.clientHeight, 0) : this.box.scrollTop;
      const from = Math.max(Math.floor(top / HEIGHT) - MARGIN, 0);
      const to = Math.min(Math.ceil((top + this.box.clientHeight) / HEIGHT) + MARGIN, total);
      const above = document.createElement("div"), below = document.createElement("div");
      above.style.height = `${from * HEIGHT}px`;
      below.style.height = `${(total - to) * HEIGHT}px`;
      this.canvas.className = "";
      this.canvas.replaceChildren(above, ...this.lines.slice(from, to).map((entry) => this.element(entry)), below);
    }
    if (this.following) this.box.scrollTop = this.box.scrollHeight;
    requestAnimationFrame(() => { this.drawing = false; });
  }
  jump(number) {
    const place = this.lines.findIndex((entry) => entry.sequence + 1 === number);
    if (place < 0) return;
    this.following = false;
    this.onstate("paused");
    this.box.scrollTop = Math.max(place * HEIGHT - this.box.clientHeight / 2, 0);
    this.draw();
  }
}
