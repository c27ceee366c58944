// The page of one job: kept up to date, with its log; killing after asking; what is opened, closed again by Escape.
import { copyText } from "./clipboard.js";
import { Live } from "./live.js";
import { openLog } from "./log.js";

const byId = (name) => document.getElementById(name);
const id = byId("job").dataset.job, dialog = byId("confirm"), note = byId("kill-note");
const live = new Live(`/job/${encodeURIComponent(id)}/events`);
const log = openLog(document.querySelector(".log"), id);
live.on("log", (counts) => log.grown(counts));
live.on("end", ({ forgotten }) => {
  if (forgotten) log.grown({ ...log.counts, complete: true });
  dialog.close();
  note.hidden = true;
});

function say(text) {
  note.textContent = text;
  note.hidden = false;
}
async function kill() {
  dialog.close();
  try {
    const response = await fetch(`/api/jobs/${encodeURIComponent(id)}/kill`, { method: "POST", headers: { "X-Fluster": "1" } });
    if (!response.ok) say(`Not killed: ${(await response.json()).error}`);
    else if (!live.over) say("Asked to end; it is killed after its grace period.");
  } catch {
    say("Not killed: the worker does not answer. Try again once it is back.");
  }
}
async function copy(button) {
  try {
    await copyText(button.dataset.copy);
    button.textContent = "copied";
  } catch {
    // Then it is chosen, to be copied by hand.
    getSelection().selectAllChildren(button.previousElementSibling);
    button.textContent = "press Ctrl+C";
  }
  setTimeout(() => (button.textContent = "copy"), 2000);
}
byId("confirm-no").addEventListener("click", () => dialog.close());
byId("confirm-yes").addEventListener("click", kill);
document.addEventListener("click", ({ target }) => {
  if (target.closest("#kill")) dialog.showModal();
  else if (target.matches("[data-copy]")) copy(target);
  for (const help of document.querySelectorAll(".help[open]")) if (!help.contains(target)) help.open = false;
});
document.addEventListener("keydown", (event) => {
  const help = event.key === "Escape" && document.querySelector(".help[open]");
  if (!help) return;
  help.open = false;
  help.firstElementChild.focus();
});
