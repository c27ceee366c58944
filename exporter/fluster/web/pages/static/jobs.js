// The list of jobs: its rows in their order, and a filter that works while it is typed.
import { Live } from "./live.js";

const body = document.getElementById("jobs"), form = document.querySelector(".filters");
const live = new Live(`/events${location.search}`);
let typing = 0;

// Room for rows that are new; what they hold comes right behind. Rows that stay are not touched: one of them may have the focus.
live.on("order", (ids) => {
  const wanted = new Set(ids);
  for (const row of [...body.children]) if (!wanted.has(row.id)) row.remove();
  let place = body.firstElementChild;
  for (const id of ids) {
    if (place?.id === id) {
      place = place.nextElementSibling;
      continue;
    }
    const row = document.getElementById(id) ?? document.createElement("tr");
    if (!row.id) Object.assign(row, { id, hidden: true });
    body.insertBefore(row, place);
  }
});
function filter() {
  clearTimeout(typing);
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value)).toString();
  history.replaceState(null, "", query ? `/?${query}` : "/");
  live.restart(`/events?${query}`);
}
form.addEventListener("change", filter);
form.addEventListener("input", (event) => {
  clearTimeout(typing);
  if (event.target.type === "search") typing = setTimeout(filter, 150);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  filter();
});
