"""The log view as a reader handles it: its parts, its lines, and which of them are in the window."""

import re

from tests.polling import until

SEEN = """() => {
  const box = document.getElementById('log'), edge = box.getBoundingClientRect();
  const inside = (line) => { const at = line.getBoundingClientRect(); return at.top >= edge.top - 1 && at.bottom <= edge.top + box.clientHeight + 1 };
  return [...box.querySelectorAll('.line[data-number]')].filter(inside).map((line) => Number(line.dataset.number));
}"""
PARTLY = SEEN.replace("at.top >= edge.top - 1", "at.bottom > edge.top").replace(
    "at.bottom <= edge.top + box.clientHeight + 1", "at.top < edge.top + box.clientHeight"
)
MILLION = 1_000_000


def ended(worker, program, **more):
    job_id = worker.submit(program, **more)
    worker.wait(job_id)
    return job_id


def part(page, name):
    return page.locator(f"[data-log-part={name}]")


def line(page, number):
    return page.locator(f"#log .line[data-number='{number}']")


def number_of(page, worker, job_id, row, source="stdout"):
    """The number, in the whole log, of a line of one stream."""
    answer = page.request.get(f"{worker.url}/job/{job_id}/log?source={source}&start={row}&limit=1")
    return answer.json()["lines"][0]["number"]


def seen(page, how=SEEN):
    """The numbers of the lines in the window."""
    return page.evaluate(how)


def waiting(page):
    """How many lines came since the reader left the end."""
    return int(re.sub(r"\D", "", part(page, "follow").inner_text()) or 0)


def see(page, number):
    """Waits until the line is in the window."""
    until(lambda: number in seen(page))


def open_log(page, worker, job_id, place=""):
    page.goto(f"{worker.url}/job/{job_id}{place}")
    page.locator("#log .rows .line:not(.waiting)").first.wait_for(state="attached")
