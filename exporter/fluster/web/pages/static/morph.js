// Makes an element like another one without replacing what stays: focus, selection, hover and open details outlive it.
const key = (node) => node.id || undefined;

export function morph(old, fresh) {
  if (old.nodeName !== fresh.nodeName || key(old) !== key(fresh)) return void old.replaceWith(fresh);
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  // The text of a time is the reader's: it ticks, or stands in another zone.
  const same = old.nodeName === "TIME" && ["ms", "since"].every((name) => old.dataset[name] === fresh.dataset[name]);
  if (same || old.isEqualNode(fresh)) return;
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !owned(old, name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value && !owned(old, name)) old.setAttribute(name, value);
  children(old, fresh);
}
// What the reader opened stays open.
const owned = (element, name) => name === "open" && (element.nodeName === "DETAILS" || element.nodeName === "DIALOG");

// Children with an id are found again wherever they stand; the others by their place.
function children(old, fresh) {
  const named = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  const wanted = new Set([...fresh.children].map(key));
  for (const [id, child] of named) if (!wanted.has(id)) child.remove();
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const mine = key(child) ? named.get(key(child)) : place && !key(place) ? place : null;
    if (!mine) {
      old.insertBefore(child, place);
      continue;
    }
    if (mine === place) place = place.nextSibling;
    else old.insertBefore(mine, place);
    morph(mine, child);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}
