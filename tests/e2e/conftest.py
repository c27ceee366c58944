"""A real worker and a real browser for the pages."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import httpx2
import pytest
from playwright.sync_api import sync_playwright

from fluster.store.documents import load
from tests.absent import needed

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

ENDLESS = "import itertools, time\nfor i in itertools.count():\n    print('line', i)\n    time.sleep(0.005)"


class Worker:
    """A real worker process, asked over HTTP."""

    def __init__(self, url, state, http):
        self.url = url
        self._state = state
        self._http = http

    def submit(self, program, **more):
        return self.run("python", "-u", "-c", program, **more)

    def run(self, *command, **more):
        return self.request({"command": command, **more})

    def request(self, request):
        answer = self._http.post("/fluster.v1.WorkerService/RunJob", json=request)
        return answer.raise_for_status().json()["jobId"]

    def job(self, job_id):
        return self._http.get(f"/api/jobs/{job_id}").json()

    def stored(self):
        """The jobs as the worker's store holds them."""
        with closing(sqlite3.connect(f"file:{self._state}/jobs.db?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT document, sequence FROM jobs").fetchall()
        return [load(document, sequence=sequence, has_entrypoint=False) for document, sequence in rows]

    def kill(self, job_id):
        self._http.post(f"/api/jobs/{job_id}/kill?grace_ms=0").raise_for_status()
        self.wait(job_id)

    def wait(self, job_id):
        return self.until(job_id, lambda job: job["finished_at"] is not None)

    def until(self, job_id, done):
        deadline = time.monotonic() + 60
        while not done(job := self.job(job_id)):
            assert time.monotonic() < deadline, job
            time.sleep(0.02)
        return job


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    home = tmp_path_factory.mktemp("worker")
    env = {
        **os.environ, "XDG_STATE_HOME": str(home), "XDG_CACHE_HOME": str(home), "FLUSTER_WORKER_ID": f"browser-{os.getpid()}",
    }  # fmt: skip
    log = home / "worker.log"  # a pipe that nobody reads would fill up, and hold the worker up
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "fluster", "worker", "--port", "0", "--runtime", "process", "--stats-interval", "200ms"],
            env=env, stderr=stderr,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.01)
        with httpx2.Client(base_url=found[0], timeout=60) as http:
            yield Worker(found[0], home / "fluster", http)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


@pytest.fixture(scope="module")
def browser():
    needed("chromium")
    chromium = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium or "/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def color_scheme():
    return "light"


@pytest.fixture
def page(browser, color_scheme):
    """A page on which no script failed, nothing asked by a dialog, and the content security policy was not broken once."""
    context = browser.new_context(
        color_scheme=color_scheme, timezone_id="Asia/Kolkata", viewport={"width": 1000, "height": 700}
    )
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))

    def heard(message):
        # What the worker refused or does not have is shown on the page, and not a fault of it.
        if message.type == "error" and not re.search("status of (404|422)", message.text):
            problems.append(message.text)

    page.on("console", heard)
    page.on("dialog", lambda dialog: problems.append(f"dialog {dialog.message}"))
    yield page
    context.close()
    assert problems == []


@pytest.fixture(scope="module")
def million(worker):
    """A million lines of stdout and one of stderr, somewhere."""
    program = (
        "import sys\n"
        "print('a warning', file=sys.stderr, flush=True)\n"
        "for block in range(0, 1_000_000, 10_000):\n"
        "    sys.stdout.write(''.join(f'line {n} of many{\" needle\" if n % 250_000 == 7 else \"\"}\\n' for n in range(block, block + 10_000)))\n"
        "print('last words')"
    )
    job_id = worker.submit(program)
    worker.wait(job_id)
    return job_id


@pytest.fixture
def endless(worker):
    job_id = worker.submit(ENDLESS)
    worker.until(job_id, lambda job: job["logs"]["lines"].get("stdout", 0) > 100)
    yield job_id
    worker.kill(job_id)
