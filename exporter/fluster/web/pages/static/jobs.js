// Keeps the list of jobs up to date: one request a second while the page is seen, rows updated in place.
import { visible } from "./ansi.js";
import { duration, memory, reason, words } from "./format.js";
import { gauge } from "./gauge.js";

const body = document.getElementById("jobs");
const connection = document.getElementById("connection");
let serverAhead = 0;

function cell(row, place, text) {
  const target = row.children[place];
  if (target.textContent !== text) target.textContent = text;
}
function makeRow(job) {
  const row = document.createElement("tr");
  row.dataset.job = job.job_id;
  for (let place = 0; place < 7; place++) row.append(document.createElement("td"));
  for (const place of [2, 4, 5]) row.children[place].className = "number";
  const link = document.createElement("a"), name = document.createElement("bdi"), id = document.createElement("span");
  link.href = `/job/${encodeURIComponent(job.job_id)}`;
  name.textContent = visible(job.name);
  id.textContent = job.job_id;
  id.className = "muted id";
  link.append(name);
  row.children[1].append(link, " ", id);
  row.children[0].append(document.createElement("span"));
  return row;
}
function update(row, job) {
  const over = job.finished_at !== null, figures = job.figures, limit = job.limits.memory_bytes;
  const state = row.children[0].firstElementChild;
  state.className = `state ${job.status}`;
  if (state.textContent !== words(job.status)) state.textContent = words(job.status);
  const ends = job.finished_at ?? Date.now() + serverAhead;
  cell(row, 2, job.run_started_at === null ? "–" : duration(Math.max(ends - job.run_started_at, 0) / 1000));
  const text = memory(figures, limit, over), peak = figures.memory_peak_bytes;
  let bar = row.children[3].querySelector(".gauge");
  if (limit && peak !== null) bar = gauge(bar, "Memory", (over ? peak : (figures.memory_usage_bytes ?? 0)) / limit, peak / limit);
  if (row.children[3].textContent.trim() !== text) row.children[3].replaceChildren(...(bar ? [bar, ` ${text}`] : [text]));
  const cpu = figures.cpu_user_seconds === null || figures.cpu_system_seconds === null ? "–" : `${(figures.cpu_user_seconds + figures.cpu_system_seconds).toFixed(2)} s`;
  cell(row, 4, cpu);
  cell(row, 5, figures.processes_peak === null ? "–" : String(figures.processes_peak));
  cell(row, 6, visible(reason(job) ?? ""));
}
async function refresh() {
  const wanted = new URLSearchParams(location.search);
  const [jobs, stats, machine] = await Promise.all(
    [`/api/jobs?limit=100&${wanted}`, "/api/stats", "/machine"].map(async (address) => {
      const response = await fetch(address, { cache: "no-store" });
      if (!response.ok) throw new Error(`the worker answered ${response.status}`);
      const date = Date.parse(response.headers.get("date") ?? "");
      if (Math.abs(date - Date.now()) > 5000) serverAhead = date - Date.now();
      return response.json();
    }),
  );
  for (const fact of document.querySelectorAll("[data-machine]")) fact.textContent = machine[fact.dataset.machine];
  const rows = new Map([...body.querySelectorAll("tr[data-job]")].map((row) => [row.dataset.job, row]));
  body.querySelector(".empty")?.toggleAttribute("hidden", jobs.length > 0);
  let before = null;
  for (const job of jobs) {
    const row = rows.get(job.job_id) ?? makeRow(job);
    rows.delete(job.job_id);
    update(row, job);
    const place = before ? before.nextElementSibling : body.firstElementChild;
    if (place !== row) body.insertBefore(row, place);
    before = row;
  }
  for (const row of rows.values()) row.remove();
  for (const count of document.querySelectorAll("[data-count]")) count.textContent = stats[count.dataset.count];
}
async function loop() {
  for (;;) {
    if (!document.hidden) {
      try {
        await refresh();
        connection.hidden = true;
      } catch (error) {
        connection.hidden = false;
        connection.textContent = `not live: ${error.message}; trying again`;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
document.querySelector(".filters").addEventListener("change", (event) => event.currentTarget.requestSubmit());
loop();
