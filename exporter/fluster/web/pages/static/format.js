// Sizes and durations as the server writes them (fluster.sizes).
export function bytes(size) {
  let value = size;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024) return `${unit === "B" || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}
export function duration(seconds) {
  if (seconds < 1) return `${(seconds * 1000).toFixed(0)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  for (const [size, big, smallSize, small] of [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
    if (whole >= size) {
      const rest = Math.floor((whole % size) / smallSize);
      return rest ? `${Math.floor(whole / size)} ${big} ${rest} ${small}` : `${Math.floor(whole / size)} ${big}`;
    }
  }
  return `${whole} s`;
}
export function reason(job) {
  const known = {
    completed: "completed", exit_code: `exit ${job.exit_code}`, oom: "out of memory", user: "killed on request",
    timeout: `timed out after ${duration(job.limits.timeout_seconds || 0)}`, shutdown: "worker shut down", disk_quota: "disk limit exceeded",
    bundle: "bundle failed", build: "build failed", start: "start failed", infrastructure: "infrastructure",
  };
  if (job.end_reason) return known[job.end_reason];
  return job.status_message === job.status ? "" : job.status_message;
}
export const words = (state) => state.replaceAll("_", " ");
// A moment in UTC, or in the reader's own time zone.
export function stamp(ms, local) {
  const date = new Date(ms - (local ? new Date(ms).getTimezoneOffset() * 60000 : 0));
  return date.toISOString().replace("T", " ").slice(0, 23);
}
export function gpu(figures) {
  const { utilization_ratio: busy, memory_used_bytes: used, memory_peak_bytes: peak } = figures;
  return [busy === null ? "" : `${(busy * 100).toFixed(0)} % busy`, used === null ? "" : bytes(used), peak === null ? "" : `peak ${bytes(peak)}`].filter(Boolean).join(", ");
}
export function memory(figures, limit, over) {
  const peak = figures.memory_peak_bytes, used = figures.memory_usage_bytes;
  if (peak === null && (over || used === null)) return "–";
  // "1.5 of 4.0 GiB, peak 2.1": one unit where all have the same.
  const top = limit ? bytes(limit) : "", unit = top.slice(top.indexOf(" "));
  const short = (size) => (top && bytes(size).endsWith(unit) ? bytes(size).slice(0, -unit.length) : bytes(size));
  if (over || used === null) return `peak ${top ? `${short(peak)} of ${top}` : bytes(peak)}`;
  return (top ? `${short(used)} of ${top}` : bytes(used)) + (peak === null ? "" : `, peak ${short(peak)}`);
}
