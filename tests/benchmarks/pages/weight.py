"""P1: what the first page weighs with a thousand jobs, with all that it loads; a size is the same in every round."""

from tests.benchmarks.pages.browser import chromium, opened
from tests.benchmarks.pages.ended import JOBS, remember_jobs
from tests.benchmarks.result import Note, Result
from tests.benchmarks.worker import started

PARTS = {"document": "HTML", "script": "scripts", "stylesheet": "styles", "image": "images", "font": "fonts"}


def measure(bench):
    folder = bench.folder()
    remember_jobs(folder)
    with started(folder, runtime="fake", worker_id="bench-weight") as worker, chromium() as browser:
        sizes, carried = _loaded(browser, worker.url)
    for name, size in sizes.items():
        yield Result("P1", f"GET / with {JOBS} jobs: {name}", "bytes", [size])
    yield Result("P1", f"GET / with {JOBS} jobs: in all", "bytes", [sum(sizes.values())])
    yield Result("P1", f"GET / with {JOBS} jobs: in all, as it was sent", "bytes", [carried])
    yield Note("P1: what the scripts ask for later (events, documents of /api) is in none of these figures.")


def _loaded(browser, url):
    """Bytes by kind as the browser reads them, and in all as they came over the wire, bodies alone."""
    answers = []

    def answered(answer):  # Playwright marks what it calls, and a list's own method bears no mark
        answers.append(answer)

    with opened(browser) as page:
        page.on("response", answered)
        page.goto(url, wait_until="load")
        kinds = [each for each in answers if each.request.resource_type in PARTS]
        sizes = dict.fromkeys(PARTS.values(), 0)
        for each in kinds:
            sizes[PARTS[each.request.resource_type]] += len(each.body())
        carried = sum(each.request.sizes()["responseBodySize"] for each in kinds)
    return {name: size for name, size in sizes.items() if size}, carried
