// Keeps a page up to date by one stream of events: parts whose HTML changed, put where the element with the part's name stands.
import { duration } from "./duration.js";
import { morph } from "./morph.js";
import { showTimes } from "./times.js";

const SOONEST = 1000, LONGEST = 5000, PEEK = 10_000, GLANCE = 500, SILENCE = 40_000; // ms; the worker's heart beats every 15 s
const FORGOTTEN = "this job is not remembered any more: what is shown is the last that was known of it";
const notice = document.getElementById("connection");
let ahead = 0; // of the worker's clock, in ms

export class Live {
  constructor(address) {
    Object.assign(this, { address, handlers: [], delay: SOONEST, timer: 0, over: false, lost: false });
    document.addEventListener("visibilitychange", () => this.look());
    addEventListener("online", () => this.open());
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.open());
    setInterval(() => this.watch(), 1000);
    document.documentElement.classList.add("live"); // what needs scripts may be seen
    showTimes(document);
    this.open();
  }
  // What else comes: `order`, `log`, `end`.
  on(name, handler) {
    this.handlers.push([name, handler]);
    if (name !== "end") this.listen(name, handler);
  }
  restart(address) {
    Object.assign(this, { address, over: false });
    this.open();
  }
  listen(name, handler) {
    const { source } = this;
    source?.addEventListener(name, (event) => {
      if (source !== this.source) return;
      this.heard = Date.now();
      handler(JSON.parse(event.data));
    });
  }
  // Time goes by; a connection that is silent for too long hangs.
  watch() {
    if (this.source && Date.now() - this.heard > SILENCE) this.fail();
    if (!document.hidden) tick(document);
  }
  open() {
    this.close();
    if (this.over) return;
    this.heard = Date.now();
    this.source = new EventSource(this.address);
    this.source.onerror = () => this.fail();
    this.listen("hello", (said) => this.greet(said));
    for (const [name, handler] of this.handlers) if (name !== "end") this.listen(name, handler);
    this.listen("beat", () => {});
    this.listen("parts", (parts) => this.put(parts));
    this.listen("end", ({ forgotten }) => this.end(forgotten));
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
    if (!this.over) this.later(PEEK);
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
    if (!document.hidden) return;
    clearTimeout(this.timer); // what comes together with it is read, too
    this.timer = setTimeout(() => this.look(), GLANCE);
  }
  // Nothing more comes.
  end(forgotten) {
    this.over = true;
    this.close();
    if (forgotten) this.say(FORGOTTEN);
    for (const [name, handler] of this.handlers) if (name === "end") handler({ forgotten });
  }
  say(sentence) {
    notice.textContent = sentence;
    notice.hidden = false;
  }
  async fail() {
    this.close();
    if (!this.lost) this.say(`connection lost since ${new Date().toTimeString().slice(0, 8)}; trying again`);
    this.lost = true;
    this.later(document.hidden ? PEEK : this.delay);
    this.delay = Math.min(this.delay * 1.5, LONGEST);
    const refusal = await this.refusal();
    if (refusal?.status === 401) location.reload(); // to the log-in
    else if (refusal?.status === 404) this.end(true);
    else if (refusal && this.lost) this.say(`not live: ${refusal.error}; trying again`);
  }
  // {status, error} where the worker answers, and refuses; an EventSource does not tell.
  async refusal() {
    const stop = new AbortController();
    try {
      const answer = await fetch(this.address, { cache: "no-store", signal: stop.signal });
      return answer.ok ? null : { status: answer.status, error: (await answer.json()).error };
    } catch {
      return null;
    } finally {
      stop.abort();
    }
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
