// Moments as the reader wants them: UTC, the time zone of this machine, or since the job was submitted.
import { keep, recall } from "./preferences.js";

export const WAYS = ["utc", "local", "relative"];
let way = recall("times", WAYS);
let origin = 0;
const listeners = [];

export const chosenTimes = () => way;
export const onTimes = (listener) => listeners.push(listener);

export function chooseTimes(next) {
  way = next;
  keep("times", way);
  showTimes(document);
  for (const listener of listeners) listener();
}
// Milliseconds since the epoch that relative times count from.
export function countTimesFrom(ms) {
  origin = ms;
}
const written = (ms) => new Date(ms).toISOString().replace("T", " ").slice(0, 23);
const zoned = (ms) => written(ms - new Date(ms).getTimezoneOffset() * 60_000);

function elapsed(ms) {
  const size = Math.abs(Math.round(ms)), two = (value) => String(Math.floor(value)).padStart(2, "0");
  const clock = `${Math.floor(size / 3_600_000)}:${two((size / 60_000) % 60)}:${two((size / 1000) % 60)}.${String(size % 1000).padStart(3, "0")}`;
  return (ms < 0 ? "-" : "+") + clock;
}
// {day, clock}: the day is empty where it says nothing.
export function moment(ms) {
  if (way === "relative") return { day: "", clock: elapsed(ms - origin) };
  const text = way === "local" ? zoned(ms) : written(ms);
  return { day: text.slice(0, 10), clock: text.slice(11) };
}
// All that is known of a moment, for a tooltip; `nanoseconds` is text.
export function everyTime(nanoseconds) {
  const ms = Number(nanoseconds.slice(0, -6)), fine = nanoseconds.slice(-6);
  return `${written(ms)}${fine} UTC\n${zoned(ms)}${fine} local\n${elapsed(ms - origin)} since it was submitted`;
}
// `<time data-ms>` within `root`, in place; with `data-rough` to the second.
export function showTimes(root) {
  for (const each of root.querySelectorAll("time[data-ms]")) {
    if (!each.dataset.ms) continue;
    const ms = Number(each.dataset.ms), { day, clock: exact } = moment(ms);
    const clock = "rough" in each.dataset ? exact.slice(0, -4) : exact;
    const text = way === "relative" ? clock : `${day} ${clock} ${way === "utc" ? "UTC" : "local"}`;
    if (each.textContent !== text) each.textContent = text;
    each.title = everyTime(`${each.dataset.ms}000000`);
  }
}
// Milliseconds of what the reader wrote, on the day that is looked at (`near`); text that only the worker understands stays text.
export function readTime(text, near) {
  const since = /^\+(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)s?$/.exec(text);
  if (since) return origin + 1000 * (3600 * Number(since[1] ?? 0) + 60 * Number(since[2] ?? 0) + Number(since[3]));
  const zone = way === "local" ? "" : "Z";
  const clock = /^(\d{1,2}):(\d\d)(?::(\d\d(?:\.\d+)?))?$/.exec(text);
  const day = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?$/.exec(text);
  let found = NaN;
  if (clock) found = Date.parse(`${(way === "local" ? zoned(near) : written(near)).slice(0, 10)}T${clock[1].padStart(2, "0")}:${clock[2]}:${clock[3] ?? "00"}${zone}`);
  else if (day) found = Date.parse(`${day[1]}T${day[2] ?? "00:00"}${zone}`);
  return Number.isNaN(found) ? text : found;
}
