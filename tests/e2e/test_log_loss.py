"""The log view where something is missing: the worker for a while, lines for good."""

import re
import shutil
from pathlib import Path
from unittest import mock

import pytest
from playwright.sync_api import expect

from fluster.cri import CriWriter
from fluster.cri.files import LogFiles
from tests.benchmarks.worker import started
from tests.e2e.log_page import part
from tests.polling import until

pytestmark = pytest.mark.browser
COUNTING = "import itertools, time\nfor n in itertools.count():\n    print('line', n, flush=True)\n    time.sleep(0.01)"


@pytest.fixture
def page(browser):
    """It may say on its console that its connection was refused."""
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    yield context.new_page()
    context.close()


def written(page):
    return int(page.locator("#tab-stdout small").inner_text().replace(",", ""))


def texts(page):
    return page.locator("#log .line.stdout .text").all_inner_texts()


def test_a_log_that_was_followed_over_the_death_of_its_worker_has_every_line(page, tmp_path):
    options = {"runtime": "process", "worker_id": "log-goes-on"}
    with started(tmp_path, **options) as first:
        port = int(first.url.rpartition(":")[2])
        job_id = first.submit("python3", "-c", COUNTING)
        first.until([job_id], "running")
        page.goto(f"{first.url}/job/{job_id}#stdout")
        until(lambda: written(page) > 50)
        first.process.kill()
        first.process.wait()
        expect(page.locator("#connection")).to_have_text(re.compile("^connection lost since"), timeout=15_000)
        before = written(page)
    with started(tmp_path, port=port, **options) as second:
        expect(page.locator("#connection")).to_be_hidden(timeout=15_000)
        until(lambda: written(page) > before + 100)
        expect(part(page, "follow")).to_have_text("following")
        second.ask(f"/api/jobs/{job_id}/kill?grace_ms=0", {})
        expect(part(page, "follow")).to_have_text("end of the log", timeout=15_000)
        total = written(page)
        last = until(lambda: (texts(page) or [""])[-1] == f"line {total - 1}" and texts(page))[-1]
        assert last == f"line {total - 1}"
        part(page, "goto").locator("input").fill(str(before + 2))  # where the connection was lost
        part(page, "goto").locator("input").press("Enter")
        around = until(lambda: f"line {before}" in texts(page) and texts(page))
        numbers = [int(text.removeprefix("line ")) for text in around]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_lines_that_could_not_be_written_are_marked_where_they_are_missing(page, tmp_path):
    with started(tmp_path, runtime="process", worker_id="log-gap") as worker:
        job_id = worker.submit("sh", "-c", "for i in 1 2 3 4; do echo line $i; done")
        worker.until([job_id], "succeeded")
        logs = Path(tmp_path) / "state" / "logs" / job_id
        for path in logs.glob("job.log*"):
            path.unlink()
        append = LogFiles._append
        with CriWriter(logs / "job.log") as log:
            for number in range(1, 8):
                lost = 3 <= number < 6
                with mock.patch.object(LogFiles, "_append", (lambda *_: False) if lost else append):
                    log.write("stdout", 1_795_453_731 * 10**9 + number, b"line %d\n" % number)
        page.goto(f"{worker.url}/job/{job_id}#stdout")
        expect(page.locator("#log .line")).to_have_count(4)
        expect(page.locator("#log .gap")).to_have_text("3 lines are missing here")
        expect(page.locator("#log .line").nth(2)).to_have_text(re.compile("missing here *line 6$"))


def test_a_beginning_that_is_not_kept_is_said(page, tmp_path):
    options = {"log_segment": "64k", "max_job_log": "256k"}
    with started(tmp_path, runtime="process", worker_id="log-cap", **options) as worker:
        job_id = worker.submit("sh", "-c", "seq 50000; echo warning >&2")
        worker.until([job_id], "succeeded")
        page.goto(f"{worker.url}/job/{job_id}#stdout")
        gone = worker.job(job_id)["logs"]["retired"]["stdout"]
        assert gone > 0
        expect(part(page, "gone")).to_have_text(f"{gone:,} older lines are not kept any more.")
        page.locator("#log").focus()
        page.keyboard.press("Home")
        expect(page.locator("#log .line .text").first).to_have_text(f"{gone + 1}")
        part(page, "goto").locator("input").fill("5")
        part(page, "goto").locator("input").press("Enter")
        expect(page.locator("#log .line .text").first).to_have_text(f"{gone + 1}")
        expect(part(page, "note")).to_have_text("Line 5 is not kept any more.")
        page.get_by_role("tab", name="STDERR").click()
        expect(page.locator("#log .line .text")).to_have_text("warning")
        expect(part(page, "gone")).to_be_hidden()
        page.get_by_role("tab", name="ALL").click()
        expect(page.locator("#log")).to_contain_text("50000")
        shutil.rmtree(Path(tmp_path) / "state" / "logs" / job_id)
        page.reload()
        expect(part(page, "note")).to_contain_text("not kept any more")


def test_a_search_is_made_again_once_the_worker_is_back(page, tmp_path):
    options = {"runtime": "process", "worker_id": "search-again"}
    with started(tmp_path, **options) as first:
        port = int(first.url.rpartition(":")[2])
        job_id = first.submit("python3", "-c", COUNTING)
        first.until([job_id], "running")
        page.goto(f"{first.url}/job/{job_id}#stdout")
        until(lambda: written(page) > 20)
        first.process.kill()
        first.process.wait()
        part(page, "search").fill("line 1")
        expect(part(page, "hits")).to_have_text("the worker does not answer")
    with started(tmp_path, port=port, **options) as second:
        expect(part(page, "hits")).to_have_text(re.compile(r"^\d+ hits$"), timeout=15_000)
        second.ask(f"/api/jobs/{job_id}/kill?grace_ms=0", {})
