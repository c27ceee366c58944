// What of the log the address names: `#stderr` a tab, `#L120` a line, `#L120-L140` several, `#stderr.L120` both.
const FORM = /^#(?:(all|stdout|stderr|build)(?:\.|$))?(?:L(\d{1,12})(?:-L(\d{1,12}))?)?$/;

// {source, lines: [first, last] or null}; null where the address names nothing of the log.
export function readAddress() {
  const found = FORM.exec(location.hash);
  if (!found || location.hash === "#") return null;
  const first = Number(found[2]), last = Number(found[3] ?? found[2]);
  return { source: found[1] ?? "all", lines: found[2] ? [Math.min(first, last), Math.max(first, last)] : null };
}
export function addressOf(source, lines) {
  const place = !lines ? "" : lines[0] === lines[1] ? `L${lines[0]}` : `L${lines[0]}-L${lines[1]}`;
  return `#${[source === "all" ? "" : source, place].filter(Boolean).join(".")}`;
}
// The address changes, the page does not move, and "back" leads to where the reader came from.
export function writeAddress(source, lines) {
  const hash = addressOf(source, lines);
  history.replaceState(null, "", hash === "#" ? location.pathname + location.search : hash);
}
