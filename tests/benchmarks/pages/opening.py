"""P3: the page of a job with a log of 1 GiB in a browser, until its last line is shown, beside a log of 1 MiB."""

from tests.benchmarks.pages.browser import chromium, opened, shown
from tests.benchmarks.pages.ended import LAST, remember_logs
from tests.benchmarks.result import Note, Result
from tests.benchmarks.worker import started

SMALL = 11_200
"""Lines of a MiB."""


def measure(bench):
    folder = bench.folder()
    sizes = remember_logs(folder, {"large": SMALL * bench.pick(1024, 10), "small": SMALL})
    with started(folder, runtime="fake", worker_id="bench-opening") as worker, chromium() as browser:

        def opening(job_id):
            with opened(browser) as page:
                return shown(page, f"{worker.url}/job/{job_id}", LAST)

        opening("small")  # the browser itself is warm for both
        found = bench.interleave({job_id: lambda job_id=job_id: opening(job_id) for job_id in sizes})
    large, small = (f"{sizes[job_id] / 2**20:,.0f} MiB" for job_id in ("large", "small"))
    yield Result(
        "P3", f"last line shown, log of {large}", "ms", found["large"], f"log of {small}", found["small"], good="more"
    )
    yield Note(
        "P3: from the begin of the navigation, by the page's clock; each round is a browser context without a cache."
    )
