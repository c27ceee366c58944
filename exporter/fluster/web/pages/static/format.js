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
  return job.end_reason ? known[job.end_reason] : job.status_message;
}
export const words = (state) => state.replaceAll("_", " ");
export function memory(figures, limit, over) {
  const peak = figures.memory_peak_bytes, used = figures.memory_usage_bytes;
  if (peak === null && used === null) return "–";
  const of = limit ? ` of ${bytes(limit)}` : "", top = peak === null ? "" : `peak ${bytes(peak)}`;
  return over || used === null ? top + of : bytes(used) + of + (top ? `, ${top}` : "");
}
