// A duration as the server writes it (fluster.sizes.format_duration).
export function duration(seconds) {
  if (seconds < 1) return `${half(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${(Number.isInteger(seconds * 4) ? half(seconds * 10) / 10 : seconds).toFixed(1)} s`;
  const whole = half(seconds);
  for (const [size, big, part, small] of [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
    if (whole < size) continue;
    const rest = Math.floor((whole % size) / part);
    return `${Math.floor(whole / size)} ${big}${rest ? ` ${rest} ${small}` : ""}`;
  }
  return `${whole} s`;
}
// To the nearest, halves to the even one, as Python does.
function half(value) {
  const floor = Math.floor(value), rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2) ? floor + 1 : floor;
}
