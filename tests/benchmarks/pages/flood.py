"""P4: a job's page while 5,000 lines arrive every second, beside the page of a job that says nothing."""

from tests.benchmarks.pages.beside import beside
from tests.benchmarks.pages.browser import chromium, forget_tasks, longest_task, opened, shown
from tests.benchmarks.result import Note, Result
from tests.benchmarks.worker import started

RATE = 5000
JOB = f"""
import sys, time
print("it begins", flush=True)
if sys.argv[1] == "flood":
    number, due = 0, time.monotonic()
    while True:
        sys.stdout.write("".join(f"line {{number + each}} of a job that talks and talks\\n" for each in range({RATE // 100})))
        sys.stdout.flush()
        number += {RATE // 100}
        due += 0.01
        time.sleep(max(0, due - time.monotonic()))
time.sleep(3600)
"""
SEEN = """() => Math.max(0, ...Array.from(document.querySelectorAll(".log *"), (each) => each.children.length ? 0
    : Number(/^line (\\d+) of/.exec(each.textContent)?.[1] ?? 0)))"""
"""The highest number among the lines on the page."""


def measure(bench):
    seconds = bench.pick(20, 1)
    late = []
    with (
        started(bench.folder(), runtime="process", worker_id="bench-flood", stats_interval="1s") as worker,
        chromium() as browser,
    ):

        def watched(kind):
            job_id = worker.submit("python3", "-c", JOB, kind)
            worker.until([job_id], "running")
            try:
                with opened(browser) as page:
                    shown(page, f"{worker.url}/job/{job_id}", "it begins" if kind == "idle" else "of a job that talks")
                    page.wait_for_timeout(1000)  # what the page does once is not what it does all the time
                    forget_tasks(page)
                    page.wait_for_timeout(seconds * 1000)
                    longest = longest_task(page)
                    if kind == "flood":
                        written = worker.job(job_id)["logs"]["lines"]["stdout"]
                        late.append(max(0, written - page.evaluate(SEEN)) / RATE)
                    return longest
            finally:
                worker.ask(f"/api/jobs/{job_id}/kill?grace_ms=0", {})
                worker.until([job_id], "killed")

        found = bench.interleave({kind: lambda kind=kind: watched(kind) for kind in ("flood", "idle")})
    what = f"longest task of the job page, {RATE} lines/s for {seconds} s"
    yield from beside("P4", what, "ms", found["flood"], "a job that says nothing", found["idle"])
    yield Result("P4", "how far the page was behind the log at the end", "s", late)
    yield Note(
        "P4: 0 ms is none of 50 ms or more: a browser tells of no shorter one. Counts of a log are up to a second old."
    )
