// Keeps one job's page up to date and runs its log view.
import { visible } from "./ansi.js";
import { bytes, duration, gpu, memory, reason, stamp, words } from "./format.js";
import { gauge } from "./gauge.js";
import { openLog } from "./log.js";
import { showTimes } from "./times.js";

const root = document.getElementById("job"), id = root.dataset.job;
const byId = (name) => document.getElementById(name);
const connection = byId("connection");

function headline(job, now) {
  const known = {
    pending: "Waiting for a slot", building: "Building", running: "Running", succeeded: "Succeeded", failed: "Failed", killed: "Killed",
    worker_failed: "Worker failed", unschedulable: "Cannot run here",
  };
  let text = known[job.status];
  const seconds = job.run_started_at === null ? null : Math.max((job.finished_at ?? now) - job.run_started_at, 0) / 1000;
  if (job.finished_at === null) return seconds === null ? text : `${text} for ${duration(seconds)}`;
  if (job.status !== "succeeded") text += `: ${reason(job)}`;
  if (seconds !== null && job.end_reason !== "timeout") text += ` after ${duration(seconds)}`;
  const peak = job.resources.memory_peak_bytes, limit = job.limits.memory_bytes;
  return peak === null ? text : `${text}; peak ${bytes(peak)}${limit ? ` of ${bytes(limit)}` : ""}`;
}
function phase(name, began, ended, now) {
  const item = root.querySelector(`[data-phase=${name}]`);
  item.classList.toggle("never", began === null);
  item.classList.toggle("live", began !== null && ended === null);
  if (began !== null) item.querySelector("b").textContent = duration(Math.max((ended ?? now) - began, 0) / 1000);
  const time = item.querySelector("time");
  if (began !== null) time.dataset.ms = began;
  return began === null ? 0 : Math.max((ended ?? now) - began, 0);
}
const times = () => showTimes(root);
function phases(job, now) {
  const took = [
    phase("queued", job.submitted_at, job.started_at ?? job.finished_at, now),
    phase("building", job.started_at, job.build.finished_ms ?? job.finished_at, now),
    phase("running", job.run_started_at, job.finished_at, now),
  ];
  const all = took.reduce((sum, each) => sum + each, 0) || 1;
  let x = 0;
  for (const [place, part] of [...root.querySelectorAll(".phase-bar rect")].entries()) {
    const width = (1000 * took[place]) / all;
    part.setAttribute("x", x.toFixed(1));
    part.setAttribute("width", width.toFixed(1));
    x += width;
  }
  times();
}
function spark(figure, samples, key, limit) {
  const values = samples.map((sample) => sample[key]).filter((value) => value !== null);
  if (values.length < 2) return;
  const top = Math.max(...values, limit || 0) || 1;
  const points = values.map((value, place) => `${((place * 120) / (values.length - 1)).toFixed(1)},${(23 - (22 * value) / top).toFixed(1)}`);
  figure.querySelector(".spark path").setAttribute("d", `M${points.join("L")}`);
}
const FIGURES = {
  memory: ["Memory", (f, l, over) => memory(f, l.memory_bytes, over), (f) => f.memory_peak_source],
  cpu: ["CPU", (f, l, over) => {
    const seconds = `${(f.cpu_user_seconds + f.cpu_system_seconds).toFixed(2)} s in all`;
    const now = over || f.cpu_cores === null ? (l.cpu_cores ? `at most ${l.cpu_cores} cores, ` : "") : `${f.cpu_cores.toFixed(2)}${l.cpu_cores ? ` of ${l.cpu_cores}` : ""} cores, `;
    return now + seconds + (f.cpu_throttled_seconds ? `, throttled ${duration(f.cpu_throttled_seconds)}` : "");
  }, (f) => f.cpu_source],
  processes: ["Processes", (f, l, over) => `${over ? "" : `${f.processes}, `}peak ${f.processes_peak}${l.processes ? ` of ${l.processes}` : ""}`, (f) => f.processes_peak_source],
  disk: ["Disk", (f, l) => `${bytes(f.disk_bytes)}${l.disk_bytes ? ` of ${bytes(l.disk_bytes)}` : ""}, peak ${bytes(f.disk_peak_bytes ?? 0)}`, () => "sampled"],
  gpus: ["GPUs", (f) => f.gpus.map((each) => gpu(each) || "–").join("; "), () => "sampled"],
};
function makeFigure(key) {
  const box = document.createElement("div"), title = document.createElement("h2"), text = document.createElement("p");
  box.className = "figure";
  box.dataset.figure = key;
  title.append(`${FIGURES[key][0]} `, document.createElement("small"));
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 120 24");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  box.append(title, text, svg);
  root.querySelector(".figures").append(box);
  return box;
}
function figures(job) {
  const f = job.resources, over = job.finished_at !== null;
  const there = { memory: f.memory_peak_bytes ?? f.memory_usage_bytes, cpu: f.cpu_user_seconds, processes: f.processes_peak ?? f.processes, disk: f.disk_bytes,
    gpus: f.gpus.some(gpu) || null };
  for (const [key, value] of Object.entries(there)) {
    if (value === null) continue;
    const box = root.querySelector(`[data-figure=${key}]`) ?? makeFigure(key);
    box.querySelector("p").textContent = FIGURES[key][1](f, job.limits, over);
    box.querySelector("small").textContent = FIGURES[key][2](f) ?? "sampled";
    const part = (value, limit) => (value === null || value === undefined || !limit ? null : value / limit), l = job.limits;
    const [share, peak] = {
      memory: [part(f.memory_usage_bytes, l.memory_bytes), part(f.memory_peak_bytes, l.memory_bytes)], cpu: [part(f.cpu_cores, l.cpu_cores), part(f.cpu_peak_cores, l.cpu_cores)],
      processes: [part(f.processes, l.processes), part(f.processes_peak, l.processes)], disk: [part(f.disk_bytes, l.disk_bytes), part(f.disk_peak_bytes, l.disk_bytes)],
      gpus: [null, null],
    }[key];
    if (share !== null || peak !== null) {
      const old = box.querySelector(".gauge"), bar = gauge(old, FIGURES[key][0], over && key !== "disk" ? peak : share, peak);
      if (!old) box.querySelector("p").after(bar);
    }
    const series = { memory: ["memory_bytes", job.limits.memory_bytes], cpu: ["cpu_cores", job.limits.cpu_cores], processes: ["processes", 0] }[key];
    if (series) spark(box, job.samples, ...series);
  }
}
async function refresh() {
  const response = await fetch(`/api/jobs/${encodeURIComponent(id)}`, { cache: "no-store" });
  if (!response.ok) throw new Error(`the worker answered ${response.status}`);
  const job = await response.json(), now = Date.now();
  byId("state").className = `state ${job.status}`;
  byId("state").textContent = words(job.status);
  byId("headline").textContent = visible(headline(job, now));
  byId("error").textContent = visible(job.error ?? "");
  byId("error").hidden = !job.error;
  phases(job, now);
  figures(job);
  log.grown({ lines: job.logs.lines, retired: job.logs.retired, complete: job.finished_at !== null });
  byId("kill").hidden = job.finished_at !== null;
  document.title = `${visible(job.name)} ${words(job.status)} · Fluster`;
  return job.finished_at !== null;
}
async function files() {
  const response = await fetch(`/api/jobs/${encodeURIComponent(id)}/files`);
  if (!response.ok) return;
  const found = await response.json(), target = byId("files");
  if (!found.length) return void (target.textContent = "none");
  target.replaceChildren(...found.flatMap((file) => {
    const link = document.createElement("a");
    link.href = `/api/jobs/${encodeURIComponent(id)}/files/${file.path.split("/").map(encodeURIComponent).join("/")}`;
    link.textContent = visible(file.path);
    return [link, ` (${bytes(file.size)}) `];
  }));
}
async function loop() {
  for (;;) {
    try {
      const over = await refresh();
      connection.hidden = true;
      if (over) return files();
    } catch (error) {
      connection.hidden = false;
      connection.textContent = `not live: ${error.message}; trying again`;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const log = openLog(document.querySelector(".log"), id);
byId("kill").addEventListener("click", () => byId("confirm").showModal());
byId("confirm-no").addEventListener("click", () => byId("confirm").close());
byId("confirm-yes").addEventListener("click", async () => {
  byId("confirm").close();
  const response = await fetch(`/api/jobs/${encodeURIComponent(id)}/kill`, { method: "POST", headers: { "X-Fluster": "1" } });
  if (!response.ok) Object.assign(connection, { hidden: false, textContent: (await response.json()).error });
});
loop();
