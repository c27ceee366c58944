// Times as the reader chose to see them.
export function showTimes() {}
