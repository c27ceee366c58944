// Keeps a page up to date by one stream of events: parts whose HTML changed, put where the element with the part's name stands.
import { duration } from "./duration.js";
import { morph } from "./morph.js";
import { showTimes } from "./times.js";

const SOONEST = 1000, LONGEST = 5000, PEEK = 10_000;
const notice = document.getElementById("connection");
let ahead = 0; // of the worker's clock, in ms

export class Live {
  constructor(address) {
    Object.assign(this, { address, handlers: [], delay: SOONEST, timer: 0, over: false, lost: false });
    document.addEventListener("visibilitychange", () => this.look());
    addEventListener("online", () => this.open());
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.open());
    setInterval(() => !document.hidden && tick(document), 1000);
    document.documentElement.classList.add("live"); // what needs scripts may be seen
    showTimes(document);
    this.open();
  }
  // What else comes: `order`, `log`, `end`.
  on(name, handler) {
    this.handlers.push([name, handler]);
    this.listen(name, handler);
  }
  restart(address) {
    Object.assign(this, { address, over: false });
    this.open();
  }
  listen(name, handler) {
    const { source } = this;
    source?.addEventListener(name, (event) => source === this.source && handler(JSON.parse(event.data)));
  }
  open() {
    this.close();
    if (this.over) return;
    this.source = new EventSource(this.address);
    this.source.onerror = () => this.fail();
    this.listen("hello", (said) => this.greet(said));
    for (const each of this.handlers) this.listen(...each);
    this.listen("parts", (parts) => this.put(parts));
    this.listen("end", () => this.end());
  }
  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }
  // A page that nobody sees looks in now and then, so that its title is right.
  look() {
    if (!document.hidden) return this.source || this.open();
    this.close();
    this.later(PEEK);
  }
  later(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), delay);
  }
  greet({ assets, now }) {
    if (assets !== document.documentElement.dataset.assets) return location.reload();
    ahead = now - Date.now();
    this.delay = SOONEST;
    if (this.lost) notice.hidden = true;
    this.lost = false;
  }
  put(parts) {
    const template = document.createElement("template");
    for (const [name, html] of Object.entries(parts)) {
      const place = document.getElementById(name);
      if (!place) continue;
      template.innerHTML = html;
      morph(place, template.content.firstElementChild);
      showTimes(place);
      tick(place);
    }
    if (document.hidden) this.look();
  }
  // Nothing more comes; whoever else listens hears of it, too.
  end() {
    this.over = true;
    this.source.close();
  }
  fail() {
    this.close();
    if (!this.lost) {
      notice.textContent = `connection lost since ${new Date().toTimeString().slice(0, 8)}; trying again`;
      notice.hidden = false;
    }
    this.lost = true;
    this.later(document.hidden ? PEEK : this.delay);
    this.delay = Math.min(this.delay * 1.5, LONGEST);
  }
}
// Durations of what goes on.
function tick(root) {
  const now = Date.now() + ahead;
  for (const time of root.querySelectorAll("[data-since]")) {
    const text = duration(Math.max(now - time.dataset.since, 0) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
}
