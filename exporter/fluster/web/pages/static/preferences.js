// What the reader chose last, kept by the browser; a browser that keeps nothing shows the defaults.
export function recall(name, allowed) {
  try {
    const value = localStorage.getItem(`fluster.${name}`);
    return allowed.includes(value) ? value : allowed[0];
  } catch {
    return allowed[0];
  }
}
export function keep(name, value) {
  try {
    localStorage.setItem(`fluster.${name}`, value);
  } catch {
    // It holds until the page is left.
  }
}
